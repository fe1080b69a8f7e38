# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""BH1750FVI: ambient light by I2C, 2 to 121 000 lx.

Instructions are those of the data sheet (ROHM BH1750FVI, "Instruction Set Architecture"): single bytes, no registers.
"""

from leezenflow_device.sensors._i2c import open_bus, through_window

OPTIONS = {
    "i2c": {"type": "int", "range": [0, 1], "default": 0, "help": "I2C bus"},
    "sda_pin": {"type": "int", "range": [0, 48], "default": 20, "help": "GPIO of SDA"},
    "scl_pin": {"type": "int", "range": [0, 48], "default": 21, "help": "GPIO of SCL"},
    "address": {
        "type": "int",
        "choices": [0x23, 0x5C],
        "range": [0x23, 0x5C],
        "default": 0x23,
        "help": "I2C address: 35 (0x23) with ADDR low or open, 92 (0x5C) with ADDR high",
    },
    "window_percent": {
        "type": "int",
        "range": [1, 100],
        "default": 100,
        "help": "how much light the window in front of the sensor lets through",
    },
}

_POWER_ON = b"\x01"
# Measuring time register, high and low bits: 31 instead of 69, so that full sun (100 000 lx) is still in range.
_MEASURING_TIME = 31
_TIME_HIGH = bytes((0x40 | _MEASURING_TIME >> 5,))
_TIME_LOW = bytes((0x60 | _MEASURING_TIME & 0x1F,))
# Continuously high resolution mode: a measurement takes at most 180 ms at 69.
_CONTINUOUS_HIGH = b"\x10"


class Sensor:
    """A BH1750 on `bus`, or on the bus that `options` (all OPTIONS with their values) name."""

    def __init__(self, options, bus=None):
        self._bus = bus if bus is not None else open_bus(options)
        self._address = options["address"]
        self._window_percent = options["window_percent"]
        self._buffer = bytearray(2)
        self._runs = False

    def lux(self):
        """Return lux, None for the first call after a start; OSError when the sensor does not answer."""
        if not self._runs:
            for instruction in (_POWER_ON, _TIME_HIGH, _TIME_LOW, _CONTINUOUS_HIGH):
                self._bus.writeto(self._address, instruction)
            self._runs = True
            return None
        buffer = self._buffer
        try:
            self._bus.readfrom_into(self._address, buffer)
        except OSError:
            self._runs = False
            raise
        # Counts / 1.2 at a measuring time of 69, in proportion at ours: 10 * 69 / (12 * 31) = 115 / 62.
        return through_window((buffer[0] << 8 | buffer[1]) * 115 // 62, self._window_percent)
