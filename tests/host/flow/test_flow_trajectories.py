# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trajectories made by hand, whose figures are known."""

import math

import pytest

from leezenflow_host.flow.trajectories import Sample, Way, measure_way


def ride(*pieces: tuple[float, float], start_m: float = -100.0, step_s: float = 0.5) -> list[Sample]:
    """Positions of a rider who rides each (seconds, m/s) in turn, exactly."""
    at_s, position_m = 0.0, start_m
    samples = [Sample(at_s, position_m)]
    for seconds, speed_ms in pieces:
        for _ in range(round(seconds / step_s)):
            at_s += step_s
            position_m += speed_ms * step_s
            samples.append(Sample(at_s, position_m))
    return samples


def test_a_rider_who_rides_through():
    way = measure_way(ride((24, 5)))
    assert (way.crossed_s, way.stops, way.stopped_s, way.mean_speed_ms) == (20.0, 0, 0.0, 5.0)
    assert (way.delay_s, way.speed_deviation, way.acceleration_noise) == (0.0, 0.0, 0.0)
    assert (way.signal, way.red_age_s) == (None, None)


def test_a_rider_who_waits_ten_seconds():
    way = measure_way(ride((19.5, 5), (10, 0), (4, 5)))
    assert (way.stops, way.stopped_s) == (1, 10.0)
    assert way.delay_s == pytest.approx(10.0)
    assert way.crossed_s == pytest.approx(30.0)


def test_creeping_up_is_no_second_stop_but_riding_on_is():
    assert measure_way(ride((19, 5), (5, 0), (1, 0.8), (5, 0), (4, 5))).stops == 1
    assert measure_way(ride((19, 5), (5, 0), (1, 1.5), (5, 0), (4, 5))).stops == 2


def test_slow_is_not_stopped():
    way = measure_way(ride((18, 5), (20, 0.4), (4, 5)))
    assert (way.stops, way.stopped_s) == (0, 0.0)


def test_delay_against_a_given_free_speed():
    assert measure_way(ride((24, 5)), free_speed_ms=6.0).delay_s == pytest.approx(24 - 120 / 6)


def test_speed_and_acceleration_by_the_formulas():
    # Half the time 4, half the time 6 m/s: mean 5, deviation 1; one jump of 2 m/s in 0.5 s among 39 zeros.
    way = measure_way(ride((10, 4), (10, 6)))
    assert way.mean_speed_ms == pytest.approx(5.0)
    assert way.speed_deviation == pytest.approx(1.0)
    mean = 4.0 / 39
    assert way.acceleration_noise == pytest.approx(math.sqrt((16.0 - 39 * mean**2) / 39))


def test_speeds_that_were_measured_are_used():
    samples = [Sample(t, -5.0 + 2 * t, speed) for t, speed in enumerate([2.0, 0.1, 0.1, 2.0, 2.0])]
    assert measure_way(samples).stops == 1
    assert measure_way([Sample(one.at_s, one.position_m) for one in samples]).stops == 0


def test_uneven_steps_weigh_by_time():
    way = measure_way([Sample(0, -10), Sample(1, -6), Sample(5, 2), Sample(6, 4)])
    assert way.mean_speed_ms == pytest.approx(14 / 6)
    assert way.crossed_s == pytest.approx(1 + 4 * 6 / 8)


def light(colours: str, **words: str) -> Way:
    """A ride over the line at 10 s, a sample a second, with these colours (g, a, r; . is not noted)."""
    names = {"g": "green", "a": "amber", "r": "red", ".": None}
    return measure_way([Sample(t, -50 + 5 * t, None, names[colour]) for t, colour in enumerate(colours)])


def test_the_light_at_the_line():
    assert light("rrrrrggggggggg").signal == "green"
    assert light("ggggggggaaaarr").signal == "amber"
    way = light("gggggaarrrrrrr")
    assert (way.signal, way.red_age_s) == ("red", 3.0)
    way = light("gggggggggarrrr")
    assert (way.signal, way.red_age_s) == ("red", 0.0)
    assert light("..............").signal is None


def test_red_all_the_way_is_at_least_as_old_as_the_ride():
    assert light("rrrrrrrrrrrrrr").red_age_s == 10.0
    way = measure_way([Sample(0, -2, None, "red"), Sample(0.5, 1, None, "red"), Sample(1, 4, None, "red")])
    assert (way.signal, way.red_age_s) == ("red", None)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([Sample(0, -1), Sample(1, 1)], "has fewer than three positions"),
        ([Sample(0, -9), Sample(1, -5), Sample(7, 1)], "was not seen for 6.0 s"),
        ([Sample(0, -9), Sample(1, -5), Sample(2, -1)], "was not seen crossing the stop line"),
        ([Sample(0, 1), Sample(1, 5), Sample(2, 9)], "was not seen crossing the stop line"),
    ],
)
def test_what_cannot_be_measured(samples: list[Sample], message: str):
    with pytest.raises(ValueError, match=message):
        measure_way(samples)


def test_who_never_moves_has_no_free_speed():
    assert measure_way([Sample(0, -0.2), Sample(1, -0.1), Sample(2, 0.1)]).delay_s is None
