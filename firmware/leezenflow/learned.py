# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A forecast for feeds that tell only the present state, learned from the switches of the recent past.

Of each kind of switch (to red, to green) the last intervals are kept, measured from two anchors: from the switch
before it (the length of the phase) and from the last switch of its own kind (the cycle). The anchor whose intervals
scatter less is used. A switch is expected at the median of the intervals that are still possible, and promised
between the shortest and the longest, with a margin. How far that can be trusted is not decided here: `calibration`
watches these forecasts as it watches a controller's, and `advice` claims nothing until it has seen enough of them.

A `LearnedForecast` stands where a `SignalTracker` stands for `Forecast.update`. Instants are local ms. No float, no
true division, nothing allocated after the start. docs/timing.md tells how well it does on real signals.
"""

from array import array

from leezenflow import spatem
from leezenflow.forecast import GREEN, NO_COLOUR, RED, colour
from leezenflow.tracker import TimedEvent

# Intervals kept of each kind: with cycles of 60 to 90 s about a quarter of an hour, in which a program seldom changes.
_KEPT = 16
# With fewer nothing is expected.
_LEAST = 4
# States come rounded to the second, and late by another.
_MARGIN_MS = 1_000
# How late the news of a switch may come: a second between messages, and another on its way.
_NEWS_MS = 2_000
# A switch this far outside of what was seen is a surprise; so many in a row are another program.
_SURPRISE_MS = 2_000
_SURPRISES = 2
# Longer than any red in service: after it, the interval says nothing (signal-data reference, section 3).
_LONGEST_MS = 300_000
# Amber and red with amber; what lasts longer is not that.
_SHORT_MS = 6_000

_TO_RED, _TO_GREEN = 0, 1
_CLEARANCE = "clearance"
_PRE_MOVEMENT = "pre_movement"
# What may follow what; anything else means that a message was lost.
_FOLLOWERS = {
    GREEN: (_CLEARANCE, RED),
    _CLEARANCE: (RED, _PRE_MOVEMENT),
    RED: (_PRE_MOVEMENT, GREEN),
    _PRE_MOVEMENT: (GREEN,),
}


class Intervals:
    """The last `_KEPT` intervals of one kind (ms): `ordered[:count]` from the shortest to the longest."""

    def __init__(self):
        self.count = 0
        self.ordered = array("i", [0] * _KEPT)
        self._ring = array("i", [0] * _KEPT)
        self._next = 0

    def clear(self):
        """Forget them all."""
        self.count = self._next = 0

    def add(self, length_ms):
        """Take in one more; the oldest gives way."""
        self._ring[self._next] = length_ms
        self._next = (self._next + 1) % _KEPT
        self.count = min(self.count + 1, _KEPT)
        ordered = self.ordered
        for i in range(self.count):
            value = self._ring[i]
            j = i
            while j and ordered[j - 1] > value:
                ordered[j] = ordered[j - 1]
                j -= 1
            ordered[j] = value

    def spread_ms(self):
        """Return within how many ms the middle half of them lies."""
        return self.ordered[self.count * 3 >> 2] - self.ordered[self.count >> 2]

    def covers(self, length_ms):
        """Is this interval, but for a little, among those seen?"""
        if self.count == 0:
            return False
        return self.ordered[0] - _SURPRISE_MS <= length_ms <= self.ordered[self.count - 1] + _SURPRISE_MS

    def expected_ms(self, elapsed_ms):
        """Return the median of those not yet over after `elapsed_ms`, None where there is none.

        The news that one is over takes a while: until then it is expected at this moment.
        """
        first = 0
        while first < self.count and self.ordered[first] < elapsed_ms - _NEWS_MS:
            first += 1
        return None if first == self.count else max(self.ordered[(first + self.count) >> 1], elapsed_ms)


class _Instant:
    """When something was or will be: likely, and between which bounds."""

    def __init__(self):
        self.known = False
        self.earliest_ms = self.likely_ms = self.latest_ms = 0

    def put(self, at_ms):
        self.known = at_ms is not None
        if self.known:
            self.earliest_ms = self.likely_ms = self.latest_ms = at_ms


class LearnedForecast:
    """Learns one signal group's switches and expects the next three.

    `events[:event_count]` are the present state and what is expected to follow, `message_at_ms` is the instant they
    were made for; `learned` says whether there is enough experience to expect anything.
    """

    def __init__(self):
        self.events = [TimedEvent() for _ in range(6)]
        self.event_count = 0
        self.message_at_ms = 0
        self._state = spatem.UNAVAILABLE
        self._phase = NO_COLOUR
        self._program = None
        # When each kind last switched (None: not seen), and when the present phase began.
        self._switched_at_ms = [None, None]
        self._phase_at_ms = None
        self._seen_at_ms = None
        self._lengths = (Intervals(), Intervals())
        self._cycles = (Intervals(), Intervals())
        self._clearance_ms = 0
        self._surprises = 0
        self._start = _Instant()
        self._end = _Instant()

    @property
    def learned(self):
        """Has each kind of switch been seen often enough to expect one?"""
        return self._lengths[_TO_RED].count >= _LEAST and self._lengths[_TO_GREEN].count >= _LEAST

    def observe(self, event_state, at_ms, began_at_ms=None, program=None):
        """Take in the state the lamp shows at `at_ms`, since `began_at_ms` where the feed tells.

        `program` is the number of the signal program where the feed tells it: another one is learned anew.
        """
        if program is not None and program != self._program:
            if self._program is not None:
                self.forget()
            self._program = program
        phase = _phase_of(event_state)
        self._state = event_state
        if phase != self._phase:
            if phase not in _FOLLOWERS.get(self._phase, ()):
                self.interrupt()
            elif began_at_ms is None:
                began_at_ms = at_ms if self._seen_at_ms is None else (self._seen_at_ms + at_ms) >> 1
            self._enter(phase, began_at_ms)
        self._seen_at_ms = at_ms

    def interrupt(self):
        """The lamp was out of sight (silence, flashing, a lost message): what comes next has no known beginning."""
        self._phase = NO_COLOUR
        self._phase_at_ms = None
        self._seen_at_ms = None
        self._switched_at_ms[_TO_RED] = self._switched_at_ms[_TO_GREEN] = None

    def forget(self):
        """Another program: nothing learned holds any more."""
        for intervals in self._lengths + self._cycles:
            intervals.clear()
        self._surprises = 0

    def _enter(self, phase, at_ms):
        if self._phase == _CLEARANCE and self._phase_at_ms is not None and at_ms is not None:
            length_ms = at_ms - self._phase_at_ms
            if 0 < length_ms <= _SHORT_MS:
                self._clearance_ms = length_ms
        if self._phase == GREEN and phase == RED:
            # A signal without amber.
            self._clearance_ms = 0
        if phase == GREEN:
            self._note(_TO_GREEN, at_ms)
        elif phase == _CLEARANCE or (phase == RED and self._phase == GREEN):
            self._note(_TO_RED, at_ms)
        self._phase = phase
        self._phase_at_ms = at_ms

    def _note(self, kind, at_ms):
        """A switch was seen at `at_ms` (None: nobody knows when)."""
        other_ms = self._switched_at_ms[1 - kind]
        same_ms = self._switched_at_ms[kind]
        if at_ms is not None and other_ms is not None and 0 < at_ms - other_ms <= _LONGEST_MS:
            length_ms = at_ms - other_ms
            cycle_ms = None if same_ms is None or at_ms - same_ms > 2 * _LONGEST_MS else at_ms - same_ms
            self._watch(kind, length_ms, cycle_ms)
            self._lengths[kind].add(length_ms)
            if cycle_ms is not None:
                self._cycles[kind].add(cycle_ms)
        self._switched_at_ms[kind] = at_ms

    def _watch(self, kind, length_ms, cycle_ms):
        """Recognise another program by intervals never seen before.

        A phase that is cut short and made up for within the cycle is none.
        """
        if self._lengths[kind].count < _LEAST:
            return
        if self._lengths[kind].covers(length_ms) or (cycle_ms is not None and self._cycles[kind].covers(cycle_ms)):
            self._surprises = 0
            return
        self._surprises += 1
        if self._surprises >= _SURPRISES:
            self.forget()

    def expect(self, now_ms):
        """Fill `events` with the present state and what is expected to follow, as seen from `now_ms`."""
        self.message_at_ms = now_ms
        self.event_count = 0
        phase = self._phase
        if phase == NO_COLOUR:
            return
        kind = _TO_RED if phase == GREEN else _TO_GREEN
        self._start.put(self._switched_at_ms[1 - kind])
        if phase == _CLEARANCE:
            # It is part of the red that has begun with it, and is over before long.
            self._add(self._state, self._phase_at_ms, self._clearance_ms)
            state = spatem.STOP_AND_REMAIN
        else:
            state = self._state
        for i in range(3):
            if not self._expect_end(kind, now_ms, i == 0):
                self._add(state, None, 0)
                return
            end = self._end
            self._add_bounded(state, end, 0)
            if kind == _TO_RED and self._clearance_ms:
                self._add_bounded(spatem.PROTECTED_CLEARANCE, end, self._clearance_ms)
            self._start, self._end = end, self._start
            kind = 1 - kind
            state = spatem.PROTECTED_MOVEMENT_ALLOWED if kind == _TO_RED else spatem.STOP_AND_REMAIN

    def _expect_end(self, kind, now_ms, present):
        """Set `_end` to when the phase that begins at `_start` (the present one, or a later) is expected to end.

        False if nobody knows.
        """
        start, end = self._start, self._end
        lengths, cycles = self._lengths[kind], self._cycles[kind]
        same_ms = self._switched_at_ms[kind]
        end.known = False
        if not start.known or not self.learned:
            return False
        spread_ms = lengths.spread_ms() + start.latest_ms - start.earliest_ms
        if same_ms is not None and cycles.count >= _LEAST and cycles.spread_ms() < spread_ms:
            expected = cycles.expected_ms(now_ms - same_ms)
            if expected is not None and same_ms + expected > start.likely_ms:
                _set(end, cycles, same_ms, same_ms, same_ms, expected)
        if not end.known:
            expected = lengths.expected_ms(now_ms - start.likely_ms if present else 0)
            if expected is not None:
                _set(end, lengths, start.earliest_ms, start.likely_ms, start.latest_ms, expected)
        return end.known

    def _next_event(self, event_state):
        event = self.events[self.event_count]
        self.event_count += 1
        event.event_state = event_state
        return event

    def _add(self, event_state, begin_ms, length_ms):
        """Add a phase of fixed length, or one whose end nobody knows (`begin_ms` None)."""
        event = self._next_event(event_state)
        event.likely_end_at_ms = None if begin_ms is None else begin_ms + length_ms
        event.min_end_at_ms = event.max_end_at_ms = event.likely_end_at_ms

    def _add_bounded(self, event_state, end, later_ms):
        event = self._next_event(event_state)
        event.min_end_at_ms = end.earliest_ms + later_ms
        event.likely_end_at_ms = end.likely_ms + later_ms
        event.max_end_at_ms = end.latest_ms + later_ms

    def rebase(self, shift_ms):
        """Move every stored instant back by `shift_ms`, when the local time base moves."""
        self.message_at_ms -= shift_ms
        for kind in (_TO_RED, _TO_GREEN):
            if self._switched_at_ms[kind] is not None:
                self._switched_at_ms[kind] -= shift_ms
        if self._phase_at_ms is not None:
            self._phase_at_ms -= shift_ms
        if self._seen_at_ms is not None:
            self._seen_at_ms -= shift_ms


def _phase_of(event_state):
    if event_state in (spatem.PERMISSIVE_CLEARANCE, spatem.PROTECTED_CLEARANCE):
        return _CLEARANCE
    if event_state == spatem.PRE_MOVEMENT:
        return _PRE_MOVEMENT
    return colour(event_state)


def _set(end, intervals, earliest_ms, likely_ms, latest_ms, expected_ms):
    """Put `end` at an anchor (three instants) plus intervals: the shortest, the expected and the longest."""
    end.known = True
    end.earliest_ms = earliest_ms + intervals.ordered[0] - _MARGIN_MS
    end.likely_ms = likely_ms + expected_ms
    end.latest_ms = latest_ms + intervals.ordered[intervals.count - 1] + _MARGIN_MS
