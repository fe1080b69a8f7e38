# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TSL2591: ambient light by I2C with two photodiodes, under 1 to 150 000 lx; the gain follows the light.

Registers are those of the data sheet (ams TSL2591, "Register Description").
"""

from leezenflow_device.sensors._i2c import open_bus, through_window

OPTIONS = {
    "i2c": {"type": "int", "range": [0, 1], "default": 0, "help": "I2C bus"},
    "sda_pin": {"type": "int", "range": [0, 48], "default": 20, "help": "GPIO of SDA"},
    "scl_pin": {"type": "int", "range": [0, 48], "default": 21, "help": "GPIO of SCL"},
    "window_percent": {
        "type": "int",
        "range": [1, 100],
        "default": 100,
        "help": "how much light the window in front of the sensor lets through",
    },
}

_ADDRESS = 0x29
# COMMAND register: CMD bit and "normal operation", then the register's address.
_COMMAND = 0xA0
_ENABLE = _COMMAND | 0x00
_CONTROL = _COMMAND | 0x01
_ID = _COMMAND | 0x12
_STATUS = _COMMAND | 0x13
_C0DATAL = _COMMAND | 0x14
_POWER_ON_AND_MEASURE = b"\x03"  # PON and AEN
_DEVICE_ID = 0x50
_AVALID = 0x01
# CONTROL: AGAIN in bits 5:4, ATIME 0 (100 ms). At 100 ms a channel ends at 36 863 counts.
_LOW_GAIN = b"\x00"
_MEDIUM_GAIN = b"\x10"
_MEDIUM = 25
_MOST_COUNTS = 30_000
# A twenty-fifth of _MOST_COUNTS, and a third below it, so that the gain does not go back and forth.
_FEW_COUNTS = 800


class Sensor:
    """A TSL2591 on `bus`, or on the bus that `options` (all OPTIONS with their values) name."""

    def __init__(self, options, bus=None):
        self._bus = bus if bus is not None else open_bus(options)
        self._window_percent = options["window_percent"]
        self._byte = bytearray(1)
        self._data = bytearray(4)
        self._gain = 1
        self._runs = False

    def lux(self):
        """Return lux, None while there is no measurement; OSError when the sensor does not answer."""
        try:
            return self._measure() if self._runs else self._start()
        except OSError:
            self._runs = False
            raise

    def _start(self):
        bus = self._bus
        bus.readfrom_mem_into(_ADDRESS, _ID, self._byte)
        if self._byte[0] != _DEVICE_ID:
            raise OSError("what answers at address 0x29 is no TSL2591")
        self._set_gain(1)
        bus.writeto_mem(_ADDRESS, _ENABLE, _POWER_ON_AND_MEASURE)
        self._runs = True

    def _measure(self):
        bus = self._bus
        bus.readfrom_mem_into(_ADDRESS, _STATUS, self._byte)
        if not self._byte[0] & _AVALID:
            return None
        data = self._data
        bus.readfrom_mem_into(_ADDRESS, _C0DATAL, data)
        # Channel 0 sees all light, channel 1 the infrared part of it.
        full = data[1] << 8 | data[0]
        infrared = data[3] << 8 | data[2]
        gain = self._gain
        if full > _MOST_COUNTS and gain != 1:
            # Whatever was measured may be cut off.
            self._set_gain(1)
            return None
        if full < _FEW_COUNTS and gain == 1:
            self._set_gain(_MEDIUM)
        visible = max(full - infrared, 0)
        if not visible:
            return 0
        # The usual formula, in integers: (C0 - C1) * (1 - C1 / C0) * 408 / (ms * gain).
        counts = visible * ((visible << 8) // full) >> 8
        return through_window(counts * 408 // (100 * gain), self._window_percent)

    def _set_gain(self, gain):
        self._bus.writeto_mem(_ADDRESS, _CONTROL, _LOW_GAIN if gain == 1 else _MEDIUM_GAIN)
        self._gain = gain
