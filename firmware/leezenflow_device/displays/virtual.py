# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of a virtual board: every frame goes to a socket where the host can see it.

Where to is the option `frames_to`, or the environment's LEEZENFLOW_FRAMES: `udp://host:port` for the live view (nobody
need listen), `tcp://host:port` where nothing may be lost; `?record=1` also sends every message with its arrival, so
that the host can drive the same engine with the same instants. Without either, the panel shows to nobody.

A record is, little-endian: magic "LZFR", type (u8), flags (u8), 0 (u16), length of the rest (u32), ticks (u32), and

* FRAME: number (u32), time to draw it in us (u32), kind (u8, place in KINDS), certainty (u8), width, height (u16 each),
  remaining_ms, span_ms (i32, -1: none), reason (24 bytes, zero-padded), palette (768), pixels (width * height);
  flag 1: the transport is listening
* MESSAGE: the payload, when its decoding begins; DONE: one byte, whether it was news, when that has ended
* RECONNECTED: nothing
* HEALTH: one line of json
* BLANKED: nothing; the panel is dark because the driver ends
"""

import os
import socket
import struct

from leezenflow.advice import KINDS
from leezenflow.canvas import PALETTE_BYTES
from leezenflow.errors import LeezenflowError
from leezenflow.source_url import parse_source

OPTIONS = {
    "frames_to": {
        "type": "str",
        "default": "",
        "help": "udp://host:port or tcp://host:port, with ?record=1 for messages too; empty: LEEZENFLOW_FRAMES",
    },
}

# For /boot.py: a virtual panel is dark without us.
DARK = ()

FRAME = 1
MESSAGE = 2
DONE = 3
RECONNECTED = 4
HEALTH = 5
BLANKED = 6

_HEAD = "<4sBBHII"
_FRAME_HEAD = "<4sBBHIIIIBBHHii24s"
_MAGIC = b"LZFR"
_FRAME_HEAD_BYTES = struct.calcsize(_FRAME_HEAD)
_REASON_BYTES = 24
_PATIENCE_S = 5
# Frames between two attempts to reach a host that does not listen.
_RETRY_FRAMES = 25


class Display:
    """Shows a canvas of `width` x `height` to the host; `records` says whether it wants the messages as well."""

    def __init__(self, options, width, height):
        where = os.getenv("LEEZENFLOW_FRAMES") or options.get("frames_to") or ""
        self.records = False
        self._sock = None
        self._target = None
        self._lossless = False
        if where:
            target = parse_source(where)
            if target.scheme not in ("tcp", "udp") or target.port is None:
                raise LeezenflowError("frames go to tcp://host:port or udp://host:port, not to %r" % where)
            self._target = target
            self._lossless = target.scheme == "tcp"
            self.records = self._lossless and target.options.get("record") == "1"
        self._width = width
        self._height = height
        self._number = 0
        self._frame = bytearray(_FRAME_HEAD_BYTES + PALETTE_BYTES + width * height)
        self._palette = memoryview(self._frame)[_FRAME_HEAD_BYTES : _FRAME_HEAD_BYTES + PALETTE_BYTES]
        self._pixels = memoryview(self._frame)[_FRAME_HEAD_BYTES + PALETTE_BYTES :]
        self._kinds = {kind: index for index, kind in enumerate(KINDS)}
        self._reasons = {None: b""}
        self._retry_in = 0
        self._connect()

    def note_frame(self, ticks, advice, listening, draw_us):
        """Take what the next `show` belongs to."""
        reason = advice.reason
        if reason not in self._reasons:
            self._reasons[reason] = reason.encode()[:_REASON_BYTES]
        struct.pack_into(
            _FRAME_HEAD,
            self._frame,
            0,
            _MAGIC,
            FRAME,
            1 if listening else 0,
            0,
            len(self._frame) - 12,
            ticks,
            self._number,
            draw_us,
            self._kinds[advice.kind],
            advice.certainty,
            self._width,
            self._height,
            -1 if advice.remaining_ms is None else advice.remaining_ms,
            -1 if advice.span_ms is None else advice.span_ms,
            self._reasons[reason],
        )

    def show(self, canvas):
        """Send the frame; allocates nothing."""
        self._palette[:] = canvas.palette
        self._pixels[:] = canvas.pixels
        self._number = (self._number + 1) & 0x3FFFFFFF
        if self._sock is None and self._target is not None:
            self._retry_in -= 1
            if self._retry_in <= 0:
                self._connect()
        self._send(self._frame)

    def note_message(self, ticks, payload):
        """Record a message (bytes-like) whose decoding begins."""
        self._send_record(MESSAGE, ticks, payload)

    def note_done(self, ticks, news):
        """Record that the message was decoded."""
        self._send_record(DONE, ticks, b"\1" if news else b"\0")

    def note_reconnected(self, ticks):
        """Record that the transport is back after a loss."""
        self._send_record(RECONNECTED, ticks, b"")

    def note_health(self, ticks, line):
        """Send a health report (bytes)."""
        self._send_record(HEALTH, ticks, line)

    def deinit(self):
        """Say that the panel is dark, and let go of the host."""
        self.records = False  # a host that is gone already is no fault now
        self._send_record(BLANKED, 0, b"")
        self._close()

    def _send_record(self, kind, ticks, rest):
        if self._sock is None:
            return
        if not self._lossless:
            self._send(_head(kind, ticks, len(rest)) + rest)
            return
        # In two pieces: a copy of a message would be its size again.
        self._send(_head(kind, ticks, len(rest)))
        if rest:
            self._send(rest)

    def _send(self, record):
        if self._sock is None:
            return
        try:
            if self._lossless:
                if self._sock.write(record) != len(record):
                    raise OSError
            else:
                self._sock.send(record)
        except OSError:
            # UDP says only that nobody listened a moment ago.
            if self._lossless:
                self._close()
                if self.records:
                    raise LeezenflowError("the host that records the frames is gone; start it again, then the board")

    def _connect(self):
        """Try to reach the host; a recording must have one."""
        self._retry_in = _RETRY_FRAMES
        if self._target is None:
            return
        kind = socket.SOCK_STREAM if self._lossless else socket.SOCK_DGRAM
        sock = socket.socket(socket.AF_INET, kind)
        try:
            sock.connect(socket.getaddrinfo(self._target.host, self._target.port, 0, kind)[0][-1])
            if self._lossless:
                sock.settimeout(_PATIENCE_S)
        except OSError:
            sock.close()
            if self.records:
                raise LeezenflowError("nobody records the frames at port %d; start it first" % self._target.port)
            return
        self._sock = sock

    def _close(self):
        if self._sock is not None:
            self._sock.close()
            self._sock = None


def _head(kind, ticks, count):
    return struct.pack(_HEAD, _MAGIC, kind, 0, 0, count + 4, ticks)
