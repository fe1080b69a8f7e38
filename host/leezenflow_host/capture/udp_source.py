# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages as datagrams: `udp://0.0.0.0:port[?from=ADDRESS]`, or a multicast group, `udp://239.1.1.1:port[?interface=ADDRESS]`."""

import contextlib
import errno
import ipaddress
import select
import socket
from typing import Any

from leezenflow.source_url import Source, typed_options
from leezenflow_host.capture.arrivals import BATCH, Arrival, Clock, SourceLostError
from leezenflow_host.errors import InputError, LeezenflowError

OPTIONS: dict[str, Any] = {
    "from": {"type": "str", "default": "", "help": "the only IPv4 address to listen to; empty: any"},
    "interface": {"type": "str", "default": "", "help": "multicast: our own address on the network to join it on"},
}
# A second of a busy sender, for the moments in which the disk is slow.
_BUFFER_BYTES = 4 * 1024 * 1024
_MAX_DATAGRAM = 65_535


class UdpSource:
    """One bound socket; nobody says when a sender has gone."""

    def __init__(self, source: Source, secrets: dict[str, Any], clock: Clock) -> None:
        options = typed_options(OPTIONS, source.options, "udp")
        if source.port is None:
            raise InputError("the URL names no port; write udp://0.0.0.0:6053, with the port the sender sends to")
        self._port: int = source.port
        host = source.host or "0.0.0.0"
        self._group = _is_multicast(host)
        self._host = host
        self._interface = _address(options["interface"] or "0.0.0.0", "interface")
        self._from = _address(options["from"], "from") if options["from"] else ""
        self._clock = clock
        self._socket: socket.socket | None = None
        self.oversized = 0
        self.damaged = 0
        self.hint = f"Check that the sender sends to this computer, port {self._port}, and that no firewall stops it."

    def open(self) -> None:
        """Bind, and join the group (see `MessageSource.open`)."""
        self.close()
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            if self._group:
                # Others on this computer may listen to the group, too.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self._host, self._port))
            if self._group:
                members = socket.inet_aton(self._host) + socket.inet_aton(self._interface)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, members)
        except OSError as error:
            sock.close()
            raise LeezenflowError(f"udp://{self._host}:{self._port}: {error.strerror}. {_advice(error)}") from error
        self._socket = sock

    def receive(self, timeout_s: float) -> list[Arrival]:
        """See `MessageSource.receive`."""
        if self._socket is None:
            raise SourceLostError("not open")
        arrived: list[Arrival] = []
        select.select([self._socket], [], [], timeout_s)
        while len(arrived) < BATCH:
            try:
                payload, (sender, _) = self._socket.recvfrom(_MAX_DATAGRAM)
            except BlockingIOError:
                break
            except OSError as error:
                raise SourceLostError(f"the network is gone ({error.strerror})") from error
            if payload and (not self._from or sender == self._from):
                arrived.append(Arrival(self._clock(), "", payload))
        return arrived

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None


def _is_multicast(host: str) -> bool:
    try:
        return ipaddress.IPv4Address(host).is_multicast
    except ValueError:
        return False


def _address(text: str, option: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise InputError(f"{option}={text}: give an IPv4 address, such as {option}=192.0.2.5") from error


def _advice(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "Another program listens on this port; end it, or take the port the sender uses for you."
    if error.errno in (errno.EADDRNOTAVAIL, socket.EAI_NONAME):
        return "The URL names our own address, not the sender's: write udp://0.0.0.0:PORT, and ?from= for the sender."
    if error.errno == errno.EACCES:
        return "Ports below 1024 need rights; let the sender use a higher one."
    return "Check the address and the network."
