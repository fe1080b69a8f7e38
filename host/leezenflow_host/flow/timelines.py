# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a display says over time: ours (the core itself), the perfect one, plain arithmetic, and an unshifted one.

A timeline has a frame every 100 ms of true time. All but the perfect and the unshifted one see only the messages.
"""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from leezenflow.advice import DARK, GREEN, KINDS, RED, SPRINT
from leezenflow.board import Site
from leezenflow.engine import Engine
from leezenflow_host.evaluation.frames import NO_REMAINING
from leezenflow_host.evaluation.plain import plain_frames
from leezenflow_host.evaluation.truth import AMBER, Truth
from leezenflow_host.replay import build_decoder, replay_frames
from leezenflow_host.trace import TraceMessage

FRAME_MS = 100
# Hurrying must work for at least this long to be advised, as in the core.
_SPRINT_WORTH_MS = 2_000


@dataclass
class Timeline:
    """Frames from `from_ms` (Unix ms, true time) on: `kinds`, and the remaining time of each in ms or None."""

    from_ms: int
    kinds: list[str] = field(default_factory=list)
    remaining_ms: list[int | None] = field(default_factory=list)

    def append(self, kind: str, remaining_ms: int | None) -> None:
        """Add the next frame."""
        self.kinds.append(kind)
        self.remaining_ms.append(remaining_ms)

    def as_dict(self) -> dict[str, Any]:
        """The timeline as json, for another process; `from_dict` reads it."""
        return {"from_ms": self.from_ms, "kinds": self.kinds, "remaining_ms": self.remaining_ms}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Timeline":
        """The timeline that `as_dict` wrote."""
        return cls(values["from_ms"], values["kinds"], values["remaining_ms"])

    def look(self, at_ms: float) -> tuple[str, float | None]:
        """Return (kind, remaining seconds) that is on at an instant; dark before the first frame and after the last."""
        index = int(at_ms - self.from_ms) // FRAME_MS
        if not 0 <= index < len(self.kinds):
            return DARK, None
        remaining_ms = self.remaining_ms[index]
        return self.kinds[index], None if remaining_ms is None else remaining_ms / 1000


def core_timeline(messages: Sequence[TraceMessage], site: Site, rx_offset_ms: int, memory: bytes | None) -> Timeline:
    """Our own core on the messages, exactly as a unit would run it."""
    engine = Engine(site, build_decoder(site))
    if memory is not None:
        engine.load_memory(memory)
    timeline = Timeline(messages[0].at_ms - rx_offset_ms)
    for _, advice in replay_frames(messages, engine):
        timeline.append(advice.kind, advice.remaining_ms)
    return timeline


def arithmetic_timeline(messages: Sequence[TraceMessage], site: Site, rx_offset_ms: int) -> Timeline:
    """The baseline of `evaluate`: the controller's likely times, correctly added up and believed."""
    frames = plain_frames(messages, site, 1000 // FRAME_MS)
    timeline = Timeline(int(frames.at_ms[0]) - rx_offset_ms if len(frames.at_ms) else messages[0].at_ms - rx_offset_ms)
    for kind, remaining_ms in zip(frames.kind.tolist(), frames.remaining_ms.tolist(), strict=True):
        timeline.append(KINDS[kind], None if remaining_ms == NO_REMAINING else remaining_ms)
    return timeline


def perfect_timeline(truth: Truth, site: Site, to_ms: int) -> Timeline:
    """A display that knows the future: what the lamp will show on arrival; amber counts as the site says."""
    starts, colours = _two_colours(truth, site.clearance)
    timeline = Timeline(truth.from_ms)
    for at_ms in range(truth.from_ms, to_ms, FRAME_MS):
        kind, remaining_ms = _true_advice(starts, colours, at_ms + site.cruise_ms)
        if kind == RED and site.sprint_ms is not None:
            sprinter, left_ms = _true_advice(starts, colours, at_ms + site.sprint_ms)
            if sprinter == GREEN and left_ms is not None and left_ms >= _SPRINT_WORTH_MS:
                kind, remaining_ms = SPRINT, left_ms
        timeline.append(kind, remaining_ms)
    return timeline


def unshifted_timeline(truth: Truth, site: Site, to_ms: int) -> Timeline:
    """A display that switches with the signal instead of with the rider's arrival, as riders complained of."""
    starts, colours = _two_colours(truth, site.clearance)
    timeline = Timeline(truth.from_ms)
    for at_ms in range(truth.from_ms, to_ms, FRAME_MS):
        timeline.append(*_true_advice(starts, colours, at_ms))
    return timeline


def _two_colours(truth: Truth, clearance: str) -> tuple[list[int], list[str]]:
    """The truth with amber counted as the site wants it, and equal neighbours as one."""
    starts: list[int] = []
    colours: list[str] = []
    for at_ms, colour in zip(truth.starts, truth.colours, strict=True):
        shade = clearance if colour == AMBER else colour
        if not colours or colours[-1] != shade:
            starts.append(at_ms)
            colours.append(shade)
    return starts, colours


def _true_advice(starts: list[int], colours: list[str], arrival_ms: int) -> tuple[str, int | None]:
    index = bisect.bisect_right(starts, arrival_ms) - 1
    if index < 0 or index + 1 >= len(starts) or colours[index] not in ("green", "red"):
        return DARK, None
    return GREEN if colours[index] == "green" else RED, starts[index + 1] - arrival_ms
