# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the controller's list of phases to the spans of one colour that a rider would meet.

Pre-movement (red with amber) is red; clearance (amber) is red unless a site counts it as green; consecutive phases of
one colour are one span. Ends are the controller's own likely times where it gives usable ones; what it does not know
stays unknown here and is bounded by its earliest and latest end.
"""

from leezenflow import spatem
from leezenflow.timemark import HOUR_MS

GREEN = "green"
RED = "red"
NO_COLOUR = "none"

_CLEARANCES = (spatem.PERMISSIVE_CLEARANCE, spatem.PROTECTED_CLEARANCE)

# An end that the controller itself says has passed by more than this: its forecast has been overtaken by events.
_OVERDUE_MS = 2_000
# Earliest and latest end this close together name one instant (signal-data reference, section 1).
_EXACT_MS = 1_000
# Red with amber lasts 1..2 s, amber 2..5 s (signal-data reference, section 3).
_SHORT_MS = 6_000


def colour(event_state, clearance=RED):
    """Return GREEN, RED or NO_COLOUR for an event state 0..9; `clearance` is what amber after green counts as."""
    if event_state in (spatem.PERMISSIVE_MOVEMENT_ALLOWED, spatem.PROTECTED_MOVEMENT_ALLOWED):
        return GREEN
    if event_state in (spatem.STOP_AND_REMAIN, spatem.PRE_MOVEMENT):
        return RED
    if event_state in _CLEARANCES:
        return clearance
    return NO_COLOUR


class PhaseSpan:
    """A stretch of one colour; instants are local ms, None where unknown.

    `end_at_ms` is the likely end, `min_end_at_ms` and `max_end_at_ms` bound it (both or either may be None);
    `begin_at_ms` is where the span before it likely ends, or when the present colour was first seen. `end_mark_ms` is
    the end on the controller's clock (ms in its hour): equal marks are the same forecast. `exact` is True where the
    controller leaves itself no choice; `confidence` is its code 0..15 for the end, or None.
    """

    __slots__ = (
        "begin_at_ms",
        "colour",
        "confidence",
        "end_at_ms",
        "end_mark_ms",
        "exact",
        "max_end_at_ms",
        "min_end_at_ms",
    )

    def __init__(self):
        self.colour = NO_COLOUR
        self.begin_at_ms = None
        self.end_at_ms = None
        self.end_mark_ms = None
        self.min_end_at_ms = None
        self.max_end_at_ms = None
        self.exact = False
        self.confidence = None


class Forecast:
    """The coming spans of one signal group: `spans[:span_count]`, the present one first.

    `overdue` is True when the controller still shows a phase whose likely end it had put more than 2 s ago.
    """

    def __init__(self, clearance=RED):
        self.spans = [PhaseSpan() for _ in range(spatem.MAX_EVENTS)]
        self.span_count = 0
        self.overdue = False
        self._clearance = clearance
        self._colour_since_ms = None
        # How long red with amber lasts here, and amber: what a list that stops short of them leaves out.
        self._pre_movement_ms = 0
        self._clearance_ms = 0

    def update(self, tracker):
        """Rebuild the spans from what `tracker` (a `SignalTracker`) has just accepted."""
        before = self.spans[0].colour if self.span_count else None
        self._watch_switch(before, tracker)
        self.span_count = 0
        self.overdue = False
        events = tracker.events
        for i in range(tracker.event_count):
            event = events[i]
            shade = colour(event.event_state, self._clearance)
            if self.span_count and self.spans[self.span_count - 1].colour == shade:
                span = self.spans[self.span_count - 1]
            else:
                span = self._append(shade)
            self._set_end(span, event)
            if span.end_at_ms is None:
                self._infer_end(span, events, i, tracker.event_count)
        self._complete_last(events, tracker.event_count)
        self._cut_contradictions()
        if self.span_count and self.spans[0].end_at_ms is not None:
            self.overdue = self.spans[0].end_at_ms < tracker.message_at_ms - _OVERDUE_MS

    def _watch_switch(self, before, tracker):
        """Note since when the present colour is on: the forecast end of the last one, if the switch was due."""
        shade = colour(tracker.events[0].event_state, self._clearance) if tracker.event_count else None
        if before is None or shade is None:
            self._colour_since_ms = None
        elif shade != before:
            end = self.spans[0].end_at_ms
            due = end is not None and -_OVERDUE_MS <= tracker.message_at_ms - end <= _OVERDUE_MS
            self._colour_since_ms = end if due else tracker.message_at_ms

    def _append(self, shade):
        span = self.spans[self.span_count]
        span.colour = shade
        span.begin_at_ms = self.spans[self.span_count - 1].end_at_ms if self.span_count else self._colour_since_ms
        self.span_count += 1
        return span

    def _complete_last(self, events, count):
        """Give the last span its true end: the list may stop one phase short of the end of its colour."""
        for i in range(1, count):
            length = _length_ms(events[i - 1], events[i])
            if length is None or not 0 < length <= _SHORT_MS:
                continue
            if events[i].event_state == spatem.PRE_MOVEMENT:
                self._pre_movement_ms = length
            elif events[i].event_state in _CLEARANCES:
                self._clearance_ms = length
        if count == 0:
            return
        span = self.spans[self.span_count - 1]
        last = events[count - 1].event_state
        if last == spatem.STOP_AND_REMAIN:
            _extend(span, self._pre_movement_ms)
        elif colour(last) == GREEN and self._clearance == GREEN:
            _extend(span, self._clearance_ms)
        elif last in _CLEARANCES and self._clearance == RED:
            # Amber is only the beginning of this red, and how long that lasts nobody has said.
            self.span_count -= 1

    def _cut_contradictions(self):
        """Drop everything from the first span on that ends before it begins: the sender contradicts itself."""
        for i in range(1, self.span_count):
            end = self.spans[i].end_at_ms
            begin = self.spans[i - 1].end_at_ms
            if end is not None and begin is not None and end < begin:
                self.span_count = i
                return

    def _set_end(self, span, event):
        earliest = event.min_end_at_ms
        latest = event.max_end_at_ms
        likely = event.likely_end_at_ms
        mark = event.likely_mark_ms
        if earliest is not None and latest is not None:
            if earliest > latest:
                # Contradictory bounds bound nothing (rule F4).
                earliest = latest = None
            elif likely is None:
                if latest - earliest <= _EXACT_MS:
                    likely = earliest
                    mark = event.min_mark_ms
            elif likely < earliest:
                likely = earliest
            elif likely > latest:
                likely = latest
        span.min_end_at_ms = earliest
        span.max_end_at_ms = latest
        span.end_at_ms = likely
        span.end_mark_ms = mark
        span.exact = earliest is not None and latest is not None and latest - earliest <= _EXACT_MS
        span.confidence = event.confidence

    def _infer_end(self, span, events, i, count):
        """Find a likely end the sender left out: a phase whose bounds move together has a fixed length.

        So the end before or after a fixed-length phase (amber, red with amber) tells this one.
        """
        event = events[i]
        if i + 1 < count and events[i + 1].likely_end_at_ms is not None:
            length = _fixed_length_ms(event, events[i + 1])
            if length is not None:
                span.end_at_ms = events[i + 1].likely_end_at_ms - length
                span.end_mark_ms = (events[i + 1].likely_mark_ms - length) % HOUR_MS
        elif i and events[i - 1].likely_end_at_ms is not None:
            length = _fixed_length_ms(events[i - 1], event)
            if length is not None:
                span.end_at_ms = events[i - 1].likely_end_at_ms + length
                span.end_mark_ms = (events[i - 1].likely_mark_ms + length) % HOUR_MS

    def index_at(self, at_ms):
        """Return the index of the span that is on at `at_ms`, or -1 where the forecast does not say.

        A span without a likely end is certain until its earliest end and over after its latest; between the two
        nobody knows.
        """
        for i in range(self.span_count):
            span = self.spans[i]
            if span.end_at_ms is not None:
                if at_ms < span.end_at_ms:
                    return i
            elif span.min_end_at_ms is not None and at_ms < span.min_end_at_ms:
                return i
            elif span.max_end_at_ms is None or at_ms < span.max_end_at_ms:
                return -1
        return -1

    def rebase(self, shift_ms):
        """Move every stored instant back by `shift_ms`, when the local time base moves."""
        if self._colour_since_ms is not None:
            self._colour_since_ms -= shift_ms
        for i in range(self.span_count):
            span = self.spans[i]
            for name in ("begin_at_ms", "end_at_ms", "min_end_at_ms", "max_end_at_ms"):
                at_ms = getattr(span, name)
                if at_ms is not None:
                    setattr(span, name, at_ms - shift_ms)


def _extend(span, length_ms):
    """Move a span's end and its bounds, as far as they are known, `length_ms` later."""
    if span.end_at_ms is not None:
        span.end_at_ms += length_ms
        span.end_mark_ms = (span.end_mark_ms + length_ms) % HOUR_MS
    if span.min_end_at_ms is not None:
        span.min_end_at_ms += length_ms
    if span.max_end_at_ms is not None:
        span.max_end_at_ms += length_ms


def _length_ms(event, following):
    """Return the likely length of `following`, which comes after `event`, or None."""
    if event.likely_end_at_ms is None or following.likely_end_at_ms is None:
        return None
    return following.likely_end_at_ms - event.likely_end_at_ms


def _fixed_length_ms(event, following):
    """Return the length of `following` (ms) if both its bounds lie the same time after those of `event`, else None."""
    if event.min_end_at_ms is None or following.min_end_at_ms is None:
        return None
    if event.max_end_at_ms is None or following.max_end_at_ms is None:
        return None
    length = following.min_end_at_ms - event.min_end_at_ms
    if length < 0 or following.max_end_at_ms - event.max_end_at_ms != length:
        return None
    return length
