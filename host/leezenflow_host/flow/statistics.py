# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statistics for riders who are not independent: those of one signal cycle stop together or pass together.

Every interval here treats the cycle as what was drawn, never the rider. With one rider a cycle all of it falls back to
the textbook formulas for independent ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

RESAMPLES = 2_000
"""Bootstrap resamples; the ends of a 95 % interval then move by about 3 % of its width from seed to seed."""
# So many draws are held in memory at once.
_BATCH_DRAWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the ends of its confidence interval; None where the data do not allow one."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def as_dict(self) -> dict[str, float | None]:
        """The three numbers, rounded to six digits behind the point."""
        return {
            name: None if number is None or not math.isfinite(number) else round(number, 6)
            for name, number in (("value", self.value), ("low", self.low), ("high", self.high))
        }


def z_quantile(probability: float) -> float:
    """Quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(probability)


def t_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t for `degrees` >= 1 and 0.5 <= `probability` < 1, by bisection; exact to 1e-9."""
    low, high = 0.0, 2.0
    while _t_tail(high, degrees) > 1 - probability:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if _t_tail(middle, degrees) > 1 - probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _t_tail(t: float, degrees: int) -> float:
    """P(T > t) for t >= 0: finite sums (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    theta = math.atan(t / math.sqrt(degrees))
    cosine_squared = math.cos(theta) ** 2
    term = math.cos(theta) if degrees % 2 else 1.0
    total = 0.0
    for k in range(3 if degrees % 2 else 2, degrees + 1, 2):
        total += term
        term *= cosine_squared * (k - 1) / k
    inside = 2 / math.pi * (theta + math.sin(theta) * total) if degrees % 2 else math.sin(theta) * total
    return max(0.0, (1 - inside) / 2)


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Mean of independent values (one a seed) with its t interval; no interval for fewer than two."""
    if not values:
        return Interval(None)
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean)
    half = t_quantile((1 + confidence) / 2, len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def ratio_change_interval(after: Sequence[float], before: Sequence[float], confidence: float = 0.95) -> Interval:
    """Relative change of paired values: sum(after) / sum(before) - 1, t interval by linearisation.

    The ratio estimator of Cochran, Sampling Techniques, 3rd edition, section 6.3: the variance of after - R·before.
    """
    total = float(np.sum(before))
    if not total:
        return Interval(None)
    ratio = float(np.sum(after)) / total
    count = len(before)
    if count < 2:
        return Interval(ratio - 1)
    rest = np.asarray(after) - ratio * np.asarray(before)
    error = math.sqrt(float(np.sum(rest**2)) / (count - 1) / count) / (total / count)
    half = t_quantile((1 + confidence) / 2, count - 1) * error
    return Interval(ratio - 1, ratio - 1 - half, ratio - 1 + half)


@dataclass(frozen=True)
class Clusters:
    """Riders by cycle: `sizes[i]` of them came in cycle i, `hits[i]` of those had to stop.

    What is counted may be anything; where it is no yes or no (seconds of delay), `hits` are sums and shares are means.

    `strata[i]` numbers the period a cycle belongs to, from 0; cycles without riders are left out.
    """

    sizes: np.ndarray
    hits: np.ndarray
    strata: np.ndarray

    @classmethod
    def count(cls, rows: Sequence[tuple[int, object, float]]) -> "Clusters":
        """Add up riders given as (stratum, cycle, value); the value is 0 or 1 where riders are counted."""
        counts: dict[tuple[int, object], list[float]] = {}
        for stratum, cycle, value in rows:
            entry = counts.setdefault((stratum, cycle), [0, 0.0])
            entry[0] += 1
            entry[1] += value
        return cls.from_counts([(stratum, int(size), hits) for (stratum, _), (size, hits) in counts.items()])

    @classmethod
    def from_counts(cls, rows: Sequence[tuple[int, int, float]]) -> "Clusters":
        """Take cycles given as (stratum, riders, hits)."""
        table = np.array([row for row in rows if row[1] > 0], dtype=float).reshape(-1, 3)
        return cls(table[:, 1].astype(np.int64), table[:, 2], table[:, 0].astype(np.int64))

    @property
    def riders(self) -> int:
        """All riders."""
        return int(self.sizes.sum())

    @property
    def share(self) -> float | None:
        """Share of all riders that is counted, each rider the same weight."""
        return float(self.hits.sum() / self.sizes.sum()) if self.riders else None


def intraclass_correlation(groups: Sequence[Clusters]) -> float | None:
    """Return how alike riders of one cycle are (0: not at all, 1: the same), within conditions; None if unknowable.

    The ANOVA estimator for unequal clusters (Donner & Klar 2000, section 6.2), pooled over conditions and periods. It
    may come out slightly negative where there is none.
    """
    cells = [
        (group.sizes[group.strata == k], group.hits[group.strata == k]) for group in groups for k in _strata(group)
    ]
    clusters = sum(len(sizes) for sizes, _ in cells)
    riders = sum(int(sizes.sum()) for sizes, _ in cells)
    between_degrees = clusters - len(cells)
    if between_degrees < 1 or riders <= clusters:
        return None
    between = within = square_sizes = 0.0
    for sizes, hits in cells:
        share = hits.sum() / sizes.sum()
        rates = hits / sizes
        between += float(np.sum(sizes * (rates - share) ** 2))
        within += float(np.sum(hits * (1 - rates)))
        square_sizes += float(np.sum(sizes**2)) / float(sizes.sum())
    mean_between = between / between_degrees
    mean_within = within / (riders - clusters)
    size = (riders - square_sizes) / between_degrees
    whole = mean_between + (size - 1) * mean_within
    return (mean_between - mean_within) / whole if whole else None


def design_effect(group: Clusters) -> float | None:
    """Return how many times larger the variance of the share is than that of as many independent riders.

    The between-cluster (sandwich) variance of a ratio over p(1-p)/n; None where the share is 0 or 1.
    """
    share = group.share
    clusters = len(group.sizes)
    if share is None or clusters < 2 or not 0 < share < 1:
        return None
    return _share_variance(group) / (share * (1 - share) / group.riders)


def _share_variance(group: Clusters) -> float:
    """Variance of the riders' share, cycles drawn independently (linearised ratio, n/(n-1) correction)."""
    share = group.hits.sum() / group.sizes.sum()
    clusters = len(group.sizes)
    rest = group.hits - share * group.sizes
    return float(np.sum(rest**2)) * clusters / (clusters - 1) / group.riders**2


def share_interval(group: Clusters, confidence: float = 0.95, seed: int = 1, resamples: int = RESAMPLES) -> Interval:
    """The share with its cluster bootstrap interval (percentiles; cycles are redrawn within their period)."""
    if group.share is None:
        return Interval(None)
    if len(group.sizes) < 2:
        return Interval(group.share)
    rng = np.random.default_rng(seed)
    riders, hits = _resample(group, rng, resamples)
    return _percentiles(group.share, hits / riders, confidence)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two conditions: their shares (standardised to the same periods), the difference, and the relative change."""

    without: float | None
    with_: float | None
    difference: Interval
    change: Interval
    change_by_formula: Interval


def compare_shares(
    without: Clusters, with_: Clusters, confidence: float = 0.95, seed: int = 1, resamples: int = RESAMPLES
) -> Comparison:
    """Compare the share in two conditions that were observed in the same periods (strata).

    Each period weighs as many riders as both conditions had in it, so that a busier Tuesday is no effect. The change is
    (with - without) / without. Intervals: cluster bootstrap, each condition and period redrawn on its own; beside it
    the formula (log of the ratio, sandwich variances), which must be close when there are many cycles.
    """
    common = sorted(set(_strata(without)) & set(_strata(with_)))
    if not common:
        empty = Interval(None)
        return Comparison(None, None, empty, empty, empty)
    weights = np.array([_riders_in(without, k) + _riders_in(with_, k) for k in common], dtype=float)
    weights /= weights.sum()
    rng = np.random.default_rng(seed)
    points, draws, variances = [], [], []
    for group in (without, with_):
        point, variance, draw = 0.0, 0.0, np.zeros(resamples)
        for weight, k in zip(weights, common, strict=True):
            cell = _cell(group, k)
            point += weight * float(cell.share or 0.0)
            if len(cell.sizes) > 1:
                riders, hits = _resample(cell, rng, resamples)
                draw += weight * hits / riders
                variance += weight**2 * _share_variance(cell)
            else:
                variance = math.nan
        points.append(point)
        draws.append(draw)
        variances.append(variance)
    before, after = points
    if any(math.isnan(variance) for variance in variances):
        # A period with a single cycle in it says nothing about chance.
        change = after / before - 1 if before > 0 else None
        return Comparison(before, after, Interval(after - before), Interval(change), Interval(change))
    difference = _percentiles(after - before, draws[1] - draws[0], confidence)
    if before <= 0:
        return Comparison(before, after, difference, Interval(None), Interval(None))
    whole = draws[0] > 0
    change = _percentiles(after / before - 1, draws[1][whole] / draws[0][whole] - 1, confidence)
    return Comparison(before, after, difference, change, _log_ratio(before, after, variances, confidence))


def _log_ratio(before: float, after: float, variances: list[float], confidence: float) -> Interval:
    if after <= 0:
        return Interval(after / before - 1)
    error = math.sqrt(variances[0] / before**2 + variances[1] / after**2)
    factor = math.exp(z_quantile((1 + confidence) / 2) * error)
    ratio = after / before
    return Interval(ratio - 1, ratio / factor - 1, ratio * factor - 1)


def _strata(group: Clusters) -> list[int]:
    return [int(k) for k in np.unique(group.strata)]


def _cell(group: Clusters, stratum: int) -> Clusters:
    mask = group.strata == stratum
    return Clusters(group.sizes[mask], group.hits[mask], group.strata[mask])


def _riders_in(group: Clusters, stratum: int) -> int:
    return int(group.sizes[group.strata == stratum].sum())


def _resample(group: Clusters, rng: np.random.Generator, resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """Riders and hits of each of `resamples` redrawn sets of cycles; each period keeps its number of cycles."""
    riders, hits = np.zeros(resamples), np.zeros(resamples)
    for k in _strata(group):
        places = np.flatnonzero(group.strata == k)
        batch = max(1, _BATCH_DRAWS // len(places))
        for start in range(0, resamples, batch):
            rows = slice(start, min(start + batch, resamples))
            chosen = places[rng.integers(0, len(places), size=(rows.stop - rows.start, len(places)))]
            riders[rows] += group.sizes[chosen].sum(axis=1)
            hits[rows] += group.hits[chosen].sum(axis=1)
    return riders, hits


def _percentiles(value: float, draws: np.ndarray, confidence: float) -> Interval:
    tail = (1 - confidence) / 2 * 100
    low, high = np.percentile(draws, [tail, 100 - tail])
    return Interval(value, float(low), float(high))
