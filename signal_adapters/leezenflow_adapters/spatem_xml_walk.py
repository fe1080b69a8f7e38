# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The careful way through a SPATEM in XML: child by child, in any order, resumable after every tag.

Only what leads to one signal group is looked at; all else is counted through. The end tags of the elements the walk
knows are compared with their names, so that a damaged message cannot shift by a level. Where a value stands twice, the
first one counts. `spatem_xml` adds the quick ways; the walk tells it through `_arrive` where values begin.
"""

from leezenflow_adapters.spatem_xml_elements import (
    BIT,
    BIT_NAMES,
    BIT_PREFIX,
    CHILDREN,
    EVENT,
    EVENTS,
    ID,
    INTERSECTION,
    INTERSECTIONS,
    LEAF,
    LEAP,
    LEAPT,
    MOVEMENT,
    NAMES,
    OTHER_NAMES,
    PARENTS,
    PROLOGUE,
    REGIONAL,
    SEARCH,
    SIGNAL_GROUP,
    SKIP,
    SPAT,
    STATES,
    STATUS,
)
from leezenflow_adapters.spatem_xml_values import SpatemXmlValues
from leezenflow_adapters.xml_cursor import (
    DIGITS,
    ENDED,
    MAX_DEPTH,
    NO_NUMBER,
    NOTHING_YET,
    TAG_US,
    WINDOW,
)

try:
    from leezenflow_adapters._spatem_xml_viper import find_end
except (ImportError, SyntaxError, ValueError):  # no compiler to machine code, or for another chip
    from leezenflow_adapters.spatem_xml_loops import find_end

GROUP_END = b"</MovementState"
INTERSECTION_END = b"</IntersectionState"


class SpatemXmlWalk(SpatemXmlValues):
    """Goes through a document tag by tag and hands the values on."""

    def _place(self, buffer, start, end):
        SpatemXmlValues._place(self, buffer, start, end)
        self._context = PROLOGUE
        self._depth = 0
        self._skip_depth = 0
        self._skip_in = SEARCH
        # No leaps: end tags are not what they are looked for as.
        self._careful = False
        self._leap_to = b""
        self._leapt_from = 0
        self._spat_moy = None
        self._bit = 0
        self._work = 0
        # Work beyond the usual for a tag.
        self._extra_us = 0
        self._begin_intersection()

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
                work -= TAG_US + (self._at - at >> 1)
                continue
            if context == LEAP:
                self._go_on_leaping(limit)
                work -= TAG_US + (limit - at >> 1)
                continue
            tag = buffer.find(b"<", at, limit)
            if tag < 0:
                if limit == end:
                    self._fail("truncated", "element without end", end)
                self._form = NO_NUMBER
                self._at = limit - 2
                work -= WINDOW >> 1
                continue
            work -= TAG_US + (tag - at >> 1)
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
            else:
                stop = self._open(context, tag)
                work -= self._extra_us
                self._extra_us = 0
                if stop:
                    break
        self._work = work
        return None

    def _leap(self, mark):
        """Leap to the end tag of the group or intersection the cursor is in."""
        self._context = LEAP
        self._leap_to = mark
        self._leapt_from = self._at

    def _go_on_leaping(self, limit):
        mark = self._leap_to
        found = find_end(self._buffer, self._at, limit, mark, len(mark))
        if found >= 0:
            self._at = found
            self._land()
        elif found == -1 and limit < self._end:
            # The mark may lie across the edge of the window.
            self._at = limit - len(mark)
        else:
            # A comment is in the way, or names have a prefix: walk.
            self._careful = self._careful or found == -1
            self._at = self._leapt_from
            # From behind the number of a group that is not ours, or from behind the id of an intersection.
            self._form = NO_NUMBER
            self._context = SIGNAL_GROUP if mark is GROUP_END else INTERSECTION

    def _land(self):
        """The cursor is at the end tag it has leapt to."""
        self._context = MOVEMENT if self._leap_to is GROUP_END else INTERSECTION
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
        if self._buffer[self._name_end] == 62:
            self._at = self._name_end + 1
            self._empty = False
        else:
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
        buffer = self._buffer
        for child in CHILDREN[context]:
            if (buffer.startswith(NAMES[child], name_at) or child in OTHER_NAMES) and self._is_of(child, name_at):
                return child
        return 0

    def _is_of(self, context, name_at):
        """Whether the name at `name_at` is that of a context's element."""
        return self._is_named(NAMES[context], name_at) or (
            context in OTHER_NAMES and self._is_named(OTHER_NAMES[context], name_at)
        )

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

    def _close(self, context, tag):
        """Pass the end tag that begins here; True if it ends an element of which `_leave` should know."""
        name = NAMES[context]
        if name is not None and self._buffer.startswith(name, tag + 2) and self._depth == 0:
            behind = tag + 2 + len(name)
            if self._buffer[behind] == 62:
                self._at = behind + 1
                return True
        self._pass_end_tag(tag)
        if context == SKIP:
            self._skip_depth -= 1
            if self._skip_depth == 0:
                self._context = self._skip_in
            return False
        if context == SEARCH:
            self._depth -= 1
            if self._depth <= 0:
                self._fail("foreign", "no SPAT in the document", tag)
            return False
        if context == REGIONAL:
            if self._depth > 0:
                self._depth -= 1
                return False
        elif context == PROLOGUE:
            self._fail("malformed", "end tag without element", tag)
        if context == BIT or self._is_of(context, tag + 2):
            return True
        name_at = self._behind_prefix(tag + 2)
        if name_at < 0 or not self._is_of(context, name_at):
            self._fail("malformed", "end tag of another element", tag)
        return True

    def _leave(self, context, tag):
        """The element is complete; the outcome if that decides the message."""
        self._context = PARENTS[context]
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
                    self._leap(INTERSECTION_END)
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
        elif context == INTERSECTION:
            return self._end_intersection(tag)
        elif context == INTERSECTIONS or context == SPAT:
            return False
        return None

    def _end_intersection(self, tag):
        if not self._matches:
            return None
        if not self._has_group:
            self._fail("no_signal_group", "%d" % self._signal_group, tag)
        if self.state.moy is None:
            self.state.moy = self._spat_moy
        return True
