# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in byte streams: `tcp://host:port[?framing=NAME]` and `serial:///dev/ttyUSB0[?baud=N&framing=NAME]`."""

import contextlib
import select
import socket
from typing import Any

import serial

from leezenflow.source_url import Source, typed_options
from leezenflow_adapters import udap
from leezenflow_host.capture.arrivals import MAX_PAYLOAD_BYTES, Arrival, Clock, SourceLostError
from leezenflow_host.capture.stream_framing import FRAMINGS, Framing, UdapFraming, recognise
from leezenflow_host.errors import InputError, LeezenflowError

TCP_OPTIONS: dict[str, Any] = {
    "framing": {
        "type": "str",
        "choices": ["auto", *FRAMINGS],
        "default": "auto",
        "help": "how messages are divided; auto: udap, rsmp or lines, by the first octets",
    },
}
SERIAL_OPTIONS: dict[str, Any] = {
    "baud": {"type": "int", "range": [1200, 3_000_000], "default": 115_200, "help": "bits per second"},
    "framing": {"type": "str", "choices": list(FRAMINGS), "default": "cobs", "help": "how messages are divided"},
}
_ANSWER_S = 10.0
_PIECE_BYTES = 64 * 1024
# Fixed: changing it for each read would set up the line anew each time.
_SERIAL_WAIT_S = 0.2
# A peer that lost its power sends no end of the connection: the system asks after 30 s, then thrice, 10 s apart.
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))


class _StreamSource:
    """What TCP and serial lines share: pieces become messages."""

    hint = ""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._framing: Framing | None = None
        self._oversized_before = 0
        self._damaged_before = 0

    @property
    def oversized(self) -> int:
        """Messages that were too long, over all connections."""
        return self._oversized_before + (self._framing.oversized if self._framing else 0)

    @property
    def damaged(self) -> int:
        """Messages that could not be taken out of the stream, over all connections."""
        return self._damaged_before + (self._framing.damaged if self._framing else 0)

    def _begin(self, framing: Framing | None) -> None:
        """A new connection: what was begun on the one before has no end."""
        self._oversized_before, self._damaged_before = self.oversized, self.damaged
        self._framing = framing

    def _arrivals(self, data: bytes) -> list[Arrival]:
        assert self._framing is not None
        at_ms = self._clock()
        messages = self._framing.feed(data)
        return [Arrival(at_ms, "", message) for message in messages]


class TcpSource(_StreamSource):
    """One connection that we open; with a token in the secrets it is a UDAP session, with the greeting that needs."""

    def __init__(self, source: Source, secrets: dict[str, Any], clock: Clock) -> None:
        super().__init__(clock)
        options = typed_options(TCP_OPTIONS, source.options, "tcp")
        if not source.host or source.port is None:
            raise InputError("the URL names no host and port; write tcp://host:port")
        self._name: str = options["framing"]
        self._token = (secrets.get("udap") or {}).get("token")
        if self._token is not None and self._name == "auto":
            self._name = "udap"
        self._address = (source.host, source.port)
        self._socket: socket.socket | None = None
        self._head = b""
        self.hint = "The connection stands, but nothing complete came: check ?framing=, and whether the sender sends."

    def open(self) -> None:
        """Connect (see `MessageSource.open`)."""
        self.close()
        try:
            sock = socket.create_connection(self._address, _ANSWER_S)
        except OSError as error:
            where = f"{self._address[0]}:{self._address[1]}"
            raise SourceLostError(f"nobody answers at {where} ({error.strerror or error})") from error
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self._socket = sock
        self._head = b""
        self._begin(None if self._name == "auto" else self._make(self._name))
        if self._token is not None:
            self._send(udap.HELLO + udap.token_frame(self._token))

    def receive(self, timeout_s: float) -> list[Arrival]:
        """See `MessageSource.receive`."""
        if self._socket is None:
            raise SourceLostError("not connected")
        if not select.select([self._socket], [], [], timeout_s)[0]:
            return []
        try:
            data = self._socket.recv(_PIECE_BYTES)
        except OSError as error:
            raise SourceLostError(f"the connection broke ({error.strerror or error})") from error
        if not data:
            raise SourceLostError("the other side closed the connection")
        if self._framing is None:
            data = self._head + data
            name = recognise(data)
            if name is None and len(data) <= MAX_PAYLOAD_BYTES:
                self._head = data
                return []
            self._begin(self._make(name or "lines"))
        return self._arrivals(data)

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _make(self, name: str) -> Framing:
        return UdapFraming(self._answer) if name == "udap" else FRAMINGS[name]()

    def _answer(self, request: bytes) -> None:
        now = self._clock()
        self._send(udap.timestamp_response(request, now, now))

    def _send(self, data: bytes) -> None:
        assert self._socket is not None
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise SourceLostError(f"the connection broke ({error.strerror or error})") from error


class SerialSource(_StreamSource):
    """One serial line; it is opened again when a plug was pulled and is back."""

    def __init__(self, source: Source, secrets: dict[str, Any], clock: Clock) -> None:
        super().__init__(clock)
        options = typed_options(SERIAL_OPTIONS, source.options, "serial")
        self._port = "/" + source.path if source.path else source.host
        if not self._port:
            raise InputError("the URL names no port; write serial:///dev/ttyUSB0")
        self._baud: int = options["baud"]
        self._name: str = options["framing"]
        self._line: Any = None
        self.hint = f"Check ?baud= (now {self._baud}) and ?framing= (now {self._name}; {', '.join(FRAMINGS)})."

    def open(self) -> None:
        """Open the port (see `MessageSource.open`)."""
        self.close()
        try:
            self._line = serial.serial_for_url(self._port, baudrate=self._baud, timeout=_SERIAL_WAIT_S)
        except ValueError as error:
            raise LeezenflowError(f"{self._port}: {error}. Give a port and a speed that this computer has.") from error
        except OSError as error:
            raise SourceLostError(f"{self._port} cannot be opened ({error.strerror or error})") from error
        self._begin(FRAMINGS[self._name]())

    def receive(self, timeout_s: float) -> list[Arrival]:
        """See `MessageSource.receive`."""
        if self._line is None:
            raise SourceLostError("not open")
        try:
            data = self._line.read(1) if timeout_s or self._line.in_waiting else b""
            data += self._line.read(min(self._line.in_waiting, _PIECE_BYTES))
        except (OSError, TypeError) as error:
            # pyserial: a port that went away while it was read may also show as a TypeError.
            raise SourceLostError(f"{self._port} is gone; was the cable pulled?") from error
        return self._arrivals(data) if data else []

    def close(self) -> None:
        """Let go of the port."""
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.close()
            self._line = None
