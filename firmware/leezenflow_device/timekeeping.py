# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What time it is, from a time server: for logs, for the dates of certificates, and for messages without a minute.

The countdown never needs it where messages carry their `moy`; where they do not (real US feeds send only the
millisecond in the minute), the engine takes the minute from here, as long as the unit's clock is disciplined. Loaded
only where the board has [device] time_server.
"""

import time

from leezenflow.utc_hint import UtcHint
from leezenflow_device import sntp

_SYNC_S = 3_600
_RETRY_S = 60
# A quartz may be 100 ppm off: 17 s in two days, of the 30 that the engine bears.
_DISCIPLINED_S = 172_800
_HOUR_S = 3_600


class Timekeeper:
    """Asks `host` once an hour; `age_s` since it last answered (None: never, or too long ago), `fault` why not."""

    def __init__(self, host, clock, engine, port=sntp.PORT):
        self.age_s = None
        self.fault = ""
        self.synced = 0
        self._host = host
        self._port = port
        self._clock = clock
        # A clock that runs fast is for shows: it has no UTC.
        self._engine = engine if clock.network is clock and hasattr(engine, "set_utc") else None

    async def run(self):
        """Keep the time for ever."""
        sleep_ms = self._clock.network.sleep_ms
        while True:
            pause_s = _SYNC_S if await self._ask() else _RETRY_S
            for _ in range(pause_s):
                await sleep_ms(1000)
                self._grow_older()

    async def _ask(self):
        try:
            second, ms, ticks = await sntp.ask(self._host, self._port, self._clock)
        except (OSError, MemoryError) as error:
            self.fault = str(error) or "no room in memory for the question"
            return False
        self.age_s = 0
        self.fault = ""
        self.synced = (self.synced + 1) & 0x3FFFFFFF
        if self._engine is not None:
            self._engine.set_utc(ticks, second % _HOUR_S * 1000 + ms)
        _set_clock(second)
        return True

    def _grow_older(self):
        if self.age_s is None:
            return
        self.age_s += 1
        if self.age_s > _DISCIPLINED_S:
            self.age_s = None
            if self._engine is not None:
                self._engine.tracker.utc = UtcHint()

    def report(self, values):
        """Add what is known of the time to a health report."""
        now = time.gmtime()
        values["utc"] = None if self.age_s is None else "%04d-%02d-%02dT%02d:%02d:%02dZ" % now[:6]
        values["utc_age_s"] = self.age_s
        values["utc_fault"] = self.fault


def _set_clock(second):
    """Set the board's own clock (UTC); a virtual board's is the computer's, and stays."""
    try:
        from machine import RTC

        # Boards count from 1970 or from 2000.
        date = time.gmtime(second - (946_684_800 if time.gmtime(0)[0] == 2000 else 0))
        RTC().datetime((date[0], date[1], date[2], date[6], date[3], date[4], date[5], 0))
    except (ImportError, OSError, OverflowError):
        pass
