# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation for notebooks: the same figures as the command line, as data frames.

results = evaluate("dataset", distance_m=110, speed_kmh=18, against="plain")
results.frame("forecast_by_horizon")
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import pandas as pd

from leezenflow_host.dataset.reading import Dataset
from leezenflow_host.errors import LeezenflowError
from leezenflow_host.evaluation.group_evaluation import evaluate_group
from leezenflow_host.evaluation.oddities import find_repeated_time
from leezenflow_host.evaluation.planning import (
    Question,
    ask_of_sites,
    check_timezone,
    is_dataset_path,
    plan_dataset,
    plan_recording,
)
from leezenflow_host.evaluation.results import TABLES, Result, frame, load_results, save_results
from leezenflow_host.evaluation.running import run_jobs
from leezenflow_host.site_options import SiteOptions

AnyPath = str | PathLike[str]


@dataclass(frozen=True)
class Results:
    """What an evaluation found: `results` as documented, one dict a signal group; `failed` says what could not be."""

    results: list[Result]
    failed: list[str]

    def frame(self, table: str = "results") -> pd.DataFrame:
        """One of the tables (`tables`) as a data frame; ValueError for another name."""
        return frame(self.results, table)

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all tables."""
        return TABLES

    def save(self, folder: AnyPath) -> None:
        """Write every table as Parquet and CSV."""
        save_results(Path(folder), self.results)


def evaluate(
    *paths: AnyPath,
    site: AnyPath | Sequence[AnyPath] | None = None,
    intersection: str | None = None,
    signal_group: int | None = None,
    distance_m: float | None = None,
    speed_kmh: float | None = None,
    sprint_kmh: float | None = None,
    max_wrong_percent: float | None = None,
    adapter: str | None = None,
    against: str | None = None,
    truth: AnyPath | None = None,
    timezone: str = "UTC",
    jobs: int = 1,
    folder: AnyPath | None = None,
    spark_master: str | None = None,
) -> Results:
    """Evaluate recordings (one life, one after the other) or one dataset; the options are those of the command.

    `site` is one file, or several that are judged each on its own.
    Raises `InputError` for wrong options or data, as the command would say it. Of a dataset, groups that cannot be
    evaluated are in `failed`.
    """
    files = [site] if site is None or isinstance(site, str | PathLike) else list(site)
    sites = [
        SiteOptions(
            Path(file) if file is not None else None,
            intersection,
            signal_group,
            distance_m,
            speed_kmh,
            sprint_kmh,
            adapter,
            max_wrong_percent,
        )
        for file in files or [None]
    ]
    question = Question(sites[0], against, Path(truth) if truth is not None else None, check_timezone(timezone))
    questions = ask_of_sites(question, sites)
    if len(paths) == 1 and is_dataset_path(Path(paths[0])):
        planned = [job for asked in questions for job in plan_dataset(Path(paths[0]), asked)]
        outcomes = run_jobs(planned, jobs, None if folder is None else Path(folder), master=spark_master)
        results = [outcome for outcome in outcomes if not isinstance(outcome, LeezenflowError)]
        return Results(results, [str(outcome) for outcome in outcomes if isinstance(outcome, LeezenflowError)])
    results = []
    for asked in questions:
        memory = None
        judged: list[Result] = []
        for path in paths:
            result = evaluate_group(plan_recording(Path(path), dataclasses.replace(asked, memory=memory)))
            memory = result.pop("memory")
            result["problems"].extend(find_repeated_time(judged, result))
            judged.append(result)
        results.extend(judged)
    return Results(results, [])


def load(path: AnyPath) -> Results:
    """Results that were saved: a folder of `--out`, or a file of `--json`."""
    return Results(load_results(Path(path)), [])


def groups(dataset: AnyPath) -> pd.DataFrame:
    """The signal groups of a dataset that ever showed a colour: `intersection`, `signal_group`."""
    return pd.DataFrame(Dataset(Path(dataset)).groups(), columns=["intersection", "signal_group"])


def problems(dataset: AnyPath) -> pd.DataFrame:
    """What was wrong with the recordings of a dataset."""
    return pd.DataFrame(Dataset(Path(dataset)).problems())
