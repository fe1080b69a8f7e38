# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""QMP6988: air pressure by I2C; the one of M5Stack's ENV III unit. A falling pressure in a closed housing is a leak.

Registers, coefficients and the two polynomials are those of the data sheet (QST, QMP6988: "Register map",
"Calibration coefficients", "Compensation formula"): a coefficient K is A + S * OTP / 32767, two of them OTP / 16.
"""

from leezenflow_device.sensors._i2c import open_bus

OPTIONS = {
    "i2c": {"type": "int", "range": [0, 1], "default": 0, "help": "I2C bus"},
    "sda_pin": {"type": "int", "range": [0, 48], "default": 20, "help": "GPIO of SDA"},
    "scl_pin": {"type": "int", "range": [0, 48], "default": 21, "help": "GPIO of SCL"},
    "address": {
        "type": "int",
        "choices": [0x56, 0x70],
        "range": [0x56, 0x70],
        "default": 0x70,
        "help": "I2C address: 112 (0x70) with SDO low, 86 (0x56) with SDO high",
    },
}
MEASURES = ("pressure_pa",)

_CHIP_ID = 0xD1
_OUR_CHIP = 0x5C
_COEFFICIENTS = 0xA0
_CTRL_MEAS = 0xF4
_PRESSURE = 0xF7
# Temperature twice, pressure eight times, forced mode: one measurement, then asleep.
_FORCED = bytes((0b010_100_01,))
# The data sheet's longest for these averages is some 12 ms.
_MEASURING_MS = 40
# A and S of a1, a2, bt1, bt2, bp1, b11, bp2, b12, b21, bp3.
_A = (-6.3e-03, -1.9e-11, 1.0e-01, 1.2e-08, 3.3e-02, 2.1e-07, -6.3e-10, 2.9e-13, 2.1e-15, 1.3e-16)
_S = (4.3e-04, 1.2e-10, 9.1e-02, 1.2e-06, 1.9e-02, 1.4e-07, 3.5e-10, 7.6e-13, 1.2e-14, 7.9e-17)
# Where their two bytes stand, from _COEFFICIENTS on.
_AT = (20, 22, 2, 4, 6, 8, 10, 12, 14, 16)


class Sensor:
    """A QMP6988 on `bus`, or on the bus that `options` (all OPTIONS with their values) name."""

    def __init__(self, options, bus=None):
        self._bus = bus if bus is not None else open_bus(options)
        self._address = options["address"]
        self._data = bytearray(6)
        self._known = None

    async def measure(self, sleep_ms):
        """Return the air pressure in pascals as a dict; OSError when the sensor does not answer."""
        bus, address, data = self._bus, self._address, self._data
        try:
            if self._known is None:
                self._known = self._read_coefficients()
            bus.writeto_mem(address, _CTRL_MEAS, _FORCED)
            await sleep_ms(_MEASURING_MS)
            bus.readfrom_mem_into(address, _PRESSURE, data)
        except OSError:
            self._known = None
            raise
        pressure = (data[0] << 16 | data[1] << 8 | data[2]) - (1 << 23)
        temperature = (data[3] << 16 | data[4] << 8 | data[5]) - (1 << 23)
        return {"pressure_pa": int(compensate(self._known, pressure, temperature) + 0.5)}

    def _read_coefficients(self):
        found = bytearray(1)
        self._bus.readfrom_mem_into(self._address, _CHIP_ID, found)
        if found[0] != _OUR_CHIP:
            raise OSError("what answers is no QMP6988")
        data = bytearray(25)
        self._bus.readfrom_mem_into(self._address, _COEFFICIENTS, data)
        a0 = _signed(data[18] << 12 | data[19] << 4 | data[24] & 15, 20) / 16
        b00 = _signed(data[0] << 12 | data[1] << 4 | data[24] >> 4, 20) / 16
        others = []
        for a, s, at in zip(_A, _S, _AT):
            others.append(a + s * _signed(data[at] << 8 | data[at + 1], 16) / 32767)
        return a0, b00, others


def compensate(known, dp, dt):
    """Return pascals from the raw values of pressure and temperature, both less 2**23."""
    a0, b00, (a1, a2, bt1, bt2, bp1, b11, bp2, b12, b21, bp3) = known
    # In 1/256 of a degree Celsius.
    tr = a0 + a1 * dt + a2 * dt * dt
    linear = b00 + bt1 * tr + bp1 * dp
    return (
        linear + b11 * tr * dp + bt2 * tr * tr + bp2 * dp * dp + b12 * dp * tr * tr + b21 * dp * dp * tr + bp3 * dp**3
    )


def _signed(value, bits):
    return value - (1 << bits) if value >> (bits - 1) else value
