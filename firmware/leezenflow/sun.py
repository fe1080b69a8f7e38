# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the sun stands and how light it is then; integers only, right within a degree.

Time is the minute of the UTC year, as SPATEM's `moy`: where a unit has no clock, its controller's will do. Which year
of the four around a leap day it is shifts the sun by less than half a degree. Angles are hundredths of a degree
(cdeg), sines are in 16384ths.
"""

_TURN = 36_000
_ONE_BITS = 14

# Sines of 0, 2, 4 .. 90 degrees; straight lines between them are off by less than 3 in 16384.
# fmt: off
_SINES = (
    0, 572, 1143, 1713, 2280, 2845, 3406, 3964, 4516, 5063, 5604, 6138, 6664, 7182, 7692, 8192, 8682, 9162, 9630, 10087,
    10531, 10963, 11381, 11786, 12176, 12551, 12911, 13255, 13583, 13894, 14189, 14466, 14726, 14968, 15191, 15396,
    15582, 15749, 15897, 16026, 16135, 16225, 16294, 16344, 16374, 16384,
)
# fmt: on

# Light under a sky of some cloud, in lux, by the sun's elevation in cdeg: astronomers' tables of twilight and daylight,
# halved by day.
_DAYLIGHT = (
    (-1200, 0),
    (-600, 3),
    (-300, 40),
    (0, 350),
    (300, 1_800),
    (600, 4_500),
    (1000, 9_000),
    (2000, 20_000),
    (3500, 38_000),
    (6000, 60_000),
    (9000, 70_000),
)


def sine(angle_cdeg):
    """Return the sine of an angle, in 16384ths."""
    angle_cdeg %= _TURN
    if angle_cdeg >= _TURN // 2:
        return -_half_sine(angle_cdeg - _TURN // 2)
    return _half_sine(angle_cdeg)


def _half_sine(angle_cdeg):
    if angle_cdeg > _TURN // 4:
        angle_cdeg = _TURN // 2 - angle_cdeg
    place, rest = divmod(angle_cdeg, 200)
    if not rest:
        return _SINES[place]
    return _SINES[place] + ((_SINES[place + 1] - _SINES[place]) * rest + 100) // 200


def cosine(angle_cdeg):
    """Return the cosine of an angle, in 16384ths."""
    return sine(angle_cdeg + _TURN // 4)


def arcsine(value):
    """Return the angle in cdeg (-9000..9000) whose sine is `value` 16384ths."""
    if value < 0:
        return -arcsine(-value)
    place = 0
    while place < len(_SINES) - 2 and _SINES[place + 1] <= value:
        place += 1
    low = _SINES[place]
    return min(200 * place + (value - low) * 200 // (_SINES[place + 1] - low), 9000)


def elevation_cdeg(moy, latitude_cdeg, longitude_cdeg):
    """Return how high the sun stands, in cdeg, at minute `moy` (0..527039) of the UTC year; north and east positive.

    Mean longitude, its two largest corrections, declination and equation of time (Astronomical Almanac, "low
    precision formulas for the Sun", with the year left out); refraction, half a degree at the horizon, is left out.
    """
    # In hours, so that the products stay small ints. The mean sun goes 98.5647 cdeg a day.
    hours, minutes = divmod(moy, 60)
    gone_cdeg = hours * 41069 // 10_000
    # Where it is at the beginning of a year, on the mean of the four around a leap day.
    mean_cdeg = 28_054 + gone_cdeg
    anomaly_cdeg = 35_716 + gone_cdeg
    centre_cdeg = (191 * sine(anomaly_cdeg) + 2 * sine(2 * anomaly_cdeg)) >> _ONE_BITS
    longitude_of_sun = mean_cdeg + centre_cdeg
    # The ecliptic leans by 23.44 degrees: its sine and cosine are 6517 and 15032.
    sine_declination = 6517 * sine(longitude_of_sun) >> _ONE_BITS
    declination_cdeg = arcsine(sine_declination)
    # How far the true sun is ahead of the mean one: the lean's part (2.466 degrees times sin 2L) less the centre's.
    equation_cdeg = -centre_cdeg + (247 * sine(2 * longitude_of_sun) >> _ONE_BITS)
    minute_of_day = hours % 24 * 60 + minutes
    hour_angle_cdeg = minute_of_day * 25 - _TURN // 2 + longitude_cdeg + equation_cdeg
    height = (sine(latitude_cdeg) * sine_declination >> _ONE_BITS) + (
        (cosine(latitude_cdeg) * cosine(declination_cdeg) >> _ONE_BITS) * cosine(hour_angle_cdeg) >> _ONE_BITS
    )
    return arcsine(max(-16384, min(height, 16384)))


def daylight_lux(elevation):
    """Return how light it is outside, in lux, when the sun stands at `elevation` (cdeg)."""
    low, low_lux = _DAYLIGHT[0]
    if elevation <= low:
        return low_lux
    for high, high_lux in _DAYLIGHT[1:]:
        if elevation <= high:
            return low_lux + (high_lux - low_lux) * (elevation - low) // (high - low)
        low, low_lux = high, high_lux
    return low_lux
