# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quick way through a SPATEM in XML: from value to value over the gaps that are known.

Where no gap fits, the walk takes over at the value before, and learns.
"""

from leezenflow_adapters.spatem_xml_elements import (
    CONFIDENCE,
    EVENT_STATE,
    LIKELY,
    MAX_END,
    MIN_END,
    MOY,
    SIGNAL_GROUP,
    STATES,
    TIME_STAMP,
)
from leezenflow_adapters.spatem_xml_gaps import (
    BEHIND_MOY,
    GROUP_TO_STATE,
    HEAD,
    LEAPT_TO_GROUP,
    LEAPT_TO_NAME,
    LIKELY_TO_CONFIDENCE,
    MAX_GAP,
    MAX_TO_LIKELY,
    MIN_TO_MAX,
    NAME_TO_GROUP,
    OTHER_TO_GROUP,
    OTHER_TO_NAME,
    STAMP_TO_GROUP,
    STAMP_TO_NAME,
    STATE_TO_MIN,
    TO_END,
    TO_NEXT_EVENT,
    TO_NEXT_EVENT_2,
    SpatemXmlGaps,
)
from leezenflow_adapters.xml_cursor import MAX_TEXT, NOTHING_YET, WINDOW

_NUMBER_WORK = 180
_EVENT_WORK = 900


class SpatemXmlStride(SpatemXmlGaps):
    """A walk that strides where it knows the gaps."""

    def _pass_head(self):
        """Go to the value of `moy` if all before it is as in an earlier message."""
        buffer = self._buffer
        head = self._gaps[HEAD]
        close = self._root_close
        if (
            self._careful
            or not buffer.startswith(head, self._start)
            or not buffer.startswith(close, self._end - len(close))
        ):
            return False
        state = self.state
        state.id = self._id
        state.region = self._head_region
        state.revision = self._head_revision
        state.status = self._head_status
        self._spat_moy = self._head_spat_moy
        self._matches = self._has_id = self._has_id_number = self._has_revision = self._has_status = True
        self._at = self._start + len(head)
        self._context = MOY
        return True

    def _read_number(self, at, limit):
        """The digits at `at`, if they make a number of at most `limit` and a tag follows, else -1; `_at` is behind."""
        buffer = self._buffer
        value = buffer[at] - 48
        if not 0 <= value <= 9:
            return -1
        at += 1
        digit = buffer[at] - 48
        while 0 <= digit <= 9 and value <= 99999:
            value = value * 10 + digit
            at += 1
            digit = buffer[at] - 48
        if buffer[at] != 60 or value > limit:
            return -1
        self._at = at
        return value

    def _stride(self):
        """Go on from the value of a `moy`, `signalGroup` or `eventState`, as far as the gaps are known.

        Leaves the cursor and the context where the walk can take over; the outcome if our group was read.
        """
        self._from = -1
        self._value = 0
        self._form = NOTHING_YET
        if self._context == MOY and not self._stride_times():
            return None
        if self._context == SIGNAL_GROUP and not self._stride_groups():
            return None
        return self._stride_events()

    def _stride_times(self):
        """From `moy` to the first `signalGroup`: True if there."""
        buffer = self._buffer
        gaps = self._gaps
        state = self.state
        first = self._at
        value = self._read_number(first, 527040)
        at = self._at
        if value < 0 or not buffer.startswith(gaps[BEHIND_MOY], at):
            self._at = first
            return False
        state.moy = value
        self._context = TIME_STAMP
        self._at = first = at + len(gaps[BEHIND_MOY])
        value = self._read_number(first, 65535)
        at = self._at
        if value >= 0 and buffer.startswith(gaps[STAMP_TO_NAME], at):
            at = self._pass_name(at + len(gaps[STAMP_TO_NAME]))
        elif value >= 0 and buffer.startswith(gaps[STAMP_TO_GROUP], at):
            at += len(gaps[STAMP_TO_GROUP])
        else:
            at = -1
        if at < 0:
            self._at = first
            return False
        state.time_stamp = value
        self._at = at
        self._context = SIGNAL_GROUP
        self._work -= 3 * _NUMBER_WORK
        return True

    def _pass_name(self, at):
        """From the text of a `movementName` to the value of the `signalGroup` behind it, or -1."""
        buffer = self._buffer
        gap = self._gaps[NAME_TO_GROUP]
        tag = buffer.find(b"<", at, at + MAX_TEXT)
        # (A ">" in the name could be the end of the comment that a leap has led into.)
        if tag < 0 or not buffer.startswith(gap, tag) or buffer.find(b">", at, tag) >= 0:
            return -1
        return tag + len(gap)

    def _stride_groups(self):
        """From one `signalGroup` to the next until ours: True at its first `eventState`."""
        self._group_at = -1
        self._events_at = -1
        self._in_group = False
        buffer = self._buffer
        gaps = self._gaps
        work = self._work
        at = self._at
        while work > 0:
            # Where the walk takes over if this goes no further.
            self._at = first = at
            group = buffer[at] - 48
            if not 0 <= group <= 9:
                break
            at += 1
            digit = buffer[at] - 48
            while 0 <= digit <= 9 and group <= 25:
                group = group * 10 + digit
                at += 1
                digit = buffer[at] - 48
            if buffer[at] != 60 or buffer[at + 1] != 47:  # "</"
                break
            work -= _NUMBER_WORK
            if group == self._signal_group and not self._has_group:
                if buffer.startswith(gaps[GROUP_TO_STATE], at):
                    self._begin_group(first)
                    self._at = at + len(gaps[GROUP_TO_STATE])
                    self._context = EVENT_STATE
                    self._work = work
                    self._add_event()
                    return True
                break
            behind = at
            if buffer.startswith(gaps[OTHER_TO_NAME], at):
                self._other_misses = 0
                at = self._pass_name(at + len(gaps[OTHER_TO_NAME]))
                if at >= 0:
                    continue
            elif buffer.startswith(gaps[OTHER_TO_GROUP], at):
                self._other_misses = 0
                at += len(gaps[OTHER_TO_GROUP])
                continue
            if self._leapt_from < 0:
                self._leapt_from = behind
            limit = behind + WINDOW
            close = buffer.find(b"</MovementState", behind, limit if limit < self._end else self._end)
            if close < 0:
                self._work = work - WINDOW
                self._at = behind
                self._leap(b"</MovementState")
                return False
            self._leapt_to = close
            work -= close - behind
            slot = OTHER_TO_NAME
            behind_gap = at = -1
            if buffer.startswith(gaps[LEAPT_TO_NAME], close):
                behind_gap = close + len(gaps[LEAPT_TO_NAME])
                at = self._pass_name(behind_gap)
            elif buffer.startswith(gaps[LEAPT_TO_GROUP], close):
                behind_gap = at = close + len(gaps[LEAPT_TO_GROUP])
                slot = OTHER_TO_GROUP
            if at < 0:
                self._work = work
                self._at = close
                self._leap_to = b"</MovementState"
                self._land()
                return False
            if behind_gap - behind <= MAX_GAP:
                self._learn_other(slot, behind, behind_gap)
        else:
            self._at = at
            self._striding = True
        self._work = work
        self._context = SIGNAL_GROUP
        return False

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
        """From an `eventState` of our group on, event by event; the outcome behind the group, else None.

        This is most of the work in a message, so the numbers are read in place: a call costs more than three digits.
        """
        buffer = self._buffer
        gaps = self._gaps
        gap_state = gaps[STATE_TO_MIN]
        gap_min = gaps[MIN_TO_MAX]
        gap_max = gaps[MAX_TO_LIKELY]
        gap_likely = gaps[LIKELY_TO_CONFIDENCE]
        at = self._at
        while self._work > 0:
            self._work -= _EVENT_WORK
            event = self._event

            value = buffer[at] - 48
            at += 1
            at = at + len(gap_state) if buffer.startswith(gap_state, at) else self._pass_comment(STATE_TO_MIN, at)
            if at < 0 or not 0 <= value <= 9:
                return None
            event.event_state = value
            self._has_state = True

            self._at = at
            self._context = MIN_END
            value = buffer[at] - 48
            if not 0 <= value <= 9:
                return None
            at += 1
            digit = buffer[at] - 48
            while 0 <= digit <= 9 and value <= 6552:
                value = value * 10 + digit
                at += 1
                digit = buffer[at] - 48
            at = at + len(gap_min) if buffer.startswith(gap_min, at) else self._pass_comment(MIN_TO_MAX, at)
            if at < 0:
                return None
            event.min_end_time = value

            self._at = at
            self._context = MAX_END
            value = buffer[at] - 48
            if not 0 <= value <= 9:
                return None
            at += 1
            digit = buffer[at] - 48
            while 0 <= digit <= 9 and value <= 6552:
                value = value * 10 + digit
                at += 1
                digit = buffer[at] - 48
            at = at + len(gap_max) if buffer.startswith(gap_max, at) else self._pass_comment(MAX_TO_LIKELY, at)
            if at < 0:
                return None
            event.max_end_time = value

            self._at = at
            self._context = LIKELY
            value = buffer[at] - 48
            if not 0 <= value <= 9:
                return None
            at += 1
            digit = buffer[at] - 48
            while 0 <= digit <= 9 and value <= 6552:
                value = value * 10 + digit
                at += 1
                digit = buffer[at] - 48
            at = (
                at + len(gap_likely)
                if buffer.startswith(gap_likely, at)
                else self._pass_comment(LIKELY_TO_CONFIDENCE, at)
            )
            if at < 0:
                return None
            event.likely_time = value

            self._at = at
            self._context = CONFIDENCE
            value = buffer[at] - 48
            if not 0 <= value <= 9:
                return None
            at += 1
            digit = buffer[at] - 48
            if 0 <= digit <= 9:
                value = value * 10 + digit
                at += 1
            if buffer.startswith(gaps[TO_NEXT_EVENT], at):
                at += len(gaps[TO_NEXT_EVENT])
            elif buffer.startswith(gaps[TO_NEXT_EVENT_2], at):
                at += len(gaps[TO_NEXT_EVENT_2])
            elif buffer.startswith(gaps[TO_END], at):
                event.confidence = value if value <= 15 else None
                self._at = at + len(gaps[TO_END])
                self._context = STATES
                return self._end_group()
            else:
                return None
            event.confidence = value if value <= 15 else None
            self._at = at
            self._context = EVENT_STATE
            self._add_event()
        self._striding = True
        return None
