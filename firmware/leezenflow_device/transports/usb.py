# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signal messages over the board's own USB line, as commands: `usb://`.

A laptop or gateway sends `{"do": "feed", "data": "<base64>"}` a message; a long one in pieces, all but the last with
`"more": true`. It is the line of all commands, read byte by byte: good for some kB a second, on the desk or beside a
gateway. For more there is `uart://`.
"""

from leezenflow.errors import LeezenflowError
from leezenflow.source_url import typed_options

OPTIONS = {
    "message_bytes": {
        "type": "int",
        "range": [256, 65536],
        "default": 16384,
        "help": "the longest message taken (reserved at start); longer ones are refused and counted",
    },
}

_BEAT_MS = 250


class Transport:
    """One serial line; a cable has no connection that could be lost, so the engine judges silences alone."""

    def __init__(self, source, secrets, clock, unit_name=""):
        self._message = bytearray(typed_options(OPTIONS, source.options, "usb")["message_bytes"])
        self._fill = 0
        self.counters = {"messages": 0, "oversize": 0}
        self.fault = ""
        self.listening = False
        self.beats = 0
        self._clock = clock
        self._sink = None

    async def run(self, sink):
        """Say for ever that all is well; messages come by `feed`."""
        self._sink = sink
        self.listening = True
        while True:
            self.beats = (self.beats + 1) & 0xFFFF
            await self._clock.network.sleep_ms(_BEAT_MS)

    async def feed(self, data, more=False):
        """Take a piece of a message; after the last one (not `more`) hand it on and return whether it was news."""
        if not self.listening:
            raise LeezenflowError("the unit is just starting; send it again")
        ticks = self._clock.ticks()
        end = self._fill + len(data)
        if end > len(self._message):
            self._fill = 0
            self.counters["oversize"] = (self.counters["oversize"] + 1) & 0x3FFFFFFF
            raise LeezenflowError("the message is longer than %d bytes" % len(self._message))
        self._message[self._fill : end] = data
        self._fill = end
        if more:
            return None
        self._fill = 0
        self.counters["messages"] = (self.counters["messages"] + 1) & 0x3FFFFFFF
        return await self._sink.message(self._message, 0, end, ticks)

    async def publish(self, word, payload, retain=False):
        """Reports are printed on the line anyway: nothing is published."""
        return False
