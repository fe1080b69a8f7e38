# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the controller's list of phases to the spans of one colour that a rider would meet.

Pre-movement (red with amber) is red; clearance (amber) is red unless a site counts it as green; consecutive phases of
one colour are one span. A span ends at the controller's own likely time where it gives one. Where it does not, the end
follows, in this order, from a neighbour at a fixed distance, from what was said before of the same switch, or it is a
guess between the promised bounds; without a latest end nothing is guessed.
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
# Ends of neighbours may contradict each other by a rounding; by more, the sender does not know what it says.
_ROUNDING_MS = 1_000
# Between bounds further apart than this there is nothing to guess.
_GUESS_SPREAD_MS = 60_000
# Phases seen across a longer silence have no known length.
_GAP_MS = 7_000


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

    `end_at_ms` is the likely end, `min_end_at_ms` and `max_end_at_ms` are the promised bounds of it (either may be
    None); `begin_at_ms` is where the span before it likely ends, or when the present colour was first seen.
    `end_mark_ms` is the end on the controller's clock (ms in its hour): equal marks are the same forecast. `guessed`
    is True where the end is ours and not the controller's; `confidence` is its code 0..15 for the end, or None.
    """

    __slots__ = (
        "begin_at_ms",
        "colour",
        "confidence",
        "end_at_ms",
        "end_mark_ms",
        "guessed",
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
        self.guessed = False
        self.confidence = None


class Forecast:
    """The coming spans of one signal group: `spans[:span_count]`, the present one first, colours alternating.

    `overdue` is True when the controller still shows a phase whose likely end it had put more than 2 s ago;
    `clearance_ms` is how long the amber lasts that counts as red (0: none known, or amber counts as green). `earned`
    is False as long as a learned forecast has not yet shown how right it is: nothing may be claimed by it (rule F2).
    """

    def __init__(self, clearance=RED):
        self.spans = [PhaseSpan() for _ in range(spatem.MAX_EVENTS)]
        self.span_count = 0
        self.overdue = False
        self.clearance_ms = 0
        self.earned = True
        self._clearance = clearance
        self._amber_ms = 0
        self._pre_movement_ms = 0
        self._colour_since_ms = None
        self._message_at_ms = 0
        # What was last said of each coming switch, for messages that leave it out; None where nothing was.
        self._said = [None] * spatem.MAX_EVENTS
        # How long red and green last here, smoothed over some eight cycles; 0 before the first whole one.
        self._red_ms = 0
        self._green_ms = 0

    def update(self, tracker):
        """Rebuild the spans from what `tracker` (a `SignalTracker`) has just accepted."""
        events = tracker.events
        count = tracker.event_count
        self._watch_switch(events, count, tracker.message_at_ms)
        self._message_at_ms = tracker.message_at_ms
        self.span_count = 0
        self.overdue = False
        begin = 0
        for i in range(count):
            shade = colour(events[i].event_state, self._clearance)
            if shade == NO_COLOUR:
                break
            if i + 1 < count and colour(events[i + 1].event_state, self._clearance) == shade:
                continue
            if not self._append(shade, events, begin, i, count):
                break
            begin = i + 1
        for i in range(self.span_count, len(self._said)):
            self._said[i] = None
        if self.span_count and self.spans[0].end_at_ms is not None:
            self.overdue = self.spans[0].end_at_ms < tracker.message_at_ms - _OVERDUE_MS

    def _watch_switch(self, events, count, at_ms):
        """When the colour has changed: note since when it is on, and how long the last one was."""
        before = self.spans[0].colour if self.span_count else None
        shade = colour(events[0].event_state, self._clearance) if count else NO_COLOUR
        seen = before is not None and at_ms - self._message_at_ms <= _GAP_MS
        if shade == before and seen:
            return
        if not seen or shade == NO_COLOUR:
            self._colour_since_ms = None
            self._said = [None] * len(self._said)
            return
        end = self.spans[0].end_at_ms
        due = end is not None and -_OVERDUE_MS <= at_ms - end <= _OVERDUE_MS
        switch_ms = end if due else (self._message_at_ms + at_ms) >> 1
        if self._colour_since_ms is not None:
            length_ms = switch_ms - self._colour_since_ms
            if before == GREEN:
                self._green_ms += (length_ms - self._green_ms) >> (3 if self._green_ms else 0)
            else:
                self._red_ms += (length_ms - self._red_ms) >> (3 if self._red_ms else 0)
        self._colour_since_ms = switch_ms
        self._said = self._said[1:] + [None]

    def _append(self, shade, events, begin, last, count):
        """Add the span of `events[begin:last + 1]`; False when the forecast ends before it."""
        event = events[last]
        for i in range(begin + 1, last + 1):
            self._learn_length(events[i - 1], events[i])
        if begin:
            self._learn_length(events[begin - 1], events[begin])
        if last + 1 == count and event.event_state in _CLEARANCES and self._clearance == RED:
            # Amber is only the beginning of this red, and how long that lasts nobody has said.
            return False
        index = self.span_count
        span = self.spans[index]
        before_ms = self.spans[index - 1].end_at_ms if index else self._colour_since_ms
        span.colour = shade
        span.begin_at_ms = before_ms
        span.confidence = event.confidence
        self._set_end(span, index, event, events, last, count)
        if last + 1 == count:
            self._complete(span, event.event_state)
        if index and span.end_at_ms is not None and before_ms is not None and span.end_at_ms < before_ms:
            if before_ms - span.end_at_ms > _ROUNDING_MS:
                # It would end before it begins: from here on the sender contradicts itself.
                return False
            span.end_at_ms = before_ms
        self._said[index] = None if span.guessed else span.end_at_ms
        self.span_count = index + 1
        return True

    def _set_end(self, span, index, event, events, i, count):
        """Set a span's likely end and bounds, by the order of preference in the module's docstring."""
        earliest = event.min_end_at_ms
        latest = event.max_end_at_ms
        if earliest is not None and latest is not None and earliest > latest:
            # Contradictory bounds bound nothing (rule F4).
            earliest = latest = None
        span.min_end_at_ms = earliest
        span.max_end_at_ms = latest
        span.guessed = False
        span.end_mark_ms = event.likely_mark_ms
        likely = event.likely_end_at_ms
        if likely is None:
            likely = self._infer_end(span, events, i, count)
        if likely is None:
            said = self._said[index]
            if said is not None and said > self._message_at_ms and _is_within(said, earliest, latest):
                likely = said
        if likely is None and earliest is not None and latest is not None:
            span.guessed = latest - earliest > _EXACT_MS
            likely = self._guess_end(span) if span.guessed else earliest
        if likely is not None and earliest is not None and latest is not None:
            likely = min(max(likely, earliest), latest)
        span.end_at_ms = likely

    def _infer_end(self, span, events, i, count):
        """Find a likely end the sender left out: a phase whose bounds move together has a fixed length.

        So the end before or after a fixed-length phase (amber, red with amber) tells this one.
        """
        event = events[i]
        if i + 1 < count and events[i + 1].likely_end_at_ms is not None:
            length = _fixed_length_ms(event, events[i + 1])
            if length is not None:
                span.end_mark_ms = (events[i + 1].likely_mark_ms - length) % HOUR_MS
                return events[i + 1].likely_end_at_ms - length
        if i and events[i - 1].likely_end_at_ms is not None:
            length = _fixed_length_ms(events[i - 1], event)
            if length is not None:
                span.end_mark_ms = (events[i - 1].likely_mark_ms + length) % HOUR_MS
                return events[i - 1].likely_end_at_ms + length
        return None

    def _guess_end(self, span):
        """Guess an end between the bounds: by the usual length of the colour, else in their middle; or None."""
        length_ms = self._green_ms if span.colour == GREEN else self._red_ms
        if length_ms and span.begin_at_ms is not None:
            return span.begin_at_ms + length_ms
        if span.max_end_at_ms - span.min_end_at_ms <= _GUESS_SPREAD_MS:
            return (span.min_end_at_ms + span.max_end_at_ms) >> 1
        return None

    def _learn_length(self, event, following):
        """Note how long red with amber lasts here, and amber, when a message tells."""
        if event.likely_end_at_ms is None or following.likely_end_at_ms is None:
            return
        length = following.likely_end_at_ms - event.likely_end_at_ms
        if not 0 < length <= _SHORT_MS:
            return
        if following.event_state == spatem.PRE_MOVEMENT:
            self._pre_movement_ms = length
        elif following.event_state in _CLEARANCES:
            self._amber_ms = length
            if self._clearance == RED:
                self.clearance_ms = length

    def _complete(self, span, last_state):
        """Give the last span its true end: the list may stop one phase short of the end of its colour."""
        if last_state == spatem.STOP_AND_REMAIN:
            _extend(span, self._pre_movement_ms)
        elif colour(last_state) == GREEN and self._clearance == GREEN:
            _extend(span, self._amber_ms)

    def index_at(self, at_ms):
        """Return the index of the span that is likely on at `at_ms`, or -1 where the forecast does not say.

        A span without a likely end is on until its earliest end; after that nobody knows.
        """
        for i in range(self.span_count):
            span = self.spans[i]
            if span.end_at_ms is None:
                return i if span.min_end_at_ms is not None and at_ms < span.min_end_at_ms else -1
            if at_ms < span.end_at_ms:
                return i
        return -1

    def rebase(self, shift_ms):
        """Move every stored instant back by `shift_ms`, when the local time base moves."""
        self._message_at_ms -= shift_ms
        if self._colour_since_ms is not None:
            self._colour_since_ms -= shift_ms
        for i in range(len(self._said)):
            if self._said[i] is not None:
                self._said[i] -= shift_ms
        for i in range(self.span_count):
            span = self.spans[i]
            for name in ("begin_at_ms", "end_at_ms", "min_end_at_ms", "max_end_at_ms"):
                at_ms = getattr(span, name)
                if at_ms is not None:
                    setattr(span, name, at_ms - shift_ms)


def _is_within(at_ms, earliest, latest):
    """Does an instant respect the bounds that are known?"""
    return (earliest is None or at_ms >= earliest) and (latest is None or at_ms <= latest)


def _extend(span, length_ms):
    """Move a span's end and its bounds, as far as they are known, `length_ms` later."""
    if span.end_at_ms is not None:
        span.end_at_ms += length_ms
        if span.end_mark_ms is not None:
            span.end_mark_ms = (span.end_mark_ms + length_ms) % HOUR_MS
    if span.min_end_at_ms is not None:
        span.min_end_at_ms += length_ms
    if span.max_end_at_ms is not None:
        span.max_end_at_ms += length_ms


def _fixed_length_ms(event, following):
    """Return the length of `following` (ms) if its bounds lie the same time after those of `event`, else None."""
    if event.min_end_at_ms is None or following.min_end_at_ms is None:
        return None
    length = following.min_end_at_ms - event.min_end_at_ms
    if length < 0:
        return None
    if event.max_end_at_ms is None and following.max_end_at_ms is None:
        return length if length <= _SHORT_MS else None
    if event.max_end_at_ms is None or following.max_end_at_ms is None:
        return None
    return length if following.max_end_at_ms - event.max_end_at_ms == length else None
