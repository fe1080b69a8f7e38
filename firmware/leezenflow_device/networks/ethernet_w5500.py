# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ethernet by a WIZnet W5500 on SPI (datasheet W5500 v1.0.9), with the driver of MicroPython's own firmware.

A board of WIZnet's (W5500-EVB-Pico) has it in its stock image; the image of a bare Pico has not.
"""

import network

from leezenflow.errors import LeezenflowError
from leezenflow_device import networks
from leezenflow_device.networks.addresses import fixed_address

OPTIONS = {
    "spi": {"type": "int", "range": [0, 1], "default": 0, "help": "number of the SPI bus"},
    "sck_pin": {"type": "int", "range": [0, 47], "default": 18, "help": "clock"},
    "mosi_pin": {"type": "int", "range": [0, 47], "default": 19, "help": "data to the W5500"},
    "miso_pin": {"type": "int", "range": [0, 47], "default": 16, "help": "data from the W5500"},
    "cs_pin": {"type": "int", "range": [0, 47], "default": 17, "help": "chip select"},
    "reset_pin": {"type": "int", "range": [0, 47], "default": 20, "help": "reset"},
    "baud": {"type": "int", "range": [1000000, 33000000], "default": 10000000, "help": "speed of the bus in Hz"},
}

_POLL_MS = 500
# A cable that is in gets an address within this time; then the chip itself begins anew.
_PATIENCE_MS = 60_000


class Network:
    """One wired interface. `fault` says in words why there is no connection, "" while there is one."""

    def __init__(self, settings, secrets, clock):
        if not hasattr(network, "WIZNET5K"):
            raise LeezenflowError(
                "this MicroPython has no driver for the W5500; install an image that has it (W5500_EVB_PICO of "
                "micropython.org), or give the board another [network] kind"
            )
        self.address = networks.name_server = ""
        self.fault = "not connected yet"
        self.counters = {"joins": 0, "failures": 0}
        self._clock = clock.network
        self._address = fixed_address(secrets)
        self._settings = settings
        self._interface = None

    async def run(self):
        """Stay connected for ever."""
        while True:
            try:
                self._open()
                await self._stay()
            except OSError as error:
                self._note("the W5500 does not answer (%s); check its wiring" % error)
            await self._clock.sleep_ms(5_000)

    def _open(self):
        from machine import SPI, Pin

        if self._interface is None:
            pins = self._settings
            bus = SPI(
                pins["spi"],
                baudrate=pins["baud"],
                sck=Pin(pins["sck_pin"]),
                mosi=Pin(pins["mosi_pin"]),
                miso=Pin(pins["miso_pin"]),
            )
            chip = getattr(network, "WIZNET5K")  # noqa: B009 (the stubs of other boards do not know it)
            self._interface = chip(bus, Pin(pins["cs_pin"]), Pin(pins["reset_pin"]))
        self._interface.active(True)
        if self._address is not None:
            self._interface.ifconfig(self._address)
        else:
            # Not ifconfig("dhcp"), which waits for the answer: up to ten seconds without a picture.
            self._interface.ipconfig(dhcp4=True)

    async def _stay(self):
        """Watch over the connection until it has been gone for too long."""
        interface = self._interface
        connected = False
        waited_ms = 0
        while waited_ms < _PATIENCE_MS and not networks.doubted:
            await self._clock.sleep_ms(_POLL_MS)
            if interface.isconnected() != connected:
                connected = not connected
                if connected:
                    self.counters["joins"] += 1
                    self.fault = ""
                    self.address, _, _, networks.name_server = interface.ifconfig()
                    networks.doubted = False
                    print("ethernet: connected as %s" % self.address)
                else:
                    self._note("the connection was lost; is the cable in?")
            waited_ms = 0 if connected else waited_ms + _POLL_MS
        if connected:
            self._note("connected, but nobody is reached")
        else:
            self._note("no connection; is the cable in, and is there DHCP?")
        networks.doubted = False
        interface.active(False)

    def _note(self, fault):
        """Count a failure and say it, once until it changes."""
        self.counters["failures"] += 1
        self.address = networks.name_server = ""
        if fault != self.fault:
            print("ethernet: %s" % fault)
        self.fault = fault
