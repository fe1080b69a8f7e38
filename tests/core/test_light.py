# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The brightness of a running unit: sensor, then sun, then the site's cap; and what the display is told."""

import sys

from leezenflow.board import Board, Site
from leezenflow.brightness import brightness_of
from leezenflow_device import light as light_module
from leezenflow_device.light import Light
from leezenflow_device.optional_parts import load_light

MUENSTER = {"latitude_cdeg": 5196, "longitude_cdeg": 763, "floor": 6, "night": None}
NOON = 171 * 1440 + 690
MIDNIGHT = 171 * 1440 + 1410


class Display:
    def __init__(self):
        self.told = []

    def set_brightness(self, brightness):
        self.told.append(brightness)


class Sensor:
    """Answers with `lux`; None is no measurement yet, an exception is raised."""

    def __init__(self, lux):
        self.answer = lux

    def lux(self):
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


class State:
    def __init__(self, moy=None):
        self.moy = moy


class Calendar:
    """In the place of the module time: a clock that was never set, or shows this UTC instant."""

    def __init__(self, year=2021, yearday=1, hour=0, minute=0):
        self.now = (year, 1, 1, hour, minute, 0, 0, yearday)

    def gmtime(self):
        return self.now


def site(light=None, brightness=255):
    return Site(12, 1090, brightness=brightness, light=light)


def make(light=None, sensor=None, state=None, brightness=255, calendar=None):
    light_module.time = calendar or Calendar()
    display = Display()
    return Light(display, site(light, brightness), sensor, state, None), display


def steps(unit, count):
    for _ in range(count):
        unit.step()


def test_a_sensor_dims_at_once_and_tells_the_display_only_changes():
    unit, display = make(sensor=Sensor(20))
    steps(unit, 30)
    assert display.told == [brightness_of(20)] == [unit.brightness]
    assert (unit.source, unit.lux, unit.fault, unit.faults) == ("sensor", 20, "", 0)


def test_the_sites_brightness_is_the_cap_and_its_floor_the_least():
    unit, display = make(MUENSTER, Sensor(100000), brightness=120)
    unit.step()
    assert display.told == [120]
    unit, display = make({"floor": 40}, Sensor(0))
    unit.step()
    assert display.told == [40]


def test_a_sensor_that_fails_now_and_then_changes_nothing():
    sensor = Sensor(20)
    unit, display = make(MUENSTER, sensor, State(NOON))
    unit.step()
    for _ in range(10):
        sensor.answer = OSError(5)
        steps(unit, 4)
        assert (unit.source, unit.lux) == ("sensor", 20)
        assert "check its cable" in unit.fault
        sensor.answer = 20
        unit.step()
        assert unit.fault == ""
    assert len(display.told) == 1
    assert unit.faults == 40


def test_a_sensor_that_is_gone_gives_way_to_the_sun_and_comes_back():
    sensor = Sensor(20)
    unit, _ = make(MUENSTER, sensor, State(NOON))
    unit.step()
    sensor.answer = OSError(5)
    steps(unit, 120)
    assert unit.source == "sun" and unit.lux > 50000
    assert unit.brightness > 240
    sensor.answer = 20
    steps(unit, 300)
    assert (unit.source, unit.brightness) == ("sensor", brightness_of(20))


def test_a_sensor_that_never_answers_leaves_the_cap():
    for answer in (OSError(5), None):
        unit, display = make(sensor=Sensor(answer), brightness=200)
        steps(unit, 20)
        assert (unit.source, unit.lux, display.told) == ("none", None, [200])


def test_nothing_is_done_before_the_first_measurement():
    sensor = Sensor(None)
    unit, display = make(MUENSTER, sensor, State(NOON))
    steps(unit, 2)
    assert (unit.source, unit.lux, unit.brightness, display.told) == ("waiting", None, None, [])
    sensor.answer = 10
    unit.step()
    assert display.told == [brightness_of(10)]


