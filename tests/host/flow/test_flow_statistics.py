# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clustered statistics, against formulas that are known and against numpy."""

import math

import numpy as np
import pytest

from leezenflow_host.flow.statistics import (
    Clusters,
    compare_shares,
    design_effect,
    intraclass_correlation,
    mean_interval,
    ratio_change_interval,
    share_interval,
    t_quantile,
    z_quantile,
)


def draw_clusters(seed: int, cycles: int, share: float, icc: float, size: float = 3.0) -> Clusters:
    """Cycles of a Poisson number of riders, whose chance to stop varies between cycles (beta) as the ICC demands."""
    rng = np.random.default_rng(seed)
    sizes = rng.poisson(size, cycles)
    spread = 1 / icc - 1 if icc > 0 else 1e9
    rates = rng.beta(share * spread, (1 - share) * spread, cycles)
    hits = rng.binomial(sizes, rates)
    return Clusters.from_counts([(0, int(n), int(k)) for n, k in zip(sizes, hits, strict=True)])


@pytest.mark.parametrize(
    ("probability", "degrees", "value"),
    # From printed tables of Student's t.
    [
        (0.975, 1, 12.706),
        (0.975, 2, 4.303),
        (0.975, 9, 2.262),
        (0.95, 4, 2.132),
        (0.995, 10, 3.169),
        (0.975, 120, 1.980),
    ],
)
def test_t_quantiles_are_those_of_the_tables(probability: float, degrees: int, value: float):
    assert t_quantile(probability, degrees) == pytest.approx(value, abs=0.001)


def test_t_becomes_normal():
    assert t_quantile(0.975, 100_000) == pytest.approx(z_quantile(0.975), abs=1e-4)


def test_mean_interval_by_hand():
    interval = mean_interval([1.0, 2.0, 3.0])
    assert interval.value == 2.0
    assert interval.high == pytest.approx(2.0 + 4.302653 * 1 / math.sqrt(3), abs=1e-5)
    assert interval.low == pytest.approx(2.0 - 4.302653 * 1 / math.sqrt(3), abs=1e-5)


def test_one_day_says_nothing_about_chance():
    assert mean_interval([0.5]).as_dict() == {"value": 0.5, "low": None, "high": None}
    assert mean_interval([]).value is None
    assert ratio_change_interval([1.0], [2.0]).as_dict() == {"value": -0.5, "low": None, "high": None}


def test_relative_change_of_pairs():
    exact = ratio_change_interval([0.9, 1.8, 2.7], [1.0, 2.0, 3.0])
    assert exact.value == pytest.approx(-0.1)
    assert exact.low == pytest.approx(-0.1) and exact.high == pytest.approx(-0.1)
    wide = ratio_change_interval([0.5, 1.5], [1.0, 1.0])
    assert wide.value == 0.0 and wide.low is not None and wide.low < -1


def test_relative_change_without_anything_before():
    assert ratio_change_interval([1.0, 2.0], [0.0, 0.0]).value is None


def test_clusters_add_up_riders():
    clusters = Clusters.count([(0, "a", 1), (0, "a", 0), (0, "b", 1), (1, "a", 0)])
    assert sorted(zip(clusters.sizes, clusters.hits, strict=True)) == [(1, 0), (1, 1), (2, 1)]
    assert clusters.share == 0.5


def test_empty_cycles_do_not_count():
    assert len(Clusters.from_counts([(0, 0, 0), (0, 2, 1)]).sizes) == 1


def test_icc_of_riders_who_all_do_the_same_is_one():
    assert intraclass_correlation([Clusters.from_counts([(0, 3, 3), (0, 3, 0), (0, 3, 3)])]) == pytest.approx(1.0)


def test_icc_of_equal_cycles_by_the_formula():
    # One-way ANOVA by hand: rates 2/4, 1/4, 3/4, 2/4; MSB = 4·0.125/3 = 1/6, MSW = (1 + .75 + .75 + 1)/12 = 7/24.
    clusters = Clusters.from_counts([(0, 4, 2), (0, 4, 1), (0, 4, 3), (0, 4, 2)])
    between, within = 1 / 6, 7 / 24
    assert intraclass_correlation([clusters]) == pytest.approx((between - within) / (between + 3 * within))


@pytest.mark.parametrize("icc", [0.0, 0.1, 0.4])
def test_icc_is_found_again(icc: float):
    found = intraclass_correlation([draw_clusters(seed, 4000, 0.4, icc) for seed in range(2)])
    assert found == pytest.approx(icc, abs=0.03)


def test_icc_needs_more_riders_than_cycles():
    assert intraclass_correlation([Clusters.from_counts([(0, 1, 1), (0, 1, 0)])]) is None
    assert intraclass_correlation([Clusters.from_counts([(0, 5, 1)])]) is None


def test_design_effect_of_single_riders_is_one():
    clusters = Clusters.from_counts([(0, 1, i % 2) for i in range(1000)])
    assert design_effect(clusters) == pytest.approx(1.0, abs=0.002)


