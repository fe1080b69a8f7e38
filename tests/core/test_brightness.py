# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brightness follows the light: along its curve, quickly up, slowly down, and never to and fro."""

from leezenflow.brightness import CURVE, Dimmer, Night, brightness_of


def settle(dimmer, wanted, steps=400):
    for _ in range(steps):
        dimmer.step(wanted)
    return dimmer.shown


def test_the_curve_is_smooth_and_rises():
    before = brightness_of(0)
    assert before == CURVE[0] >= 1
    lux = 0
    while lux < 300000:
        value = brightness_of(lux)
        assert before <= value <= before + 2 + before // 16, lux
        before = value
        lux += 1 + lux // 100
    assert before == 255


def test_the_curve_at_lights_everybody_knows():
    assert brightness_of(20) < 40  # street lamps
    assert 90 < brightness_of(4000) < 120  # a dull day in winter
    assert brightness_of(100000) == 255  # full sun
    assert brightness_of(1 << 30) == 255


def test_the_first_step_is_there_at_once():
    assert Dimmer().step(brightness_of(5)) == brightness_of(5)


def test_cap_and_floor():
    dimmer = Dimmer(100, 12)
    assert dimmer.step(255) == 100
    assert settle(dimmer, 3) == 12
    assert settle(dimmer, 255) == 100
    # The cap protects the supply: it goes before the floor.
    assert Dimmer(10, 50).step(255) == 10
    assert Dimmer(255, 0).step(0) == 1


def test_a_cap_for_the_time_being_is_reached_slowly_and_left_quickly():
    dimmer = Dimmer(200, 6)
    dimmer.step(255)
    steps_down = steps_up = 0
    while dimmer.step(255, 20) > 20:
        steps_down += 1
        assert steps_down < 400
    while dimmer.step(255) < 200:
        steps_up += 1
        assert steps_up < 400
    assert 30 < steps_down
    assert steps_up < 30 and 3 * steps_up < steps_down


def test_every_step_is_a_small_one():
    for first, then in ((6, 255), (255, 6), (40, 60), (60, 40)):
        dimmer = Dimmer()
        before = dimmer.step(first)
        settle(dimmer, first, 10)
        for _ in range(300):
            now = dimmer.step(then)
            assert (now - before) * (then - first) >= 0
            assert abs(now - before) <= max(2, abs(then - before) // 3)
            before = now
        assert dimmer.shown == then


def test_noise_moves_nothing():
    for level in (6, 30, 100, 250):
        dimmer = Dimmer()
        dimmer.step(level)
        spread = 1 + level // 10
        seed = 1
        for _ in range(2000):
            seed = (seed * 1103 + 12345) & 0xFFFF
            assert dimmer.step(level + seed % (2 * spread + 1) - spread) == min(level, 255)


def test_headlights_that_sweep_past_move_nothing():
    dimmer = Dimmer()
    dimmer.step(20)
    for step in range(1000):
        assert dimmer.step(200 if step % 7 < 3 else 20) == 20


def test_light_that_comes_and_goes_does_not_make_the_panel_hunt():
    for bright, dark in ((5, 5), (10, 15), (30, 10)):
        dimmer = Dimmer()
        before = dimmer.step(20)
        for step in range(1000):
            now = dimmer.step(200 if step % (bright + dark) < bright else 20)
            assert now >= before
            before = now
        assert before > 20


def test_a_slow_dusk_is_followed_downwards_only():
    dimmer = Dimmer()
    shown = dimmer.step(255)
    for step in range(2550):
        now = dimmer.step(255 - step // 10)
        assert now <= shown
        shown = now
    assert settle(dimmer, 1) == 1


def test_the_night_may_cross_midnight():
    night = Night(22 * 60, 5 * 60, 20)
    assert [night.limit(minute) for minute in (0, 299, 300, 1319, 1320, 1439)] == [20, 20, 255, 255, 20, 20]
    assert night.limit(None) == 255
    evening = Night(18 * 60, 20 * 60, 50)
    assert [evening.limit(minute) for minute in (1079, 1080, 1199, 1200)] == [255, 50, 50, 255]
