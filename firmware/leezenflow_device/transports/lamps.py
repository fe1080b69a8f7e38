# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lamps of the signal on input pins: `lamps://?red=2&amber=3&green=4`, for the adapter `lamp_sense`.

Behind opto-couplers or current relays that only the operator of the signal may fit. It samples, nothing more: what a
flickering lamp means is the adapter's business.
"""

from leezenflow.errors import LeezenflowError
from leezenflow.source_url import typed_options

OPTIONS = {
    "red": {"type": "int", "range": [-1, 63], "default": -1, "help": "input pin of the red lamp"},
    "amber": {"type": "int", "range": [-1, 63], "default": -1, "help": "input pin of the amber lamp; -1: not sensed"},
    "green": {"type": "int", "range": [-1, 63], "default": -1, "help": "input pin of the green lamp"},
    "active_low": {"type": "bool", "default": True, "help": "a lit lamp pulls its pin to ground"},
    # Not 20 ms, the period of the mains: sampled in step with it, a lamp could be met dark every time.
    "poll_ms": {"type": "int", "range": [5, 40], "default": 17, "help": "time between two samples"},
}

_LAMPS = ("red", "amber", "green")
_HEAD_BYTES = 5
# A message this often: fast enough for a countdown, seldom enough to cost nothing.
_SEND_MS = 200
# A unit that was busy for longer has not seen what the lamps did.
_BUSY_MS = 400


class Transport:
    """Three input pins; there is no connection that could be lost, so the engine judges silences alone."""

    def __init__(self, source, secrets, clock, unit_name=""):
        self._options = options = typed_options(OPTIONS, source.options, "lamps")
        if options["red"] < 0 or options["green"] < 0:
            raise LeezenflowError("the source names no pins; write lamps://?red=2&green=4")
        self.counters = {"messages": 0, "missed": 0}
        self.fault = ""
        self.listening = False
        self.beats = 0
        self._clock = clock
        self._message = bytearray(_HEAD_BYTES + _SEND_MS // options["poll_ms"] + _BUSY_MS // options["poll_ms"] + 2)

    async def run(self, sink):
        """Hand samples to `sink` for ever."""
        pins = self._open()
        flip = 1 if self._options["active_low"] else 0
        clock = self._clock
        poll_ms = self._options["poll_ms"]
        message = self._message
        message[4] = poll_ms
        length = 0
        due = clock.ticks()
        self.listening = True
        while True:
            self.beats = (self.beats + 1) & 0xFFFF
            now = clock.ticks()
            if clock.diff(now, due) > _BUSY_MS:
                self.counters["missed"] = (self.counters["missed"] + 1) & 0x3FFFFFFF
                due = now
                length = 0
            mask = 0
            for i in range(3):
                if pins[i] is not None and pins[i].value() ^ flip:
                    mask |= 1 << i
            # A late sample stands for those that were due before it, too: their number is the time.
            while clock.diff(now, due) >= 0:
                if length == 0:
                    _write_counter(message, due)
                message[_HEAD_BYTES + length] = mask
                length += 1
                due = clock.add(due, poll_ms)
            if length * poll_ms >= _SEND_MS:
                self.counters["messages"] = (self.counters["messages"] + 1) & 0x3FFFFFFF
                await sink.message(message, 0, _HEAD_BYTES + length, now)
                length = 0
            await clock.network.sleep_ms(max(0, clock.diff(due, clock.ticks())))

    async def publish(self, word, payload, retain=False):
        """Lamps are only watched: nothing is published."""
        return False

    def _open(self):
        from machine import Pin

        pull = Pin.PULL_UP if self._options["active_low"] else Pin.PULL_DOWN
        numbers = [self._options[lamp] for lamp in _LAMPS]
        return [Pin(number, Pin.IN, pull) if number >= 0 else None for number in numbers]


def _write_counter(message, ticks):
    for i in range(4):
        message[i] = ticks >> (8 * i) & 255
