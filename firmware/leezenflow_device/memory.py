# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine has learned about its signal survives a restart: `/state/memory.bin`.

The file holds the signal's name in one line (`49:1090:12`), then `Engine.memory()`. It is written at most once an
hour of uptime, and only when something was learned: at most 8 766 times a year, however often the unit restarts.
LittleFS spreads them over the flash; 100 000 erasures of one block last longer than the unit.
"""

import errno
import os

FILE = "/state/memory.bin"
_NEW = FILE + ".new"
# Longer than any: a line of up to 20 bytes and 3.7 kB.
_MAX_BYTES = 4096

_MINUTE_MS = 60_000
_MINUTES = 60
# Cycles watched since the last save that are worth a write: some half an hour of a signal at work.
WORTH_CYCLES = 20


class Memory:
    """Loads at once what was kept for the signal of `site`, then keeps what `engine` learns; never raises.

    `loaded` says whether something was; `saves` counts, `fault` is what went wrong last ("" if nothing).
    """

    def __init__(self, engine, site, sleep_ms):
        self.loaded = False
        self.saves = 0
        self.fault = ""
        self._engine = engine
        self._sleep_ms = sleep_ms
        region = "" if site.region is None else "%d:" % site.region
        self._head = b"%s%d:%d\n" % (region.encode(), site.intersection_id, site.signal_group)
        self._load()
        self._kept_cycles = engine.calibration.cycles

    async def run(self):
        """Save for ever, on the hour of uptime."""
        while True:
            for _ in range(_MINUTES):
                await self._sleep_ms(_MINUTE_MS)
            cycles = self._engine.calibration.cycles
            if (cycles - self._kept_cycles) & 0xFFFF >= WORTH_CYCLES and self._save():
                self._kept_cycles = cycles

    def _load(self):
        try:
            with open(FILE, "rb") as file:
                data = file.read(min(_MAX_BYTES, os.stat(FILE)[6]))
        except OSError as error:
            if error.errno != errno.ENOENT:
                self._note("cannot be read (%s)" % error)
            return
        if not data.startswith(self._head):
            self._note("of another signal, or damaged; begun anew")
        elif not self._engine.load_memory(data[len(self._head) :]):
            self._note("damaged; begun anew")
        else:
            self.loaded = True

    def _save(self):
        """Write the file whole or not at all; says whether that worked."""
        try:
            if "state" not in os.listdir("/"):
                os.mkdir("/state")
            with open(_NEW, "wb") as file:
                file.write(self._head)
                file.write(self._engine.memory())
            os.rename(_NEW, FILE)
        except (OSError, MemoryError) as error:
            self._note("not saved (%s)" % error)
            try:
                os.remove(_NEW)
            except OSError:
                pass
            return False
        self.saves += 1
        self.fault = ""
        return True

    def _note(self, what):
        """Say what is wrong, once until it changes."""
        if what != self.fault:
            self.fault = what
            print("%s: %s" % (FILE, what))
