# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ticks of a disciplined clock, one a second, for the adapter `fixed_time`: `clock://ntp.example.org?sync_s=900`.

The clock is the unit's own counter, set by SNTP (RFC 4330, over UDP). A tick says how long ago it was set, or that it
never was: whether that is good enough is the adapter's business.
"""

from leezenflow.errors import LeezenflowError
from leezenflow.source_url import typed_options
from leezenflow_device import sntp

OPTIONS = {
    "sync_s": {"type": "int", "range": [16, 86400], "default": 900, "help": "time between two questions to the server"},
}

_RETRY_MS = 15_000
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
        self._port = source.port or sntp.PORT
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
        try:
            second, ms, at = await sntp.ask(self._host, self._port, self._clock)
        except (OSError, MemoryError) as error:
            self.fault = str(error) or "no room in memory for the question"
            self.counters["refused"] = (self.counters["refused"] + 1) & 0x3FFFFFFF
        else:
            self._set(second, ms, at)

    def _set(self, second, ms, at):
        """Set the clock to `second` (since 1970) and `ms` at the ticks `at`."""
        day = second // 86_400
        self._ms = second % 60 * 1000 + ms
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
