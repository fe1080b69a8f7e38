# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stepping over what a UPER message has and nobody needs (ITU-T X.691), without allocating."""

from leezenflow.errors import SignalError

# More additions than this no edition of a message will bring; the bound keeps a hostile one short.
_MAX_ADDITIONS = 64


class UperCursor:
    """A buffer and its end (`_limit`, the bit behind the last); every method takes a bit position and returns one.

    Two octets behind the end must be readable. Positions may run past the end: who moves on checks against `_limit`.
    """

    def __init__(self):
        self._buffer = b""
        self._limit = 0

    def _read(self, at, width):
        """`width` (1..17) bits at bit `at`."""
        buffer = self._buffer
        i = at >> 3
        bits = buffer[i] << 16 | buffer[i + 1] << 8 | buffer[i + 2]
        return bits >> (24 - width - (at & 7)) & ((1 << width) - 1)

    def _skip_text(self, at):
        return at + 13 + 7 * self._read(at, 6)

    def _skip_open_type(self, at):
        length = self._read(at, 8)
        if length >= 128:
            if length >= 192:
                raise SignalError("malformed", "open type in fragments", at >> 3)
            length = self._read(at + 2, 14)
            at += 8
        return at + 8 + 8 * length

    def _skip_additions(self, at):
        """Skip extension additions (X.691 clause 19.7 to 19.9)."""
        if self._read(at, 1):
            raise SignalError("malformed", "more than %d extension additions" % _MAX_ADDITIONS, at >> 3)
        count = self._read(at + 1, 6) + 1
        here = at + 7
        at = here + count
        while count:
            count -= 1
            if self._read(here, 1):
                at = self._skip_open_type(at)
            here += 1
        return at
