# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A study at the roadside: what riders did with and without a display, and how sure that is."""

from collections.abc import Callable, Sequence
from typing import Any

from leezenflow_host.errors import InputError
from leezenflow_host.evaluation.truth import RED
from leezenflow_host.flow.felt import felt_minutes
from leezenflow_host.flow.observations import Observation
from leezenflow_host.flow.statistics import (
    Clusters,
    Comparison,
    compare_shares,
    design_effect,
    intraclass_correlation,
    share_interval,
)
from leezenflow_host.problems import did_you_mean

_Value = Callable[[Observation], float | None]


def _felt(one: Observation) -> float | None:
    return None if one.stops is None or one.stopped_s is None else felt_minutes(one.stops, one.stopped_s)


def _crossed_red(one: Observation, early: bool) -> float | None:
    if one.signal is None or (one.signal == RED and one.red_age_s is None):
        return None
    return float(one.signal == RED and (one.red_age_s is not None and (one.red_age_s < 1) == early))


FIGURES: dict[str, tuple[str, _Value]] = {
    "stop_share": ("had to stop", lambda one: float(one.stopped)),
    "on_green_share": ("arrived on green", lambda one: float(not one.met_red)),
    "stops_per_passage": ("stops a rider", lambda one: one.stops),
    "stopped_s": ("stopped delay, s", lambda one: one.stopped_s),
    "delay_s": ("control delay, s", lambda one: one.delay_s),
    "felt_minutes": ("felt loss, min", _felt),
    "red_violation_share": (
        "crossed, of red met",
        lambda one: None if one.signal is None or not one.met_red else float(one.signal == RED),
    ),
    "red_under_1_s_share": ("crossed red < 1 s", lambda one: _crossed_red(one, True)),
    "red_from_1_s_share": ("crossed red ≥ 1 s", lambda one: _crossed_red(one, False)),
    "mean_speed_ms": ("mean speed, m/s", lambda one: one.mean_speed_ms),
    "speed_deviation": ("speed variation, m/s", lambda one: one.speed_deviation),
    "acceleration_noise": ("accel. noise, m/s²", lambda one: one.acceleration_noise),
}
"""Figure -> (a few words, its value for one passage; None: not observed there)."""


def list_conditions(observations: Sequence[Observation]) -> list[str]:
    """The labels of the column `condition`, in the order of the files."""
    return list(dict.fromkeys(one.condition for one in observations))


def analyse(
    observations: Sequence[Observation], without: str | None, with_: str | None, confidence: float = 0.95, seed: int = 1
) -> dict[str, Any]:
    """Return the figures of every condition, and of two of them compared (docs/reference/flow-data.md).

    InputError when a label is not there.
    """
    labels = list_conditions(observations)
    for label in (without, with_):
        if label is not None and label not in labels:
            raise InputError(
                f"no passage has the condition {label!r}{did_you_mean(label, labels)}; there are: "
                f"{', '.join(map(repr, labels))}"
            )
    periods = {name: number for number, name in enumerate(dict.fromkeys(one.period for one in observations))}
    result: dict[str, Any] = {"conditions": [], "comparison": None, "notes": []}
    unclustered = sum(one.cycle is None for one in observations)
    if unclustered:
        result["notes"].append(
            f"{unclustered} of {len(observations)} passages have no cycle: each of them counts as its own, so the "
            "intervals are too narrow. Give a column cycle, or --truth, or --cycle-length"
        )
    for label in labels:
        own = [one for one in observations if one.condition == label]
        result["conditions"].append(_figures(label, own, periods, confidence, seed))
    if without is not None and with_ is not None:
        first = [one for one in observations if one.condition == without]
        second = [one for one in observations if one.condition == with_]
        lonely = {one.period for one in first} ^ {one.period for one in second}
        result["notes"] += [
            f"period {name or '(none)'} was observed under one condition only, and is left out of the comparison"
            for name in periods
            if name in lonely
        ]
        result["comparison"] = _compare(without, with_, first, second, periods, confidence, seed)
    return result


def _clusters(observations: Sequence[Observation], value: _Value, periods: dict[str, int]) -> Clusters:
    rows: list[tuple[int, object, float]] = []
    for number, one in enumerate(observations):
        found = value(one)
        if found is not None:
            rows.append((periods[one.period], number if one.cycle is None else (one.cycle,), found))
    return Clusters.count(rows)


def _figures(
    label: str, own: list[Observation], periods: dict[str, int], confidence: float, seed: int
) -> dict[str, Any]:
    stops = _clusters(own, FIGURES["stop_share"][1], periods)
    icc, effect = intraclass_correlation([stops]), design_effect(stops)
    row: dict[str, Any] = {
        "condition": label,
        "passages": stops.riders,
        "cycles": len(stops.sizes),
        "periods": len({one.period for one in own}),
        "icc": None if icc is None else round(icc, 4),
        "design_effect": None if effect is None else round(effect, 4),
    }
    for name, (_, value) in FIGURES.items():
        clusters = _clusters(own, value, periods)
        row[name] = {"passages": clusters.riders, **share_interval(clusters, confidence, seed).as_dict()}
    speeds = [one.mean_speed_ms for one in own if one.mean_speed_ms is not None]
    row["speed_deviation_between_riders"] = _deviation(speeds)
    return row


def _deviation(values: list[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    return round((sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5, 6)


def _compare(
    without: str,
    with_: str,
    first: list[Observation],
    second: list[Observation],
    periods: dict[str, int],
    confidence: float,
    seed: int,
) -> dict[str, Any]:
    stops = [_clusters(group, FIGURES["stop_share"][1], periods) for group in (first, second)]
    icc = intraclass_correlation(stops)
    row: dict[str, Any] = {"without": without, "with": with_, "icc": None if icc is None else round(icc, 4)}
    for name, (_, value) in FIGURES.items():
        pair = [_clusters(group, value, periods) for group in (first, second)]
        row[name] = _comparison(compare_shares(pair[0], pair[1], confidence, seed))
    return row


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "without": None if found.without is None else round(found.without, 6),
        "with": None if found.with_ is None else round(found.with_, 6),
        "difference": found.difference.as_dict(),
        "relative_change": found.change.as_dict(),
        "relative_change_by_formula": found.change_by_formula.as_dict(),
    }
