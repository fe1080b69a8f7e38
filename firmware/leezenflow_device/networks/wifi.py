# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joins the Wi-Fi that the secrets name, and joins it again whenever it is lost.

`/secrets.json`: `{"wifi": {"ssid": "...", "password": "..."}}`, for a fixed address see `addresses`. The picture never
waits for any of this, and the password is never printed.
"""

import network

from leezenflow.errors import LeezenflowError
from leezenflow_device import networks

OPTIONS = {
    "country": {"type": "str", "default": "DE", "help": "the country whose radio rules hold, two capital letters"},
}

# An access point that answers at all does so within this time.
_JOIN_MS = 15_000
_POLL_MS = 250
_FIRST_PAUSE_MS = 1_000
_LONGEST_PAUSE_MS = 30_000
# After so many failures in a row the radio itself is switched off and on.
_FAILURES_TO_RESTART = 3

# WLAN.status() of the CYW43 (cyw43.h, CYW43_LINK_*), in words.
_STATES = {-3: "wrong password", -2: "no such network in reach", -1: "joining failed"}


class Network:
    """One Wi-Fi station. `fault` says in words why there is no connection, "" while there is one."""

    def __init__(self, settings, secrets, clock):
        credentials = secrets.get("wifi") or {}
        if not credentials.get("ssid"):
            raise LeezenflowError('/secrets.json: no "wifi" with "ssid" and "password"; install them with --secrets')
        self.address = networks.name_server = ""
        self.fault = "not joined yet"
        self.counters = {"joins": 0, "failures": 0}
        self._ssid = credentials["ssid"]
        self._password = credentials.get("password") or None
        self._address = None
        if secrets.get("network"):  # hardly anybody pays for what few need
            from leezenflow_device.networks.addresses import fixed_address

            self._address = fixed_address(secrets)
        self._clock = clock.network
        network.country(settings.get("country", "DE"))
        self._station = network.WLAN(network.WLAN.IF_STA)

    async def run(self):
        """Stay joined for ever."""
        pause_ms = _FIRST_PAUSE_MS
        failures = 0
        while True:
            if await self._join():
                pause_ms = _FIRST_PAUSE_MS
                failures = 0
                while self._station.isconnected() and not networks.doubted:
                    await self._clock.sleep_ms(_POLL_MS)
                self._note("joined, but nobody is reached" if networks.doubted else "the connection was lost")
            failures += 1
            if networks.doubted or failures % _FAILURES_TO_RESTART == 0:
                networks.doubted = False
                self._station.active(False)
            await self._clock.sleep_ms(pause_ms)
            pause_ms = min(2 * pause_ms, _LONGEST_PAUSE_MS)

    async def _join(self):
        """Try once; says whether it worked."""
        station = self._station
        try:
            station.active(True)
            # Saving power would cost hundreds of milliseconds a message.
            station.config(pm=network.WLAN.PM_NONE)
            if self._address is not None:
                station.ifconfig(self._address)
            station.connect(self._ssid, self._password)
        except OSError as error:
            self._note(str(error))
            return False
        for _ in range(_JOIN_MS // _POLL_MS):
            await self._clock.sleep_ms(_POLL_MS)
            if station.isconnected():
                self.counters["joins"] += 1
                self.fault = ""
                self.address, _, _, networks.name_server = station.ifconfig()
                networks.doubted = False
                print("wifi: joined %s as %s" % (self._ssid, self.address))
                return True
            if station.status() < 0:
                break
        self._note(_STATES.get(station.status(), "no answer from the network"))
        return False

    def _note(self, fault):
        """Count a failure and say it, once until it changes."""
        self.counters["failures"] += 1
        self.address = networks.name_server = ""
        if fault != self.fault:
            print("wifi: %s: %s; trying again" % (self._ssid, fault))
        self.fault = fault
