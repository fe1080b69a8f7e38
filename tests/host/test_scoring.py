# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge itself: every share and error worked out by hand on frames small enough to count."""

from leezenflow.advice import Advice
from leezenflow_host.evaluation.scoring import HorizonErrors, Scorer
from leezenflow_host.evaluation.truth import UNKNOWN, Truth


def make_truth(*switches: tuple[int, str], to_ms: int = 100_000) -> Truth:
    truth = Truth(0, to_ms)
    for at_ms, colour in switches:
        truth.append(at_ms, colour)
    return truth


def advice(kind: str, remaining_ms: int | None = None, certainty: int = 90) -> Advice:
    made = Advice()
    if kind in ("red", "green", "sprint"):
        made.claim(kind, remaining_ms, 20_000, certainty)
    else:
        made.decline(kind, "stale" if kind == "dark" else "doubtful")
    return made


def score(truth: Truth, frames: list[tuple[int, str]], shift_ms: int = 10_000, **more: int) -> dict[str, object]:
    scorer = Scorer(truth, shift_ms, warmup_ms=0, **more)
    for at_ms, kind in frames:
        scorer.judge(at_ms, advice(kind, 1_000))
    return scorer.finish().as_dict()


def test_truth_is_the_lamp_at_the_arrival() -> None:
    truth = make_truth((0, "red"), (20_000, "green"), (40_000, "amber"), (42_000, "red"))
    figures = score(truth, [(9_000, "red"), (10_000, "green"), (11_000, "red"), (29_900, "green"), (33_000, "green")])
    assert figures["judged_frames"] == 5
    assert figures["wrong_colour_share"] == 0.4
    # Of all frames, and only green that meets red counts.
    assert figures["wrong_green_share"] == 0.2
    assert figures["wrong_weighted_share"] == (1 + 3) / 5


def test_amber_is_neutral_and_no_signal_makes_green_wrong() -> None:
    truth = make_truth((0, "red"), (20_000, "green"), (40_000, "amber"), (42_000, "none"), (60_000, "red"))
    figures = score(truth, [(31_000, "green"), (31_500, "red"), (45_000, "green"), (45_100, "red"), (15_000, "green")])
    assert figures["judged_frames"] == 1
    assert figures["wrong_colour_share"] == 0
    assert figures["wrong_green_share"] == 0.2


def test_frames_divide_into_answered_uncertain_and_dark_with_reasons() -> None:
    truth = make_truth((0, "red"))
    figures = score(truth, [(1, "red"), (2, "uncertain"), (3, "dark"), (4, "dark")])
    assert (figures["answered_share"], figures["uncertain_share"], figures["dark_share"]) == (0.25, 0.25, 0.5)
    assert figures["reason_shares"] == {"dark: stale": 0.5, "uncertain: doubtful": 0.25}


def test_a_sprint_is_judged_at_the_sprinter_s_arrival() -> None:
    truth = make_truth((0, "green"), (15_000, "amber"), (17_000, "red"))
    assert score(truth, [(8_000, "sprint")], sprint_ms=6_000)["wrong_colour_share"] == 0
    assert score(truth, [(12_000, "sprint")], sprint_ms=6_000)["wrong_colour_share"] == 1


def test_only_frames_between_warm_up_and_end_count_and_the_receiver_s_offset_is_taken_off() -> None:
    truth = make_truth((0, "red"), to_ms=50_000)
    truth.rx_offset_ms = 1_000
    scorer = Scorer(truth, 0)
    for at_ms in (30_999, 31_000, 50_999, 51_000):
        scorer.judge(at_ms, advice("red", 0))
    assert scorer.finish().frames == 2


def test_remaining_time_is_judged_while_the_colour_is_right() -> None:
    truth = make_truth((0, "red"), (20_000, "green"))
    scorer = Scorer(truth, 10_000, warmup_ms=0)
    scorer.judge(5_000, advice("red", 6_000))
    scorer.judge(6_000, advice("red", 4_000))
    scorer.judge(7_000, advice("green", 60_000))
    figures = scorer.finish().as_dict()
    assert figures["remaining_mae_ms"] == 500
    assert figures["remaining_p95_ms"] == 1_000


