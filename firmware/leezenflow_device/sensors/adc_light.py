# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A photodiode or phototransistor with a resistor at an analogue input: voltage in proportion to the light.

There is no telling a broken wire from darkness here: the pin then reads as dark, and the panel keeps its least
brightness. Use a resistor with which full sun stays below the supply, and measure `full_lux` with a lux meter.
"""

from leezenflow_device.sensors._i2c import through_window

OPTIONS = {
    "pin": {"type": "int", "range": [0, 48], "default": 26, "help": "GPIO of the analogue input (26 to 28 on RP2)"},
    "full_lux": {
        "type": "int",
        "range": [100, 200000],
        "default": 100000,
        "help": "light at which the input reads its most",
    },
    "dark_counts": {
        "type": "int",
        "range": [0, 20000],
        "default": 300,
        "help": "what the input reads in darkness, of 65535",
    },
    "window_percent": {
        "type": "int",
        "range": [1, 100],
        "default": 100,
        "help": "how much light the window in front of the sensor lets through",
    },
}

_SAMPLES = 8
_FULL = 65_535


class Sensor:
    """A sensor at the analogue input that `options` (all OPTIONS with their values) name, or at `bus` (an ADC)."""

    def __init__(self, options, bus=None):
        if bus is None:
            from machine import ADC, Pin

            bus = ADC(Pin(options["pin"]))
        self._input = bus
        self._dark = options["dark_counts"]
        self._full_lux = options["full_lux"]
        self._window_percent = options["window_percent"]

    def lux(self):
        """Return lux."""
        total = 0
        for _ in range(_SAMPLES):
            total += self._input.read_u16()
        counts = max(total // _SAMPLES - self._dark, 0)
        # In 4096ths, as fine as the converter: more would leave the small ints.
        return through_window((counts >> 4) * self._full_lux // (_FULL - self._dark >> 4), self._window_percent)
