# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sun against a reference in floats, at many places, days and years."""

import math

from leezenflow.sun import arcsine, cosine, daylight_lux, elevation_cdeg, sine


def reference_deg(days, minute, latitude, longitude):
    """Elevation in degrees at a minute of the UTC day that begins `days` after noon of 1 January 2000."""
    n = days + minute / 1440
    mean = 280.460 + 0.9856474 * n
    anomaly = math.radians(357.528 + 0.9856003 * n)
    ecliptic = math.radians(mean + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    tilt = math.radians(23.439 - 0.0000004 * n)
    ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    # Sidereal time at Greenwich is the mean longitude and half a turn on the mean sun's clock.
    sidereal = math.radians(mean + 180 + minute / 4)
    hour = sidereal + math.radians(longitude) - ascension
    north = math.radians(latitude)
    return math.degrees(
        math.asin(math.sin(north) * math.sin(declination) + math.cos(north) * math.cos(declination) * math.cos(hour))
    )


def test_sines_are_right():
    for angle in range(-40000, 40000, 37):
        assert abs(sine(angle) - 16384 * math.sin(math.radians(angle / 100))) <= 4, angle
        assert abs(cosine(angle) - 16384 * math.cos(math.radians(angle / 100))) <= 4, angle


def test_arcsine_is_the_way_back():
    for angle in range(-9000, 9001, 50):
        assert abs(arcsine(sine(angle)) - angle) <= (70 if abs(angle) > 8500 else 15), angle
    assert (arcsine(-16384), arcsine(0), arcsine(16384)) == (-9000, 0, 9000)


def test_elevation_is_right_within_a_degree():
    # 1 January of 2025 to 2029 at 0 h, in days after noon of 1 January 2000; 2028 has a leap day.
    years = (9131.5, 9496.5, 9861.5, 10226.5, 10592.5)
    worst = 0
    for first in years:
        for day in range(0, 365, 13):
            for minute in range(day % 60, 1440, 97):
                for latitude, longitude in ((51.96, 7.63), (0.0, 0.0), (-37.8, 144.96), (69.65, -150.0)):
                    got = elevation_cdeg(day * 1440 + minute, round(latitude * 100), round(longitude * 100)) / 100
                    worst = max(worst, abs(got - reference_deg(first + day, minute, latitude, longitude)))
    assert worst < 1.0, worst


def test_noon_and_midnight_in_muenster():
    noon, midnight = 11 * 60 + 30, 23 * 60 + 30
    summer, winter = 171 * 1440, 354 * 1440
    assert abs(elevation_cdeg(summer + noon, 5196, 763) - 6148) < 100
    assert abs(elevation_cdeg(winter + noon, 5196, 763) - 1460) < 100
    assert elevation_cdeg(summer + midnight, 5196, 763) < -1300
    assert elevation_cdeg(winter + midnight, 5196, 763) < -6000


def test_the_whole_year_stays_in_the_small_ints_of_a_board():
    assert 8784 * 41069 < 1 << 30
    assert -9000 <= elevation_cdeg(527039, 9000, 18000) <= 9000


def test_daylight_rises_with_the_sun():
    before = daylight_lux(-9000)
    assert before == 0
    for elevation in range(-9000, 9001, 25):
        now = daylight_lux(elevation)
        assert now >= before
        before = now
    assert daylight_lux(0) == 350 and 60000 <= before <= 100000
    assert daylight_lux(9001) == before
