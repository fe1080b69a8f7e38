# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sender writes between the values of a SPATEM in XML, learned while the walk goes over it.

A gap is the stretch of bytes from behind one value to the beginning of the next. Where the same bytes come again in the
same place, they mean the same, whatever they are. Of a gap with a comment in it the rest is kept, because comments tend
to hold numbers.
"""

from leezenflow_adapters.spatem_xml_elements import (
    CONFIDENCE,
    DONE,
    EVENT_STATE,
    LEAPT,
    LIKELY,
    MAX_END,
    MIN_END,
    MOVEMENT_NAME,
    MOY,
    SIGNAL_GROUP,
    TIME_STAMP,
)
from leezenflow_adapters.spatem_xml_walk import SpatemXmlWalk

_MAX_HEAD = 3072
MAX_GAP = 512
# How many gaps may be learned at first, and one more with each message: a sender that writes everything differently
# each time must not make a board allocate each time.
_MAX_LESSONS = 24
_HEAD_LESSONS = 8
# What learning takes, see `xml_cursor.TAG_US`.
_HEAD_US = 4500
_GAP_US = 500
# A short group is kept until so many have passed without one like it.
_MAX_OTHER_MISSES = 32

# Which gap is kept where. It begins behind the value (or at the end tag leapt to) and ends where the next value begins.
HEAD = 0
BEHIND_MOY = 1
STAMP_TO_NAME = 2
STAMP_TO_GROUP = 3
NAME_TO_GROUP = 4
GROUP_TO_STATE = 5
STATE_TO_MIN = 6
MIN_TO_MAX = 7
MAX_TO_LIKELY = 8
LIKELY_TO_CONFIDENCE = 9
TO_NEXT_EVENT = 10
TO_NEXT_EVENT_2 = 11
TO_END = 12
LEAPT_TO_NAME = 13
LEAPT_TO_GROUP = 14
OTHER_TO_NAME = 15
OTHER_TO_GROUP = 16
# By the value before and the value behind.
_GAPS = {
    MOY << 6 | TIME_STAMP: BEHIND_MOY,
    TIME_STAMP << 6 | MOVEMENT_NAME: STAMP_TO_NAME,
    TIME_STAMP << 6 | SIGNAL_GROUP: STAMP_TO_GROUP,
    MOVEMENT_NAME << 6 | SIGNAL_GROUP: NAME_TO_GROUP,
    SIGNAL_GROUP << 6 | EVENT_STATE: GROUP_TO_STATE,
    EVENT_STATE << 6 | MIN_END: STATE_TO_MIN,
    MIN_END << 6 | MAX_END: MIN_TO_MAX,
    MAX_END << 6 | LIKELY: MAX_TO_LIKELY,
    LIKELY << 6 | CONFIDENCE: LIKELY_TO_CONFIDENCE,
    CONFIDENCE << 6 | EVENT_STATE: TO_NEXT_EVENT,
    CONFIDENCE << 6 | DONE: TO_END,
    LEAPT << 6 | MOVEMENT_NAME: LEAPT_TO_NAME,
    LEAPT << 6 | SIGNAL_GROUP: LEAPT_TO_GROUP,
}
# No gap begins like this: each begins at a tag. Several bytes, because a single one may stand anywhere by damage.
_UNKNOWN = b"\xff</\xff"


class SpatemXmlGaps(SpatemXmlWalk):
    """A walk that remembers the gaps it has passed."""

    def __init__(self, region, intersection_id, signal_group):
        self._gaps = [_UNKNOWN] * (OTHER_TO_GROUP + 1)
        # The gaps within an event as `read_event` wants them; None when one of them is new.
        self._chain: object = None
        self._lessons = _MAX_LESSONS
        self._other_misses = 0
        # What the values in the head gap are.
        self._head_region = None
        self._head_revision = 0
        self._head_status = 0
        self._head_spat_moy = None
        self._striding = False
        SpatemXmlWalk.__init__(self, region, intersection_id, signal_group)

    def _place(self, buffer, start, end):
        SpatemXmlWalk._place(self, buffer, start, end)
        self._striding = False

    def _refill_lessons(self):
        """One more gap may be learned with each message."""
        if self._lessons < _MAX_LESSONS:
            self._lessons += 1

    def _arrive(self, leaf, at):
        if leaf == MOY:
            self._learn_head(at)
        elif self._lessons > 0:
            self._learn(leaf, at)
        self._striding = self._matches and (
            leaf == MOY
            or (leaf == SIGNAL_GROUP and self._group_at < 0 and self._events_at < 0)
            or (leaf == EVENT_STATE and self._in_group and self._is_untouched())
        )
        return self._striding

    def _is_untouched(self):
        """Whether nothing of the event has been read yet: a stride overwrites, and the first value should count."""
        event = self._event
        return (
            not self._has_state
            and event.min_end_time is event.max_end_time is event.likely_time is event.confidence is None
            and event.start_time is event.next_time is event.state_change_reason is None
        )

    def _learn_head(self, at):
        size = at - self._start
        state = self.state
        if self._lessons < _HEAD_LESSONS or size > _MAX_HEAD or not self._matches or not self._has_head():
            return
        if state.time_stamp is not None or state.moy is not None or self._has_group:
            # More has been seen than is kept of a head.
            return
        self._lessons -= _HEAD_LESSONS
        self._extra_us = _HEAD_US
        head = self._copy(self._start, at)
        if head is None:
            return
        self._gaps[HEAD] = head
        self._head_region = state.region
        self._head_revision = state.revision
        self._head_status = state.status
        self._head_spat_moy = self._spat_moy

    def _pass_head(self):
        """Go to the value of `moy` if all before it is as in an earlier message."""
        buffer = self._buffer
        head = self._gaps[HEAD]
        close = self._root_close
        if not buffer.startswith(head, self._start) or not buffer.startswith(close, self._end - len(close)):
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

    def _learn(self, leaf, at):
        first = self._from_at
        slot = _GAPS.get(self._from << 6 | leaf)
        if slot is None or at - first > MAX_GAP or self._events_at >= 0 or self._hidden_count > 1:
            return
        buffer = self._buffer
        gaps = self._gaps
        if self._hidden_count == 1:
            if gaps[slot] is not _UNKNOWN or not buffer.startswith(b"<!--", self._hidden_at):
                return
            gap = self._copy(first, self._hidden_at)
            behind = self._copy(self._shown_at, at)
            gap = None if gap is None or behind is None else gap.rstrip() + behind
        else:
            gap = self._copy(first, at)
        # (`_spatem_xml_viper` takes a zero for the end.)
        if gap is None or b"\0" in gap:
            return
        self._lessons -= 1
        self._extra_us = _GAP_US
        self._chain = None
        if slot == TO_NEXT_EVENT:
            # Of two kinds: the first event often has a regional part.
            gaps[TO_NEXT_EVENT_2] = gaps[TO_NEXT_EVENT]
        gaps[slot] = gap

    def _copy(self, first, last):
        """A piece of the message; None where the memory is too short or too fragmented: learning only saves time."""
        try:
            return bytes(memoryview(self._buffer)[first:last])
        except MemoryError:
            return None

    def _learn_other(self, slot, first, at):
        """Keep a short group that is not ours: most groups of an intersection have no forecast and look the same."""
        self._other_misses += 1
        if self._gaps[slot] is not _UNKNOWN and self._other_misses < _MAX_OTHER_MISSES:
            return
        if self._lessons > 0:
            self._other_misses = 0
            self._lessons -= 1
            self._gaps[slot] = self._copy(first, at) or _UNKNOWN

    def _end_group(self):
        if self._lessons > 0:
            self._learn(DONE, self._at)
        return SpatemXmlWalk._end_group(self)
