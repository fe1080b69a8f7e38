# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observed flow and study plans for people: tables, with what they rest on directly underneath."""

from typing import Any

from rich.console import Console
from rich.table import Table

from leezenflow_host.flow.observed import FIGURES
from leezenflow_host.flow.planning import StudyDesign, StudyPlan, smallest_effect
from leezenflow_host.flow.trajectories import FREE_PERCENTILE, MAX_GAP_S, MOVING_MS, STOP_MS

DEFINITIONS = (
    f"A stop: slower than {STOP_MS:g} m/s; it is over above {MOVING_MS:g} m/s. Stopped delay: the time below "
    f"{STOP_MS:g} m/s. In files of passages and counts, stopped is what the observer noted.",
    "Arrived on green: neither stopped nor crossed on red.",
    "Control delay: time observed less the time for the same way at the rider's free speed (the column free_speed_ms, "
    f"--free-speed, or what the rider exceeded in {100 - FREE_PERCENTILE} % of the time in motion).",
    f"Trajectories with a gap of more than {MAX_GAP_S:g} s are left aside, and named.",
    "Felt loss: 1.1 min a stop and 2.0 min a minute of waiting.",
    "Intervals: percentile bootstrap over signal cycles within each period, never over riders. A comparison gives each "
    "period the weight of all its riders under both conditions.",
)
"""What the figures mean; part of every result."""


def print_observed(console: Console, result: dict[str, Any]) -> None:
    """Print the figures of every condition, the comparison, notes and definitions."""
    shown = [name for name in FIGURES if any(row[name]["value"] is not None for row in result["conditions"])]
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for row in result["conditions"]:
        table.add_column(row["condition"] or "all", justify="right")
    # Intervals of many conditions beside each other fit no terminal; the JSON holds them all.
    write = _value if len(result["conditions"]) <= 2 else lambda name, interval: _number(name, interval["value"])
    for name in shown:
        table.add_row(FIGURES[name][0], *(write(name, row[name]) for row in result["conditions"]))
    for key, words in (("passages", "passages"), ("cycles", "cycles"), ("periods", "periods")):
        table.add_row(words, *(str(row[key]) for row in result["conditions"]))
    for key, words in (("icc", "ICC within cycles"), ("design_effect", "design effect")):
        table.add_row(words, *("-" if row[key] is None else f"{row[key]:.2f}" for row in result["conditions"]))
    console.print(table)
    if result["comparison"] is not None:
        console.print()
        _print_comparison(console, result["comparison"], shown)
    console.print()
    for note in result["notes"]:
        console.print(f"Note: {note}", style="yellow", markup=False)
    for sentence in DEFINITIONS:
        console.print(f"- {sentence}", markup=False)


def _print_comparison(console: Console, comparison: dict[str, Any], shown: list[str]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for heading in (comparison["without"], comparison["with"], "difference", "relative change"):
        table.add_column(heading, justify="right")
    for name in shown:
        row = comparison[name]
        if row["without"] is None:
            continue
        means = (_number(name, row[key]) for key in ("without", "with"))
        table.add_row(FIGURES[name][0], *means, _value(name, row["difference"], True), _change(row["relative_change"]))
    console.print(table)
    stops = comparison["stop_share"]["relative_change"]
    if stops["low"] is not None:
        verdict = "fewer" if stops["high"] < 0 else "more" if stops["low"] > 0 else None
        words = (
            f"{abs(stops['value']):.1%} {verdict} riders had to stop"
            if verdict
            else "whether fewer or more riders had to stop, these data do not show"
        )
        console.print(f"With the display {words} (relative change {_change(stops)}).", style="bold", markup=False)


def _number(name: str, value: float | None, signed: bool = False) -> str:
    if value is None:
        return "-"
    sign = "+" if signed else ""
    return f"{value:{sign}.1%}" if name.endswith("_share") else f"{value:{sign}.2f}"


def _value(name: str, interval: dict[str, float | None], signed: bool = False) -> str:
    text = _number(name, interval["value"], signed)
    if interval["low"] is None:
        return text
    ends = (_number(name, interval[end], signed).removesuffix("%") for end in ("low", "high"))
    return f"{text} ({', '.join(ends)})"


def _change(interval: dict[str, float | None]) -> str:
    return _value("relative_share", interval, True)


def plan_result(
    design: StudyDesign, plan: StudyPlan, riders_per_day: float | None, weeks: tuple[float, ...]
) -> dict[str, Any]:
    """A study plan as json."""
    result: dict[str, Any] = {
        "baseline": design.baseline,
        "with_display": round(design.other_share, 6),
        "effect": design.effect,
        "power": design.power,
        "alpha": design.alpha,
        "riders_per_cycle": design.riders_per_cycle,
        "size_variation": round(design.variation, 6),
        "icc": design.icc,
        "design_effect": round(design.design_effect, 6),
        "riders_per_condition": plan.riders,
        "cycles_per_condition": plan.cycles,
        "riders_per_condition_if_independent": plan.independent_riders,
        "weeks": None,
        "smallest_effects": [],
    }
    if riders_per_day is not None:
        result["riders_per_day"] = riders_per_day
        result["weeks"] = round(2 * plan.riders / riders_per_day / 7, 2)
        for number in weeks:
            effect = smallest_effect(design, number * 7 * riders_per_day / 2)
            result["smallest_effects"].append({"weeks": number, "effect": None if effect is None else round(effect, 4)})
    return result


def print_plan(console: Console, plan: dict[str, Any]) -> None:
    """Print a study plan."""
    table = Table(show_header=False, box=None, pad_edge=False)
    rows = [
        ("stop share", f"{plan['baseline']:.1%} without, {plan['with_display']:.1%} with a display"),
        ("design effect", f"{plan['design_effect']:.2f} (ICC {plan['icc']:g}, {plan['riders_per_cycle']:g} a cycle)"),
        ("riders", f"{plan['riders_per_condition']} under each condition"),
        ("cycles", f"{plan['cycles_per_condition']} under each condition, in which anybody comes"),
    ]
    if plan["weeks"] is not None:
        rows.append(
            ("weeks", f"{plan['weeks']:.1f} in all, {plan['riders_per_day']:g} riders a day, half of the days each")
        )
    for name, words in rows:
        table.add_row(name, words)
    console.print(table)
    for row in plan["smallest_effects"]:
        effect = "no effect" if row["effect"] is None else f"an effect of {row['effect']:.1%}"
        weeks = "1 week" if row["weeks"] == 1 else f"{row['weeks']:g} weeks"
        words = "would be seen" if row["effect"] is None else "or more would be seen"
        console.print(f"In {weeks}, {effect} {words}.")
    console.print(
        f"\nPower {plan['power']:.0%}, two-sided level {plan['alpha']:g}; two shares (Fleiss, Levin & Paik 2003, 4.2) "
        "times 1 + ((1 + cv²)·m - 1)·ICC (Kish 1965; Eldridge, Ashby & Kerry 2006). Days differ as well (weather, "
        "school): alternate the conditions from day to day, and plan for some days more.",
        markup=False,
    )
