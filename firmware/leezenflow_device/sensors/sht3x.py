# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SHT3x (SHT30, SHT31, SHT35): temperature and relative humidity by I2C; the one of M5Stack's ENV III unit.

Commands, timing, conversion and checksum are those of the data sheet (Sensirion, SHT3x-DIS: 2.2 "Timing", 4.3 "Single
shot", 4.12 "Checksum", 4.13 "Conversion").
"""

from leezenflow_device.sensors._i2c import open_bus

OPTIONS = {
    "i2c": {"type": "int", "range": [0, 1], "default": 0, "help": "I2C bus"},
    "sda_pin": {"type": "int", "range": [0, 48], "default": 20, "help": "GPIO of SDA"},
    "scl_pin": {"type": "int", "range": [0, 48], "default": 21, "help": "GPIO of SCL"},
    "address": {
        "type": "int",
        "choices": [0x44, 0x45],
        "range": [0x44, 0x45],
        "default": 0x44,
        "help": "I2C address: 68 (0x44) with ADDR low, 69 (0x45) with ADDR high",
    },
}
MEASURES = ("temperature_cdeg", "humidity_permille")

# Single shot, high repeatability, no clock stretching.
_MEASURE = b"\x24\x00"
# High repeatability takes at most 15.5 ms.
_MEASURING_MS = 20


class Sensor:
    """An SHT3x on `bus`, or on the bus that `options` (all OPTIONS with their values) name."""

    def __init__(self, options, bus=None):
        self._bus = bus if bus is not None else open_bus(options)
        self._address = options["address"]
        self._data = bytearray(6)

    async def measure(self, sleep_ms):
        """Return temperature (hundredths of a degree Celsius) and relative humidity (thousandths) as a dict.

        OSError when the sensor does not answer, or answers nonsense.
        """
        self._bus.writeto(self._address, _MEASURE)
        await sleep_ms(_MEASURING_MS)
        data = self._data
        self._bus.readfrom_into(self._address, data)
        if crc8(data, 0) != data[2] or crc8(data, 3) != data[5]:
            raise OSError("wrong checksum")
        # -45 + 175 * S / (2^16 - 1) and 100 * S / (2^16 - 1), in integers and without the last unit.
        temperature = (4375 * (data[0] << 8 | data[1]) >> 14) - 4500
        humidity = 1000 * (data[3] << 8 | data[4]) >> 16
        return {"temperature_cdeg": temperature, "humidity_permille": humidity}


def crc8(data, start):
    """Return the CRC-8 of two bytes: polynomial 0x31, begun with 0xFF, nothing reflected; of BE EF it is 0x92."""
    crc = 0xFF
    for index in range(start, start + 2):
        crc ^= data[index]
        for _ in range(8):
            crc = (crc << 1 ^ 0x31) & 0xFF if crc & 0x80 else crc << 1
    return crc
