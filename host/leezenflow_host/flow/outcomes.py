# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of a simulated study: each day a number, each condition a mean over days, each effect a paired interval."""

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from leezenflow_host.evaluation.truth import RED
from leezenflow_host.flow.felt import felt_minutes
from leezenflow_host.flow.statistics import mean_interval, ratio_change_interval
from leezenflow_host.flow.study import WITHOUT, StudyRun

FIGURES = {
    "stop_share": "had to stop",
    "stops_per_passage": "stops a rider",
    "stopped_s": "stopped delay, s",
    "delay_s": "control delay, s",
    "on_green_share": "green without a stop",
    "red_under_1_s_share": "crossed red < 1 s",
    "red_from_1_s_share": "crossed red ≥ 1 s",
    "red_violation_share": "crossed, of red met",
    "energy_kj": "energy, kJ",
    "felt_minutes": "felt loss, min",
}
"""Figure -> a few words; shares are fractions, the others means over riders (docs/flow.md has the definitions)."""


def red_age_s(run: StudyRun, crossed_s: float) -> float | None:
    """How long the lamp had been red when a rider crossed; None when it was not."""
    truth = run.truth
    at_ms = truth.from_ms + round(crossed_s * 1000)
    index = truth.index_at(at_ms)
    if index < 0 or truth.colours[index] != RED:
        return None
    return (at_ms - truth.starts[index]) / 1000


def colour_at_crossing(run: StudyRun, crossed_s: float) -> str:
    """What the lamp showed when a rider crossed."""
    return run.truth.colour_at(run.truth.from_ms + round(crossed_s * 1000))


def day_figures(run: StudyRun) -> dict[str, Any]:
    """One day under one condition; the figures are None when nobody got through."""
    passages = run.passages
    count = len(passages)
    base = {"seed": run.seed, "condition": run.condition, "riders": run.entered, "got_through": count}
    if not count:
        return base | dict.fromkeys(FIGURES)
    ages = [red_age_s(run, one["crossed_s"]) for one in passages]
    early = sum(age is not None and age < 1 for age in ages)
    late = sum(age is not None and age >= 1 for age in ages)
    stopped = sum(one["stops"] > 0 for one in passages)
    met_red = sum(one["stops"] > 0 or age is not None for one, age in zip(passages, ages, strict=True))
    on_green = sum(one["stops"] == 0 and colour_at_crossing(run, one["crossed_s"]) == "green" for one in passages)
    stops = sum(one["stops"] for one in passages) / count
    stopped_s = sum(one["stopped_s"] for one in passages) / count
    return base | {
        "stop_share": stopped / count,
        "stops_per_passage": stops,
        "stopped_s": stopped_s,
        "delay_s": sum(one["delay_s"] for one in passages) / count,
        "on_green_share": on_green / count,
        "red_under_1_s_share": early / count,
        "red_from_1_s_share": late / count,
        "red_violation_share": (early + late) / met_red if met_red else None,
        "energy_kj": sum(one["energy_j"] for one in passages) / count / 1000,
        "felt_minutes": felt_minutes(stops, stopped_s),
    }


def summarise(runs: Sequence[StudyRun]) -> dict[str, Any]:
    """All days, the mean of every condition, and every condition against `without`, paired by day.

    `conditions` and `effects` are lists of dicts; figures hold {value, low, high} (95 %, t over days).
    """
    days = [day_figures(run) for run in runs]
    names = list(dict.fromkeys(day["condition"] for day in days))
    conditions, effects = [], []
    for name in names:
        own = [day for day in days if day["condition"] == name]
        row: dict[str, Any] = {"condition": name, "days": len(own)}
        row["riders"] = sum(day["riders"] for day in own)
        row["got_through"] = sum(day["got_through"] for day in own)
        for figure in FIGURES:
            row[figure] = mean_interval([day[figure] for day in own if day[figure] is not None]).as_dict()
        conditions.append(row)
        if name != WITHOUT and WITHOUT in names:
            effects.append(_effect(name, days))
    return {"conditions": conditions, "effects": effects, "days": days}


def _effect(name: str, days: list[dict[str, Any]]) -> dict[str, Any]:
    without = {day["seed"]: day for day in days if day["condition"] == WITHOUT}
    pairs = [(day, without[day["seed"]]) for day in days if day["condition"] == name]
    row: dict[str, Any] = {"condition": name, "against": WITHOUT, "days": len(pairs)}
    for figure in FIGURES:
        both = [(own[figure], other[figure]) for own, other in pairs if None not in (own[figure], other[figure])]
        row[figure] = {
            "difference": mean_interval([own - other for own, other in both]).as_dict(),
            "relative_change": ratio_change_interval([own for own, _ in both], [other for _, other in both]).as_dict(),
        }
    return row


def passage_rows(runs: Sequence[StudyRun]) -> Iterator[dict[str, Any]]:
    """One row a passage, in the form of docs/reference/flow-data.md, so that `flow observe` reads it again.

    The cycle is the number of greens so far, the period the day.
    """
    for run in runs:
        greens_ms = [at for at, colour in zip(run.truth.starts, run.truth.colours, strict=True) if colour == "green"]
        for one in run.passages:
            at_ms = run.truth.from_ms + round(one["crossed_s"] * 1000)
            age_s = red_age_s(run, one["crossed_s"])
            yield {
                "rider": f"{run.seed}-{one['rider']}",
                "time": datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC).isoformat(timespec="milliseconds"),
                "stopped": "yes" if one["stops"] else "no",
                "condition": run.condition,
                "period": run.seed,
                "cycle": f"{run.seed}-{sum(green <= at_ms for green in greens_ms)}",
                "stops": one["stops"],
                "stopped_s": one["stopped_s"],
                "delay_s": one["delay_s"],
                "signal": colour_at_crossing(run, one["crossed_s"]),
                "red_age_s": "" if age_s is None else f"{age_s:.3f}",
                "advice": one["advice"] or "",
            }
