# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TSCBM: what US controllers broadcast over UDP ten times a second (usually port 6053), 245 octets, big-endian.

It has no intersection id and no signal groups. A site names what it wants by this number:

* 1..16: the vehicle phase, 101..116: the pedestrian signal of phase 1..16, 201..216: the overlap 1..16.

Its times are countdowns in tenths of a second; they are turned into TimeMarks by the message's own clock, so that all
behind the decoder is the same as for a SPAT. The message knows the second of the UTC day but not the day: `moy` counts
from the day of the first message, which is enough for everything that compares minutes.

Layout as in V2X-Hub's and carma-streets' sources. A variant without the last two words (241 octets) exists.
"""

from leezenflow import spatem
from leezenflow.errors import SignalError
from leezenflow_adapters.one_step import OneStepDecoder

RUNTIMES = ("device", "host")
OPTIONS = {}

SHORTEST = 241
PEDESTRIAN = 100
OVERLAP = 200

_MARK = 0xCD
_BLOCKS_AT = 2
_BLOCK_BYTES = 13
_UNKNOWN = 65535
_MARK_UNKNOWN = 36001
_MARK_HOUR = 36000
_MINUTES_OF_YEAR = 527040
_DAY_MINUTES = 1440


class Decoder(OneStepDecoder):
    """Decodes one phase, pedestrian signal or overlap (see the module for their numbers)."""

    # A datagram; what is longer than the two known variants carries fields we do not know.
    MAX_BYTES = 1500

    def __init__(self, region, intersection_id, signal_group, options=None):
        super().__init__(region, intersection_id, signal_group, options)
        self._channel = signal_group // 100 if signal_group < 300 and 1 <= signal_group % 100 <= 16 else -1
        self._number = signal_group % 100
        self._day = 0
        self._minute_of_day = -1

    def read(self, buffer, start, end):
        """Decode one datagram; False where the controller has no such phase or overlap."""
        check(buffer, start, end)
        if self._channel < 0:
            return False
        number = self._number
        block = _find_block(buffer, start, number)
        if block < 0:
            return False
        self.clear()
        state = self.state
        second = buffer[start + 236] << 16 | _word(buffer, start + 237)
        millisecond = _word(buffer, start + 239)
        if second >= 86400 or millisecond > 999:
            raise SignalError("malformed", "%d s and %d ms of the day" % (second, millisecond), start + 236)
        self._keep_day(second // 60)
        state.moy = (self._day * _DAY_MINUTES + second // 60) % _MINUTES_OF_YEAR
        state.time_stamp = second % 60 * 1000 + millisecond
        status = buffer[start + 232]
        event = state.movement.add_event()
        event.event_state = self._event_state(buffer, start, number, status & 0x80)
        # Countdowns behind the octet with the number: vehicle, pedestrian, overlap, each minimum and maximum.
        at = block + 1 + (0, 4, 8)[self._channel]
        now = second % 3600 * 10 + millisecond // 100
        least = _word(buffer, at)
        most = _word(buffer, at + 2)
        # Both zero, second after second, is what controllers send for what they do not count.
        if least or most:
            event.min_end_time = _mark(now, least)
            event.max_end_time = _mark(now, most)
        return True

    def _keep_day(self, minute):
        # More than half a day back is the next day; less is a clock that was set.
        if self._minute_of_day - minute > _DAY_MINUTES // 2:
            self._day = (self._day + 1) % 366
        self._minute_of_day = minute

    def _event_state(self, buffer, start, number, flashing):
        """The colour of three words of bits (bit n-1 is number n): red, yellow, green; or don't walk, clear, walk."""
        bit = 1 << (number - 1)
        channel = self._channel
        at = start + (210, 216, 222)[channel]
        red = _word(buffer, at) & bit
        yellow = _word(buffer, at + 2) & bit
        green = _word(buffer, at + 4) & bit
        if channel != 1:
            flashing = flashing or _word(buffer, start + (228, 0, 230)[channel]) & bit
        if flashing and (red or yellow or green):
            return spatem.STOP_THEN_PROCEED if red else spatem.CAUTION_CONFLICTING_TRAFFIC
        if green:
            return spatem.PERMISSIVE_MOVEMENT_ALLOWED if channel == 1 else spatem.PROTECTED_MOVEMENT_ALLOWED
        if yellow:
            return spatem.PROTECTED_CLEARANCE
        return spatem.STOP_AND_REMAIN if red else spatem.DARK


def check(buffer, start, end):
    """Raise SignalError unless `buffer[start:end]` begins as a TSCBM and is long enough for one."""
    if end - start < 2 or buffer[start] != _MARK:
        raise SignalError("foreign", "no TSCBM", start)
    if end - start < SHORTEST:
        raise SignalError("truncated", "%d bytes of at least %d" % (end - start, SHORTEST), end)
    if buffer[start + 1] != 16:
        raise SignalError("malformed", "%d blocks instead of 16" % buffer[start + 1], start + 1)


def _find_block(buffer, start, number):
    # They stand in order everywhere we know; but it is the number in the block that counts.
    at = start + _BLOCKS_AT + (number - 1) * _BLOCK_BYTES
    if buffer[at] == number:
        return at
    for i in range(16):
        at = start + _BLOCKS_AT + i * _BLOCK_BYTES
        if buffer[at] == number:
            return at
    return -1


def _mark(now, countdown):
    return _MARK_UNKNOWN if countdown == _UNKNOWN else (now + countdown) % _MARK_HOUR


def _word(buffer, at):
    return buffer[at] << 8 | buffer[at + 1]