def test_upward_jumps_are_counted_within_one_kind() -> None:
    truth = make_truth((0, "red"))
    scorer = Scorer(truth, 0, warmup_ms=0)
    for at_ms, kind, remaining_ms in (
        (0, "red", 9_000),
        (100, "red", 8_900),
        (200, "red", 10_400),
        (300, "red", 10_200),
    ):
        scorer.judge(at_ms, advice(kind, remaining_ms))
    scorer.judge(400, advice("green", 30_000))
    assert scorer.finish().upward_jumps == 1


def test_flicker_counts_returns_but_one_uncertain_passage_at_a_switch_is_free() -> None:
    truth = make_truth((0, "red"), (20_000, "green"), (40_000, "amber"), (42_000, "red"))
    quiet = [(1_000, "red"), (9_000, "uncertain"), (11_000, "green"), (30_000, "uncertain"), (33_000, "red")]
    assert score(truth, quiet)["flicker_ratio"] == 1.0
    nervous = [(1_000, "red"), (2_000, "dark"), (3_000, "red"), (11_000, "green"), (12_000, "red"), (13_000, "green")]
    assert score(truth, nervous)["shown_changes"] == 4


def test_switch_errors_know_that_amber_may_be_either() -> None:
    truth = make_truth((0, "red"), (20_000, "green"), (40_000, "amber"), (42_000, "red"))
    shown = [(1_000, "red"), (10_500, "green"), (31_000, "red")]
    figures = score(truth, shown)
    assert figures["switch_error_mean_ms"] == 250
    assert figures["switch_error_p95_ms"] == 500
    assert figures["missed_switches_share"] == 0
    assert score(truth, shown[:2])["missed_switches_share"] == 0.5
    assert score(truth, [(1_000, "red"), (9_000, "green"), (33_000, "red")])["switch_error_mean_ms"] == 0


def test_reliability_groups_frames_by_what_they_claimed() -> None:
    truth = make_truth((0, "red"))
    scorer = Scorer(truth, 0, warmup_ms=0)
    for number in range(10):
        scorer.judge(number * 100, advice("red" if number else "green", 1_000, 90))
    scorer.judge(2_000, advice("red", 1_000, 99))
    assert scorer.finish().as_dict()["reliability"] == [
        {"certainty": 90, "frames": 10, "right_share": 0.9},
        {"certainty": 99, "frames": 1, "right_share": 1.0},
    ]


def test_what_nobody_saw_is_not_judged() -> None:
    truth = make_truth((0, "red"), (20_000, UNKNOWN), (50_000, "green"))
    assert score(truth, [(9_000, "red"), (12_000, "green"), (41_000, "green")])["frames"] == 2


def test_without_frames_there_are_no_shares() -> None:
    figures = score(make_truth((0, "red")), [])
    assert figures["wrong_colour_share"] is None
    assert figures["remaining_mae_ms"] is None


def test_forecast_errors_are_grouped_by_how_far_ahead_they_were() -> None:
    truth = make_truth((0, "red"), (20_000, "green"), (40_000, UNKNOWN))
    errors = HorizonErrors(truth)
    errors.observe(1_000, "red", 21_000)
    errors.observe(12_000, "red", 23_000)
    errors.observe(14_000, "red", 19_000)
    errors.observe(15_000, "green", 99_000)
    errors.observe(30_000, "green", 41_000)
    errors.observe(-1, "red", 41_000)
    rows = errors.as_list()
    assert [(row["from_horizon_ms"], row["messages"], row["bias_ms"], row["mae_ms"]) for row in rows] == [
        (5_000, 2, 1_000, 2_000),
        (10_000, 1, 1_000, 1_000),
    ]
