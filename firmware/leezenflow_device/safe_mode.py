# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit that failed again and again: the panel stays dark, nothing of the engine, the look or the display is loaded.

What is left tells what is wrong and takes commands: the serial line, and the network where that works. Whatever fails
here is noted in the health reports and tried again. A command `restart`, a new release or configuration lead back to
work; otherwise one more attempt is made after an hour.
"""

import asyncio

from leezenflow.advice import Advice
from leezenflow.errors import LeezenflowError
from leezenflow.source_url import typed_options
from leezenflow_device import app, health, supervisor, ticks
from leezenflow_device.configuration import join_options, load_driver, read_json
from leezenflow_device.feeds import make_feed

_FPS = 5
_AGAIN_S = 60


class DarkEngine:
    """In the engine's place: takes messages and makes nothing of them."""

    def __init__(self, fault):
        self.advice = Advice()
        self.advice.reason = "stopped"
        self.counters = {}
        self.fault = fault

    def frame(self, ticks):
        """Return the advice: dark."""
        return self.advice

    def begin_message(self, buffer, start, end, ticks):
        """Take a message."""

    def step_message(self):
        """It is no news."""
        return False

    def reconnected(self):
        """Nothing was built on the old connection."""


class NoDisplay:
    """In the display's place: boot.py has darkened the panel, and nobody touches it."""

    def show(self, canvas):
        """Show nothing."""

    def deinit(self):
        """Leave the panel dark."""


class Patient:
    """Runs a part (transport or network) that `make()` returns, and makes it again when it fails; `fault` says why."""

    def __init__(self, make, clock):
        self.counters = {}
        self._fault = ""
        self._own_beats = 0
        self._make = make
        self._part = None
        self._sleep_ms = clock.network.sleep_ms

    @property
    def listening(self):
        """Whether messages can come in."""
        return getattr(self._part, "listening", False)

    @property
    def fault(self):
        """What is wrong, "" if nothing is."""
        return self._fault if self._part is None else self._part.fault

    @property
    def beats(self):
        """Moves on as long as somebody works here."""
        return self._own_beats + getattr(self._part, "beats", 0)

    async def run(self, *sink):
        """Work for ever."""
        while True:
            try:
                part = self._part = self._make()
                if part is None:
                    return
                self.counters = part.counters
                await part.run(*sink)
                self._fault = "it came to an end"
            except Exception as error:
                self._fault = str(error)
            self._part = None
            for _ in range(_AGAIN_S):
                self._own_beats = (self._own_beats + 1) & 0xFFFF
                await self._sleep_ms(1000)

    async def publish(self, word, payload, retain=False):
        """Publish where the part can."""
        return False if self._part is None else await self._part.publish(word, payload, retain)


def run(start):
    """Run safe mode; it ends with a restart."""
    faults = []
    settings = _tolerate(faults, read_json, "/board.json", {})
    site = _tolerate(faults, read_json, "/site.json", {})
    secrets = _tolerate(faults, read_json, "/secrets.json", {})
    declared = join_options(app, health, ticks)
    options = typed_options(declared, {}, "")
    try:
        options = typed_options(declared, settings.get("device") or {}, "/board.json: device")
    except LeezenflowError as error:
        faults.append(str(error))
    clock = ticks.make_clock(options)
    unit_name = _text((site.get("unit") or {}).get("name"))
    signal = site.get("signal") or {}
    transport = network = None
    if signal.get("source"):
        transport = Patient(lambda: make_feed(signal, secrets, clock, unit_name)[0], clock)
    if settings.get("network"):
        kind = _text(settings["network"].get("kind", "wifi"))

        def make_network():
            link = load_driver("leezenflow_device.networks", kind, "/board.json: network")
            return link.Network(settings["network"], secrets, clock)

        network = Patient(make_network, clock)
    print("SAFE MODE after %d failures in a row: the panel stays dark; see /state/crash.txt" % start.failures)
    engine = DarkEngine("; ".join(faults))
    watchdog = app.make_watchdog(options, clock)
    reporter = health.Health(options["health_s"], unit_name, start)
    unit = app.App(clock, engine, None, NoDisplay(), transport, _FPS, reporter, watchdog, network)
    unit.unit_name = unit_name
    unit.secrets = secrets
    asyncio.new_event_loop()
    asyncio.run(_run(unit, clock))


async def _run(unit, clock):
    asyncio.create_task(_leave(clock))  # noqa: RUF006 - the loop holds it
    await unit.run()


async def _leave(clock):
    for _ in range(supervisor.SAFE_S):
        await clock.network.sleep_ms(1000)
    supervisor.count_failures(supervisor.SAFE_AFTER - 1)
    supervisor.restart(None, "retry")


def _tolerate(faults, read, *arguments):
    try:
        return read(*arguments)
    except LeezenflowError as error:
        faults.append(str(error))
        return {}


def _text(value):
    return value if isinstance(value, str) else ""
