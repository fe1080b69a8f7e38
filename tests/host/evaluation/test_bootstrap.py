# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Intervals hold what they promise, are the same every time, and pairing sees what single intervals cannot."""

import numpy as np

from leezenflow_host.evaluation.bootstrap import compare, intervals
from leezenflow_host.evaluation.cycles import GREEN_TRUTH, CycleTable


def table(wrong: list[int], frames: int = 100, first: int = 0) -> CycleTable:
    """One cycle for each of `wrong`: so many of its frames are wrong."""
    made = CycleTable()
    for number, count in enumerate(wrong):
        yes = np.ones(frames, dtype=bool)
        bad = np.arange(frames) < count
        flags = {
            name: yes if name in ("frames", "judged_frames", "answered") else np.zeros(frames, dtype=bool)
            for name in (
                "frames",
                "judged_frames",
                "answered",
                "wrong_red",
                "wrong_green",
                "uncertain",
                "dark",
                "timed",
            )
        }
        flags["wrong"] = bad
        made.add(
            np.full(frames, first + number * 1000),
            np.full(frames, GREEN_TRUTH),
            flags,
            np.zeros(frames, dtype=np.int64),
        )
    return made


def row(rows: list[dict[str, float]], name: str = "wrong_colour_share") -> dict[str, float]:
    return next(one for one in rows if one["name"] == name)


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(1)
    covered = 0
    for seed in range(60):
        found = row(intervals(table(generator.binomial(100, generator.beta(2, 18, 40)).tolist()), seed))
        covered += found["low"] <= 0.1 <= found["high"]
    # Of 60 at 95 % (a little less, with 40 cycles) fewer than 48 would be a wonder.
    assert covered >= 48


def test_it_is_the_same_every_time_and_depends_on_the_seed():
    made = table([0, 10, 30, 5, 0, 2, 50, 9, 14])
    assert intervals(made, 3) == intervals(made, 3)
    assert intervals(made, 3) != intervals(made, 4)


def test_cycles_are_drawn_not_frames():
    spread, even = row(intervals(table([0, 100] * 10), 1)), row(intervals(table([50] * 20), 1))
    assert spread["value"] == even["value"] == 0.5
    assert even["low"] == even["high"] == 0.5
    assert spread["high"] - spread["low"] > 0.3


def test_too_few_cycles_have_no_interval():
    found = row(intervals(table([1, 2, 3]), 1))
    assert (found["value"], found["low"], found["high"], found["cycles"]) == (0.02, None, None, 3)
    empty = row(intervals(CycleTable(), 1))
    assert (empty["value"], empty["low"], empty["cycles"]) == (None, None, 0)


def test_a_pair_tells_what_two_intervals_do_not():
    hard = [5, 60, 10, 80, 0, 40, 7, 90, 3, 20, 55, 12]
    ours, theirs = table(hard), table([count + 3 for count in hard])
    one, other = row(intervals(ours, 1)), row(intervals(theirs, 1))
    assert one["high"] > other["low"]
    found = row(compare(ours, theirs, 1))
    assert found["difference"] == found["low"] == found["high"] == -0.03


def test_only_cycles_that_both_have_are_compared():
    found = row(compare(table([10] * 12), table([20] * 12, first=2_000), 1))
    assert found["cycles"] == 10 and found["difference"] == -0.1


def test_very_many_cycles_are_drawn_in_blocks():
    found = row(intervals(table([1] * 4_500, frames=2), 1))
    assert found["cycles"] == 4_500 and found["low"] == found["high"] == 0.5
