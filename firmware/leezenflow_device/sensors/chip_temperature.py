# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The temperature of the chip itself: of the board inside its housing, give or take a few degrees.

RP2040 and RP2350: a diode at an input of the converter (RP2040 data sheet, 4.9.5 "Temperature Sensor"). ESP32: what
MicroPython's `esp32` measures.
"""

OPTIONS = {}
MEASURES = ("board_cdeg",)

_SAMPLES = 8
_REFERENCE_MV = 3300
# 706 mV at 27 degrees, falling by 1.721 mV a degree.
_AT_27_MV = 706


class Sensor:
    """The sensor of this chip, or `bus` (an ADC with the diode of an RP2)."""

    def __init__(self, options, bus=None):
        self._input = bus
        self._chip = None
        if bus is not None:
            return
        try:
            import esp32  # pyright: ignore[reportMissingImports]

            self._chip = esp32
        except ImportError:
            from machine import ADC

            self._input = ADC(getattr(ADC, "CORE_TEMP", 4))

    async def measure(self, sleep_ms):
        """Return the temperature in hundredths of a degree Celsius as a dict."""
        if self._input is None:
            return {"board_cdeg": _esp32_cdeg(self._chip)}
        total = 0
        for _ in range(_SAMPLES):
            total += self._input.read_u16()
        microvolts = (total // _SAMPLES >> 4) * (_REFERENCE_MV * 10) // 4095 * 100
        return {"board_cdeg": 2700 - (microvolts - _AT_27_MV * 1000) * 100 // 1721}


def _esp32_cdeg(chip):
    if hasattr(chip, "mcu_temperature"):  # all but the first ESP32
        return chip.mcu_temperature() * 100
    return (chip.raw_temperature() - 32) * 500 // 9
