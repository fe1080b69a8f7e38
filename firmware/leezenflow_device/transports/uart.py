# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signal messages over a serial line, framed with COBS and CRC: `uart://0?baud=115200&tx=16&rx=17`.

On a unix port it may be a serial device: `uart:///dev/ttyUSB0?baud=115200`.
"""

import select

from leezenflow.errors import LeezenflowError
from leezenflow.framing import FrameDecoder
from leezenflow.source_url import typed_options

OPTIONS = {
    "baud": {"type": "int", "range": [9600, 3000000], "default": 115200, "help": "bits per second"},
    "tx": {"type": "int", "range": [-1, 63], "default": -1, "help": "our sending pin; -1: the chip's usual one"},
    "rx": {"type": "int", "range": [-1, 63], "default": -1, "help": "our receiving pin; -1: the chip's usual one"},
    "message_bytes": {
        "type": "int",
        "range": [256, 131072],
        "default": 34816,
        "help": "the longest message taken (reserved at start); longer ones are skipped and counted",
    },
}

# Bytes between two awaits: at some 15 us each on an RP2040 about 4 ms of work.
_PIECE_BYTES = 256
# 230 bytes arrive in this time at 115200 baud; the driver holds eight times as many.
_PAUSE_MS = 10
_RX_BUFFER_BYTES = 2048


class Transport:
    """One serial line; a cable has no connection that could be lost, so the engine judges silences alone."""

    def __init__(self, source, secrets, clock, unit_name=""):
        self._options = typed_options(OPTIONS, source.options, "uart")
        if not source.path and not source.host.isdigit():
            raise LeezenflowError("the source names no UART; write uart://0?baud=115200")
        self.fault = ""
        self.listening = False
        self.beats = 0
        self._source = source
        self._clock = clock
        self._frames = FrameDecoder(self._options["message_bytes"])
        self.counters = self._frames.counters
        self._piece = bytearray(_PIECE_BYTES)

    async def run(self, sink):
        """Hand messages to `sink` for ever."""
        line = self._open()
        poller = select.poll()
        poller.register(line, select.POLLIN)
        self.listening = True
        try:
            while True:
                self.beats = (self.beats + 1) & 0xFFFF
                count = line.readinto(self._piece) if poller.poll(0) else 0
                if count:
                    await self._take(sink, count)
                # A full piece means that more is waiting: only let the others have their turn.
                await self._clock.network.sleep_ms(0 if count == _PIECE_BYTES else _PAUSE_MS)
        finally:
            self.listening = False
            close = getattr(line, "deinit", None) or line.close  # pyright: ignore[reportAttributeAccessIssue]
            close()

    async def publish(self, word, payload, retain=False):
        """The line is read only: nothing is published."""
        return False

    async def _take(self, sink, count):
        """Feed `count` bytes of the piece to the frame decoder and hand on every message that ends in them."""
        ticks = self._clock.ticks()
        frames = self._frames
        at = frames.feed(self._piece, 0, count)
        while at >= 0:
            await sink.message(frames.payload, 0, frames.length, ticks)
            at = frames.feed(self._piece, at, count)

    def _open(self):
        if self._source.path:
            return _open_device("/" + self._source.path, self._options["baud"])
        from machine import UART

        pins = {name: self._options[name] for name in ("tx", "rx") if self._options[name] >= 0}
        return UART(int(self._source.host), self._options["baud"], rxbuf=_RX_BUFFER_BYTES, **pins)


def _open_device(path, baud):
    """Open a serial device of the unix port: raw bytes, and a read that returns at once with what there is."""
    import sys
    import termios

    speed = getattr(termios, "B%d" % baud, None)
    if speed is None:
        raise LeezenflowError("%s: %d baud is no speed of this system; write baud=115200" % (path, baud))
    try:
        line = open(path, "rb")
        termios.setraw(line.fileno())
        settings = termios.tcgetattr(line.fileno())
    except OSError as error:
        raise LeezenflowError("%s is not a serial device that can be opened (%s)" % (path, error))
    settings[4] = settings[5] = speed
    # Python's termios would name it VMIN: the least number of bytes that ends a read.
    settings[6][16 if sys.platform == "darwin" else 6] = 0
    termios.tcsetattr(line.fileno(), termios.TCSANOW, settings)
    return line
