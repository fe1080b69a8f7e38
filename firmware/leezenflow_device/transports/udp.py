# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signal messages as datagrams, one each: `udp://0.0.0.0:port?from=10.0.0.5` or, of a group, `udp://239.1.2.3:port`.

The address is our own to bind to (0.0.0.0: any), or a multicast group to join. A sender's address can be forged by
anybody on the same network; `from` keeps out mistakes, not attackers.
"""

import asyncio
import errno
import socket

from leezenflow.errors import LeezenflowError
from leezenflow.source_url import typed_options

OPTIONS = {
    "from": {
        "type": "str",
        "default": "",
        "help": "the only IPv4 addresses to listen to, up to 8, with commas between them; empty: any",
    },
    "message_bytes": {
        "type": "int",
        "range": [256, 16384],
        "default": 2048,
        "help": "the longest message taken (allocated for each); longer ones are dropped and counted",
    },
    "interface": {
        "type": "str",
        "default": "0.0.0.0",
        "help": "our own address in the network in which to join a group; 0.0.0.0: wherever the system likes",
    },
}

_BEAT_MS = 1_000
_RETRY_MS = 2_000
_MAX_SENDERS = 8
# A switch, or a radio that was restarted, may have forgotten that we listen to the group.
_REJOIN_MS = 30_000
# Datagrams between two turns of the other tasks.
_BURST = 4


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
        self._senders = [_ipv4(text, "from") for text in options["from"].split(",")] if options["from"] else None
        if self._senders and len(self._senders) > _MAX_SENDERS:
            raise LeezenflowError("from= names more than %d addresses" % _MAX_SENDERS)
        self._message_bytes = options["message_bytes"]
        self._membership = None
        if _is_group(self._host):
            if not hasattr(socket, "IP_ADD_MEMBERSHIP"):
                raise LeezenflowError("this MicroPython cannot join the group %s; send to the unit alone" % self._host)
            self._membership = _ipv4(self._host, "the group") + _ipv4(options["interface"], "interface")
            self._host = "0.0.0.0"

    async def run(self, sink):
        """Hand messages to `sink` for ever."""
        network = self._clock.network
        while True:
            try:
                await self._serve(sink)
            except (OSError, MemoryError) as error:
                # No network yet, or no more; or no room for a datagram just now.
                fault = str(error) or "no room in memory for a datagram"
                if fault != self.fault:
                    print("udp: port %d: %s; trying again" % (self._port, fault))
                self.fault = fault
            for _ in range(_RETRY_MS // _BEAT_MS):
                self.beats = (self.beats + 1) & 0xFFFF
                await network.sleep_ms(_BEAT_MS)

    async def _serve(self, sink):
        """Take datagrams until something fails."""
        network = self._clock.network
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            if self._membership is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(socket.getaddrinfo(self._host, self._port)[0][-1])
            if self._membership is not None:
                self._join(sock)
            self.listening = True
            self.fault = ""
            heard_at = network.ticks()
            while True:
                self.beats = (self.beats + 1) & 0xFFFF
                try:
                    await asyncio.wait_for_ms(_readable(sock), _BEAT_MS)
                except asyncio.TimeoutError:
                    if self._membership is not None and network.diff(network.ticks(), heard_at) > _REJOIN_MS:
                        heard_at = network.ticks()
                        self._leave(sock)
                        self._join(sock)
                    continue
                heard_at = network.ticks()
                for _ in range(_BURST):
                    data = self._receive(sock)
                    if data is None:
                        break
                    if data:
                        await sink.message(data, 0, len(data), self._clock.ticks())
        finally:
            self.listening = False
            sock.close()

    async def publish(self, word, payload, retain=False):
        """Datagrams go one way: nothing is published."""
        return False

    def _receive(self, sock):
        """Return the next datagram; b"" for one that is not ours, None when there is none."""
        try:
            # Not readinto, which joins datagrams. One byte more than we take, so that a longer datagram shows.
            data, address = sock.recvfrom(self._message_bytes + 1)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            raise
        if self._senders is not None and _address_bytes(address) not in self._senders:
            word = "strangers"
        elif len(data) > self._message_bytes:
            word = "oversize"
        else:
            word = "messages"
        self.counters[word] = (self.counters[word] + 1) & 0x3FFFFFFF
        return data if word == "messages" else b""

    def _join(self, sock):
        sock.setsockopt(0, socket.IP_ADD_MEMBERSHIP, self._membership)

    def _leave(self, sock):
        try:
            sock.setsockopt(0, socket.IP_DROP_MEMBERSHIP, self._membership)
        except OSError:
            pass


def _address_bytes(address):
    """Return the four bytes of a sender's address: (host, port) on boards, a packed sockaddr on the unix port."""
    if isinstance(address, tuple):
        return _ipv4(address[0], "the sender")
    return socket.sockaddr(address)[1]  # pyright: ignore[reportAttributeAccessIssue]


def _ipv4(text, what):
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isdigit() and len(part) < 4 and int(part) < 256 for part in parts):
        raise LeezenflowError("%s=%s is not an IPv4 address such as 10.0.0.5" % (what, text))
    return bytes(int(part) for part in parts)


def _is_group(host):
    """Say whether an address is one of IPv4 multicast (RFC 5771: 224.0.0.0/4)."""
    first = host.split(".")[0]
    return first.isdigit() and len(first) == 3 and 224 <= int(first) <= 239 and host.count(".") == 3


def _readable(sock):
    """Wait until a socket has something to read (a generator is MicroPython's coroutine)."""
    yield asyncio.core._io_queue.queue_read(sock)  # pyright: ignore[reportAttributeAccessIssue]
