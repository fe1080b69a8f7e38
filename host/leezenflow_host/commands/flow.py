# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow flow`: does a display help cyclists? Observed, planned and simulated."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console
from rich.progress import Progress

from leezenflow_host.atomic_file import open_atomic
from leezenflow_host.errors import InputError
from leezenflow_host.flow.riders import RiderModel
from leezenflow_host.flow.sumo_files import Path2D
from leezenflow_host.memory_file import read_memory
from leezenflow_host.problems import read_toml
from leezenflow_host.replay import recording_header
from leezenflow_host.site_config import DEFAULT_DISTANCE_M
from leezenflow_host.site_options import SiteOptions, site_from_options, site_options

_FILE = click.Path(path_type=Path, dir_okay=False)
_SHARE = click.FloatRange(0, 1)
_MODEL = RiderModel()


def _number(name: str, kind: click.ParamType | type, default: float, metavar: str, words: str) -> Any:
    """An option for a number, whose help shows its default."""
    return click.option(name, type=kind, default=default, show_default=True, metavar=metavar, help=words)


_json_option = click.option(
    "--json", "json_file", type=_FILE, metavar="FILE", help='Write the result as JSON ("-": standard output).'
)


@click.group()
def command() -> None:
    """Measure, plan or simulate what a display does to cyclist flow."""


