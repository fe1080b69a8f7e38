# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow evaluate`: how right the display was, and how far it can be trusted."""

import dataclasses
import itertools
import json
import os
from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from leezenflow_host.atomic_file import open_atomic
from leezenflow_host.errors import InputError, LeezenflowError
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
from leezenflow_host.evaluation.report import (
    observe_truth,
    print_comparison,
    print_figures,
    print_overview,
    read_recording,
)
from leezenflow_host.evaluation.results import Result, save_results
from leezenflow_host.evaluation.running import run_jobs
from leezenflow_host.evaluation.sweep import sweep_limits
from leezenflow_host.evaluation.truth import load_truth
from leezenflow_host.memory_file import read_memory, write_memory
from leezenflow_host.replay import recording_header
from leezenflow_host.site_options import SiteOptions, site_from_options, site_options

_FILE = click.Path(path_type=Path, dir_okay=False)
# A file or pipe gets the lines of tables whole.
_FILE_WIDTH = 160


@click.command()
@click.argument(
    "traces", metavar="TRACE...|DATASET", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True)
)
@click.option("--truth", "truth_file", type=_FILE, help="What the lamp really did [default: what TRACE shows later].")
@click.option(
    "--against", metavar="SITE.toml|ADVICE.jsonl|plain", help="Compare, cycle by cycle, with another display."
)
@click.option(
    "--json", "json_file", type=_FILE, metavar="FILE", help='Write the figures as JSON ("-": standard output).'
)
@click.option("--report", "report_file", type=_FILE, metavar="FILE.html", help="Write a report for people.")
@click.option("--language", type=click.Choice(["en", "de"]), default="en", show_default=True, help="Of the report.")
@click.option(
    "--out", "folder", metavar="RESULTS", type=click.Path(path_type=Path, file_okay=False), help="Keep all tables here."
)
@click.option("--timezone", default="UTC", show_default=True, metavar="NAME", help="Of hours and weekdays.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1, show_default="all cores", help="Processes."
)
@click.option("--spark", is_flag=True, help="Evaluate the groups of a dataset with Spark (extra `spark`, Java 17).")
@click.option("--master", metavar="URL", help="The Spark cluster [default: local[*]].")
@click.option("--forecast-only", is_flag=True, help="Of a dataset: only the controller's forecast; far quicker.")
@click.option("--sweep", is_flag=True, help="Print the trade-off: wrong colour against share answered, limit by limit.")
@click.option("--dry-run", is_flag=True, help="Check the call and say what would be judged and written; do neither.")
@site_options(several=True)
def command(
    traces: tuple[Path, ...],
    truth_file: Path | None,
    against: str | None,
    json_file: Path | None,
    report_file: Path | None,
    language: str,
    folder: Path | None,
    timezone: str,
    jobs: int,
    spark: bool,
    master: str | None,
    forecast_only: bool,
    sweep: bool,
    dry_run: bool,
    site_options: tuple[SiteOptions, ...],
) -> int:
    """Judge what a display would have shown against what its riders met, and the controller's forecast.

    Several recordings are judged one after the other, as one display would have lived through them: what was learned
    from one is known in the next. With --memory FILE, what was learned is read from there and written back at the end.
    Of a DATASET (see `leezenflow ingest`) every signal group is judged, or the one that is named. With several --site,
    each is judged on its own.
    """
    if truth_file is not None and len(traces) > 1:
        raise InputError("--truth belongs to one recording; give one TRACE, or leave --truth out.")
    if master is not None and not spark:
        raise InputError("--master is for --spark; give both, or neither.")
    console = Console(stderr=str(json_file) == "-", highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    memory_file = site_options[0].memory
    question = Question(
        site_options[0], against, truth_file, check_timezone(timezone), read_memory(memory_file), not forecast_only
    )
    questions = ask_of_sites(question, site_options)
    datasets = [is_dataset_path(path) for path in traces]
    of_dataset = any(datasets)
    if of_dataset and (len(traces) > 1 or sweep):
        raise InputError("A dataset is judged alone, and without --sweep; name nothing beside it.")
    if not of_dataset and (forecast_only or spark):
        option = "--forecast-only" if forecast_only else "--spark"
        raise InputError(f"{option} is for a dataset; make one with `leezenflow ingest`.")
    if sweep and len(questions) > 1:
        raise InputError("--sweep judges one site; give one --site.")
    if dry_run:
        memory_file = None if of_dataset or sweep else memory_file
        kept = (json_file, memory_file) if sweep else (json_file, report_file, folder, memory_file)
        _say_what_would_be(traces, questions, of_dataset, [file for file in kept if file is not None])
        return 0
    _check_places([file for file in (json_file, report_file) if file is not None], folder)
    if of_dataset:
        master = (master or "local[*]") if spark else None
        results, failed = _judge_dataset(errors, next(iter(traces)), questions, jobs, folder, master)
    elif sweep:
        _write_json(json_file, [_sweep(console, errors, trace, question) for trace in traces])
        return 0
    else:
        results = [result for asked in questions for result in _judge_recordings(errors, traces, asked)]
        failed = 0
    _show(console, results)
    if folder is not None:
        save_results(folder, results)
    _write_json(json_file, results)
    if report_file is not None:
        from leezenflow_host.reporting import write_report

        write_report(results, report_file, language)
    return 1 if failed else 0


def _check_places(files: list[Path], folder: Path | None) -> None:
    """Whether there is room for the results, before hours are spent on them; `InputError` naming the place."""
    for file in files:
        if str(file) != "-" and not file.parent.is_dir():
            raise InputError(f"{file}: there is no folder {file.parent}. Make it, or name another place.")
    if folder is not None:
        found = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        if not found.is_dir():
            raise InputError(f"--out {folder}: {found} is a file, not a folder. Name another place.")


def _say_what_would_be(
    traces: tuple[Path, ...], questions: list[Question], of_dataset: bool, files: list[Path]
) -> None:
    """Plan everything, so that wrong input shows, and say what would be judged and where it would be written."""
    for question, trace in itertools.product(questions, traces):
        jobs = plan_dataset(trace, question) if of_dataset else [plan_recording(trace, question)]
        for job in jobs:
            site = f" for {job.setting}" if len(questions) > 1 else ""
            click.echo(f"Would judge signal group {job.signal_group} of {job.intersection} in {trace}{site}.")
    names = ["the standard output" if str(file) == "-" else str(file) for file in files]
    click.echo(f"Would write to {', '.join(names)}." if names else "Would write no file.")


def _judge_recordings(errors: Console, traces: tuple[Path, ...], question: Question) -> list[Result]:
    """Judge recordings as one display would have lived through them."""
    results = []
    for trace in traces:
        result = evaluate_group(plan_recording(trace, question))
        result["problems"].extend(find_repeated_time(results, result))
        for problem in result["problems"]:
            errors.print(problem["text"], style="yellow", markup=False)
        question = dataclasses.replace(question, memory=result.pop("memory"))
        if not result["judged_frames"]:
            raise InputError(
                f"{trace}: no frame can be judged; the recording is too short, or the truth is of another time"
            )
        results.append(result)
    write_memory(question.options.memory, question.memory)
    return results


def _judge_dataset(
    errors: Console, path: Path, questions: list[Question], processes: int, folder: Path | None, master: str | None
) -> tuple[list[Result], int]:
    """The results of every group that can be judged, and how many cannot."""
    planned = [job for question in questions for job in plan_dataset(path, question)]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("evaluating", total=len(planned))
        outcomes = run_jobs(planned, processes, folder, lambda job: progress.advance(task), master)
    results = [outcome for outcome in outcomes if not isinstance(outcome, LeezenflowError)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, LeezenflowError)]
    if not results:
        raise failures[0]
    for failure in failures:
        errors.print(str(failure), style="yellow", markup=False)
    return results, len(failures)


def _show(console: Console, results: list[Result]) -> None:
    one_trace, one_setting = (len({result[name] for result in results}) == 1 for name in ("trace", "setting"))
    if len(results) > 1 and (one_trace or not one_setting):
        print_overview(console, results)
        return
    for result in results:
        console.print(f"[bold]{result['trace']}[/bold]")
        print_figures(console, result)
        if result["comparison"]:
            print_comparison(console, result["comparison"])


def _sweep(console: Console, errors: Console, trace: Path, question: Question) -> dict[str, Any]:
    recording = read_recording(trace)
    for problem in recording.problems:
        errors.print(problem, style="yellow", markup=False)
    site = site_from_options(question.options, recording_header(trace))
    truth = (
        load_truth(question.truth_file, site.signal_group) if question.truth_file else observe_truth(recording, site)
    )
    return sweep_limits(console, recording, site, truth, question.memory)


def _write_json(file: Path | None, results: list[dict[str, Any]]) -> None:
    if file is None:
        return
    with open_atomic(file) as out:
        json.dump(results[0] if len(results) == 1 else results, out, indent=1)
        out.write("\n")
