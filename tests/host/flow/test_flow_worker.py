# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single simulated riders, whose passage can be reckoned by hand."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from leezenflow_host.flow.riders import Rider, RiderModel
from leezenflow_host.flow.study import _ask_worker
from leezenflow_host.flow.sumo_files import Path2D
from leezenflow_host.flow.sumo_worker import Passage

PATH = Path2D()
# 210 m to the line at 5 m/s.
FREE_S = 42.0
# Riders who do not meet: one a minute.
ALONE = [Rider(f"r{i}", 60.0 * i, 5.0, 0.0, -1.0) for i in range(4)]


def ride(
    riders: Sequence[Rider],
    signal: list[tuple[float, str]],
    shown: tuple[str, int] | None = None,
    **changes: float,
) -> list[dict[str, Any]]:
    """Simulate riders on the usual path, with a display that always says the same (kind, remaining ms)."""
    timeline = None
    if shown is not None:
        timeline = {"from_ms": 0, "kinds": [shown[0]] * 6000, "remaining_ms": [shown[1]] * 6000}
    model = RiderModel(compliance=0.5)
    job = {
        "model": dataclasses.asdict(dataclasses.replace(model, **changes)),
        "path": dataclasses.asdict(PATH),
        "riders": [dataclasses.asdict(rider) for rider in riders],
        "signal": signal,
        "timeline": timeline,
        "origin_ms": 0,
        "sprint_s": 18.0,
        "step_s": 0.2,
        "until_s": 600.0,
        "seed": 1,
        "lateral_m": 0.2,
    }
    return _ask_worker(job)


def test_a_free_ride_takes_the_way_over_the_speed():
    fast = dataclasses.replace(ALONE[1], speed_ms=6.2)
    passages = ride([ALONE[0], fast], [(0.0, "G")])
    assert passages[0]["crossed_s"] == pytest.approx(FREE_S, abs=0.25)
    assert passages[1]["crossed_s"] == pytest.approx(60 + 210 / 6.2, abs=0.25)
    for one in passages:
        assert one["delay_s"] == pytest.approx(0.0, abs=0.25)
        assert (one["stops"], one["stopped_s"], one["advice"]) == (0, 0.0, None)
    # 270 m of rolling and air: (5.2974 + 8.25) N.
    assert passages[0]["energy_j"] == pytest.approx(270 * 13.5474, rel=0.02)


def test_red_stops_once_and_costs_the_wait_and_the_start():
    one = ride(ALONE[:1], [(0.0, "r"), (80.0, "G")])[0]
    assert one["stops"] == 1
    # Stands from shortly after 42 s until 80 s, then starts with 0.8 m/s².
    assert one["stopped_s"] == pytest.approx(80 - FREE_S, abs=3.0)
    assert 80.0 < one["crossed_s"] < 84.0
    assert one["delay_s"] == pytest.approx(80 - FREE_S + 5.0 / 0.8 / 2, abs=1.5)
    assert one["energy_j"] > 270 * 13.5474 + 0.8 * (0.5 * 90 * 25)


def test_who_follows_red_for_ten_seconds_more_rolls_over_the_line():
    # Without advice the rider would be there at 42 s; the lamp turns green at 51 s.
    signal = [(0.0, "r"), (51.0, "G")]
    without, with_ = ride(ALONE[:1], signal)[0], ride(ALONE[:1], signal, ("red", 10_000))[0]
    assert (without["stops"], with_["stops"]) == (1, 0)
    assert with_["chosen_ms"] == pytest.approx(110 / (22 + 10 + 1), abs=0.1)
    assert with_["crossed_s"] == pytest.approx(52.0, abs=1.5)
    assert with_["energy_j"] < without["energy_j"]


def test_who_sprints_goes_on_sprinting_over_the_line():
    rider = dataclasses.replace(ALONE[0], speed_ms=5.2)
    sprinted = ride([rider], [(0.0, "G")], ("sprint", 3_000))[0]
    usual = ride([rider], [(0.0, "G")])[0]
    # 110 m at 6.1 instead of 5.2 m/s, less the time to get faster.
    assert usual["crossed_s"] - sprinted["crossed_s"] == pytest.approx(110 / 5.2 - 110 / 6.1, abs=0.7)


def test_the_reluctant_ride_as_without_a_display():
    reluctant = dataclasses.replace(ALONE[0], reluctance=0.7)
    signal = [(0.0, "r"), (51.0, "G")]
    shown, plain = ride([reluctant], signal, ("red", 10_000))[0], ride([reluctant], signal)[0]
    assert shown.pop("advice") == "red" and plain.pop("advice") is None
    assert shown == plain


def test_a_young_red_is_crossed_by_those_who_do_that():
    hasty = [dataclasses.replace(ALONE[0], red_tolerance_s=1.0), dataclasses.replace(ALONE[1], red_tolerance_s=-1.0)]
    # Red begins half a second before each of them arrives; without amber nobody was warned.
    signal = [(0.0, "G"), (41.5, "r"), (55.0, "G"), (101.5, "r"), (115.0, "G")]
    first, second = ride(hasty, signal)
    assert first["crossed_s"] < 43.0
    assert first["stops"] == 0
    assert second["rider"] == "r1"


def test_old_red_is_crossed_slowly_by_those_who_always_do():
    anyway = dataclasses.replace(ALONE[0], red_tolerance_s=10_000.0)
    one = ride([anyway], [(0.0, "r")])[0]
    assert one["stops"] == 0
    assert one["crossed_s"] > FREE_S + 0.3


def test_coasting_saves_a_full_stop():
    signal = [(0.0, "r"), (46.0, "G")]
    usual, coasted = ride(ALONE[:1], signal)[0], ride(ALONE[:1], signal, coast_m=60.0)[0]
    assert (usual["stops"], coasted["stops"]) == (1, 0)


def test_a_dark_signal_lets_everybody_pass():
    assert ride(ALONE[:1], [(0.0, "O")])[0]["delay_s"] == pytest.approx(0.0, abs=0.6)


def test_who_is_not_through_at_the_end_is_left_out():
    assert ride(ALONE[:2], [(0.0, "G"), (50.0, "r")])[-1]["rider"] == "r0"


def test_stops_are_counted_as_they_are_defined():
    passage = Passage(ALONE[0])
    for speed in (5.0, 0.2, 0.1, 0.8, 0.1, 1.5, 0.0, 5.0):
        passage.note(speed, 0.5)
    assert (passage.stops, passage.stopped_s) == (2, 2.0)
