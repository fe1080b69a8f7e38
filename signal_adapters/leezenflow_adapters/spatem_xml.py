# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPATEM as XML: the form Münster's receivers publish, and the XER of asn1c; one signal group, without a tree.

A cursor goes over the message once. It has three gaits; the quick ones give what the careful one would.

* *walk* (`spatem_xml_walk`): tag by tag, with comments, attributes, prefixes and any order of elements.
* *leap*: the rest of another signal group or intersection is passed with one `find` of its end tag.
* *stride*: a sender writes the same bytes between two values in every message. The walk keeps such stretches, here
  called gaps; where the bytes are equal again, the cursor goes straight from number to number.

Equal bytes cannot mean anything else than last time. A leap could go wrong: the end tag may stand in a comment. So
before a message that was leapt through counts, either the part leapt over is searched for comments, or the part behind
the cursor for the end of one, whichever is shorter. If one is found, the message is walked from its beginning.

Memory: gaps of at most 3 kB for what precedes `moy` and 512 bytes for each other, and 17 reusable events. After a
sender's first messages nothing is allocated.
"""

from leezenflow.errors import SignalError
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
    STATES,
    TIME_STAMP,
)
from leezenflow_adapters.spatem_xml_walk import SpatemXmlWalk
from leezenflow_adapters.xml_cursor import MAX_TEXT, NOTHING_YET, WINDOW

RUNTIMES = ("device", "host")
OPTIONS = {}

# In the measure of `xml_cursor.TAG_WORK`: 12 000 are about 6 ms on an RP2040, below the 10 ms that may lie between two
# awaits.
_STEP_WORK = 12000
_ALL_AT_ONCE = 0x1FFFFFFF
_NUMBER_WORK = 180

# Contexts of the decoder, beside those of the walk.
_CHECK = 40
_FINISHED = 41

_MAX_HEAD = 3072
_MAX_GAP = 512
# How many gaps may be learned at first, and one more with each message: a sender that writes everything differently
# each time must not make a board allocate each time.
_MAX_LESSONS = 24
_HEAD_LESSONS = 8

# Which gap is kept where. It begins behind the value (or at the end tag leapt to) and ends where the next value begins.
_HEAD = 0
_BEHIND_MOY = 1
_STAMP_TO_NAME = 2
_STAMP_TO_GROUP = 3
_NAME_TO_GROUP = 4
_GROUP_TO_STATE = 5
_STATE_TO_MIN = 6
_MIN_TO_MAX = 7
_MAX_TO_LIKELY = 8
_LIKELY_TO_CONFIDENCE = 9
_TO_NEXT_EVENT = 10
_TO_NEXT_EVENT_2 = 11
_TO_END = 12
_LEAPT_TO_NAME = 13
_LEAPT_TO_GROUP = 14
_OTHER_TO_NAME = 15
_OTHER_TO_GROUP = 16
_GAPS = {
    (MOY, TIME_STAMP): _BEHIND_MOY,
    (TIME_STAMP, MOVEMENT_NAME): _STAMP_TO_NAME,
    (TIME_STAMP, SIGNAL_GROUP): _STAMP_TO_GROUP,
    (MOVEMENT_NAME, SIGNAL_GROUP): _NAME_TO_GROUP,
    (SIGNAL_GROUP, EVENT_STATE): _GROUP_TO_STATE,
    (EVENT_STATE, MIN_END): _STATE_TO_MIN,
    (MIN_END, MAX_END): _MIN_TO_MAX,
    (MAX_END, LIKELY): _MAX_TO_LIKELY,
    (LIKELY, CONFIDENCE): _LIKELY_TO_CONFIDENCE,
    (CONFIDENCE, EVENT_STATE): _TO_NEXT_EVENT,
    (CONFIDENCE, DONE): _TO_END,
    (LEAPT, MOVEMENT_NAME): _LEAPT_TO_NAME,
    (LEAPT, SIGNAL_GROUP): _LEAPT_TO_GROUP,
}
# No gap begins like this: each begins at a tag.
_UNKNOWN = b"\xff"


class Decoder(SpatemXmlWalk):
    """Reads one signal group of one intersection out of SPATEM in XML.

    `region` 0..65535 or None for any, `intersection_id` 0..65535, `signal_group` 1..254. The result is in `state`,
    which is refilled with each message; a value that is absent, no number or out of range is None.
    """

    def __init__(self, region, intersection_id, signal_group, options=None):
        self._gaps = [_UNKNOWN] * 17
        self._lessons = _MAX_LESSONS
        # What the values in the head gap are.
        self._head_region = None
        self._head_revision = 0
        self._head_status = 0
        self._head_spat_moy = None
        self._work = 0
        self._striding = False
        self._fresh = False
        self._outcome = None
        self._check_end = 0
        self._check_for = b""
        SpatemXmlWalk.__init__(self, region, intersection_id, signal_group)

    def begin(self, buffer, start, end):
        """Take a new message: `buffer[start:end]`, bytes or bytearray, which must not change until it is finished."""
        if self._lessons < _MAX_LESSONS:
            self._lessons += 1
        self._place(buffer, start, end)
        self._fresh = True

    def step(self):
        """Do a piece of work, at most about 8 ms on an RP2040.

        None: call again. True: `state` holds the intersection and the group asked for. False: a sound message about
        other intersections. Raises `SignalError`: "truncated", "foreign" (no SPATEM in XML), "malformed", "oversized",
        or "no_signal_group" (our intersection without our group).
        """
        return self._work_off(_STEP_WORK)

    def decode(self, buffer, start, end):
        """Read a whole message at once; returns and raises as `step` does, but never None."""
        self.begin(buffer, start, end)
        result = None
        while result is None:
            result = self._work_off(_ALL_AT_ONCE)
        return result

    def _place(self, buffer, start, end):
        SpatemXmlWalk._place(self, buffer, start, end)
        self._striding = False
        self._fresh = False
        self._outcome = None

    # --- work and outcome -------------------------------------------------------------------------------------------

    def _work_off(self, work):
        if self._context >= _CHECK:
            return self._check(work)
        self._work = work
        outcome = None
        try:
            if self._fresh:
                self._fresh = False
                self._trim()
                self._striding = self._pass_head()
            while outcome is None and self._work > 0:
                if self._striding:
                    self._striding = False
                    outcome = self._stride()
                    self._value = 0
                    self._form = NOTHING_YET
                else:
                    outcome = self._walk()
        except SignalError as error:
            outcome = error
        if outcome is None:
            return None
        self._outcome = outcome
        if self._leapt_from < 0:
            return self._finish()
        return self._begin_check()

    def _finish(self):
        self._context = _FINISHED
        outcome = self._outcome
        self._outcome = False
        if isinstance(outcome, SignalError):
            raise outcome
        return outcome

    def _begin_check(self):
        """The cursor has leapt. Was it into a comment?"""
        here = self._at
        last = self._group_at if self._outcome is True else here
        if not self._left_states and self._end - here < last - self._leapt_from:
            # If the cursor is in a comment now, that comment ends further on.
            self._check_for = b"-->"
            self._check_end = self._end
        else:
            self._check_for = b"<!"
            self._at = self._leapt_from
            self._check_end = last
        self._context = _CHECK
        return self._check(self._work)

    def _check(self, work):
        if self._context == _FINISHED:
            return self._finish()
        limit = self._at + max(work, WINDOW)
        if limit > self._check_end:
            limit = self._check_end
        if self._buffer.find(self._check_for, self._at, limit) >= 0:
            self._place(self._buffer, self._start, self._end)
            self._careful = True
            self._fresh = True
            return None
        if limit == self._check_end:
            return self._finish()
        self._at = limit - 2
        return None

    # --- learning ---------------------------------------------------------------------------------------------------

    def _arrive(self, leaf, at):
        if self._careful:
            return False
        if leaf == MOY:
            self._learn_head(at)
        elif self._clean and self._lessons > 0:
            self._learn(leaf, at)
        self._striding = self._matches and (
            leaf == MOY or (leaf == SIGNAL_GROUP and self._events_at < 0) or (leaf == EVENT_STATE and self._in_group)
        )
        return self._striding

    def _learn_head(self, at):
        size = at - self._start
        state = self.state
        # Only what is complete: the stride asks for nothing of this any more.
        if self._lessons < _HEAD_LESSONS or size > _MAX_HEAD or not self._matches or not self._has_status:
            return
        if state.time_stamp is not None or state.moy is not None or self._has_group:
            return
        self._lessons -= _HEAD_LESSONS
        self._gaps[_HEAD] = bytes(self._buffer[self._start : at])
        self._head_region = state.region
        self._head_revision = state.revision
        self._head_status = state.status
        self._head_spat_moy = self._spat_moy

    def _learn(self, leaf, at):
        first = self._from_at
        slot = _GAPS.get((self._from, leaf))
        if slot is None or at - first > _MAX_GAP or self._events_at >= 0:
            return
        self._lessons -= 1
        gaps = self._gaps
        if slot == _TO_NEXT_EVENT:
            # Of two kinds: the first event often has a regional part.
            gaps[_TO_NEXT_EVENT_2] = gaps[_TO_NEXT_EVENT]
        gaps[slot] = bytes(self._buffer[first:at])

    def _end_group(self):
        if self._clean and self._lessons > 0 and not self._careful:
            self._learn(DONE, self._at)
        return SpatemXmlWalk._end_group(self)

    # --- striding ---------------------------------------------------------------------------------------------------

    def _pass_head(self):
        """Go to the value of `moy` if all before it is as in an earlier message."""
        buffer = self._buffer
        head = self._gaps[_HEAD]
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
        self._matches = self._has_id = self._has_id_number = self._has_status = True
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
        if value < 0 or not buffer.startswith(gaps[_BEHIND_MOY], at):
            self._at = first
            return False
        state.moy = value
        self._context = TIME_STAMP
        self._at = first = at + len(gaps[_BEHIND_MOY])
        value = self._read_number(first, 65535)
        at = self._at
        if value >= 0 and buffer.startswith(gaps[_STAMP_TO_NAME], at):
            at = self._pass_name(at + len(gaps[_STAMP_TO_NAME]))
        elif value >= 0 and buffer.startswith(gaps[_STAMP_TO_GROUP], at):
            at += len(gaps[_STAMP_TO_GROUP])
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
        at = self._buffer.find(b"<", at, at + MAX_TEXT)
        gap = self._gaps[_NAME_TO_GROUP]
        return at + len(gap) if at >= 0 and self._buffer.startswith(gap, at) else -1

    def _stride_groups(self):
        """From one `signalGroup` to the next until ours: True at its first `eventState`."""
        buffer = self._buffer
        gaps = self._gaps
        work = self._work
        first = self._at
        while True:
            self._group_at = -1
            self._events_at = -1
            self._in_group = False
            self._at = first
            self._context = SIGNAL_GROUP
            self._work = work
            if work <= 0:
                self._striding = True
                return False
            group = self._read_number(first, 255)
            at = self._at
            if group < 0:
                return False
            work -= _NUMBER_WORK
            if group == self._signal_group and not self._has_group:
                if not buffer.startswith(gaps[_GROUP_TO_STATE], at):
                    self._at = first
                    return False
                self._begin_group(first)
                self._at = at + len(gaps[_GROUP_TO_STATE])
                self._context = EVENT_STATE
                self._work = work
                self._add_event()
                return True
            if buffer.startswith(gaps[_OTHER_TO_NAME], at):
                first = self._pass_name(at + len(gaps[_OTHER_TO_NAME]))
                if first >= 0:
                    continue
            elif buffer.startswith(gaps[_OTHER_TO_GROUP], at):
                first = at + len(gaps[_OTHER_TO_GROUP])
                continue
            work -= WINDOW
            limit = at + WINDOW
            if self._leapt_from < 0:
                self._leapt_from = at
            close = buffer.find(b"</MovementState", at, limit if limit < self._end else self._end)
            if close < 0:
                self._work = work
                self._leap(b"</MovementState")
                return False
            work += limit - close
            first = -1
            if buffer.startswith(gaps[_LEAPT_TO_NAME], close):
                leapt = close + len(gaps[_LEAPT_TO_NAME])
                first = self._pass_name(leapt)
                slot = _OTHER_TO_NAME
            elif buffer.startswith(gaps[_LEAPT_TO_GROUP], close):
                first = leapt = close + len(gaps[_LEAPT_TO_GROUP])
                slot = _OTHER_TO_GROUP
            if first < 0:
                self._at = close
                self._work = work
                self._leap_to = b"</MovementState"
                self._land()
                return False
            if leapt - at <= _MAX_GAP and self._lessons > 0 and buffer.find(b"<!", at, leapt) < 0:
                self._lessons -= 1
                gaps[slot] = bytes(buffer[at:leapt])

    def _stride_events(self):
        """From an `eventState` of our group on, event by event; returns True behind the group, else None.

        The four numbers of an event are read in place: this is most of the work in a message.
        """
        buffer = self._buffer
        gaps = self._gaps
        gap_state = gaps[_STATE_TO_MIN]
        gap_min = gaps[_MIN_TO_MAX]
        gap_max = gaps[_MAX_TO_LIKELY]
        gap_likely = gaps[_LIKELY_TO_CONFIDENCE]
        at = self._at
        while True:
            event = self._event
            value = buffer[at] - 48
            if not 0 <= value <= 9 or not buffer.startswith(gap_state, at + 1):
                break
            event.event_state = value
            self._has_state = True

            self._at = at = at + 1 + len(gap_state)
            self._context = MIN_END
            value = buffer[at] - 48
            if not 0 <= value <= 9:
                break
            at += 1
            digit = buffer[at] - 48
            while 0 <= digit <= 9 and value <= 6552:
                value = value * 10 + digit
                at += 1
                digit = buffer[at] - 48
            if not buffer.startswith(gap_min, at):
                break
            event.min_end_time = value

            self._at = at = at + len(gap_min)
            self._context = MAX_END
            value = buffer[at] - 48
            if not 0 <= value <= 9:
                break
            at += 1
            digit = buffer[at] - 48
            while 0 <= digit <= 9 and value <= 6552:
                value = value * 10 + digit
                at += 1
                digit = buffer[at] - 48
            if not buffer.startswith(gap_max, at):
                break
            event.max_end_time = value

            self._at = at = at + len(gap_max)
            self._context = LIKELY
            value = buffer[at] - 48
            if not 0 <= value <= 9:
                break
            at += 1
            digit = buffer[at] - 48
            while 0 <= digit <= 9 and value <= 6552:
                value = value * 10 + digit
                at += 1
                digit = buffer[at] - 48
            if not buffer.startswith(gap_likely, at):
                break
            event.likely_time = value

            self._at = at = at + len(gap_likely)
            self._context = CONFIDENCE
            value = buffer[at] - 48
            if not 0 <= value <= 9:
                break
            at += 1
            digit = buffer[at] - 48
            if 0 <= digit <= 9:
                value = value * 10 + digit
                at += 1
            if buffer.startswith(gaps[_TO_NEXT_EVENT], at):
                gap = gaps[_TO_NEXT_EVENT]
            elif buffer.startswith(gaps[_TO_NEXT_EVENT_2], at):
                gap = gaps[_TO_NEXT_EVENT_2]
            elif buffer.startswith(gaps[_TO_END], at):
                gap = None
            else:
                break
            event.confidence = value if value <= 15 else None
            if gap is None:
                self._at = at + len(gaps[_TO_END])
                self._context = STATES
                return self._end_group()
            self._at = at = at + len(gap)
            self._context = EVENT_STATE
            self._add_event()
        return None
