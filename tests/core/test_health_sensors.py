# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sensors for health reports against buses that know the data sheets: registers, order, timing, checksums."""

from leezenflow.source_url import typed_options
from leezenflow_device import sensing
from leezenflow_device.sensors import adc_supply, ads1115, chip_temperature, qmp6988, sht3x


def options_of(driver, **given):
    return typed_options(driver.OPTIONS, given, "sensors")


def finish(coroutine):
    """Run a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something else than the time")


def fails(coroutine):
    try:
        finish(coroutine)
    except OSError as error:
        return str(error) or "OSError"
    raise AssertionError("no OSError")


class Bus:
    """Time, and a part that may be missing."""

    def __init__(self, address):
        self.address = address
        self.there = True
        self.now = 0
        self.ready_at = None

    async def sleep_ms(self, span_ms):
        self.now += span_ms

    def check(self, address):
        if not self.there or address != self.address:
            raise OSError(5)


class Sht3xBus(Bus):
    """An SHT3x: measures when told to, does not answer before 15.5 ms have passed, and gives a result once."""

    def __init__(self, temperature=0, humidity=0, address=0x44):
        Bus.__init__(self, address)
        self.raw = (temperature, humidity)
        self.spoil = None

    def writeto(self, address, data):
        self.check(address)
        assert bytes(data) == b"\x24\x00", "not the single shot of high repeatability without clock stretching"
        self.ready_at = self.now + 16

    def readfrom_into(self, address, buffer):
        self.check(address)
        if self.ready_at is None or self.now < self.ready_at:
            raise OSError(5)  # the part does not acknowledge
        self.ready_at = None
        assert len(buffer) == 6
        at = 0
        for word in self.raw:
            pair = bytes((word >> 8, word & 255))
            buffer[at : at + 3] = pair + bytes((crc_by_division(pair),))
            at += 3
        if self.spoil is not None:
            buffer[self.spoil // 8] ^= 1 << self.spoil % 8


def crc_by_division(data):
    """The checksum of the data sheet by long division: x^8 + x^5 + x^4 + 1, begun with 0xFF."""
    value = int.from_bytes(data, "big") << 8
    value ^= 0xFF << (8 * len(data))
    for bit in range(8 * len(data) + 7, 7, -1):
        if value >> bit & 1:
            value ^= 0x131 << (bit - 8)
    return value


def test_sht3x_checksum_is_the_data_sheets():
    assert sht3x.crc8(b"\xbe\xef", 0) == 0x92 == crc_by_division(b"\xbe\xef")
    for value in (0, 1, 0x1234, 0x8000, 0xFFFF):
        data = bytes((value >> 8, value & 255))
        assert sht3x.crc8(b"xy" + data, 2) == crc_by_division(data)


def test_sht3x_measures_over_its_whole_range():
    bus = Sht3xBus()
    sensor = sht3x.Sensor(options_of(sht3x), bus)
    for raw in range(0, 65536, 1311):
        bus.raw = (raw, 65535 - raw)
        values = finish(sensor.measure(bus.sleep_ms))
        assert abs(values["temperature_cdeg"] - (-4500 + 17500 * raw / 65535)) < 2
        assert abs(values["humidity_permille"] - 1000 * (65535 - raw) / 65535) <= 1
        assert tuple(sorted(values)) == tuple(sorted(sht3x.MEASURES))


def test_sht3x_refuses_every_flipped_bit():
    bus = Sht3xBus(26214, 32768)
    sensor = sht3x.Sensor(options_of(sht3x), bus)
    for bit in range(48):
        bus.spoil = bit
        assert fails(sensor.measure(bus.sleep_ms)) == "wrong checksum"
    bus.spoil = None
    assert finish(sensor.measure(bus.sleep_ms))["temperature_cdeg"] in (2499, 2500)


def test_sht3x_that_does_not_answer_or_is_elsewhere():
    bus = Sht3xBus(address=0x45)
    assert fails(sht3x.Sensor(options_of(sht3x), bus).measure(bus.sleep_ms))
    assert finish(sht3x.Sensor(options_of(sht3x, address=0x45), bus).measure(bus.sleep_ms))
    bus.there = False
    assert fails(sht3x.Sensor(options_of(sht3x, address=0x45), bus).measure(bus.sleep_ms))


class Qmp6988Bus(Bus):
    """A QMP6988 with calibration `words` (a0, b00 in 20 bits, the others in 16) and raw values."""

    ORDER = ("bt1", "bt2", "bp1", "b11", "bp2", "b12", "b21", "bp3")

    def __init__(self, words, pressure, temperature, address=0x70):
        Bus.__init__(self, address)
        self.chip = 0x5C
        self.raw = (pressure, temperature)
        b00, a0 = words["b00"] & 0xFFFFF, words["a0"] & 0xFFFFF
        data = bytes((b00 >> 12, b00 >> 4 & 255))
        for name in self.ORDER:
            data += bytes((words[name] >> 8 & 255, words[name] & 255))
        data += bytes((a0 >> 12, a0 >> 4 & 255))
        for name in ("a1", "a2"):
            data += bytes((words[name] >> 8 & 255, words[name] & 255))
        self.coefficients = data + bytes(((b00 & 15) << 4 | a0 & 15,))
        self.identified = False

    def readfrom_mem_into(self, address, register, buffer):
        self.check(address)
        if register == 0xD1:
            buffer[0] = self.chip
            self.identified = True
        elif register == 0xA0:
            assert len(buffer) == 25
            buffer[:] = self.coefficients
        elif register == 0xF7:
            assert self.identified, "the coefficients may be another part's"
            assert self.ready_at is not None and self.now >= self.ready_at, "read before the measurement's end"
            self.ready_at = None
            for index in range(2):
                buffer[3 * index : 3 * index + 3] = self.raw[index].to_bytes(3, "big")
        else:
            raise AssertionError("nobody needs register %x" % register)

    def writeto_mem(self, address, register, data):
        self.check(address)
        assert register == 0xF4
        assert data[0] & 3 == 1, "not forced mode"
        assert data[0] >> 5 and data[0] >> 2 & 7, "a measurement is left out"
        self.ready_at = self.now + 13


# Values as a part has them; the expected pressure by the data sheet's integers in another way, see below.
WORDS = {
    "b00": 397_000,
    "a0": 5_700,
    "bt1": 1_200,
    "bt2": -900,
    "bp1": -3_400,
    "b11": 560,
    "bp2": -1_230,
    "b12": 780,
    "b21": -45,
    "bp3": 321,
    "a1": -2_100,
    "a2": 1_800,
}


def expected_pa(words, pressure, temperature):
    """The same polynomials in exact integers, scaled by powers of ten (attos), term by term."""
    scale = 10**24

    def k(name, a, s):
        # a and s as (mantissa, exponent of ten)
        return a[0] * scale // 10 ** a[1] + s[0] * scale * words[name] // (10 ** s[1] * 32767)

    a1 = k("a1", (-63, 4), (43, 5))
    a2 = k("a2", (-19, 12), (12, 11))
    bt1 = k("bt1", (10, 2), (91, 3))
    bt2 = k("bt2", (12, 9), (12, 7))
    bp1 = k("bp1", (33, 3), (19, 3))
    b11 = k("b11", (21, 8), (14, 8))
    bp2 = k("bp2", (-63, 11), (35, 11))
    b12 = k("b12", (29, 14), (76, 14))
    b21 = k("b21", (21, 16), (12, 15))
    bp3 = k("bp3", (13, 17), (79, 18))
    dp, dt = pressure - (1 << 23), temperature - (1 << 23)
    tr = words["a0"] * scale // 16 + a1 * dt + a2 * dt * dt  # times scale
    sum_ = words["b00"] * scale // 16 + bt1 * tr // scale + bp1 * dp + b11 * dp * tr // scale
    sum_ += bt2 * tr // scale * tr // scale + bp2 * dp * dp + b12 * dp * tr // scale * tr // scale
    sum_ += b21 * dp * dp * tr // scale + bp3 * dp * dp * dp
    return (sum_ + scale // 2) // scale


def test_qmp6988_compensates_as_the_data_sheet_says():
    for pressure in (2_000_000, 6_200_000, 8_388_608, 11_000_000):
        for temperature in (7_000_000, 8_388_608, 9_100_000):
            bus = Qmp6988Bus(WORDS, pressure, temperature)
            values = finish(qmp6988.Sensor(options_of(qmp6988), bus).measure(bus.sleep_ms))
            wanted = expected_pa(WORDS, pressure, temperature)
            assert abs(values["pressure_pa"] - wanted) <= 1, (pressure, temperature, values, wanted)
            assert tuple(values) == qmp6988.MEASURES


def test_qmp6988_is_asked_who_it_is_after_every_loss():
    bus = Qmp6988Bus(WORDS, 8_000_000, 8_000_000)
    sensor = qmp6988.Sensor(options_of(qmp6988), bus)
    finish(sensor.measure(bus.sleep_ms))
    bus.there = False
    assert fails(sensor.measure(bus.sleep_ms))
    bus.there = True
    bus.identified = False
    finish(sensor.measure(bus.sleep_ms))
    assert bus.identified
    bus.chip = 0x58  # a BMP280 has the same address range
    bus.there = False
    assert fails(sensor.measure(bus.sleep_ms))
    bus.there = True
    assert "no QMP6988" in fails(sensor.measure(bus.sleep_ms))


class Ads1115Bus(Bus):
    """An ADS1115 that converts when told to."""

    def __init__(self, millivolts, channel=0, address=0x48):
        Bus.__init__(self, address)
        self.millivolts = millivolts
        self.channel = channel
        self.slow = False

    def writeto_mem(self, address, register, data):
        self.check(address)
        assert register == 1 and len(data) == 2
        config = data[0] << 8 | data[1]
        assert config >> 15, "no conversion is begun"
        assert config >> 12 & 7 == 4 + self.channel, "another input, or not against ground"
        assert config >> 9 & 7 == 1, "not 4.096 V"
        assert config >> 8 & 1, "not single-shot"
        assert config & 3 == 3, "the comparator is on"
        rate = (8, 16, 32, 64, 128, 250, 475, 860)[config >> 5 & 7]
        # The data sheet's oscillator is up to a tenth slow.
        self.ready_at = self.now + 1100 // rate

    def readfrom_mem_into(self, address, register, buffer):
        self.check(address)
        if register == 1:
            done = not self.slow and self.ready_at is not None and self.now >= self.ready_at
            buffer[:] = bytes((0x80 if done else 0, 0))
        else:
            assert register == 0
            counts = min(self.millivolts * 8, 32767) & 0xFFFF
            buffer[:] = bytes((counts >> 8, counts & 255))


def test_ads1115_measures_the_supply_behind_its_divider():
    bus = Ads1115Bus(2500, channel=2)
    sensor = ads1115.Sensor(options_of(ads1115, input=2), bus)
    assert finish(sensor.measure(bus.sleep_ms)) == {"supply_mv": 5000}
    sensor = ads1115.Sensor(options_of(ads1115, input=2, scale_permille=1000), bus)
    assert finish(sensor.measure(bus.sleep_ms)) == {"supply_mv": 2500}
    bus.millivolts = -3
    assert finish(sensor.measure(bus.sleep_ms)) == {"supply_mv": 0}
    bus.millivolts = 9000
    assert finish(sensor.measure(bus.sleep_ms)) == {"supply_mv": 4095}
    bus.slow = True
    assert "does not end" in fails(sensor.measure(bus.sleep_ms))
    bus.there = False
    assert fails(sensor.measure(bus.sleep_ms))


class Adc:
    def __init__(self, counts):
        self.counts = counts

    def read_u16(self):
        return self.counts


def test_adc_supply():
    for counts, wanted in ((0, 0), (32768, 3300), (65535, 6600)):
        values = finish(adc_supply.Sensor(options_of(adc_supply), Adc(counts)).measure(None))
        assert abs(values["supply_mv"] - wanted) <= 2


def test_chip_temperature_of_an_rp2():
    for cdeg in (-2000, 0, 2700, 6000, 8500):
        volts = 0.706 - (cdeg / 100 - 27) * 0.001721
        sensor = chip_temperature.Sensor({}, Adc(int(volts / 3.3 * 65535)))
        # One step of the converter is half a degree.
        assert abs(finish(sensor.measure(None))["board_cdeg"] - cdeg) <= 60


class Esp32:
    def __init__(self, celsius):
        self.celsius = celsius

    def raw_temperature(self):
        return self.celsius * 9 // 5 + 32


class Esp32S3:
    def mcu_temperature(self):
        return 41


def test_chip_temperature_of_esp32():
    assert chip_temperature._esp32_cdeg(Esp32(50)) == 5000
    assert chip_temperature._esp32_cdeg(Esp32S3()) == 4100


class Odd:
    def __init__(self, outcome):
        self.outcome = outcome

    async def measure(self, sleep_ms):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def test_a_failing_sensor_is_a_text_and_the_others_go_on():
    good = Odd({"supply_mv": 5000})
    sensors = {"broken": Odd(OSError("gone")), "wild": Odd(ZeroDivisionError("x")), "good": good}
    unit = sensing.Sensing(sensors, {"unmade": "no such pin"}, None)
    for name in sensors:
        finish(unit._measure(name))
    report = {}
    unit.report(report)
    assert report["supply_mv"] == 5000
    assert sorted(report["sensor_faults"]) == ["broken", "unmade", "wild"]
    assert "gone" in report["sensor_faults"]["broken"]
    good.outcome = OSError()
    sensors["broken"].outcome = {"board_cdeg": 1}
    for name in sensors:
        finish(unit._measure(name))
    report = {}
    unit.report(report)
    assert "supply_mv" not in report, "an old value would look like a new one"
    assert report["board_cdeg"] == 1
    assert sorted(report["sensor_faults"]) == ["good", "unmade", "wild"]
