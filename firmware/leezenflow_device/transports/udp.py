# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signal messages as datagrams, one each: `udp://0.0.0.0:port?from=10.0.0.5` (the address is our own to bind to)."""

import asyncio
import socket

from leezenflow.errors import LeezenflowError
from leezenflow.source_url import typed_options

OPTIONS = {
    "from": {"type": "str", "default": "", "help": "the only IPv4 address to listen to; empty: any"},
    "message_bytes": {
        "type": "int",
        "range": [256, 16384],
        "default": 2048,
        "help": "the longest message taken (allocated for each); longer ones are dropped and counted",
    },
}

_BEAT_MS = 1_000


class Transport:
    """One bound socket; there is no connection that could be lost, so the engine judges silences alone."""

    def __init__(self, source, secrets, clock, unit_name=""):
        options = typed_options(OPTIONS, source.options, "udp")
        if source.port is None:
            raise LeezenflowError("the source names no port; write udp://0.0.0.0:port")
        self.counters = {"messages": 0, "strangers": 0, "oversize": 0}
        self.fault = ""
        self.listening = False
        self.beats = 0
        self._clock = clock
        self._host = source.host or "0.0.0.0"
        self._port = source.port
        self._sender = _ipv4(options["from"]) if options["from"] else None
        self._message_bytes = options["message_bytes"]

    async def run(self, sink):
        """Hand messages to `sink` for ever."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.bind(socket.getaddrinfo(self._host, self._port)[0][-1])
            self.listening = True
            while True:
                self.beats = (self.beats + 1) & 0xFFFF
                try:
                    data = await asyncio.wait_for_ms(self._receive(sock), _BEAT_MS)
                except asyncio.TimeoutError:
                    continue
                if data:
                    await sink.message(data, 0, len(data), self._clock.ticks())
        finally:
            self.listening = False
            sock.close()

    async def publish(self, word, payload, retain=False):
        """Datagrams go one way: nothing is published."""
        return False

    async def _receive(self, sock):
        """Wait for a datagram and return it; None for one that is not ours."""
        await _readable(sock)
        # Not readinto, which joins datagrams. One byte more than we take, so that a longer datagram shows.
        data, address = sock.recvfrom(self._message_bytes + 1)
        if self._sender is not None and _address_bytes(address) != self._sender:
            word = "strangers"
        elif len(data) > self._message_bytes:
            word = "oversize"
        else:
            word = "messages"
        self.counters[word] = (self.counters[word] + 1) & 0x3FFFFFFF
        return data if word == "messages" else None


def _address_bytes(address):
    """Return the four bytes of a sender's address: (host, port) on boards, a packed sockaddr on the unix port."""
    if isinstance(address, tuple):
        return _ipv4(address[0])
    return socket.sockaddr(address)[1]  # pyright: ignore[reportAttributeAccessIssue]


def _ipv4(text):
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isdigit() and len(part) < 4 and int(part) < 256 for part in parts):
        raise LeezenflowError("from=%s is not an IPv4 address such as 10.0.0.5" % text)
    return bytes(int(part) for part in parts)


def _readable(sock):
    """Wait until a socket has something to read (a generator is MicroPython's coroutine)."""
    yield asyncio.core._io_queue.queue_read(sock)  # pyright: ignore[reportAttributeAccessIssue]
