# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading unaligned PER (ITU-T X.691) bit by bit, for full decodes on a host; `spatem_uper` has its own quick way."""

from leezenflow.errors import SignalError

# A window reads past the last bit; the padding keeps that from being an error of its own.
_PADDING = bytes(16)
_MAX_ADDITIONS = 64


class BitReader:
    """The bits of `data`, most significant first. `at` is the next bit, `limit` the one behind the last.

    Reads past the end give zeros for a few octets, then IndexError; `check` tells them apart from sound ones.
    """

    def __init__(self, data: bytes) -> None:
        self.data = bytes(data) + _PADDING
        self.at = 0
        self.limit = len(data) * 8

    @property
    def byte(self) -> int:
        """The octet the next bit is in."""
        return self.at >> 3

    def check(self) -> None:
        """Raise SignalError "truncated" if more was read than there is."""
        if self.at > self.limit:
            raise SignalError("truncated", "", self.limit >> 3)

    def read(self, width: int) -> int:
        """The next `width` bits (1..57) as a number."""
        at = self.at
        end = self.at = at + width
        if end > self.limit:
            raise SignalError("truncated", "", self.limit >> 3)
        i = at >> 3
        return int.from_bytes(self.data[i : i + 8], "big") >> (64 - width - (at & 7)) & ((1 << width) - 1)

    def addition(self) -> int:
        """Which addition an extensible ENUMERATED or CHOICE is, after its extension bit (X.691 clause 10.6)."""
        if self.read(1):
            raise SignalError("malformed", "an addition beyond the first 64", self.byte)
        return self.read(6)

    def text(self) -> str:
        """An IA5String of 1..63 characters with its length."""
        return self.characters(self.read(6) + 1)

    def characters(self, length: int) -> str:
        """`length` characters of seven bits."""
        at = self.at
        end = self.at = at + 7 * length
        if end > self.limit:
            raise SignalError("truncated", "a name", self.limit >> 3)
        bits = int.from_bytes(self.data[at >> 3 : (end + 7) >> 3], "big") >> (-end & 7)
        return "".join([chr(bits >> shift & 127) for shift in range(7 * (length - 1), -1, -7)])

    def open_type(self) -> bytes:
        """An open type's octets (X.691 clause 10.2); fragmented ones are refused."""
        length = self.read(8)
        if length >= 128:
            if length >= 192:
                raise SignalError("malformed", "open type in fragments", self.byte)
            length = (length & 63) << 8 | self.read(8)
        at = self.at
        end = self.at = at + 8 * length
        if end > self.limit:
            raise SignalError("truncated", "open type", self.limit >> 3)
        if not length:
            return b""
        bits = int.from_bytes(self.data[at >> 3 : (end + 7) >> 3], "big") >> (-end & 7)
        return (bits & ((1 << 8 * length) - 1)).to_bytes(length, "big")

    def skip_additions(self) -> None:
        """Skip extension additions (X.691 clause 19.7 to 19.9)."""
        if self.read(1):
            raise SignalError("malformed", "more than %d extension additions" % _MAX_ADDITIONS, self.byte)
        count = self.read(6) + 1
        present = [self.read(1) for _ in range(count)]
        for _ in range(sum(present)):
            self.open_type()
