# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's end of a virtual panel: frames, and in a recording the messages, as the board's driver sends them.

The format is described in leezenflow_device/displays/virtual.py.
"""

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from leezenflow.advice import KINDS
from leezenflow.canvas import PALETTE_BYTES
from leezenflow_host.closing import Closing
from leezenflow_host.errors import BoardError

_FRAME = 1
_MESSAGE = 2
_DONE = 3
_RECONNECTED = 4
_HEALTH = 5
_BLANKED = 6

_MAGIC = b"LZFR"
_HEAD = struct.Struct("<4sBBHII")
_FRAME_HEAD = struct.Struct("<IIBBHHii24s")
# A message of 128 kB is the longest that a transport takes.
_MAX_BODY_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture on the panel, and the advice it shows; `ticks` is the board's clock (ms, wrapping at 2**30).

    `pixels` are palette indices from the top left, `palette` 256 times R, G, B; `listening` says whether the board's
    transport could take messages, `draw_us` how long the board needed for the picture before this one.
    """

    ticks: int
    number: int
    draw_us: int
    listening: bool
    kind: str
    remaining_ms: int | None
    span_ms: int | None
    certainty: int
    reason: str | None
    width: int
    height: int
    palette: bytes
    pixels: bytes

    @property
    def advice(self) -> dict[str, Any]:
        """The advice with the names of the advice log."""
        return {
            "kind": self.kind,
            "remaining_ms": self.remaining_ms,
            "span_ms": self.span_ms,
            "certainty": self.certainty,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose decoding begins; `ticks` is its arrival."""

    ticks: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class MessageDone:
    """The end of that message's decoding: whether it was news."""

    ticks: int
    news: bool


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The board's transport is (back) in contact."""

    ticks: int


@dataclass(frozen=True, slots=True)
class Health:
    """The board's own report."""

    ticks: int
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Blanked:
    """The panel is dark because the board's driver has ended (reset, Ctrl-C, an exception)."""


Record = Frame | Message | MessageDone | Reconnected | Health | Blanked


class RecordReader:
    """Cuts a byte stream into records; keeps no more than one unfinished record."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Record]:
        """Return the records that `data` completes. BoardError: these are not records of a virtual panel."""
        self._rest += data
        records: list[Record] = []
        at = 0
        while len(self._rest) - at >= _HEAD.size:
            magic, kind, flags, _, length, ticks = _HEAD.unpack_from(self._rest, at)
            if magic != _MAGIC or not 4 <= length <= _MAX_BODY_BYTES:
                raise BoardError("this is not what a virtual panel sends: install firmware and host tools together")
            end = at + 12 + length
            if len(self._rest) < end:
                break
            records.append(_read_record(kind, flags, ticks, bytes(self._rest[at + _HEAD.size : end])))
            at = end
        del self._rest[:at]
        return records


def _read_record(kind: int, flags: int, ticks: int, body: bytes) -> Record:
    try:
        if kind == _FRAME:
            return _read_frame(flags, ticks, body)
        if kind == _MESSAGE:
            return Message(ticks, body)
        if kind == _DONE:
            return MessageDone(ticks, body == b"\1")
        if kind == _RECONNECTED:
            return Reconnected(ticks)
        if kind == _HEALTH:
            return Health(ticks, json.loads(body))
        if kind == _BLANKED:
            return Blanked()
    except (ValueError, IndexError, struct.error) as error:
        raise BoardError(f"a record of the virtual panel is damaged ({error})") from error
    raise BoardError(f"the virtual panel sent a record of the unknown type {kind}: install firmware and tools together")


def _read_frame(flags: int, ticks: int, body: bytes) -> Frame:
    number, draw_us, kind, certainty, width, height, remaining_ms, span_ms, reason = _FRAME_HEAD.unpack_from(body)
    palette_end = _FRAME_HEAD.size + PALETTE_BYTES
    if len(body) != palette_end + width * height:
        raise ValueError(f"{len(body)} bytes for {width} x {height} pixels")
    return Frame(
        ticks=ticks,
        number=number,
        draw_us=draw_us,
        listening=bool(flags & 1),
        kind=KINDS[kind],
        remaining_ms=None if remaining_ms < 0 else remaining_ms,
        span_ms=None if span_ms < 0 else span_ms,
        certainty=certainty,
        reason=reason.rstrip(b"\0").decode() or None,
        width=width,
        height=height,
        palette=body[_FRAME_HEAD.size : palette_end],
        pixels=body[palette_end:],
    )


class FrameReceiver(Closing):
    """Listens for a virtual panel, in a thread of its own, as long as the context (or until `close`).

    `url` is what the board needs as LEEZENFLOW_FRAMES. With "tcp" nothing is lost and a board may come and go; with
    `record` the messages are sent too. With "udp" the board never waits for us. `keep` bounds the records that wait
    to be read (the oldest are dropped); None keeps all. `latest` is the frame on the panel, None while it is dark
    because nothing of ours runs.
    """

    def __init__(
        self,
        protocol: Literal["tcp", "udp"] = "tcp",
        *,
        record: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        keep: int | None = None,
    ) -> None:
        self.latest: Frame | None = None
        self._records: deque[Record] = deque(maxlen=keep)
        self._news = threading.Condition()
        self._fault: BoardError | None = None
        self._closing = False
        self._protocol = protocol
        kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
        self._socket = socket.socket(socket.AF_INET, kind)
        try:
            self._socket.bind((host, port))
            if protocol == "tcp":
                self._socket.listen()
        except OSError as error:
            self._socket.close()
            raise BoardError(f"cannot listen for frames on {host}:{port}: {error.strerror}") from error
        self._socket.settimeout(0.2)
        query = "?record=1" if record else ""
        self.url = f"{protocol}://{host}:{self._socket.getsockname()[1]}{query}"
        self._thread = threading.Thread(target=self._receive, name="frames", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; what was received can still be read."""
        self._closing = True
        self._thread.join()
        self._socket.close()
        with self._news:
            self._news.notify_all()

    def records(self, timeout_s: float) -> Iterator[Record]:
        """Yield records in the order the board sent them, until none has come for `timeout_s`, or `close`.

        BoardError: something else than a virtual panel sends here.
        """
        while True:
            with self._news:
                self._news.wait_for(lambda: self._records or self._fault or self._closing, timeout_s)
                if self._fault:
                    raise self._fault
                if not self._records:
                    return
                record = self._records.popleft()
            yield record

    def wait_for(self, is_wanted: Callable[[Frame], bool], timeout_s: float) -> Frame:
        """Return the latest frame as soon as it is one that `is_wanted`; BoardError when none is in time.

        The records stay where they are.
        """
        until = time.monotonic() + timeout_s
        with self._news:
            while self.latest is None or not is_wanted(self.latest):
                if self._fault:
                    raise self._fault
                left_s = until - time.monotonic()
                if left_s <= 0 or self._closing:
                    shown = "no frame came at all" if self.latest is None else f"the last was {self.latest.advice}"
                    raise BoardError(f"the board did not show what was expected within {timeout_s:g} s; {shown}")
                self._news.wait(left_s)
            return self.latest

    def _receive(self) -> None:
        try:
            if self._protocol == "udp":
                self._receive_datagrams()
            else:
                while not self._closing:
                    self._receive_connection()
        except BoardError as error:
            with self._news:
                self._fault = error
                self._news.notify_all()

    def _receive_datagrams(self) -> None:
        while not self._closing:
            try:
                data = self._socket.recv(1 << 16)
            except TimeoutError:
                continue
            self._put(RecordReader().feed(data))

    def _receive_connection(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except TimeoutError:
            return
        reader = RecordReader()
        with connection:
            connection.settimeout(0.2)
            while not self._closing:
                try:
                    data = connection.recv(1 << 16)
                except TimeoutError:
                    continue
                except OSError:
                    return  # the board was reset
                if not data:
                    return
                self._put(reader.feed(data))

    def _put(self, records: list[Record]) -> None:
        with self._news:
            self._records.extend(records)
            for record in records:
                if isinstance(record, Frame):
                    self.latest = record
                elif isinstance(record, Blanked):
                    self.latest = None
            self._news.notify_all()
