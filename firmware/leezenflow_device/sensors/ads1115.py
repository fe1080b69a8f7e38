# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ADS1115: the supply voltage by I2C, at one of four inputs behind a voltage divider.

Registers and the conversion are those of the data sheet (Texas Instruments, ADS1115: 8.1 "Register Map", 7.3.3).
"""

from leezenflow_device.sensors._i2c import open_bus

OPTIONS = {
    "i2c": {"type": "int", "range": [0, 1], "default": 0, "help": "I2C bus"},
    "sda_pin": {"type": "int", "range": [0, 48], "default": 20, "help": "GPIO of SDA"},
    "scl_pin": {"type": "int", "range": [0, 48], "default": 21, "help": "GPIO of SCL"},
    "address": {
        "type": "int",
        "range": [0x48, 0x4B],
        "default": 0x48,
        "help": "I2C address: 72 (0x48) with ADDR at ground, 73 at VDD, 74 at SDA, 75 at SCL",
    },
    "input": {"type": "int", "range": [0, 3], "default": 0, "help": "input AIN0 to AIN3, against ground"},
    "scale_permille": {
        "type": "int",
        "range": [1000, 50000],
        "default": 2000,
        "help": "supply voltage per voltage at the input, in thousandths: 2000 for two equal resistors",
    },
}
MEASURES = ("supply_mv",)

_CONVERSION = 0x00
_CONFIG = 0x01
# OS (begin), single-shot; 4.096 V full scale: 8 counts are a millivolt; 128 samples a second; comparator off.
_CONFIG_HIGH = 0b1_100_001_1
_CONFIG_LOW = 0b100_00011
_DONE = 0x80
_MEASURING_MS = 12


class Sensor:
    """An ADS1115 on `bus`, or on the bus that `options` (all OPTIONS with their values) name."""

    def __init__(self, options, bus=None):
        self._bus = bus if bus is not None else open_bus(options)
        self._address = options["address"]
        self._config = bytes((_CONFIG_HIGH | options["input"] << 4, _CONFIG_LOW))
        self._scale_permille = options["scale_permille"]
        self._data = bytearray(2)

    async def measure(self, sleep_ms):
        """Return the supply voltage in millivolts as a dict; OSError when the converter does not answer."""
        bus, address, data = self._bus, self._address, self._data
        bus.writeto_mem(address, _CONFIG, self._config)
        await sleep_ms(_MEASURING_MS)
        bus.readfrom_mem_into(address, _CONFIG, data)
        if not data[0] & _DONE:
            raise OSError("the conversion does not end")
        bus.readfrom_mem_into(address, _CONVERSION, data)
        counts = data[0] << 8 | data[1]
        if counts >= 0x8000:  # a little below ground
            counts = 0
        return {"supply_mv": counts * self._scale_permille // 8000}
