# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The careful way through a SPATEM in XML: child by child, in any order, resumable after every tag.

Only what leads to one signal group is looked at; all else is counted through. The end tags of the elements the walk
knows are compared with their names, so that a damaged message cannot shift by a level. Where a value stands twice, the
first one counts. `spatem_xml` adds the quick ways; the walk tells it through `_arrive` where values begin.
"""

from leezenflow.spatem import IntersectionState, MovementEvent
from leezenflow_adapters.spatem_xml_elements import (
    BIT,
    BIT_NAMES,
    BIT_PREFIX,
    CONFIDENCE,
    ELEMENTS,
    EVENT,
    EVENT_FIELDS,
    EVENT_STATE,
    EVENTS,
    ID,
    ID_NUMBER,
    INTERSECTION,
    INTERSECTIONS,
    LEAF,
    LEAP,
    LEAPT,
    MOVEMENT,
    PHASE_NAMES,
    PROLOGUE,
    REGIONAL,
    REVISION,
    SEARCH,
    SIGNAL_GROUP,
    SKIP,
    SPAT,
    SPAT_MOY,
    STATE_FIELDS,
    STATES,
    STATUS,
)
from leezenflow_adapters.xml_cursor import (
    DIGITS,
    ENDED,
    MAX_DEPTH,
    MAX_TEXT,
    NO_NUMBER,
    NOTHING_YET,
    TAG_WORK,
    WINDOW,
    XmlCursor,
)


class SpatemXmlWalk(XmlCursor):
    """Fills `state` from a document, tag by tag; `spatem_xml.Decoder` says what it is asked for."""

    def __init__(self, region, intersection_id, signal_group):
        self.state = IntersectionState()
        self._region = region
        self._id = intersection_id
        self._signal_group = signal_group
        # Takes events beyond the sixteenth: illegal, but no reason to do without the sixteen.
        self._spare_event = MovementEvent()
        self._event = self._spare_event
        XmlCursor.__init__(self)

    def _place(self, buffer, start, end):
        XmlCursor._place(self, buffer, start, end)
        self._context = PROLOGUE
        self._depth = 0
        self._skip_depth = 0
        self._skip_in = SEARCH
        # Without leaps and strides.
        self._careful = False
        self._leap_to = b""
        # From where the first leap went, and where the last one ended.
        self._leapt_from = -1
        self._leapt_to = -1
        self._left_level = False
        self._spat_moy = None
        self._bit = 0
        self._work = 0
        self._begin_intersection()

    def _begin_intersection(self):
        self.state.clear()
        self._matches = False
        self._has_id = False
        self._has_id_number = False
        self._has_revision = False
        self._has_status = False
        self._has_group = False
        self._in_group = False
        self._group_at = -1
        self._states_at = -1
        self._events_at = -1
        self._has_state = False
        # The value or leap the cursor came from last, for learning what stands between values.
        self._from = -1
        self._from_at = 0

    def _walk(self):
        """Go on from `_at` in `_context` until there is an outcome (True, False), or None: no `_work` is left."""
        buffer = self._buffer
        work = self._work
        while work > 0:
            end = self._end  # a comment behind the last tag is cut off when the first tag is known
            at = self._at
            context = self._context
            limit = at + WINDOW
            if limit > end:
                limit = end
            if self._hidden is not None:
                if self._pass_until(self._hidden, limit):
                    self._at += len(self._hidden)
                    self._hidden = None
                    self._shown_at = self._at
                work -= TAG_WORK + self._at - at
                continue
            if context == LEAP:
                if self._pass_until(self._leap_to, limit):
                    self._land()
                work -= TAG_WORK + self._at - at
                continue
            tag = buffer.find(b"<", at, limit)
            if self._leapt_from >= 0 and buffer.find(b"-->", at, limit if tag < 0 else tag) >= 0:
                # The last leap led into a comment, and here it ends.
                self._place(buffer, self._start, end)
                self._careful = True
                continue
            if tag < 0:
                if limit == end:
                    self._fail("truncated", "element without end", end)
                self._form = NO_NUMBER
                self._at = limit - 2
                work -= WINDOW
                continue
            work -= TAG_WORK + tag - at
            if context >= LEAF:
                self._take_text(at, tag)
            elif context == STATUS and self._form == NOTHING_YET:
                self._take_bit_string(at, tag)
            kind = buffer[tag + 1]
            if kind == 47:  # "/"
                if self._close(context, tag):
                    outcome = self._leave(context, tag)
                    if outcome is not None:
                        self._work = work
                        return outcome
            elif kind == 33 or kind == 63:  # "!" or "?"
                self._hide(tag, context >= LEAF)
            elif self._open(context, tag):
                break
        self._work = work
        return None

    def _land(self):
        """The cursor has leapt to the end tag of a group or intersection."""
        if self._leap_to == b"</MovementState":
            self._context = MOVEMENT
        else:
            self._context = INTERSECTION
            self._left_level = True
        self._leapt_to = self._at
        self._from = LEAPT
        self._from_at = self._at
        self._hidden_count = 0

    def _arrive(self, leaf, at) -> bool:
        """Called where a value begins; True if the walk shall stop there."""
        return False

    def _open(self, context, tag):
        """Enter the element whose tag begins here; True if the walk shall stop behind the tag."""
        name_at = tag + 1
        self._name_end = name_at
        if context == PROLOGUE:
            self._open_root(tag)
            self._context = context = SEARCH
        child = 0
        if context >= LEAF:
            if not self._take_named_value(context, name_at):
                self._take_named_value(context, self._behind_prefix(name_at))
            # Text behind a child no longer belongs to the number.
            self._form = ENDED if self._form == DIGITS or self._form == ENDED else NO_NUMBER
        elif context != SKIP:
            child = self._find_child(context, name_at)
            if child == 0:
                name_at = self._behind_prefix(name_at)
                if name_at >= 0:
                    # Prefixes hide end tags from a leap.
                    self._careful = True
                    child = self._find_child(context, name_at)
        self._pass_tag()
        if child != 0:
            return self._enter(child, tag)
        if not self._empty:
            if context == SKIP:
                self._skip_depth += 1
            elif context == SEARCH or context == REGIONAL:
                self._depth += 1
            else:
                self._skip(context)
            if self._depth > MAX_DEPTH or self._skip_depth > MAX_DEPTH:
                self._fail("malformed", "nested too deeply", tag)
        return False

    def _skip(self, context):
        self._context = SKIP
        self._skip_in = context
        self._skip_depth = 1

    def _find_child(self, context, name_at):
        """The context of a child that matters, 0 for any other."""
        if context == STATUS:
            return self._find_bit(name_at)
        for name, child in ELEMENTS[context][2]:
            if self._is_named(name, name_at):
                return child
        return 0

    def _find_bit(self, name_at):
        if self._buffer.startswith(BIT_PREFIX, name_at):
            name_at += len(BIT_PREFIX)
        # They come in order, so the next one is tried first.
        for step in range(len(BIT_NAMES)):
            bit = (self._bit + step) % len(BIT_NAMES)
            if self._is_named(BIT_NAMES[bit], name_at):
                self._bit = bit
                return BIT
        return 0

    def _enter(self, child, tag):
        """Make `child` the context; True if the walk shall stop at its value."""
        self._context = child
        self._form = NOTHING_YET
        stop = False
        if child >= LEAF:
            self._value = 0
            stop = self._arrive(child, self._at) and not self._empty
        elif child == INTERSECTION:
            self._begin_intersection()
        elif child == STATES:
            if not self._matches:
                if not self._has_id:
                    # Whose they are stands behind them: come back when it is known.
                    self._states_at = tag
                self._skip(INTERSECTION)
        elif child == MOVEMENT:
            self._in_group = False
            self._group_at = -1
            self._events_at = -1
        elif child == EVENTS:
            self._enter_events(tag)
        elif child == EVENT:
            self._add_event()
        elif child == REGIONAL:
            self._depth = 0
        elif child == STATUS:
            self._value = 0x8000
        if self._empty:
            if self._context == SKIP:
                self._context = self._skip_in
            else:
                self._leave(child, self._at)
        return stop

    def _enter_events(self, tag):
        if self._in_group and self.state.movement.event_count == 0:
            return
        if self._group_at < 0:
            # The number of the group stands behind its events: come back when it is known.
            self._events_at = tag
        self._skip(MOVEMENT)

    def _begin_group(self, at):
        self._in_group = True
        self._group_at = at
        self.state.movement.clear()
        self.state.movement.signal_group = self._signal_group

    def _add_event(self):
        movement = self.state.movement
        if self._from != (CONFIDENCE if movement.event_count else SIGNAL_GROUP):
            self._from = -1
        event = movement.add_event()
        if event is None:
            event = self._spare_event
            event.clear()
        self._event = event
        self._has_state = False

    def _take_bit_string(self, at, last):
        """The status as text of noughts and ones, bit 0 first, as XER has it."""
        if last - at > 4 * MAX_TEXT:
            self._form = NO_NUMBER
            return
        mask = self._value
        for place in range(at, last):
            character = self._buffer[place]
            if character == 49:
                self.state.status |= mask
            if character == 48 or character == 49:
                mask >>= 1
        self._value = mask

    def _take_named_value(self, context, name_at):
        """A value as an empty element, as XER has enumerations and booleans; False if it is none."""
        if self._form != NOTHING_YET or name_at < 0:
            return False
        if context == EVENT_STATE:
            for state in range(len(PHASE_NAMES)):
                if self._is_named(PHASE_NAMES[state], name_at):
                    self._value = state
                    self._form = DIGITS
                    return True
        elif context == BIT and self._is_named(b"true", name_at):
            self._value = 1
            self._form = DIGITS
            return True
        return False

    def _close(self, context, tag):
        """Pass the end tag that begins here; True if it ends an element of which `_leave` should know."""
        self._pass_end_tag(tag)
        if context == SKIP:
            self._skip_depth -= 1
            if self._skip_depth == 0:
                self._context = self._skip_in
            return False
        if context == SEARCH or context == REGIONAL:
            if self._depth > 0:
                self._depth -= 1
                return False
            if context == SEARCH:
                self._fail("foreign", "no SPAT in the document", tag)
        elif context == PROLOGUE:
            self._fail("malformed", "end tag without element", tag)
        names = ELEMENTS[context][1]
        for name in names:
            if self._is_named(name, tag + 2):
                return True
        name_at = self._behind_prefix(tag + 2)
        for name in names:
            if name_at >= 0 and self._is_named(name, name_at):
                return True
        if names:
            self._fail("malformed", "end tag of another element", tag)
        return True

    def _leave(self, context, tag):
        """The element is complete; the outcome if that decides the message."""
        self._context = ELEMENTS[context][0]
        if context >= LEAF:
            self._take_value(context, tag)
        elif context == ID:
            state = self.state
            self._has_id = True
            self._matches = (
                self._has_id_number and state.id == self._id and (self._region is None or state.region == self._region)
            )
            if not self._matches:
                if not self._careful:
                    self._leap(b"</IntersectionState")
            elif self._states_at >= 0:
                self._at = self._states_at
                self._states_at = -1
        elif context == STATUS:
            self._has_status = True
        elif context == EVENT:
            if not self._has_state:
                self._fail("malformed", "MovementEvent without eventState", tag)
        elif context == MOVEMENT:
            if self._in_group:
                return self._end_group()
        elif context == STATES:
            self._left_level = True
        elif context == INTERSECTION:
            return self._end_intersection(tag)
        elif context == INTERSECTIONS or context == SPAT:
            return False
        return None

    def _take_value(self, leaf, tag):
        """The value of a leaf is complete: keep it if it is a number within its range and the first of its kind."""
        self._from = leaf
        self._from_at = tag
        self._hidden_count = 0
        value = self._value if self._form == DIGITS or self._form == ENDED else -1
        if leaf in EVENT_FIELDS:
            name, limit = EVENT_FIELDS[leaf]
            if 0 <= value <= limit and getattr(self._event, name) is None:
                setattr(self._event, name, value)
        elif leaf in STATE_FIELDS:
            name, limit = STATE_FIELDS[leaf]
            if 0 <= value <= limit and getattr(self.state, name) is None:
                setattr(self.state, name, value)
        elif leaf == EVENT_STATE:
            if not 0 <= value <= 9:
                self._fail("malformed", "eventState", tag)
            if not self._has_state:
                self._event.event_state = value
                self._has_state = True
        elif leaf == SIGNAL_GROUP:
            self._take_group(value, tag)
        elif leaf == BIT:
            if value > 0:
                self.state.status |= 0x8000 >> self._bit
            self._bit += 1
        elif leaf == ID_NUMBER:
            if not self._has_id_number:
                self.state.id = value if 0 <= value <= 65535 else 0
                self._has_id_number = 0 <= value <= 65535
        elif leaf == REVISION:
            self._has_revision = True
            if 0 <= value <= 127:
                self.state.revision = value
        elif leaf == SPAT_MOY and 0 <= value <= 527040:
            self._spat_moy = value

    def _take_group(self, value, tag):
        if self._group_at >= 0:
            return
        self._group_at = tag
        if value == self._signal_group and not self._has_group:
            self._begin_group(tag)
            if self._events_at >= 0:
                self._at = self._events_at

    def _leap(self, end_tag):
        self._context = LEAP
        self._leap_to = end_tag
        if self._leapt_from < 0:
            self._leapt_from = self._at

    def _has_head(self):
        return self._has_revision and self._has_status

    def _end_group(self):
        """Our group is read: True if nothing else of the intersection is missing."""
        self._in_group = False
        self._has_group = True
        state = self.state
        if state.movement.event_count == 0:
            self._fail("malformed", "signal group without MovementEvent", self._group_at)
        if self._has_head() and state.moy is not None and state.time_stamp is not None:
            return True
        # Something is absent, or stands behind the groups.
        return None

    def _end_intersection(self, tag):
        if not self._matches:
            return None
        if not self._has_group:
            self._fail("no_signal_group", "%d" % self._signal_group, tag)
        if self.state.moy is None:
            self.state.moy = self._spat_moy
        return True
