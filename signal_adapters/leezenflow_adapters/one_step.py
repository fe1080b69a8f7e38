# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the adapters of short messages share: taking a message, reading JSON, and the outline of a Decoder."""

import json

from leezenflow.errors import SignalError
from leezenflow.spatem import IntersectionState


class OneStepDecoder:
    """A Decoder that does its whole message in one step; a subclass says how in `read(buffer, start, end)`.

    `read` fills `state` and returns True, returns False for a sound message that is not ours, or raises SignalError.
    """

    # What is longer is refused; a subclass writes the reason beside its own number.
    MAX_BYTES = 2048

    def __init__(self, region, intersection_id, signal_group, options=None):
        self.state = IntersectionState()
        self.region = region
        self.intersection_id = intersection_id
        self.signal_group = signal_group
        self._buffer = None
        self._start = 0
        self._end = 0

    def begin(self, buffer, start, end):
        """Take the message `buffer[start:end]`; it must stay unchanged until `step` has answered."""
        self._buffer = buffer
        self._start = start
        self._end = end

    def step(self):
        """Decode it: True = `state` is filled, False = it is not about the wanted group; raises SignalError."""
        buffer = self._buffer
        if buffer is None:
            return False
        self._buffer = None
        if self._end - self._start > self.MAX_BYTES:
            raise SignalError("oversized", "%d bytes, at most %d" % (self._end - self._start, self.MAX_BYTES))
        return self.read(buffer, self._start, self._end)

    def decode(self, buffer, start, end):
        """Decode `buffer[start:end]` at once; returns and raises what `step` does."""
        self.begin(buffer, start, end)
        return self.step()

    def read(self, buffer, start, end):
        """Decode one message (see the class)."""
        raise NotImplementedError

    def clear(self):
        """Empty the state and put the wanted intersection and group into it: for feeds that name neither."""
        state = self.state
        state.clear()
        state.region = self.region
        state.id = self.intersection_id
        state.movement.signal_group = self.signal_group


def read_json(buffer, start, end):
    """The JSON value in `buffer[start:end]`; SignalError "malformed" where it is none, or needs too much memory."""
    text = bytes(buffer[start:end])
    if text[:3] == b"\xef\xbb\xbf":
        text = text[3:]
    # MicroPython 1.24 takes what was cut off for whole.
    if text.count(b"{") != text.count(b"}") or text.count(b"[") != text.count(b"]"):
        _expect_whole(text)
    try:
        return json.loads(text)
    # RecursionError is a RuntimeError; MicroPython raises that one itself.
    except (ValueError, RuntimeError, MemoryError) as error:
        raise SignalError("malformed", "JSON: %s" % error)


def _expect_whole(text):
    """SignalError "malformed" where JSON ends within an object or a list; brackets within strings do not count."""
    depth = 0
    quoted = escaped = False
    for byte in text:
        if escaped:
            escaped = False
        elif byte == 0x5C:
            escaped = quoted
        elif byte == 0x22:
            quoted = not quoted
        elif not quoted:
            if byte in b"{[":
                depth += 1
            elif byte in b"}]":
                depth -= 1
    if depth > 0:
        raise SignalError("malformed", "JSON: cut off")
