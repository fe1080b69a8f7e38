# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lamp really showed: from a truth file, or from what a recording itself shows later."""

import bisect
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leezenflow.engine import Engine
from leezenflow_host.errors import InputError

GREEN, RED, AMBER, NONE, UNKNOWN = "green", "red", "amber", "none", "unknown"

COLOURS = {2: RED, 3: RED, 4: RED, 5: GREEN, 6: GREEN, 7: AMBER, 8: AMBER}
"""Event state -> what it counts as; every other state is NONE (no colour a display could be right about)."""

# Between two messages further apart than this nobody saw the lamp, unless it shows the same colour on both sides.
_SEEN_GAP_MS = 6_000
# In a longer silence a whole phase may have come and gone.
_BLIND_MS = 15_000
# A feed that speaks on change only is silent as long as a colour lasts; one that is silent for longer was away.
_ON_CHANGE_MS = 600_000


@dataclass
class Truth:
    """One signal group's colours over time.

    `starts` are instants (Unix ms, true time) at which `colours` begin, ascending, neighbours differ. Frames are judged
    between `from_ms` and `to_ms`; `rx_offset_ms` is the receiver's clock minus the true clock. Before the first start
    the colour is NONE.
    """

    from_ms: int
    to_ms: int
    rx_offset_ms: int = 0
    starts: list[int] = field(default_factory=list)
    colours: list[str] = field(default_factory=list)

    def append(self, at_ms: int, colour: str) -> None:
        """Add that the lamp shows `colour` from `at_ms` on (not before the last start)."""
        if not self.colours or self.colours[-1] != colour:
            self.starts.append(at_ms)
            self.colours.append(colour)

    def index_at(self, at_ms: int) -> int:
        """Index of the colour that is on at an instant, -1 before the first."""
        return bisect.bisect_right(self.starts, at_ms) - 1

    def colour_at(self, at_ms: int) -> str:
        """The colour that is on at an instant."""
        index = self.index_at(at_ms)
        return self.colours[index] if index >= 0 else NONE


def load_truth(path: Path, signal_group: int) -> Truth:
    """Read a truth file (docs/reference/truth-format.md) for one signal group.

    Raises `InputError` naming the file and the field when it is not one.
    """
    try:
        values: dict[str, Any] = json.loads(path.read_bytes())
        groups = values["signal_groups"]
        truth = Truth(int(values["from_ms"]), int(values["to_ms"]), int(values.get("rx_offset_ms", 0)))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a truth file ({error!r}); it needs from_ms, to_ms and signal_groups") from error
    switches = groups.get(str(signal_group))
    if switches is None:
        known = ", ".join(sorted(groups, key=lambda name: (len(name), name)))
        raise InputError(f"{path}: signal_groups has no {signal_group}; it has {known}. Choose one with --signal-group")
    try:
        for at_ms, state in switches:
            truth.append(int(at_ms), COLOURS.get(state, NONE))
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: signal_groups.{signal_group} must be a list of [Unix ms, event state]") from error
    return truth


class ObservedTruth:
    """Builds the truth from the messages of a recording: to be asked after every accepted message of a replay.

    A switch is placed where the last message before it said that its phase would end, if that lies between the two
    messages; otherwise where the new state was first seen. Silences in which the colour changed are UNKNOWN, and long
    ones from the end that was last told. Where a feed tells since when the lamp shows its colour, that counts. While
    the recorder's clock repeats what it showed before, nothing is noted, and what lies between is UNKNOWN.
    """

    def __init__(self) -> None:
        self.truth = Truth(0, 0)
        self._seen_ms: int | None = None
        self._end_ms: int | None = None
        self._repeating = False

    def observe(self, at_ms: int, engine: Engine) -> None:
        """Note what the message that `engine` accepted at `at_ms` (Unix ms) says about the present."""
        tracker = engine.tracker
        if not tracker.event_count:
            return
        seen_ms = at_ms - tracker.clock.excess_ms
        event = tracker.events[0]
        colour = COLOURS.get(event.event_state, NONE)
        truth = self.truth
        if (
            self._seen_ms is not None
            and seen_ms <= self._seen_ms
            and (self._repeating or seen_ms < self._seen_ms - 1_000)
        ):
            self._repeating = True
            return
        if self._repeating and self._seen_ms is not None:
            self._repeating = False
            truth.append(self._seen_ms, UNKNOWN)
            truth.append(seen_ms, colour)
        elif self._seen_ms is None:
            truth.from_ms = seen_ms
            truth.append(seen_ms, colour)
        elif tracker.changed_at_ms is not None and seen_ms - self._seen_ms <= _ON_CHANGE_MS:
            truth.append(max(truth.starts[-1], seen_ms + tracker.changed_at_ms - tracker.message_at_ms), colour)
        elif seen_ms - self._seen_ms > _BLIND_MS:
            end_ms = self._seen_ms if self._end_ms is None else self._end_ms
            truth.append(end_ms if self._seen_ms <= end_ms <= seen_ms else self._seen_ms, UNKNOWN)
            truth.append(seen_ms, colour)
        elif colour != truth.colours[-1]:
            if self._end_ms is not None and self._seen_ms <= self._end_ms <= seen_ms:
                truth.append(self._end_ms, colour)
            elif seen_ms - self._seen_ms > _SEEN_GAP_MS:
                truth.append(self._seen_ms, UNKNOWN)
                truth.append(seen_ms, colour)
            else:
                truth.append(seen_ms, colour)
        truth.to_ms = self._seen_ms = seen_ms
        likely_ms = event.likely_end_at_ms
        self._end_ms = None if likely_ms is None else seen_ms + likely_ms - tracker.message_at_ms

    def finish(self, longest_shift_ms: int) -> Truth:
        """The truth so far; frames whose rider arrives after the end of the recording are not judged."""
        self.truth.to_ms -= longest_shift_ms
        return self.truth
