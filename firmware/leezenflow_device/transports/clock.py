# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ticks of a disciplined clock, one a second, for the adapter `fixed_time`: `clock://ntp.example.org?sync_s=900`.

The clock is the unit's own counter, set by SNTP (RFC 4330, over UDP). A tick says how long ago it was set, or that it
never was: whether that is good enough is the adapter's business.
"""

import asyncio
import os
import socket

from leezenflow.errors import LeezenflowError
from leezenflow.source_url import typed_options

OPTIONS = {
    "sync_s": {"type": "int", "range": [16, 86400], "default": 900, "help": "time between two questions to the server"},
}

_NTP_PORT = 123
_PACKET_BYTES = 48
# From a server that takes longer nobody learns the time to half of it.
_ANSWER_MS = 800
_RETRY_MS = 15_000
# Seconds from 1900 (NTP) to 1970.
_UNIX_S = 2_208_988_800
_MINUTE_MS = 60_000


class Transport:
    """The unit's clock and the server that sets it; `fault` is why the last question was in vain."""

    def __init__(self, source, secrets, clock, unit_name=""):
        options = typed_options(OPTIONS, source.options, "clock")
        if not source.host:
            raise LeezenflowError("the source names no time server; write clock://pool.ntp.org")
        self.counters = {"messages": 0, "synced": 0, "refused": 0}
        self.fault = ""
        self.listening = False
        self.beats = 0
        self._clock = clock
        self._host = source.host
        self._port = source.port or _NTP_PORT
        self._sync_ms = options["sync_s"] * 1000
        # At `_at` it was `_ms` of minute `_moy` of `_year`; `_age_ms` since the server said so, None: never.
        self._year = 2000
        self._moy = 0
        self._ms = 0
        self._at = clock.ticks()
        self._age_ms = None
        self._next_ms = 0

    async def run(self, sink):
        """Hand ticks to `sink` for ever."""
        clock = self._clock
        self.listening = True
        while True:
            self.beats = (self.beats + 1) & 0xFFFF
            self._go_on()
            if self._next_ms <= 0:
                await self._synchronise()
                self._go_on()
            age = "-" if self._age_ms is None else str(self._age_ms // 1000)
            tick = b"%d %d %d %s" % (self._year, self._moy, self._ms, age.encode())
            self.counters["messages"] = (self.counters["messages"] + 1) & 0x3FFFFFFF
            await sink.message(tick, 0, len(tick), self._at)
            # On the second, as the controller itself switches.
            await clock.network.sleep_ms(1000 - self._ms % 1000)

    async def publish(self, word, payload, retain=False):
        """There is no broker: nothing is published."""
        return False

    def _go_on(self):
        """Bring the clock to the present."""
        now = self._clock.ticks()
        passed_ms = self._clock.diff(now, self._at)
        self._at = now
        self._next_ms -= passed_ms
        if self._age_ms is not None:
            # Not beyond the small ints; the adapter has long stopped believing.
            self._age_ms = min(self._age_ms + passed_ms, 1 << 29)
        self._ms += passed_ms
        while self._ms >= _MINUTE_MS:
            self._ms -= _MINUTE_MS
            self._moy += 1
            if self._moy >= _days_in(self._year) * 1440:
                self._moy = 0
                self._year += 1

    async def _synchronise(self):
        """Ask the server once; on success set the clock."""
        self._next_ms = _RETRY_MS
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            address = socket.getaddrinfo(self._host, self._port)[0][-1]
            question = bytearray(_PACKET_BYTES)
            question[0] = 0x23  # version 4, client
            # Our time of sending only has to come back: a random one shows that the answer is to this question.
            question[40:48] = os.urandom(8)
            asked = self._clock.ticks()
            sock.sendto(question, address)
            await asyncio.wait_for_ms(_readable(sock), _ANSWER_MS)
            answer = sock.recv(_PACKET_BYTES + 1)
            answered = self._clock.ticks()
        except (OSError, asyncio.TimeoutError) as error:
            self._refuse("no answer from %s (%s)" % (self._host, error))
            return
        finally:
            sock.close()
        if len(answer) < _PACKET_BYTES or answer[24:32] != bytes(question[40:48]) or answer[0] & 7 != 4:
            self._refuse("%s answers something else" % self._host)
        elif answer[0] >> 6 == 3 or not 1 <= answer[1] <= 15:
            self._refuse("%s does not know the time itself" % self._host)
        else:
            self._set(answer, self._clock.diff(answered, asked) >> 1, answered)

    def _refuse(self, why):
        self.fault = why
        self.counters["refused"] = (self.counters["refused"] + 1) & 0x3FFFFFFF

    def _set(self, answer, delay_ms, at):
        """Set the clock by a server's answer that was `delay_ms` on its way and arrived at `at`."""
        second = int.from_bytes(answer[40:44], "big")
        if second < 0x8000_0000:
            second += 0x1_0000_0000  # the era from 2036 on
        second -= _UNIX_S
        day = second // 86_400
        self._ms = second % 60 * 1000 + (int.from_bytes(answer[44:46], "big") * 1000 >> 16) + delay_ms
        self._moy = second % 86_400 // 60
        self._year = 1970
        while day >= _days_in(self._year):
            day -= _days_in(self._year)
            self._year += 1
        self._moy += day * 1440
        self._at = at
        self._age_ms = 0
        self._next_ms = self._sync_ms
        self.fault = ""
        self.counters["synced"] = (self.counters["synced"] + 1) & 0x3FFFFFFF


def _days_in(year):
    return 366 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 365


def _readable(sock):
    """Wait until a socket has something to read (a generator is MicroPython's coroutine)."""
    yield asyncio.core._io_queue.queue_read(sock)  # pyright: ignore[reportAttributeAccessIssue]
