# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The injected clock: milliseconds that wrap at 2**30, as `time.ticks_ms` counts on every board.

The unix port of MicroPython wraps at 2**62 instead, so there `diff` and `add` are our own; and there the clock may
start anywhere (just before the wrap) and run fast, to show a day in minutes.
"""

import asyncio
import time

OPTIONS = {
    "ticks_start": {
        "type": "int",
        "range": [0, 0x3FFFFFFF],
        "default": 0,
        "help": "virtual boards: what the millisecond clock shows at start (it wraps at 1073741824)",
    },
    "ticks_speed": {
        "type": "int",
        "range": [1, 1000],
        "default": 1,
        "help": "virtual boards: virtual milliseconds that pass in a real one",
    },
}

PERIOD = 1 << 30
_MASK = PERIOD - 1
_HALF = PERIOD >> 1


class BoardClock:
    """The board's own milliseconds. `network` is the clock for what happens outside the board: here, itself."""

    def __init__(self):
        self.ticks = time.ticks_ms
        self.diff = time.ticks_diff
        self.add = time.ticks_add
        self.sleep_ms = asyncio.sleep_ms
        self.network = self


class VirtualClock:
    """Milliseconds of a virtual board: 30 bits wide, from `start`, `speed` times as fast as the real ones.

    `network` runs at real speed: a broker's timeouts do not know of virtual time.
    """

    def __init__(self, start=0, speed=1):
        self._start = start
        self._speed = speed
        self._began = time.ticks_ms()
        self.network = self if speed == 1 else VirtualClock(start)

    def ticks(self):
        """Return the present ticks, 0 <= ticks < 2**30."""
        return (self._start + (time.ticks_ms() - self._began) * self._speed) & _MASK

    def diff(self, later, earlier):
        """Return `later - earlier` in ms, right for spans of up to 2**29 - 1 ms in either direction."""
        return ((later - earlier + _HALF) & _MASK) - _HALF

    def add(self, ticks, span_ms):
        """Return the ticks `span_ms` after `ticks` (before, if negative)."""
        return (ticks + span_ms) & _MASK

    async def sleep_ms(self, span_ms):
        """Let others run for `span_ms` of this clock; rounded up, so that nobody wakes too early."""
        await asyncio.sleep_ms((span_ms + self._speed - 1) // self._speed)


def make_clock(settings):
    """Return the clock for this interpreter; `settings` (all OPTIONS with their values) count on virtual boards."""
    if time.ticks_add(_MASK, 1) == 0:
        return BoardClock()
    return VirtualClock(settings["ticks_start"], settings["ticks_speed"])
