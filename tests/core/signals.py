# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages made by hand, for tests of everything behind the decoder: no wire format, just an IntersectionState."""

from leezenflow.engine import Engine
from leezenflow.spatem import IntersectionState

UNKNOWN = 36001


class Site:
    """A site's facts, as the core reads them; 22 s away at cruise speed."""

    def __init__(self, cruise_ms=22_000, sprint_ms=None, clearance="red", max_wrong_permille=None):
        self.cruise_ms = cruise_ms
        self.sprint_ms = sprint_ms
        self.clearance = clearance
        self.max_wrong_permille = max_wrong_permille


class ReadyDecoder:
    """A decoder for messages that need no decoding: `message` hands over a prepared IntersectionState."""

    def __init__(self):
        self.state = IntersectionState()

    def begin(self, buffer, start, end):
        self.state = buffer

    def step(self):
        return True


def fill(state, controller_ms, events, status=0):
    """Fill `state`; all times in ms since the year began, events are (state, min, likely, max)."""
    state.clear()
    state.region = 49
    state.id = 1090
    state.status = status
    state.moy = controller_ms // 60_000 % 525_600
    state.time_stamp = controller_ms % 60_000
    state.movement.signal_group = 12
    for event_state, earliest, likely, latest in events:
        event = state.movement.add_event()
        event.event_state = event_state
        event.min_end_time = mark(earliest)
        event.likely_time = mark(likely)
        event.max_end_time = mark(latest)
        event.confidence = 15
    return state


def mark(at_ms):
    """Return the TimeMark of an instant in ms since the year began; None stays unknown."""
    return UNKNOWN if at_ms is None else at_ms // 100 % 36_000


def engine(site=None):
    """Return an Engine that takes IntersectionStates as its messages."""
    return Engine(site or Site(), ReadyDecoder())


class Program:
    """A fixed-time signal: red, red with amber for 1 s, green, amber for 2 s, from `origin_ms` on."""

    def __init__(self, origin_ms, red_ms=40_000, green_ms=20_000):
        self.origin_ms = origin_ms
        self.lengths = ((3, red_ms), (4, 1_000), (6, green_ms), (8, 2_000))
        self.cycle_ms = red_ms + green_ms + 3_000

    def state_at(self, at_ms):
        """Return (event state, end of it) at an instant."""
        begin = at_ms - (at_ms - self.origin_ms) % self.cycle_ms
        for event_state, length in self.lengths:
            begin += length
            if at_ms < begin:
                return event_state, begin
        return 3, begin

    def colour_at(self, at_ms):
        """Return "red", "green" or "amber", as the lamp shows at an instant."""
        return {3: "red", 4: "red", 6: "green", 8: "amber"}[self.state_at(at_ms)[0]]

    def events_at(self, at_ms, count=5):
        """Return `count` exact events from an instant on, for `fill`."""
        events = []
        for _ in range(count):
            event_state, end = self.state_at(at_ms)
            events.append((event_state, end, end, end))
            at_ms = end
        return events
