# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of names, without holding anybody up: a question to the name server over UDP (RFC 1035).

A board's own `socket.getaddrinfo` has everything stand still until the answer comes: seven seconds and more where no
name server answers, with a green on the panel that nothing supports any more (rules F1, F8). Names that end in `.local`
are asked for by multicast (RFC 6762, 6.7), as the board itself would.

Loaded only for a look-up, and forgotten after it.
"""

import asyncio
import os
import socket

from leezenflow_device import networks

PORT = 53
_MULTICAST = ("224.0.0.251", 5353)
# Less than two seconds together with what asks here: nobody who waits moves its beats on.
_TRIES = 2
_ANSWER_MS = 500
_ANSWER_BYTES = 513
_FOREIGN_ANSWERS = 8
# A record of the internet: an IPv4 address.
_ADDRESS = b"\x00\x01\x00\x01"


async def find(host, port):
    """Return what `socket.getaddrinfo` does for an IPv4 address: (family, type, protocol, name, address).

    OSError with a sentence: not connected, no answer, or no such name.
    """
    server = networks.name_server
    if server is not None and not _is_address(host):
        if host.endswith(".local"):
            host = await _ask(_MULTICAST[0], _MULTICAST[1], host)
        elif not server or server == "0.0.0.0":
            raise OSError("no address for %s: no name server yet" % host)
        else:
            host = await _ask(server, PORT, host)
    return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]


async def _ask(server, port, host):
    """Return the address of `host` as text."""
    question = question_for(host, os.urandom(2))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    why = "does not answer"
    try:
        sock.setblocking(False)
        address = socket.getaddrinfo(server, port)[0][-1]
        for _ in range(_TRIES):
            sock.sendto(question, address)
            try:
                found = await asyncio.wait_for_ms(_answer_to(sock, question), _ANSWER_MS)
            except asyncio.TimeoutError:
                continue
            if found:
                return found
            why = "knows none"
            break
    except OSError as error:
        why = "cannot be reached (%s)" % error
    finally:
        sock.close()
    raise OSError("no address for %s: the name server %s %s" % (host, server, why))


async def _answer_to(sock, question):
    """Return the address in the answer to `question` as text, "" when it has none."""
    for _ in range(_FOREIGN_ANSWERS):
        await _readable(sock)
        answer = sock.recv(_ANSWER_BYTES)
        if is_answer(answer, question):
            return address_in(answer, len(question))
    return ""


def question_for(host, number):
    """Return the packet that asks for the address of `host`; `number` (two bytes) comes back in its answer."""
    packet = bytearray(number + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00")
    for label in host.rstrip(".").split("."):
        data = label.encode()
        if not 0 < len(data) < 64:
            raise OSError("no address for %s: that is no name of a computer" % host)
        packet.append(len(data))
        packet.extend(data)
    packet.append(0)
    packet.extend(_ADDRESS)
    return bytes(packet)


def is_answer(packet, question):
    """Say whether a packet (bytes) is an answer to just this question."""
    end = len(question)
    return (
        len(packet) >= end
        and packet[:2] == question[:2]
        and bool(packet[2] & 0x80)
        and packet[4:6] == question[4:6]
        and packet[12:end].lower() == question[12:].lower()
    )


def address_in(packet, at):
    """Return the first address in the records of an answer from `at` on, as text; "" for none, or a damaged packet.

    The name server follows aliases (CNAME) for us: their records stand before that of the address.
    """
    if packet[3] & 0x0F:  # such as 3: there is no such name
        return ""
    end = len(packet)
    for _ in range(packet[6] << 8 | packet[7]):
        while at < end and 0 < packet[at] < 0xC0:
            at += 1 + packet[at]
        # A name ends with an empty label, or goes on elsewhere (two bytes).
        at += 2 if at < end and packet[at] else 1
        if at + 10 > end:
            return ""
        length = packet[at + 8] << 8 | packet[at + 9]
        data = at + 10
        if packet[at : at + 4] == _ADDRESS and length == 4 and data + 4 <= end:
            return "%d.%d.%d.%d" % (packet[data], packet[data + 1], packet[data + 2], packet[data + 3])
        at = data + length
    return ""


def _is_address(host):
    for character in host:
        if character not in "0123456789.":
            return False
    return True


def _readable(sock):
    """Wait until a socket has something to read (a generator is MicroPython's coroutine)."""
    yield asyncio.core._io_queue.queue_read(sock)  # pyright: ignore[reportAttributeAccessIssue]
