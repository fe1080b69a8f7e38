# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quick way through a SPATEM in XML: from value to value over the gaps that are known.

Where no gap fits, the walk takes over at the value before, and learns.
"""

from leezenflow_adapters.spatem_xml_elements import (
    EVENT_STATE,
    MOVEMENT_NAME,
    MOY,
    SIGNAL_GROUP,
    TIME_STAMP,
)
from leezenflow_adapters.spatem_xml_events import SpatemXmlEvents
from leezenflow_adapters.spatem_xml_gaps import (
    BEHIND_MOY,
    GROUP_TO_STATE,
    LEAPT_TO_GROUP,
    LEAPT_TO_NAME,
    MAX_GAP,
    NAME_TO_GROUP,
    OTHER_TO_GROUP,
    OTHER_TO_NAME,
    STAMP_TO_GROUP,
    STAMP_TO_NAME,
)
from leezenflow_adapters.spatem_xml_walk import GROUP_END, find_end
from leezenflow_adapters.xml_cursor import MAX_TEXT, NOTHING_YET, WINDOW

_NUMBER_US = 300


class SpatemXmlStride(SpatemXmlEvents):
    """A walk that strides where it knows the gaps."""

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
        self._work -= 3 * _NUMBER_US
        return True

    def _pass_name(self, at):
        """From the text of a `movementName` to the value of the `signalGroup` behind it, or -1."""
        buffer = self._buffer
        gap = self._gaps[NAME_TO_GROUP]
        tag = buffer.find(b"<", at, at + MAX_TEXT)
        return tag + len(gap) if tag >= 0 and buffer.startswith(gap, tag) else -1

    def _stride_groups(self):
        """From one `signalGroup` to the next until ours: True at its first `eventState`."""
        self._group_at = -1
        self._events_at = -1
        self._in_group = False
        self._context = SIGNAL_GROUP
        buffer = self._buffer
        gaps = self._gaps
        gap_name = gaps[NAME_TO_GROUP]
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
            if digit != 12 or buffer[at + 1] != 47:  # "</"
                break
            work -= _NUMBER_US
            if group == self._signal_group and not self._has_group:
                if not buffer.startswith(gaps[GROUP_TO_STATE], at):
                    break
                self._begin_group(first)
                self._at = at + len(gaps[GROUP_TO_STATE])
                self._context = EVENT_STATE
                self._work = work
                self._add_event()
                return True
            if buffer.startswith(gaps[OTHER_TO_NAME], at):
                self._other_misses = 0
                at += len(gaps[OTHER_TO_NAME])
            elif buffer.startswith(gaps[OTHER_TO_GROUP], at):
                self._other_misses = 0
                at += len(gaps[OTHER_TO_GROUP])
                continue
            elif self._careful:
                break
            else:
                limit = at + WINDOW
                if limit > self._end:
                    limit = self._end
                close = find_end(buffer, at, limit, GROUP_END, len(GROUP_END))
                if close < 0:
                    work -= limit - at >> 1
                    self._at = at
                    self._leap(GROUP_END)
                    break
                work -= close - at >> 1
                if buffer.startswith(gaps[LEAPT_TO_NAME], close):
                    close += len(gaps[LEAPT_TO_NAME])
                    if close - at <= MAX_GAP:
                        self._learn_other(OTHER_TO_NAME, at, close)
                    at = close
                elif buffer.startswith(gaps[LEAPT_TO_GROUP], close):
                    close += len(gaps[LEAPT_TO_GROUP])
                    if close - at <= MAX_GAP:
                        self._learn_other(OTHER_TO_GROUP, at, close)
                    at = close
                    continue
                else:
                    self._at = close
                    self._leap_to = GROUP_END
                    self._land()
                    break
            # Over the name.
            tag = buffer.find(b"<", at, at + MAX_TEXT)
            if tag < 0 or not buffer.startswith(gap_name, tag):
                self._at = at
                self._context = MOVEMENT_NAME
                break
            at = tag + len(gap_name)
        else:
            self._at = at
            self._striding = True
        self._work = work
        return False
