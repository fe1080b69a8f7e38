# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cyclist flow for notebooks: the same figures as the command line, as data frames.

study = simulate_flow("actuated", seeds=range(1, 6), compliance=0.5)
study.effects()
"""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from leezenflow.board import Site
from leezenflow_host.flow.observations import add_cycles, read_observations
from leezenflow_host.flow.observed import FIGURES as OBSERVED_FIGURES
from leezenflow_host.flow.observed import analyse
from leezenflow_host.flow.outcomes import FIGURES, passage_rows
from leezenflow_host.flow.planning import StudyDesign, plan_study, smallest_effect
from leezenflow_host.flow.riders import RiderModel
from leezenflow_host.flow.study import CONDITIONS, GENERATED_HEADER, StudyRun, StudySetup, run_study
from leezenflow_host.flow.study_report import study_result
from leezenflow_host.flow.sumo_files import Path2D
from leezenflow_host.replay import recording_header
from leezenflow_host.site_options import SiteOptions, site_from_options

AnyPath = str | PathLike[str]


@dataclass(frozen=True)
class SimulatedFlow:
    """A simulated study: `result` as docs/reference/flow-data.md has it, `runs` with every passage."""

    result: dict[str, Any]
    runs: Sequence[StudyRun]

    @property
    def assumptions(self) -> list[str]:
        """What the figures rest on; show them wherever you show a figure."""
        return [*self.result["assumptions"], self.result["statement"]]

    def conditions(self) -> pd.DataFrame:
        """One row a display and figure: `condition`, `figure`, `value`, `low`, `high`."""
        rows = [
            {"condition": row["condition"], "figure": name, **row[name]}
            for row in self.result["conditions"]
            for name in FIGURES
        ]
        return pd.DataFrame(rows)

    def effects(self) -> pd.DataFrame:
        """One row a display and figure: the relative change against no display, `value`, `low`, `high`."""
        rows = [
            {"condition": row["condition"], "figure": name, **row[name]["relative_change"]}
            for row in self.result["effects"]
            for name in FIGURES
        ]
        return pd.DataFrame(rows, columns=["condition", "figure", "value", "low", "high"])

    def days(self) -> pd.DataFrame:
        """Every day under every condition."""
        return pd.DataFrame(self.result["days"])

    def passages(self) -> pd.DataFrame:
        """Every rider's passage, in the columns that `flow observe` reads."""
        return pd.DataFrame(passage_rows(self.runs))


def simulate_flow(
    signal: str = "fixed",
    *,
    trace: AnyPath | None = None,
    truth: AnyPath | None = None,
    seeds: Iterable[int] = range(1, 11),
    conditions: Sequence[str] = CONDITIONS,
    intersection: str | None = None,
    signal_group: int | None = None,
    distance_m: float = 110.0,
    speed_kmh: float = 18.0,
    sprint_kmh: float | None = None,
    width_m: float = 2.0,
    duration_s: int = 1800,
    jobs: int | None = None,
    **riders: float,
) -> SimulatedFlow:
    """Simulate riders before a generated signal ("fixed", "actuated", "bus"), or before a recorded one (`trace`).

    `riders` are fields of `RiderModel` (compliance, flow_per_hour, coast_m, …). Raises what the command would say.
    """
    options = SiteOptions(
        intersection=intersection,
        signal_group=signal_group,
        distance=float(distance_m),
        speed=float(speed_kmh),
        sprint=None if sprint_kmh is None else float(sprint_kmh),
    )
    path = None if trace is None else Path(trace)
    site: Site = site_from_options(options, GENERATED_HEADER if path is None else recording_header(path))
    setup = StudySetup(
        site=site,
        path=Path2D(distance_m=distance_m, width_m=width_m),
        model=dataclasses.replace(RiderModel(speed_ms=speed_kmh / 3.6), **riders),
        seeds=tuple(seeds),
        conditions=tuple(conditions),
        signal=signal if path is None else None,
        duration_s=duration_s,
        trace=path,
        truth_file=None if truth is None else Path(truth),
    )
    runs = run_study(setup, jobs)
    return SimulatedFlow(study_result(setup, runs), runs)


@dataclass(frozen=True)
class ObservedFlow:
    """An observed study: `result` as docs/reference/flow-data.md has it."""

    result: dict[str, Any]

    def conditions(self) -> pd.DataFrame:
        """One row a condition and figure: `condition`, `figure`, `passages`, `value`, `low`, `high`."""
        rows = [
            {"condition": row["condition"], "figure": name, **row[name]}
            for row in self.result["conditions"]
            for name in OBSERVED_FIGURES
        ]
        return pd.DataFrame(rows)

    def comparison(self) -> pd.DataFrame:
        """One row a figure: the means, and the relative change with its interval; empty without two conditions."""
        found = self.result["comparison"] or {}
        rows = [
            {
                "figure": name,
                "without": found[name]["without"],
                "with": found[name]["with"],
                **found[name]["relative_change"],
            }
            for name in OBSERVED_FIGURES
            if name in found
        ]
        return pd.DataFrame(rows, columns=["figure", "without", "with", "value", "low", "high"])


def observe_flow(
    *paths: AnyPath,
    without: str | None = None,
    with_: str | None = None,
    cycle_length_s: float | None = None,
    free_speed_kmh: float | None = None,
    confidence: float = 0.95,
) -> ObservedFlow:
    """Analyse observations from CSV files; two conditions are compared when both labels are given."""
    observations, notes = read_observations(
        [Path(path) for path in paths], None if free_speed_kmh is None else free_speed_kmh / 3.6
    )
    if cycle_length_s is not None:
        observations = add_cycles(observations, cycle_length_s)
    result = analyse(observations, without, with_, confidence)
    result["notes"] = notes + result["notes"]
    return ObservedFlow(result)


def plan_flow_study(
    baseline: float,
    riders_per_cycle: float,
    icc: float,
    riders_per_day: float,
    weeks: Iterable[float] = (1, 2, 4, 8, 12),
    power: float = 0.8,
    effect: float = 0.066,
) -> pd.DataFrame:
    """One row a number of weeks: the smallest relative reduction of stops that would be seen with that power.

    The last row is what the effect asked for needs.
    """
    design = StudyDesign(baseline, effect, riders_per_cycle, icc, power)
    rows = [(number, smallest_effect(design, number * 7 * riders_per_day / 2)) for number in weeks]
    rows.append((2 * plan_study(design).riders / riders_per_day / 7, effect))
    return pd.DataFrame(rows, columns=["weeks", "effect"])