def test_the_first_light_that_is_known_counts_at_once():
    state = State()
    unit, display = make(MUENSTER, state=state)
    unit.step()
    assert display.told == [255]
    state.moy = MIDNIGHT
    unit.step()
    assert display.told == [255, 6]
    # Later, the sun's rise is followed slowly.
    state.moy = NOON
    steps(unit, 70)
    assert display.told[2] < 200


def test_the_sun_goes_by_the_controllers_time():
    unit, _ = make(MUENSTER, state=State(NOON))
    unit.step()
    assert unit.source == "sun" and unit.brightness > 240
    unit, _ = make(MUENSTER, state=State(MIDNIGHT))
    unit.step()
    assert (unit.lux, unit.brightness) == (0, 6)


def test_the_sun_goes_by_the_boards_clock_only_where_that_was_set():
    unit, _ = make(MUENSTER, calendar=Calendar(2026, 172, 23, 30))
    unit.step()
    assert (unit.source, unit.lux) == ("sun", 0)
    # 2021: a board after power-up; by its own clock it would be night.
    unit, _ = make(MUENSTER, calendar=Calendar(2021, 1, 0, 0))
    unit.step()
    assert (unit.source, unit.brightness) == ("none", 255)


def test_time_goes_on_while_the_feed_is_silent():
    evening = 171 * 1440 + 19 * 60
    unit, _ = make(MUENSTER, state=State(evening))
    unit.step()
    bright = unit.lux
    steps(unit, 4 * 3600)
    assert bright > 1000 and unit.lux == 0
    assert unit.brightness == 6


def test_the_night_is_a_cap():
    night = {"latitude_cdeg": None, "longitude_cdeg": None, "floor": 6, "night": [1260, 270, 20]}
    unit, display = make(night, Sensor(100000), State(MIDNIGHT))
    unit.step()
    assert display.told == [20]
    unit, display = make(night, Sensor(100000), State(NOON))
    unit.step()
    assert display.told == [255]
    # No clock, no night.
    unit, display = make(night, Sensor(100000))
    unit.step()
    assert display.told == [255]


class Engine:
    class Decoder:
        state = State(NOON)

    decoder = Decoder()


class Clock:
    def __init__(self):
        self.network = self
        self.slept_ms = []

    async def sleep_ms(self, span_ms):
        self.slept_ms.append(span_ms)
        if len(self.slept_ms) == 3:
            raise OSError("end of the test")


def board(**light):
    return Board("x", "x", "RP2040", {"driver": "x", "width": 32, "height": 96}, None, light or None)


def test_nothing_is_loaded_where_nothing_was_asked_for():
    before = sys.modules.pop("leezenflow_device.light")
    try:
        display = Display()
        assert load_light(board(), site(brightness=99), display, Engine(), Clock()) is None
        assert display.told == [99]
        assert load_light(board(sensor="bh1750"), site(MUENSTER), object(), Engine(), Clock()) is None
        assert "leezenflow_device.light" not in sys.modules
    finally:
        sys.modules["leezenflow_device.light"] = before


def test_a_unit_dims_once_a_second():
    import asyncio

    light_module.time = Calendar()
    display, clock = Display(), Clock()
    unit = load_light(board(), site(MUENSTER, 100), display, Engine(), clock)
    assert unit is not None
    try:
        asyncio.run(unit.run())
    except OSError:
        pass
    assert display.told == [100, 100]
    assert clock.slept_ms == [1000, 1000, 1000]


def test_the_boards_sensor_is_loaded_with_its_options():
    class Pin:
        def __init__(self, number):
            self.number = number

    class Adc:
        def __init__(self, pin):
            assert pin.number == 28

        def read_u16(self):
            return 0

    class Machine:
        ADC = Adc

    Machine.Pin = Pin
    before = sys.modules.get("machine")
    sys.modules["machine"] = Machine
    try:
        unit = load_light(board(sensor="adc_light", pin=28), site(), Display(), None, Clock())
    finally:
        if before is None:
            del sys.modules["machine"]
        else:
            sys.modules["machine"] = before
    unit.step()
    assert (unit.source, unit.lux) == ("sensor", 0)
