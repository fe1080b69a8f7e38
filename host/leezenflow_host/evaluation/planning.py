# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a person asked for to the jobs that answer it."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leezenflow.board import Site
from leezenflow_host.dataset.ledger import is_dataset
from leezenflow_host.dataset.reading import Dataset
from leezenflow_host.errors import InputError
from leezenflow_host.evaluation.advice_logs import is_advice_log
from leezenflow_host.evaluation.group_evaluation import ADVICE, PLAIN, SITE, Against, GroupJob
from leezenflow_host.evaluation.oddities import say_when
from leezenflow_host.evaluation.truth import Truth, load_truth
from leezenflow_host.replay import recording_header
from leezenflow_host.site_config import DEFAULT_CRUISE_KMH, DEFAULT_DISTANCE_M, parse_intersection
from leezenflow_host.site_options import SiteOptions, UnknownSignalError, site_from_options


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked of some data: the setting, what to compare it with, a given truth, the time zone of the hours."""

    options: SiteOptions
    against: str | None = None
    truth_file: Path | None = None
    timezone: str = "UTC"
    memory: bytes | None = None
    display: bool = True
    name: str | None = None
    """Of the setting, where its site file's alone would not do."""

    def setting(self) -> str:
        """The setting in words."""
        if self.name is not None:
            return self.name
        if self.options.site is not None:
            return self.options.site.stem
        distance = DEFAULT_DISTANCE_M if self.options.distance is None else self.options.distance
        speed = DEFAULT_CRUISE_KMH if self.options.speed is None else self.options.speed
        words = f"{distance:g} m at {speed:g} km/h"
        if self.options.sprint is not None:
            words += f", sprint {self.options.sprint:g} km/h"
        return words if self.options.max_wrong is None else f"{words}, at most {self.options.max_wrong:g} % wrong"


def ask_of_sites(question: Question, sites: Sequence[SiteOptions]) -> list[Question]:
    """The same question about each of several sites; `InputError` where they cannot be told apart.

    What was learned is of one signal, so several sites begin with nothing.
    """
    if len(sites) == 1:
        return [dataclasses.replace(question, options=sites[0])]
    if any(options.memory is not None for options in sites):
        raise InputError("--memory is of one signal; give one --site with it, or leave it out.")
    files = [options.site for options in sites if options.site is not None]
    twice = [str(file) for file, count in Counter(files).items() if count > 1]
    if twice:
        raise InputError(f"--site {twice[0]} is given twice; give it once.")
    stems = Counter(file.stem for file in files)
    names = [file.stem if stems[file.stem] == 1 else str(file.with_suffix("")) for file in files]
    return [
        dataclasses.replace(question, options=options, name=name) for options, name in zip(sites, names, strict=True)
    ]


def check_timezone(name: str) -> str:
    """The name of a time zone, as it is; `InputError` where nobody knows it."""
    try:
        if name != "UTC":
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"--timezone {name}: no such time zone. Write one such as Europe/Berlin.") from error
    return name


def plan_recording(path: Path, question: Question) -> GroupJob:
    """The job of one recording; `InputError` where the signal is not known."""
    header = recording_header(path)
    site = site_from_options(question.options, header)
    return _job(path, site, question, header, ())


def plan_dataset(path: Path, question: Question) -> list[GroupJob]:
    """A job for each signal group that is asked for, or for each that ever showed a colour.

    `InputError` for a group the dataset does not hold.
    """
    if question.truth_file is not None:
        raise InputError("--truth belongs to one recording, not to a dataset; leave it out.")
    if question.against is not None and not question.display:
        raise InputError("--against compares displays; leave --forecast-only out.")
    dataset = Dataset(path)
    adapters = {
        part.intersection: entry.adapter for entry in dataset.entries if entry.failed is None for part in entry.parts
    }
    places = _wanted_groups(dataset, question.options)
    jobs = []
    for intersection, group in places:
        header = {"intersection": intersection, "signal_group": group, "adapter": adapters.get(intersection)}
        # The site file's own signal was matched already.
        options = dataclasses.replace(question.options, intersection=intersection, signal_group=group)
        site = site_from_options(options, header)
        problems = _problem_rows(dataset.problems(intersection, group))
        source = dataset.source(intersection, group)
        jobs.append(dataclasses.replace(_job(path, site, question, header, problems), source=source))
    return jobs


def _wanted_groups(dataset: Dataset, options: SiteOptions) -> list[tuple[str, int]]:
    try:
        site = site_from_options(options, {})
    except UnknownSignalError:
        places = dataset.groups()
        if options.intersection is not None:
            name = dataset.match(*parse_intersection(options.intersection))
            places = [place for place in places if place[0] == name]
        if options.signal_group is not None:
            places = [place for place in places if place[1] == options.signal_group]
        if not places:
            raise InputError(f"{dataset.path}: holds no signal group that ever showed a colour.") from None
        return places
    try:
        return [(dataset.match(site.region, site.intersection_id), site.signal_group)]
    except InputError as error:
        if options.site is None:
            raise
        raise InputError(f"{options.site}: {error}") from error


def _problem_rows(problems: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """One row a kind: how many, and the first of them in words."""
    counts: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for problem in problems:
        counts[problem["kind"]] += problem["count"]
        line = "" if problem["line"] is None else f", line {problem['line']}"
        when = say_when(problem["from_ms"])
        texts.setdefault(problem["kind"], f"{problem['source']}{line}{when}: {problem['text']}")
    return tuple({"kind": kind, "count": counts[kind], "text": texts[kind]} for kind in sorted(counts))


def _job(
    path: Path, site: Site, question: Question, header: dict[str, Any], problems: tuple[dict[str, Any], ...]
) -> GroupJob:
    truth: Truth | None = None
    if question.truth_file is not None:
        truth = load_truth(question.truth_file, site.signal_group)
    region = "" if site.region is None else f"{site.region}:"
    return GroupJob(
        path,
        str(header.get("intersection") or f"{region}{site.intersection_id}"),
        site.signal_group,
        question.setting(),
        site,
        _against(question, site, header),
        truth,
        question.memory,
        question.timezone,
        display=question.display,
        problems=problems,
    )


def _against(question: Question, site: Site, header: dict[str, Any]) -> Against | None:
    asked = question.against
    if asked is None:
        return None
    if asked == PLAIN:
        return Against(PLAIN, "plain arithmetic")
    path = Path(asked)
    if not path.is_file():
        raise InputError(f"--against {asked}: no such file. Name a site file, an advice log, or plain.")
    if is_advice_log(path):
        return Against(ADVICE, path.name, path=str(path))
    if path.suffix != ".toml":
        raise InputError(f"--against {asked}: give a site file (.toml), an advice log (.jsonl, .jsonl.gz), or plain.")
    other = site_from_options(SiteOptions(site=path), header)
    # The same signal, whatever the file says: only rider, limit and clearance are compared.
    for name in ("signal_group", "intersection_id", "region", "adapter", "adapter_options"):
        setattr(other, name, getattr(site, name))
    return Against(SITE, path.stem, other)


def is_dataset_path(path: Path) -> bool:
    """Whether to evaluate a dataset rather than a recording; `InputError` for a folder that is none."""
    if path.is_dir() and not is_dataset(path):
        raise InputError(f"{path}: a folder, but no dataset. Make one with `leezenflow ingest {path} --out DATASET`.")
    return path.is_dir()
