# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a display showed, frame by frame, as columns; and the run of the core that fills them."""

from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leezenflow.advice import KINDS
from leezenflow.board import Site
from leezenflow.engine import ACCEPTED, Engine
from leezenflow.timemark import HOUR_MS
from leezenflow_host.evaluation.truth import ObservedTruth
from leezenflow_host.replay import TICKS_MASK

Ints = NDArray[np.int64]

KIND_CODES = {kind: code for code, kind in enumerate(KINDS)}
GREEN_KIND, SPRINT_KIND, RED_KIND, UNCERTAIN_KIND, DARK_KIND = range(5)
NO_REMAINING = -1
SPAN_COLOURS = {"green": 1, "red": 2}


@dataclass(frozen=True)
class Frames:
    """Consecutive frames: Unix ms, kind (index of KINDS), remaining ms (NO_REMAINING: none), certainty, reason.

    `reason` is an index of `reasons`, -1 for none.
    """

    at_ms: Ints
    kind: Ints
    remaining_ms: Ints
    certainty: Ints
    reason: Ints
    reasons: list[str]

    def __len__(self) -> int:
        return len(self.at_ms)


@dataclass(frozen=True)
class CoreForecasts:
    """What the core made of each accepted message: Unix ms of the frame, colour (SPAN_COLOURS), how far its end is."""

    at_ms: Ints
    colour: Ints
    ahead_ms: Ints


class FrameLog:
    """Collects frames, and hands them out as columns."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self._codes: dict[str, int] = {}
        self._start()

    def _start(self) -> None:
        self.at_ms = array("q")
        self.kind = array("b")
        self.remaining_ms = array("q")
        self.certainty = array("b")
        self.reason = array("h")

    def __len__(self) -> int:
        return len(self.at_ms)

    def reason_code(self, reason: str | None) -> int:
        """The number of a reason."""
        if reason is None:
            return -1
        code = self._codes.get(reason)
        if code is None:
            code = self._codes[reason] = len(self.reasons)
            self.reasons.append(reason)
        return code

    def append(self, at_ms: int, kind: str, remaining_ms: int | None, certainty: int, reason: str | None) -> None:
        """Add one frame."""
        self.at_ms.append(at_ms)
        self.kind.append(KIND_CODES[kind])
        self.remaining_ms.append(NO_REMAINING if remaining_ms is None else remaining_ms)
        self.certainty.append(certainty)
        self.reason.append(self.reason_code(reason))

    def take(self) -> Frames:
        """The frames so far; the log is empty then."""
        frames = Frames(
            _column(self.at_ms),
            _column(self.kind),
            _column(self.remaining_ms),
            _column(self.certainty),
            _column(self.reason),
            list(self.reasons),
        )
        self._start()
        return frames


class DisplayRun:
    """Drives the core through messages under a virtual clock, as `replay_frames` does, and logs every frame.

    `truth` is what the messages show themselves; `engine` the core. Frames begin with the first message.
    """

    def __init__(self, site: Site, decoder: Any, memory: bytes | None = None, fps: int = 10) -> None:
        self.engine = Engine(site, decoder)
        if memory is not None:
            self.engine.load_memory(memory)
        self.log = FrameLog()
        self.observed = ObservedTruth()
        self.message_count = 0
        self._fps = fps
        self._first_ms: int | None = None
        self._frame = 0
        self._frame_ms = 0
        self._noted = 0
        self._start_notes()

    def _start_notes(self) -> None:
        self._note_at_ms = array("q")
        self._note_colour = array("b")
        self._note_ahead_ms = array("q")

    def feed(self, at_ms: int, buffer: Any, start: int, end: int) -> None:
        """Take a message that arrived at `at_ms` (Unix ms), after the frames that came before it."""
        if self._first_ms is None:
            self._first_ms = self._frame_ms = at_ms
        if self._frame_ms < at_ms:
            self._draw_until(at_ms)
        engine = self.engine
        ticks = at_ms & TICKS_MASK
        engine.set_utc(ticks, at_ms % HOUR_MS)
        self.message_count += 1
        if engine.message(buffer, start, end, ticks):
            self.observed.observe(at_ms, engine)

    def finish(self) -> None:
        """Show the last frame."""
        if self._first_ms is not None:
            self._show(self._frame_ms)

    def _draw_until(self, at_ms: int) -> None:
        first_ms, fps, show = self._first_ms, self._fps, self._show
        assert first_ms is not None
        frame, frame_ms = self._frame, self._frame_ms
        while frame_ms < at_ms:
            show(frame_ms)
            frame += 1
            frame_ms = first_ms + frame * 1000 // fps
        self._frame, self._frame_ms = frame, frame_ms

    def _show(self, frame_ms: int) -> None:
        engine = self.engine
        advice = engine.frame(frame_ms & TICKS_MASK)
        log = self.log
        remaining_ms = advice.remaining_ms
        log.at_ms.append(frame_ms)
        log.kind.append(KIND_CODES[advice.kind])
        log.remaining_ms.append(NO_REMAINING if remaining_ms is None else remaining_ms)
        log.certainty.append(advice.certainty)
        log.reason.append(-1 if advice.reason is None else log.reason_code(advice.reason))
        accepted = engine.counters.get(ACCEPTED, 0)
        if accepted != self._noted:
            self._noted = accepted
            self._note_forecast(frame_ms)

    def _note_forecast(self, frame_ms: int) -> None:
        """Note the core's likely end of the present green or red."""
        forecast = self.engine.forecast
        if not forecast.span_count or forecast.spans[0].end_at_ms is None:
            return
        colour = SPAN_COLOURS.get(forecast.spans[0].colour)
        if colour is not None:
            self._note_at_ms.append(frame_ms)
            self._note_colour.append(colour)
            self._note_ahead_ms.append(forecast.spans[0].end_at_ms - self.engine.tracker.message_at_ms)

    def take_forecasts(self) -> CoreForecasts:
        """What was noted of the core's forecasts since the last time."""
        forecasts = CoreForecasts(_column(self._note_at_ms), _column(self._note_colour), _column(self._note_ahead_ms))
        self._start_notes()
        return forecasts


def _column(values: array) -> Ints:
    return np.frombuffer(values, dtype=values.typecode).astype(np.int64)
