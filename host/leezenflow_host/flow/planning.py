# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a study must go on before it can see an effect: power for shares that are counted by signal cycle.

Two independent shares (Fleiss, Levin & Paik 2003, section 4.2, without continuity correction), times the design effect
of clusters of unequal size (Kish 1965; Eldridge, Ashby & Kerry 2006).
"""

import dataclasses
import math
from dataclasses import dataclass
from statistics import NormalDist

from leezenflow_host.errors import InputError
from leezenflow_host.flow.statistics import z_quantile


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """What a study rests on.

    `baseline` is the stop share without a display, `effect` the relative reduction to be seen (0.066: 6.6 %).
    `riders_per_cycle` is the mean number of riders in a cycle that has any, `size_variation` the coefficient of
    variation of that number, `icc` how alike riders of one cycle are. `alpha` is two-sided.
    """

    baseline: float
    effect: float
    riders_per_cycle: float
    icc: float
    power: float = 0.8
    alpha: float = 0.05
    size_variation: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.baseline < 1:
            raise InputError(f"--baseline {self.baseline:g}: give a share between 0 and 1, such as 0.4")
        if not 0 < abs(self.effect) < 1 or not 0 < self.other_share < 1:
            raise InputError(
                f"--effect {self.effect:g}: give the relative change as a share, such as 0.066; "
                "what remains must lie between 0 and 1"
            )
        if self.riders_per_cycle < 1:
            raise InputError(
                f"--riders-per-cycle {self.riders_per_cycle:g}: give at least 1; only cycles in which somebody comes "
                "count"
            )
        if not 0 <= self.icc <= 1:
            raise InputError(f"--icc {self.icc:g}: give a number from 0 to 1; 0.1 if nothing is known")
        if not 0.5 <= self.power < 1:
            raise InputError(f"--power {self.power:g}: give a number from 0.5 to below 1, such as 0.8")
        if not 0 < self.alpha <= 0.2:
            raise InputError(f"--alpha {self.alpha:g}: give a number above 0 and up to 0.2, such as 0.05")
        if self.size_variation is not None and not 0 <= self.size_variation <= 5:
            raise InputError(f"--size-variation {self.size_variation:g}: give a number from 0 (all alike) to 5")

    @property
    def other_share(self) -> float:
        """The stop share with a display."""
        return self.baseline * (1 - self.effect)

    @property
    def variation(self) -> float:
        """Coefficient of variation of riders per cycle; where not given, that of random arrivals (see below).

        Riders who come at random are Poisson in each cycle; cycles without any are not seen. The mean m of the seen
        ones belongs to a rate r with m = r / (1 - exp(-r)), and their variance is m·(1 + r) - m².
        """
        if self.size_variation is not None:
            return self.size_variation
        mean = self.riders_per_cycle
        rate = mean
        for _ in range(200):
            rate = mean * -math.expm1(-rate)
        return math.sqrt(max(0.0, mean * (1 + rate) - mean * mean)) / mean

    @property
    def design_effect(self) -> float:
        """How many times more riders are needed than if they were independent: 1 + ((1 + cv²)·m - 1)·icc."""
        return 1 + ((1 + self.variation**2) * self.riders_per_cycle - 1) * self.icc


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """What a design asks for, in each of the two conditions."""

    riders: int
    cycles: int
    independent_riders: int


def plan_study(design: StudyDesign) -> StudyPlan:
    """Return how many riders and cycles each condition needs."""
    one, two = design.baseline, design.other_share
    mean = (one + two) / 2
    spread = z_quantile(1 - design.alpha / 2) * math.sqrt(2 * mean * (1 - mean))
    spread += z_quantile(design.power) * math.sqrt(one * (1 - one) + two * (1 - two))
    independent = (spread / (one - two)) ** 2
    riders = independent * design.design_effect
    return StudyPlan(
        math.ceil(riders - 1e-9), math.ceil(riders / design.riders_per_cycle - 1e-9), math.ceil(independent - 1e-9)
    )


def study_power(design: StudyDesign, riders: float) -> float:
    """Return the power with so many riders in each condition (the inverse of `plan_study`)."""
    one, two = design.baseline, design.other_share
    mean = (one + two) / 2
    independent = riders / design.design_effect
    reach = abs(one - two) * math.sqrt(independent)
    reach -= z_quantile(1 - design.alpha / 2) * math.sqrt(2 * mean * (1 - mean))
    return NormalDist().cdf(reach / math.sqrt(one * (1 - one) + two * (1 - two)))


def smallest_effect(design: StudyDesign, riders: float) -> float | None:
    """Return the smallest relative reduction that so many riders a condition show with the design's power, or None."""
    low, high = 1e-6, 1 - 1e-6
    if study_power(dataclasses.replace(design, effect=high), riders) < design.power:
        return None
    for _ in range(60):
        middle = (low + high) / 2
        if study_power(dataclasses.replace(design, effect=middle), riders) < design.power:
            low = middle
        else:
            high = middle
    return high
