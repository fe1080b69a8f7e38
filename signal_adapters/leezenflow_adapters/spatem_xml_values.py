# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the values in a SPATEM in XML become: an `IntersectionState` with one signal group.

Where a value stands twice, the first one counts. A value that is no number or out of its range counts as absent.
"""

from leezenflow.spatem import IntersectionState, MovementEvent
from leezenflow_adapters.spatem_xml_elements import (
    BIT,
    CONFIDENCE,
    EVENT_FIELDS,
    EVENT_LIMITS,
    EVENT_STATE,
    ID_NUMBER,
    MIN_END,
    MOY,
    PHASE_NAMES,
    REGION,
    REVISION,
    SIGNAL_GROUP,
    SPAT_MOY,
    TIME_STAMP,
)
from leezenflow_adapters.xml_cursor import DIGITS, ENDED, MAX_TEXT, NO_NUMBER, NOTHING_YET, XmlCursor


class SpatemXmlValues(XmlCursor):
    """Takes values and fills `state` with them; `spatem_xml.Decoder` says what it is asked for."""

    def __init__(self, region, intersection_id, signal_group):
        self.state = IntersectionState()
        self._region = region
        self._id = intersection_id
        self._signal_group = signal_group
        # Takes events beyond the sixteenth: illegal, but no reason to do without the sixteen.
        self._spare_event = MovementEvent()
        self._event = self._spare_event
        XmlCursor.__init__(self)

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

    def _take_value(self, leaf, tag):
        """The value of a leaf is complete: keep it if it is a number within its range and the first of its kind."""
        self._from = leaf
        self._from_at = tag
        self._hidden_count = 0
        value = self._value if self._form == DIGITS or self._form == ENDED else -1
        if leaf >= MIN_END:
            name = EVENT_FIELDS[leaf - MIN_END]
            if 0 <= value <= EVENT_LIMITS[leaf - MIN_END] and getattr(self._event, name) is None:
                setattr(self._event, name, value)
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
        elif leaf == MOY:
            if self.state.moy is None and 0 <= value <= 527040:
                self.state.moy = value
        elif leaf == TIME_STAMP:
            if self.state.time_stamp is None and 0 <= value <= 65535:
                self.state.time_stamp = value
        elif leaf == REGION:
            if self.state.region is None and 0 <= value <= 65535:
                self.state.region = value
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