def test_design_effect_follows_kish():
    clusters = draw_clusters(7, 8000, 0.4, 0.2)
    mean = clusters.riders / len(clusters.sizes)
    expected = 1 + (float(np.mean(clusters.sizes**2)) / mean - 1) * 0.2
    assert design_effect(clusters) == pytest.approx(expected, rel=0.08)


def test_design_effect_needs_something_that_varies():
    assert design_effect(Clusters.from_counts([(0, 2, 0), (0, 2, 0)])) is None
    assert design_effect(Clusters.from_counts([(0, 2, 1)])) is None


def test_bootstrap_of_single_riders_is_the_binomial_interval():
    clusters = Clusters.from_counts([(0, 1, int(i < 400)) for i in range(1000)])
    interval = share_interval(clusters)
    half = 1.96 * math.sqrt(0.4 * 0.6 / 1000)
    assert interval.value == 0.4
    assert interval.low == pytest.approx(0.4 - half, abs=0.004)
    assert interval.high == pytest.approx(0.4 + half, abs=0.004)


def test_alike_riders_widen_the_interval():
    alike = share_interval(Clusters.from_counts([(0, 10, 10 * (i % 2)) for i in range(100)]))
    alone = share_interval(Clusters.from_counts([(0, 1, i % 2) for i in range(1000)]))
    assert alike.low is not None and alone.low is not None
    assert 0.5 - alike.low > 2.5 * (0.5 - alone.low)


def test_no_riders_no_share():
    empty = Clusters.from_counts([])
    assert share_interval(empty).value is None
    assert compare_shares(empty, draw_clusters(1, 10, 0.5, 0)).change.value is None


def test_one_cycle_has_no_interval():
    assert share_interval(Clusters.from_counts([(0, 4, 1)])).as_dict() == {"value": 0.25, "low": None, "high": None}


def test_the_same_seed_gives_the_same_interval():
    clusters = draw_clusters(3, 200, 0.4, 0.1)
    assert share_interval(clusters, seed=5) == share_interval(clusters, seed=5)
    assert share_interval(clusters, seed=5) != share_interval(clusters, seed=6)


def test_relative_change_as_the_field_study_defines_it():
    before = Clusters.from_counts([(0, 10, 4)] * 50)
    after = Clusters.from_counts([(0, 1000, 374), (0, 1000, 373)])
    comparison = compare_shares(before, after)
    assert comparison.change.value == pytest.approx(0.3735 / 0.4 - 1)
    assert comparison.difference.value == pytest.approx(0.3735 - 0.4)


def test_bootstrap_and_formula_agree_when_there_are_many_cycles():
    comparison = compare_shares(draw_clusters(1, 3000, 0.4, 0.1), draw_clusters(2, 3000, 0.36, 0.1))
    for end in ("low", "high"):
        assert getattr(comparison.change, end) == pytest.approx(getattr(comparison.change_by_formula, end), abs=0.01)


def test_intervals_cover_the_truth_as_often_as_they_say():
    # 60 studies, intervals of 90 %: fewer than 45 hits has a probability of 1e-4.
    truth, hits = 0.34 / 0.4 - 1, 0
    for seed in range(60):
        comparison = compare_shares(
            draw_clusters(2 * seed, 250, 0.4, 0.15), draw_clusters(2 * seed + 1, 250, 0.34, 0.15), 0.9, seed, 400
        )
        assert comparison.change.low is not None and comparison.change.high is not None
        hits += comparison.change.low <= truth <= comparison.change.high
    assert 45 <= hits < 60


def test_a_busier_period_is_no_effect():
    # Period 1 stops more, and is watched longer without the display: without standardising, that alone is an effect.
    before = Clusters.from_counts([(0, 10, 2)] * 10 + [(1, 10, 6)] * 90)
    after = Clusters.from_counts([(0, 10, 2)] * 90 + [(1, 10, 6)] * 10)
    assert before.share != after.share
    assert compare_shares(before, after).change.value == pytest.approx(0.0)


def test_a_period_with_one_cycle_gives_no_interval():
    before = Clusters.from_counts([(0, 10, 2), (0, 10, 3), (1, 5, 1)])
    assert compare_shares(before, before).change.as_dict() == {"value": 0.0, "low": None, "high": None}


def test_nobody_stops():
    none, some = Clusters.from_counts([(0, 3, 0)] * 5), Clusters.from_counts([(0, 3, i % 2) for i in range(6)])
    assert compare_shares(none, some).change.value is None
    assert compare_shares(some, none).change_by_formula.value == -1.0


def test_a_year_of_cycles_is_redrawn_in_pieces(monkeypatch: pytest.MonkeyPatch):
    clusters = draw_clusters(1, 500, 0.4, 0.1)
    whole = share_interval(clusters, resamples=300)
    monkeypatch.setattr("leezenflow_host.flow.statistics._BATCH_DRAWS", 5000)
    assert share_interval(clusters, resamples=300) == whole
