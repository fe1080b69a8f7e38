# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quick way through the events of our signal group in a SPATEM in XML.

On CPython an event whose bytes are those of the last message is not read again: forecasts are absolute times, which
often stand for many messages. A board does without: it would have to allocate a copy of each event that changed.
"""

import sys
from array import array

from leezenflow.spatem import MAX_EVENTS
from leezenflow_adapters.spatem_xml_elements import CONFIDENCE, EVENT_STATE, STATES
from leezenflow_adapters.spatem_xml_gaps import (
    LIKELY_TO_CONFIDENCE,
    MAX_GAP,
    STATE_TO_MIN,
    TO_END,
    TO_NEXT_EVENT,
    TO_NEXT_EVENT_2,
    SpatemXmlGaps,
)

try:
    from leezenflow_adapters._spatem_xml_viper import join_gaps, read_event
except (ImportError, SyntaxError, ValueError):  # no compiler to machine code, or for another chip
    from leezenflow_adapters.spatem_xml_loops import join_gaps, read_event

_EVENT_US = 450
_REMEMBERS = sys.implementation.name == "cpython"
# No event that has been read: no text in a message begins like this, not even with a damaged byte.
_NO_EVENT = (b"\xff</\xff", 0, 0, 0, 0, None, False)


class SpatemXmlEvents(SpatemXmlGaps):
    """Strides from `eventState` to `eventState`."""

    def __init__(self, region, intersection_id, signal_group):
        self._numbers = array("H", bytes(10))
        # By place: the bytes of an event up to the next one, the five values in them, and whether the group ends there.
        self._remembered: list = [_NO_EVENT] * MAX_EVENTS
        SpatemXmlGaps.__init__(self, region, intersection_id, signal_group)

    def _stride_events(self):
        """From an `eventState` of our group on, event by event; the outcome behind the group, else None.

        Where an event is not as known, the walk takes over at its beginning.
        """
        buffer = self._buffer
        gaps = self._gaps
        chain = self._chain
        if chain is None:
            self._chain = chain = join_gaps(gaps[STATE_TO_MIN : LIKELY_TO_CONFIDENCE + 1])
        gap_next = gaps[TO_NEXT_EVENT]
        numbers = self._numbers
        event = self._event
        work = self._work
        at = self._at
        while work > 0:
            work -= _EVENT_US
            place = self.state.movement.event_count - 1
            known = self._remembered[place]
            if buffer.startswith(known[0], at):
                at += len(known[0])
                event.event_state = known[1]
                event.min_end_time = known[2]
                event.max_end_time = known[3]
                event.likely_time = known[4]
                event.confidence = known[5]
                if known[6]:
                    return self._end_events(at, work)
                event = self._add_event_quickly()
                continue
            begin = at
            at = read_event(buffer, at, self._end, chain, numbers)
            if at < 0:
                at = begin
                event.clear()
                break
            event.event_state = numbers[0]
            event.min_end_time = numbers[1]
            event.max_end_time = numbers[2]
            event.likely_time = numbers[3]
            event.confidence = numbers[4] if numbers[4] <= 15 else None
            ends = False
            if buffer.startswith(gap_next, at):
                at += len(gap_next)
            elif buffer.startswith(gaps[TO_NEXT_EVENT_2], at):
                at += len(gaps[TO_NEXT_EVENT_2])
            elif buffer.startswith(gaps[TO_END], at):
                at += len(gaps[TO_END])
                ends = True
            else:
                # The walk shall learn how it goes on. Not even the last number is sure: more may follow than digits.
                event.confidence = None
                self._has_state = True
                while 0 <= buffer[at - 1] - 48 <= 9:
                    at -= 1
                self._at = at
                self._work = work
                self._context = CONFIDENCE
                return None
            if _REMEMBERS and at - begin <= 2 * MAX_GAP:
                read = bytes(buffer[begin:at])
                times = (event.min_end_time, event.max_end_time, event.likely_time, event.confidence)
                self._remembered[place] = (read, event.event_state) + times + (ends,)
            if ends:
                return self._end_events(at, work)
            event = self._add_event_quickly()
        else:
            self._striding = True
        self._work = work
        self._at = at
        self._context = EVENT_STATE
        return None

    def _end_events(self, at, work):
        self._at = at
        self._work = work
        self._has_state = True
        self._context = STATES
        return self._end_group()

    def _add_event_quickly(self):
        """As `_add_event`, without its two calls and without forgetting what a stride writes anyway."""
        movement = self.state.movement
        count = movement.event_count
        if count >= MAX_EVENTS:
            self._add_event()
            return self._event
        movement.event_count = count + 1
        self._event = event = movement.events[count]
        event.start_time = event.next_time = event.state_change_reason = None
        self._has_state = False
        return event
