# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated riders: who they are, what they do at the display, and what their passage costs."""

import dataclasses
import itertools

import pytest

from leezenflow.advice import DARK, GREEN, RED, SPRINT, UNCERTAIN
from leezenflow_host.flow.felt import felt_minutes
from leezenflow_host.flow.riders import GROUP_HEADWAY_S, Rider, RiderModel, choose_speed, draw_riders, pedalling_energy

MODEL = RiderModel()
WILLING = Rider("r0", 0.0, 5.0, 0.0, -1.0)


def test_the_same_seed_brings_the_same_riders():
    assert draw_riders(MODEL, 3, 0, 3600) == draw_riders(MODEL, 3, 0, 3600)
    assert draw_riders(MODEL, 3, 0, 3600) != draw_riders(MODEL, 4, 0, 3600)


def test_compliance_changes_nobody_who_comes():
    assert draw_riders(dataclasses.replace(MODEL, compliance=1.0), 3, 0, 3600) == draw_riders(MODEL, 3, 0, 3600)


def test_riders_come_as_often_and_as_fast_as_assumed():
    riders = draw_riders(MODEL, 1, 0, 100 * 3600)
    assert len(riders) / 100 == pytest.approx(200, rel=0.03)
    speeds = [rider.speed_ms for rider in riders]
    mean = sum(speeds) / len(speeds)
    assert mean == pytest.approx(5.0, rel=0.01)
    deviation = (sum((speed - mean) ** 2 for speed in speeds) / len(speeds)) ** 0.5
    # Cut at two standard deviations, 0.96 of it is left.
    assert deviation / mean == pytest.approx(0.12 * 0.96, rel=0.05)
    assert min(speeds) >= 5 * 0.76 - 1e-9 and max(speeds) <= 5 * 1.24 + 1e-9
    any_red = sum(rider.red_tolerance_s > 1 for rider in riders) / len(riders)
    early_red = sum(rider.red_tolerance_s == 1 for rider in riders) / len(riders)
    assert any_red == pytest.approx(MODEL.any_red_share, abs=0.01)
    assert early_red == pytest.approx(MODEL.early_red_share, abs=0.02)
    assert [rider.enters_s for rider in riders] == sorted(rider.enters_s for rider in riders)


def test_groups_keep_the_flow_and_ride_close_together():
    riders = draw_riders(dataclasses.replace(MODEL, group_size=4.0), 1, 0, 100 * 3600)
    assert len(riders) / 100 == pytest.approx(200, rel=0.06)
    gaps = [round(b.enters_s - a.enters_s, 2) for a, b in itertools.pairwise(riders)]
    assert sum(gap == pytest.approx(GROUP_HEADWAY_S, abs=0.02) for gap in gaps) / len(gaps) > 0.5


def choose(kind: str, remaining_s: float | None, rider: Rider = WILLING, sprint_s: float | None = None) -> float | None:
    return choose_speed(rider, MODEL, kind, remaining_s, 110.0, sprint_s)


def test_red_for_five_seconds_more_means_five_seconds_later_and_one_to_be_sure():
    assert choose(RED, 5.0) == pytest.approx(110 / (22 + 5 + 1))


def test_nobody_crawls():
    assert choose(RED, 20.9) == pytest.approx(110 / (22 + 20.9 + 1))
    assert choose(RED, 21.1) is None


def test_green_needs_no_change_until_it_is_about_to_end():
    assert choose(GREEN, 5.0) is None
    assert choose(GREEN, 0.4) == pytest.approx(110 / (22 - 0.6))


def test_sprint_is_tried_by_those_who_can():
    assert choose(SPRINT, 3.0, sprint_s=20.0) == pytest.approx(5.5)
    assert choose(SPRINT, 3.0, sprint_s=15.0) is None
    assert choose(SPRINT, 3.0, dataclasses.replace(WILLING, speed_ms=5.8), sprint_s=20.0) is None
    assert choose(SPRINT, 3.0) is None


@pytest.mark.parametrize("kind", [UNCERTAIN, DARK])
def test_a_display_that_says_nothing_changes_nothing(kind: str):
    assert choose(kind, None) is None


def test_the_reluctant_do_not_look():
    assert choose(RED, 5.0, dataclasses.replace(WILLING, reluctance=0.5)) is None
    assert choose(RED, 5.0, dataclasses.replace(WILLING, reluctance=0.49)) is not None


def test_a_margin_never_makes_a_rider_faster_than_comfort():
    late = dataclasses.replace(WILLING, speed_ms=30.0)
    assert choose(GREEN, 0.0, late) == pytest.approx(36.0)


def test_energy_at_an_even_pace_is_rolling_and_air():
    # 10 s at 5 m/s: (0.006·90·9.81 + 0.5·1.2·0.55·25) N over 50 m.
    assert pedalling_energy([5.0] * 11, 1.0) == pytest.approx((5.2974 + 8.25) * 50)


def test_a_stop_costs_its_kinetic_energy_again():
    # Braking gives nothing back; starting again takes ½·m·v² and what rolling and air ask on the way.
    start = [0.5 * i for i in range(11)]
    resistance = sum((5.2974 + 0.33 * (v + 0.25) ** 2) * (v + 0.25) for v in start[:-1])
    assert pedalling_energy(start, 1.0) == pytest.approx(0.5 * 90 * 25 + resistance)
    assert pedalling_energy(start[::-1], 1.0) == 0.0
    assert pedalling_energy([], 1.0) == 0.0


def test_what_a_stop_is_felt_as():
    assert felt_minutes(1, 0) == pytest.approx(1.1)
    assert felt_minutes(1, 30) == pytest.approx(2.1)
