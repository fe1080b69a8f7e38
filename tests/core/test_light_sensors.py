# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Light sensors against buses that know the data sheets' registers: what is written, in which order, and the lux."""

import sys

from leezenflow.source_url import typed_options
from leezenflow_device.sensors import adc_light, bh1750, tsl2591


def options_of(driver, **given):
    return typed_options(driver.OPTIONS, given, "light")


def fails(call):
    try:
        call()
    except OSError as error:
        return str(error) or "OSError"
    raise AssertionError("no OSError")


class Bh1750Bus:
    """A BH1750 at `address`: takes the instructions of its data sheet and measures only when told to."""

    def __init__(self, address=0x23, lux=0):
        self.address = address
        self.lux = lux
        self.there = True
        self.power = self.measures = False
        self.time = 69
        self.written = []

    def writeto(self, address, data):
        if not self.there or address != self.address:
            raise OSError(5)
        assert len(data) == 1
        code = data[0]
        self.written.append(code)
        if code == 0x01:
            self.power = True
        elif code >> 3 == 0b01000:
            self.time = (code & 7) << 5 | self.time & 31
        elif code >> 5 == 0b011:
            self.time = self.time & 0xE0 | code & 31
        elif code == 0x10:
            self.measures = self.power
        else:
            raise AssertionError("no such instruction: %x" % code)

    def readfrom_into(self, address, buffer):
        if not self.there or address != self.address:
            raise OSError(5)
        assert self.measures
        counts = min(self.lux * 12 * self.time // 690, 65535)
        buffer[0] = counts >> 8
        buffer[1] = counts & 255


def near(value, expected):
    return abs(value - expected) <= 2 + expected // 200


def test_bh1750_measures_from_night_to_full_sun():
    bus = Bh1750Bus()
    sensor = bh1750.Sensor(options_of(bh1750), bus)
    assert sensor.lux() is None
    assert bus.written == [0x01, 0x40, 0x7F, 0x10]
    assert bus.time == 31
    for lux in (0, 2, 20, 400, 10000, 65000, 120000):
        bus.lux = lux
        assert near(sensor.lux(), lux), lux
    bus.lux = 1000000
    assert sensor.lux() > 120000


def test_bh1750_at_its_other_address_behind_a_window():
    bus = Bh1750Bus(0x5C, 1000)
    sensor = bh1750.Sensor(options_of(bh1750, address=0x5C, window_percent=50), bus)
    sensor.lux()
    assert near(sensor.lux(), 2000)


def test_bh1750_starts_anew_after_it_was_gone():
    bus = Bh1750Bus(lux=100)
    sensor = bh1750.Sensor(options_of(bh1750), bus)
    sensor.lux()
    bus.there = False
    assert fails(sensor.lux)
    assert fails(sensor.lux)
    # Plugged in again: it has forgotten everything.
    bus.there = True
    bus.power = bus.measures = False
    bus.time = 69
    assert sensor.lux() is None
    assert near(sensor.lux(), 100)


class Tsl2591Bus:
    """A TSL2591: registers behind the command byte, counts in proportion to gain, cut off where its converter ends."""

    def __init__(self, full=0, infrared=0):
        self.full = full  # counts at gain 1
        self.infrared = infrared
        self.registers = bytearray(0x20)
        self.registers[0x12] = 0x50
        self.valid = True
        self.there = True

    def writeto_mem(self, address, register, data):
        if not self.there:
            raise OSError(5)
        assert address == 0x29 and register & 0xE0 == 0xA0 and len(data) == 1
        assert register & 0x1F in (0x00, 0x01)
        self.registers[register & 0x1F] = data[0]

    def readfrom_mem_into(self, address, register, buffer):
        if not self.there:
            raise OSError(5)
        assert address == 0x29 and register & 0xE0 == 0xA0
        control = self.registers[1]
        assert control & 7 == 0, "100 ms"
        gain = {0: 1, 1: 25}[control >> 4 & 3]
        running = self.registers[0] & 3 == 3
        self.registers[0x13] = 1 if running and self.valid else 0
        for place, counts in ((0x14, self.full), (0x16, self.infrared)):
            counts = min(counts * gain, 36863)
            self.registers[place] = counts & 255
            self.registers[place + 1] = counts >> 8
        for place in range(len(buffer)):
            buffer[place] = self.registers[(register & 0x1F) + place]


def test_tsl2591_measures_by_the_usual_formula_at_both_gains():
    bus = Tsl2591Bus(20000, 5000)
    sensor = tsl2591.Sensor(options_of(tsl2591), bus)
    assert sensor.lux() is None
    assert bus.registers[0] == 3
    # 15 000 * 0.75 * 4.08
    assert near(sensor.lux(), 45900)
    bus.full, bus.infrared = 100, 20
    assert 255 <= sensor.lux() <= 262
    assert bus.registers[1] == 0x10
    assert near(sensor.lux(), 261)
    bus.full, bus.infrared = 30000, 10000
    assert sensor.lux() is None
    assert bus.registers[1] == 0x00
    assert near(sensor.lux(), 54400)


def test_tsl2591_does_not_change_its_gain_to_and_fro():
    bus = Tsl2591Bus()
    sensor = tsl2591.Sensor(options_of(tsl2591), bus)
    sensor.lux()
    changes = 0
    for counts in range(700, 1300, 5):
        before = bus.registers[1]
        bus.full = counts
        sensor.lux()
        changes += bus.registers[1] != before
    assert changes == 2  # once up, once down


def test_tsl2591_in_darkness_and_in_infrared_only():
    bus = Tsl2591Bus(0, 0)
    sensor = tsl2591.Sensor(options_of(tsl2591, window_percent=10), bus)
    sensor.lux()
    assert sensor.lux() == 0
    bus.full, bus.infrared = 50, 60
    assert sensor.lux() == 0


def test_tsl2591_that_has_nothing_to_say_or_is_another_chip():
    bus = Tsl2591Bus(100, 0)
    bus.valid = False
    sensor = tsl2591.Sensor(options_of(tsl2591), bus)
    assert sensor.lux() is None
    assert sensor.lux() is None
    bus.registers[0x12] = 0x0A
    bus.there = False
    assert fails(sensor.lux)
    bus.there = True
    assert "no TSL2591" in fails(sensor.lux)
    bus.registers[0x12] = 0x50
    bus.valid = True
    assert sensor.lux() is None
    assert near(sensor.lux(), 408)


class Adc:
    def __init__(self, *readings):
        self.readings = list(readings)

    def read_u16(self):
        self.readings.append(self.readings.pop(0))
        return self.readings[-1]


def test_adc_light_is_the_mean_in_proportion():
    options = options_of(adc_light, full_lux=80000, dark_counts=535)
    assert adc_light.Sensor(options, Adc(0)).lux() == 0
    assert adc_light.Sensor(options, Adc(535)).lux() == 0
    assert adc_light.Sensor(options, Adc(65535)).lux() == 80000
    assert near(adc_light.Sensor(options, Adc(23035, 43035)).lux(), 40000)
    most = options_of(adc_light, full_lux=200000, dark_counts=0, window_percent=1)
    assert adc_light.Sensor(most, Adc(65535)).lux() == 20000000


def test_without_a_bus_the_boards_own_is_opened():
    made = []

    def open_i2c(number, sda, scl, freq):
        made.append((number, sda, scl, freq))
        return Bh1750Bus()

    def open_adc(pin):
        made.append(pin)
        return Adc(0)

    class Machine:
        # Functions, not methods: MicroPython 1.24 imports no bound method.
        def __init__(self):
            self.I2C = open_i2c
            self.ADC = open_adc
            self.Pin = lambda number: "GPIO %d" % number

    before = sys.modules.get("machine")
    sys.modules["machine"] = Machine()
    try:
        bh1750.Sensor(options_of(bh1750, i2c=1, sda_pin=2, scl_pin=3))
        tsl2591.Sensor(options_of(tsl2591))
        adc_light.Sensor(options_of(adc_light, pin=27))
    finally:
        if before is None:
            del sys.modules["machine"]
        else:
            sys.modules["machine"] = before
    assert made == [(1, "GPIO 2", "GPIO 3", 100000), (0, "GPIO 20", "GPIO 21", 100000), "GPIO 27"]
