# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One question to a time server (SNTP, RFC 4330), without holding anybody up."""

import asyncio
import os
import socket

from leezenflow.start_parts import forget

PORT = 123
_PACKET_BYTES = 48
# From a server that takes longer nobody learns the time to half of it.
_ANSWER_MS = 800
# Seconds from 1900 (NTP) to 1970.
_UNIX_S = 2_208_988_800


async def ask(host, port, clock):
    """Return (seconds since 1970, ms in that second, ticks): the server's time at `ticks` of `clock`.

    OSError with a sentence: no answer, not an answer to this question, or a server that does not know the time.
    """
    from leezenflow_device import names  # seldom needed

    address = (await names.find(host, port))[-1]
    forget(names)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        question = bytearray(_PACKET_BYTES)
        question[0] = 0x23  # version 4, client
        # Our time of sending only has to come back: a random one shows that the answer is to this question.
        question[40:48] = os.urandom(8)
        asked = clock.ticks()
        sock.sendto(question, address)
        await asyncio.wait_for_ms(_readable(sock), _ANSWER_MS)
        answer = sock.recv(_PACKET_BYTES + 1)
        answered = clock.ticks()
    except (OSError, asyncio.TimeoutError) as error:
        raise OSError("no answer from %s (%s)" % (host, error))
    finally:
        sock.close()
    if len(answer) < _PACKET_BYTES or answer[24:32] != bytes(question[40:48]) or answer[0] & 7 != 4:
        raise OSError("%s answers something else" % host)
    if answer[0] >> 6 == 3 or not 1 <= answer[1] <= 15:
        raise OSError("%s does not know the time itself" % host)
    second = int.from_bytes(answer[40:44], "big")
    if second < 0x8000_0000:
        second += 0x1_0000_0000  # the era from 2036 on
    # The answer was on its way for about half the time that passed.
    ms = (int.from_bytes(answer[44:46], "big") * 1000 >> 16) + (clock.diff(answered, asked) >> 1)
    return second - _UNIX_S + ms // 1000, ms % 1000, answered


def _readable(sock):
    """Wait until a socket has something to read (a generator is MicroPython's coroutine)."""
    yield asyncio.core._io_queue.queue_read(sock)  # pyright: ignore[reportAttributeAccessIssue]
