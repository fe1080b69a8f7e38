# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning a study: the formulas against printed examples, against each other, and against simulated studies."""

import math

import numpy as np
import pytest

from leezenflow_host.errors import InputError
from leezenflow_host.flow.planning import StudyDesign, plan_study, smallest_effect, study_power


def test_independent_riders_by_the_textbook():
    # 0.5 against 0.4, 5 % two-sided, 80 %: 387.3 in each group without continuity correction (Fleiss's formula).
    assert plan_study(StudyDesign(0.5, 0.2, 1, 0, size_variation=0)).riders == 388


def test_equal_cycles_multiply_by_kish():
    design = StudyDesign(0.5, 0.2, 5, 0.1, size_variation=0)
    assert design.design_effect == pytest.approx(1 + 4 * 0.1)
    plan = plan_study(design)
    assert plan.independent_riders == 388
    assert plan.riders == math.ceil(387.339 * 1.4)
    assert plan.cycles == math.ceil(387.339 * 1.4 / 5)


def test_random_arrivals_vary():
    # Poisson with rate 2.82144 has a mean of 3.0 where there is anybody.
    rng = np.random.default_rng(1)
    sizes = rng.poisson(2.82144, 200_000)
    seen = sizes[sizes > 0]
    design = StudyDesign(0.4, 0.066, 3.0, 0.1)
    assert design.variation == pytest.approx(seen.std() / seen.mean(), rel=0.01)
    assert StudyDesign(0.4, 0.066, 1.0, 0.1).variation == pytest.approx(0.0, abs=0.1)


def test_power_is_the_inverse_of_the_plan():
    design = StudyDesign(0.4, 0.066, 3, 0.1, power=0.9)
    riders = plan_study(design).riders
    assert study_power(design, riders) == pytest.approx(0.9, abs=0.001)
    assert smallest_effect(design, riders) == pytest.approx(0.066, abs=0.0001)


def test_too_few_riders_see_nothing():
    assert smallest_effect(StudyDesign(0.4, 0.066, 3, 0.1), 4) is None


def test_a_study_as_planned_sees_the_effect_as_often_as_it_says():
    """800 simulated studies; the test is the one `flow observe` prints beside its bootstrap (log ratio, sandwich)."""
    design = StudyDesign(0.4, 0.2, 3.0, 0.15)
    plan = plan_study(design)
    assert _share_of_studies(design, plan.cycles, design.other_share) == pytest.approx(0.8, abs=0.05)


def test_a_display_without_effect_is_rarely_said_to_have_one():
    design = StudyDesign(0.4, 0.2, 3.0, 0.15)
    assert _share_of_studies(design, plan_study(design).cycles, 0.4) == pytest.approx(0.05, abs=0.025)


def test_ignoring_the_cycles_would_promise_too_much():
    design = StudyDesign(0.4, 0.2, 3.0, 0.4)
    independent = StudyDesign(0.4, 0.2, 3.0, 0.0)
    assert _share_of_studies(design, plan_study(independent).cycles, design.other_share) < 0.7


def _share_of_studies(design: StudyDesign, cycles: int, with_share: float, studies: int = 800) -> float:
    """Share of simulated studies whose 95 % interval of the relative change leaves out zero."""
    rng = np.random.default_rng(20)
    seen = 0
    for _ in range(studies):
        logs, variance = [], 0.0
        for share in (design.baseline, with_share):
            sizes = _positive_poisson(rng, 2.82144, cycles)
            a, b = share * (1 / design.icc - 1), (1 - share) * (1 / design.icc - 1)
            hits = rng.binomial(sizes, rng.beta(a, b, cycles))
            rate = hits.sum() / sizes.sum()
            rest = hits - rate * sizes
            variance += float((rest**2).sum()) * cycles / (cycles - 1) / sizes.sum() ** 2 / rate**2
            logs.append(math.log(rate))
        seen += abs(logs[1] - logs[0]) > 1.959964 * math.sqrt(variance)
    return seen / studies


def _positive_poisson(rng: np.random.Generator, rate: float, count: int) -> np.ndarray:
    """Riders in cycles in which there are any (a mean of 3.0 for the rate above)."""
    sizes = rng.poisson(rate, 2 * count)
    return sizes[sizes > 0][:count]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"baseline": 0.0}, "--baseline 0: give a share between 0 and 1, such as 0.4"),
        ({"baseline": 40.0}, "--baseline 40: give a share between 0 and 1"),
        ({"effect": 0.0}, "--effect 0: give the relative change as a share, such as 0.066"),
        ({"effect": 6.6}, "--effect 6.6: give the relative change as a share"),
        ({"baseline": 0.9, "effect": -0.5}, "--effect -0.5: give the relative change"),
        ({"riders_per_cycle": 0.5}, "--riders-per-cycle 0.5: give at least 1"),
        ({"icc": 1.5}, "--icc 1.5: give a number from 0 to 1"),
        ({"power": 1.0}, "--power 1: give a number from 0.5 to below 1"),
        ({"alpha": 0.5}, "--alpha 0.5: give a number above 0 and up to 0.2"),
        ({"size_variation": -1.0}, "--size-variation -1: give a number from 0"),
    ],
)
def test_a_design_that_makes_no_sense_is_refused(change: dict[str, float], message: str):
    values = {"baseline": 0.4, "effect": 0.066, "riders_per_cycle": 3.0, "icc": 0.1} | change
    with pytest.raises(InputError) as error:
        StudyDesign(**values)
    assert message in str(error.value)
