# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The supply voltage at one of the chip's own analogue inputs, behind a voltage divider."""

OPTIONS = {
    "pin": {"type": "int", "range": [0, 48], "default": 28, "help": "GPIO of the analogue input (26 to 29 on RP2)"},
    "full_mv": {
        "type": "int",
        "range": [500, 5000],
        "default": 3300,
        "help": "voltage at the input that reads as the most: the reference",
    },
    "scale_permille": {
        "type": "int",
        "range": [1000, 50000],
        "default": 2000,
        "help": "supply voltage per voltage at the input, in thousandths: 2000 for two equal resistors",
    },
}
MEASURES = ("supply_mv",)

_SAMPLES = 8


class Sensor:
    """The input that `options` (all OPTIONS with their values) name, or `bus` (an ADC)."""

    def __init__(self, options, bus=None):
        if bus is None:
            from machine import ADC, Pin

            bus = ADC(Pin(options["pin"]))
        self._input = bus
        self._full_mv = options["full_mv"] * options["scale_permille"] // 1000

    async def measure(self, sleep_ms):
        """Return the supply voltage in millivolts as a dict."""
        total = 0
        for _ in range(_SAMPLES):
            total += self._input.read_u16()
        # In 4096ths, as fine as the converter: more would leave the small ints.
        return {"supply_mv": (total // _SAMPLES >> 4) * self._full_mv // 4095}
