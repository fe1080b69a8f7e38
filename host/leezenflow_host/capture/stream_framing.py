# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the messages of a byte stream begin and end: lines, hexadecimal lines, COBS, UDAP frames, RSMP's form feeds."""

import binascii
from collections.abc import Callable
from typing import Protocol

from leezenflow.framing import FrameDecoder
from leezenflow_adapters import udap
from leezenflow_host.capture.arrivals import MAX_PAYLOAD_BYTES


class Framing(Protocol):
    """Takes a stream in any pieces and gives its messages; memory is bounded by MAX_PAYLOAD_BYTES and one piece."""

    @property
    def oversized(self) -> int:
        """Messages that were too long."""
        ...

    @property
    def damaged(self) -> int:
        """Messages that could not be read."""
        ...

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete with `data`."""
        ...


class DividedFraming:
    """Messages that each end with one octet."""

    def __init__(self, end: bytes) -> None:
        self.oversized = 0
        self.damaged = 0
        self._end = end
        self._rest = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """See `Framing.feed`."""
        *parts, rest = data.split(self._end)
        messages = []
        for part in parts:
            self._rest += part
            if self._skipping or len(self._rest) > MAX_PAYLOAD_BYTES:
                self.oversized += 1
            else:
                message = self._message(bytes(self._rest))
                if message:
                    messages.append(message)
            self._skipping = False
            self._rest.clear()
        self._rest += rest
        if len(self._rest) > MAX_PAYLOAD_BYTES:
            self._skipping = True
            self._rest.clear()
        return messages

    def _message(self, part: bytes) -> bytes:
        return part


class LineFraming(DividedFraming):
    """One message a line, its end (LF or CR LF) taken away; empty lines are none."""

    def __init__(self) -> None:
        super().__init__(b"\n")

    def _message(self, part: bytes) -> bytes:
        return part.rstrip(b"\r")


class HexFraming(LineFraming):
    """One message a line in hexadecimal digits, which become octets."""

    def _message(self, part: bytes) -> bytes:
        try:
            return binascii.unhexlify(part.translate(None, b" \t\r:"))
        except ValueError:
            self.damaged += 1
            return b""


class RsmpFraming(DividedFraming):
    """JSON texts that end with a form feed, which stays: the adapter wants it. What carries no status is left out."""

    def __init__(self) -> None:
        super().__init__(b"\x0c")

    def _message(self, part: bytes) -> bytes:
        return part + self._end if b'"StatusUpdate"' in part or b'"StatusResponse"' in part else b""


class CobsFraming:
    """COBS frames with a CRC, as `leezenflow replay --to serial://` sends them."""

    def __init__(self) -> None:
        self._decoder = FrameDecoder(MAX_PAYLOAD_BYTES)

    @property
    def oversized(self) -> int:
        """Frames that were too long."""
        return self._decoder.counters["too_long"]

    @property
    def damaged(self) -> int:
        """Frames with a wrong CRC, or that are none."""
        return self._decoder.counters["bad_crc"] + self._decoder.counters["malformed"]

    def feed(self, data: bytes) -> list[bytes]:
        """See `Framing.feed`."""
        messages = []
        at = self._decoder.feed(data, 0, len(data))
        while at >= 0:
            messages.append(bytes(self._decoder.payload[: self._decoder.length]))
            at = self._decoder.feed(data, at, len(data))
        return messages


class UdapFraming:
    """UDAP frames that carry a message, each whole; keep-alives and the like are left out.

    `answer` is called with each request for a time stamp, which the service wants answered at once.
    """

    def __init__(self, answer: Callable[[bytes], None] | None = None) -> None:
        self.oversized = 0
        self.damaged = 0
        self._answer = answer
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """See `Framing.feed`; a frame has at most 64 kB, so nothing is oversized."""
        data = self._rest + data
        messages = []
        at = udap.find_frame(data, 0, len(data))
        while at < len(data):
            end = udap.frame_end(data, at, len(data))
            if not 0 <= end <= len(data):
                break
            if udap.payload_start(data, at, end) >= 0:
                messages.append(data[at:end])
            elif self._answer is not None and (request := udap.timestamp_request_of(data, at, end)) is not None:
                self._answer(request)
            at = udap.find_frame(data, end, len(data))
        self._rest = data[at:]
        return messages


FRAMINGS: dict[str, Callable[[], Framing]] = {
    "lines": LineFraming,
    "hex": HexFraming,
    "cobs": CobsFraming,
    "udap": UdapFraming,
    "rsmp": RsmpFraming,
}


def recognise(head: bytes) -> str | None:
    """The framing of a stream that begins with `head`; None until it can be told."""
    if not head:
        return None
    if head.removeprefix(udap.HELLO)[:2] in (b"\xaa\xbb", b"\xaa", b""):
        return "udap" if b"\xaa\xbb" in head[:3] else None
    if b"\n" in head or b"\x0c" in head:
        return "rsmp" if head.lstrip()[:1] == b"{" and b'"rSMsg"' in head else "lines"
    return None
