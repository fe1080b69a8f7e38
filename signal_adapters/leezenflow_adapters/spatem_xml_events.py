# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quick way through the events of our signal group in a SPATEM in XML; most of the work in a message is here.

Numbers are read in place, digit by digit: a call costs more than that. On CPython an event whose bytes are those of the
last message is not read again: forecasts are absolute times, which often stand for many messages. A board does without,
because it would have to allocate a copy of each event that changed.
"""

import sys

from leezenflow.spatem import MAX_EVENTS
from leezenflow_adapters.spatem_xml_elements import CONFIDENCE, EVENT_STATE, LIKELY, MAX_END, MIN_END, STATES
from leezenflow_adapters.spatem_xml_gaps import (
    LIKELY_TO_CONFIDENCE,
    MAX_GAP,
    MAX_TO_LIKELY,
    MIN_TO_MAX,
    STATE_TO_MIN,
    TO_END,
    TO_NEXT_EVENT,
    TO_NEXT_EVENT_2,
    SpatemXmlGaps,
)

# A board needs about 0.45 ms for one.
_EVENT_WORK = 900
_REMEMBERS = sys.implementation.name == "cpython"
# No event that has been read: no text in a message begins like this.
_NOTHING = (b"\xff", 0, 0, 0, 0, None)


class SpatemXmlEvents(SpatemXmlGaps):
    """Strides from `eventState` to `eventState`."""

    def __init__(self, region, intersection_id, signal_group):
        # By place: the bytes of the event up to the next one, and the five values in them.
        self._remembered: list = [_NOTHING] * MAX_EVENTS
        SpatemXmlGaps.__init__(self, region, intersection_id, signal_group)

    def _pass_comment(self, slot, at):
        """Behind the gap if it fits except for its comment, else -1."""
        gap = self._commented[slot]
        buffer = self._buffer
        if gap is None or not buffer.startswith(gap[0], at):
            return -1
        at = buffer.find(b"-->", at + len(gap[0]), at + MAX_GAP)
        if at < 0 or not buffer.startswith(gap[1], at + 3):
            return -1
        return at + 3 + len(gap[1])

    def _stride_events(self):
        """From an `eventState` of our group on, event by event; the outcome behind the group, else None."""
        buffer = self._buffer
        gaps = self._gaps
        gap_state = gaps[STATE_TO_MIN]
        gap_min = gaps[MIN_TO_MAX]
        gap_max = gaps[MAX_TO_LIKELY]
        gap_likely = gaps[LIKELY_TO_CONFIDENCE]
        size_state = len(gap_state)
        size_min = len(gap_min)
        size_max = len(gap_max)
        size_likely = len(gap_likely)
        movement = self.state.movement
        event = self._event
        work = self._work
        first = self._at
        context = EVENT_STATE
        # The walk takes over at `first` in `context` if this goes no further.
        while work > 0:
            work -= _EVENT_WORK
            begin = first
            place = movement.event_count - 1
            known = self._remembered[place]
            if buffer.startswith(known[0], first):
                first += len(known[0])
                _, event.event_state, event.min_end_time, event.max_end_time, event.likely_time, event.confidence = (
                    known
                )
                self._add_event_quickly()
                event = self._event
                continue
            state = buffer[first] - 48
            at = first + 1
            at = at + size_state if buffer.startswith(gap_state, at) else self._pass_comment(STATE_TO_MIN, at)
            if at < 0 or not 0 <= state <= 9:
                break
            event.event_state = state
            self._has_state = True

            first = at
            context = MIN_END
            value = buffer[at] - 48
            if not 0 <= value <= 9:
                break
            digit = buffer[at + 1] - 48
            if 0 <= digit <= 9:
                value = value * 10 + digit
                digit = buffer[at + 2] - 48
                if 0 <= digit <= 9:
                    value = value * 10 + digit
                    digit = buffer[at + 3] - 48
                    if 0 <= digit <= 9:
                        value = value * 10 + digit
                        digit = buffer[at + 4] - 48
                        if 0 <= digit <= 9:
                            value = value * 10 + digit
                            at += 5
                        else:
                            at += 4
                    else:
                        at += 3
                else:
                    at += 2
            else:
                at += 1
            at = at + size_min if buffer.startswith(gap_min, at) else self._pass_comment(MIN_TO_MAX, at)
            if at < 0 or value > 65535:
                break
            event.min_end_time = value

            first = at
            context = MAX_END
            value = buffer[at] - 48
            if not 0 <= value <= 9:
                break
            digit = buffer[at + 1] - 48
            if 0 <= digit <= 9:
                value = value * 10 + digit
                digit = buffer[at + 2] - 48
                if 0 <= digit <= 9:
                    value = value * 10 + digit
                    digit = buffer[at + 3] - 48
                    if 0 <= digit <= 9:
                        value = value * 10 + digit
                        digit = buffer[at + 4] - 48
                        if 0 <= digit <= 9:
                            value = value * 10 + digit
                            at += 5
                        else:
                            at += 4
                    else:
                        at += 3
                else:
                    at += 2
            else:
                at += 1
            at = at + size_max if buffer.startswith(gap_max, at) else self._pass_comment(MAX_TO_LIKELY, at)
            if at < 0 or value > 65535:
                break
            event.max_end_time = value

            first = at
            context = LIKELY
            value = buffer[at] - 48
            if not 0 <= value <= 9:
                break
            digit = buffer[at + 1] - 48
            if 0 <= digit <= 9:
                value = value * 10 + digit
                digit = buffer[at + 2] - 48
                if 0 <= digit <= 9:
                    value = value * 10 + digit
                    digit = buffer[at + 3] - 48
                    if 0 <= digit <= 9:
                        value = value * 10 + digit
                        digit = buffer[at + 4] - 48
                        if 0 <= digit <= 9:
                            value = value * 10 + digit
                            at += 5
                        else:
                            at += 4
                    else:
                        at += 3
                else:
                    at += 2
            else:
                at += 1
            at = at + size_likely if buffer.startswith(gap_likely, at) else self._pass_comment(LIKELY_TO_CONFIDENCE, at)
            if at < 0 or value > 65535:
                break
            event.likely_time = value

            first = at
            context = CONFIDENCE
            value = buffer[at] - 48
            if not 0 <= value <= 9:
                break
            at += 1
            digit = buffer[at] - 48
            if 0 <= digit <= 9:
                value = value * 10 + digit
                at += 1
            if buffer.startswith(gaps[TO_NEXT_EVENT], at):
                first = at + len(gaps[TO_NEXT_EVENT])
            elif buffer.startswith(gaps[TO_NEXT_EVENT_2], at):
                first = at + len(gaps[TO_NEXT_EVENT_2])
            elif buffer.startswith(gaps[TO_END], at):
                event.confidence = value if value <= 15 else None
                self._at = at + len(gaps[TO_END])
                self._work = work
                self._context = STATES
                return self._end_group()
            else:
                break
            event.confidence = value if value <= 15 else None
            if _REMEMBERS and first - begin <= 2 * MAX_GAP:
                self._remembered[place] = (
                    bytes(buffer[begin:first]),
                    state,
                    event.min_end_time,
                    event.max_end_time,
                    event.likely_time,
                    event.confidence,
                )
            context = EVENT_STATE
            self._add_event_quickly()
            event = self._event
        else:
            self._striding = True
        self._work = work
        self._at = first
        self._context = context
        return None

    def _add_event_quickly(self):
        """As `_add_event` does, without its two calls."""
        movement = self.state.movement
        count = movement.event_count
        if count >= MAX_EVENTS:
            self._add_event()
            return
        self._event = event = movement.events[count]
        movement.event_count = count + 1
        event.min_end_time = event.max_end_time = event.likely_time = event.confidence = None
        event.start_time = event.next_time = event.state_change_reason = None
        self._has_state = False