@command.command("observe")
@click.argument("files", metavar="FILE.csv...", nargs=-1, required=True, type=_FILE)
@click.option("--with", "with_", metavar="LABEL", help="The condition with a display [with].")
@click.option("--without", metavar="LABEL", help="The condition without one [without].")
@click.option("--truth", "truth_file", type=_FILE, help="What the lamp did: gives each passage light and cycle.")
@click.option("--signal-group", type=click.IntRange(1, 255), metavar="N", help="Whose truth it is.")
@click.option("--cycle-length", type=click.FloatRange(10, 600), metavar="S", help="Of a fixed program: numbers cycles.")
@click.option("--free-speed", type=click.FloatRange(5, 40), metavar="KMH", help="Of everybody [each rider's own].")
@click.option(
    "--confidence", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True, help="Of the intervals."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the bootstrap.")
@_json_option
def observe(files: tuple[Path, ...], **given: Any) -> None:
    """Analyse what riders did: trajectories, passages or counts from CSV files.

    With a column `condition`, two of its labels are compared. The statistics treat riders of one signal cycle as
    alike, not as independent. What the columns mean: docs/reference/flow-data.md.
    """
    from leezenflow_host.evaluation.truth import load_truth
    from leezenflow_host.flow.observations import add_cycles, add_truth, read_observations
    from leezenflow_host.flow.observed import analyse, list_conditions
    from leezenflow_host.flow.observed_report import DEFINITIONS, print_observed

    if (given["truth_file"] is None) != (given["signal_group"] is None):
        raise InputError("--truth and --signal-group belong together; give both, or none.")
    speed_kmh = given["free_speed"]
    observations, notes = read_observations(files, None if speed_kmh is None else speed_kmh / 3.6)
    if given["truth_file"] is not None:
        observations = add_truth(observations, load_truth(given["truth_file"], given["signal_group"]))
    if given["cycle_length"] is not None:
        observations = add_cycles(observations, given["cycle_length"])
    labels = list_conditions(observations)
    without, with_ = given["without"], given["with_"]
    if without is None and with_ is None and {"with", "without"} <= set(labels):
        without, with_ = "without", "with"
    elif (without is None) != (with_ is None):
        raise InputError("--with and --without belong together; give the labels of both conditions.")
    result = analyse(observations, without, with_, given["confidence"], given["seed"])
    result["notes"] = notes + result["notes"]
    result["confidence"] = given["confidence"]
    result["definitions"] = list(DEFINITIONS)
    json_file = given["json_file"]
    print_observed(_console(json_file), result)
    _write_json(json_file, result)


@command.command("plan")
@click.option("--baseline", type=float, required=True, metavar="SHARE", help="Riders who stop without a display.")
@click.option(
    "--effect", type=float, required=True, metavar="SHARE", help="Relative reduction to be seen: 0.066 is 6.6 %."
)
@click.option("--riders-per-cycle", type=float, required=True, metavar="N", help="In a cycle in which anybody comes.")
@_number("--icc", float, 0.1, "SHARE", "Likeness within a cycle.")
@click.option("--size-variation", type=float, metavar="CV", help="Of riders per cycle [as of random arrivals].")
@_number("--power", float, 0.8, "SHARE", "Chance to see the effect.")
@_number("--alpha", float, 0.05, "SHARE", "Two-sided level.")
@click.option("--riders-per-day", type=click.FloatRange(1, 1e6), metavar="N", help="Riders who are observed in a day.")
@click.option(
    "--weeks", type=click.FloatRange(0.1, 520), multiple=True, metavar="N", help="What could be seen in N weeks?"
)
@click.option("--json", "json_file", type=_FILE, metavar="FILE", help='Write the plan as JSON ("-": standard output).')
def plan(**given: Any) -> None:
    """Plan a study: how many riders, cycles and weeks until an effect would be seen.

    A pilot of some days, analysed with `flow observe`, gives the baseline, the riders per cycle and the ICC.
    """
    from leezenflow_host.flow.observed_report import plan_result, print_plan
    from leezenflow_host.flow.planning import StudyDesign, plan_study

    names = ("baseline", "effect", "riders_per_cycle", "icc", "power", "alpha", "size_variation")
    design = StudyDesign(**{name: given[name] for name in names})
    if given["weeks"] and given["riders_per_day"] is None:
        raise InputError("--weeks needs --riders-per-day N.")
    result = plan_result(design, plan_study(design), given["riders_per_day"], given["weeks"])
    json_file = given["json_file"]
    print_plan(_console(json_file), result)
    _write_json(json_file, result)


def _console(json_file: Path | None) -> Console:
    """For tables and sentences; not where the JSON goes. Files and pipes get the width that the tables want."""
    console = Console(stderr=str(json_file) == "-", highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = 120
    return console


def _write_json(file: Path | None, result: dict[str, Any]) -> None:
    if file is not None:
        with open_atomic(file) as out:
            json.dump(result, out, indent=1, ensure_ascii=False)
            out.write("\n")


@command.command("simulate")
@click.option("--trace", type=_FILE, metavar="TRACE", help="A recorded signal, the same every day.")
@click.option("--truth", "truth_file", type=_FILE, help="What its lamp really did [default: what TRACE shows later].")
@click.option(
    "--signal", type=click.Choice(["fixed", "actuated", "bus"]), help="A generated signal, another every day [fixed]."
)
@click.option("--duration", type=click.IntRange(300, 86_400), metavar="S", help="Seconds of a generated day [1800].")
@_number("--seeds", click.IntRange(1, 1000), 10, "N", "Days.")
@_number("--first-seed", click.IntRange(min=0), 1, "N", "Its number.")
@_number("--compliance", _SHARE, 0.5, "SHARE", "Riders who follow the display.")
@_number("--flow", click.FloatRange(1, 3000), 200, "PER_HOUR", "Riders an hour.")
@_number("--group-size", click.FloatRange(1, 30), 1, "N", "Riders who come together.")
@click.option("--rider-speed", type=click.FloatRange(5, 40), metavar="KMH", help="Real mean speed [what --speed says].")
@_number("--width", click.FloatRange(1, 8), 2, "METRES", "Of the path.")
@_number("--coast", click.FloatRange(0, 100), 0, "METRES", "Where a seen red slows.")
@_number("--early-red", _SHARE, _MODEL.early_red_share, "SHARE", "Cross in its first second.")
@_number("--any-red", _SHARE, _MODEL.any_red_share, "SHARE", "Cross at any time of red.")
@click.option(
    "--condition",
    "conditions",
    type=click.Choice(["without", "display", "perfect", "arithmetic", "unshifted"]),
    multiple=True,
    help="Ride only this, and without (repeatable) [all five].",
)
@click.option("--jobs", type=click.IntRange(1, 64), metavar="N", help="Simulations at once [one a core].")
@_json_option
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write study.json, study.md, passages.csv.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be assumed, and simulate nothing.")
@site_options()
def simulate(site_options: SiteOptions, **given: Any) -> None:
    """Simulate riders with and without a display (SUMO; needs the extra `flow`).

    Every day is ridden five times by the same riders: without a display, with ours, with a perfect one, with plain
    arithmetic, and with one that ignores the way to the line. The assumptions are printed with the result.
    """
    # Only here: what lies below costs a second to import and `flow plan` needs none of it.
    from leezenflow_host.flow.assumptions import NOT_THE_FIELD_STUDY, list_assumptions
    from leezenflow_host.flow.study import require_sumo, run_study
    from leezenflow_host.flow.study_report import print_study, study_result, write_study

    json_file, folder = given["json_file"], given["folder"]
    setup = _setup(site_options, given)
    console = _console(json_file)
    if given["dry_run"]:
        for sentence in list_assumptions(setup):
            console.print(f"- {sentence}", markup=False)
        console.print(f"\n{NOT_THE_FIELD_STUDY}")
        return
    require_sumo()
    errors = Console(stderr=True, highlight=False)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("Simulating", total=len(setup.seeds) * len(setup.conditions))
        runs = run_study(setup, given["jobs"], lambda: progress.advance(task))
    result = study_result(setup, runs)
    print_study(console, result)
    _write_json(json_file, result)
    if folder is not None:
        for file in write_study(folder, result, runs):
            errors.print(f"{file} written", soft_wrap=True)


def _setup(options: SiteOptions, given: dict[str, Any]) -> Any:
    from leezenflow_host.flow.study import CONDITIONS, GENERATED_HEADER, WITHOUT, StudySetup, require_generated

    trace, signal = given["trace"], given["signal"]
    if trace is not None and signal is not None:
        raise InputError("--trace and --signal are two kinds of signal; give one of them.")
    if trace is None and given["truth_file"] is not None:
        raise InputError("--truth belongs to a recording; give it with --trace TRACE.")
    if trace is not None and given["duration"] is not None:
        raise InputError("--duration is for generated signals; a recording is as long as it is.")
    site = site_from_options(options, GENERATED_HEADER if trace is None else recording_header(trace))
    if trace is None:
        require_generated(site)
    distance_m = _distance_m(options)
    speed_kmh = given["rider_speed"] or distance_m / site.cruise_ms * 3600
    model = dataclasses.replace(
        _MODEL,
        flow_per_hour=given["flow"],
        group_size=given["group_size"],
        speed_ms=speed_kmh / 3.6,
        compliance=given["compliance"],
        early_red_share=given["early_red"],
        any_red_share=given["any_red"],
        coast_m=given["coast"],
    )
    if model.early_red_share + model.any_red_share > 1:
        raise InputError("--early-red and --any-red are shares of the same riders; together they are at most 1.")
    return StudySetup(
        site=site,
        path=Path2D(distance_m=distance_m, width_m=given["width"]),
        model=model,
        seeds=tuple(range(given["first_seed"], given["first_seed"] + given["seeds"])),
        conditions=tuple(name for name in CONDITIONS if name in {WITHOUT, *(given["conditions"] or CONDITIONS)}),
        signal=None if trace is not None else signal or "fixed",
        duration_s=given["duration"] or 1800,
        trace=trace,
        truth_file=given["truth_file"],
        memory=read_memory(options.memory),
    )


def _distance_m(options: SiteOptions) -> float:
    """The way from the display to the stop line; a compiled site holds travel times only."""
    if options.distance is not None:
        return options.distance
    if options.site is None:
        return DEFAULT_DISTANCE_M
    tables, _ = read_toml(options.site, "a site configuration")
    return float(tables["rider"]["distance_m"])
