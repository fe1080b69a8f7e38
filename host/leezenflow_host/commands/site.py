# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow site`: a site file for a new place, step by step, and whether one is right."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console

from leezenflow_host.capture.sources import read_secrets
from leezenflow_host.decoding.tree import reference
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.keyboard import Keyboard
from leezenflow_host.map_reading import candidates_at, choose_map, read_maps
from leezenflow_host.number_range import NumberRange
from leezenflow_host.site_config import read_site
from leezenflow_host.site_guide import plausibility
from leezenflow_host.site_guide.asking import ask_all, take_defaults
from leezenflow_host.site_guide.live import listen
from leezenflow_host.site_guide.questions import Answers, Question, check_answers, site_questions
from leezenflow_host.site_guide.screen import Watching, choose_group, replay_presses, watch_lamp
from leezenflow_host.site_guide.watching import iter_arrivals, open_feed, read_presses
from leezenflow_host.site_guide.writing import check_new_file, render_site, write_site

_FILE = click.Path(path_type=Path)
_HELP = {
    "--name": "NAME",
    "--source": "URL",
    "--adapter": "NAME",
    "--intersection": "[REGION:]ID",
    "--signal-group": "N",
    "--distance": "METRES",
    "--speed": "KMH",
    "--sprint": "KMH",
    "--clearance": "red|green",
    "--look": "NAME",
    "--palette": "NAME",
    "--brightness": "N",
}


@click.group()
def command() -> None:
    """Write a site file for a new intersection, or check those there are."""


def _answer_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Every question as an option, so that all of it works without a terminal."""
    for question in reversed(site_questions("unit")):
        default = "" if question.default is None or question.flag == "--name" else f" [default: {question.default}]"
        option = click.option(question.flag, metavar=_HELP[question.flag], help=f"{question.text}{default}.")
        function = option(function)
    return function


@command.command("new")
@click.argument("file", type=_FILE, metavar="FILE.toml")
@_answer_options
@click.option("--map", "map_file", type=_FILE, metavar="FILE", help="A MAPEM: finds group and distance, with --at.")
@click.option("--at", "at_text", metavar="LAT,LON", help="Where the display stands (WGS 84 degrees).")
@click.option("--heading", type=NumberRange(0, 360), metavar="DEG", help="Which way riders go (0 north, 90 east).")
@click.option("--all-lanes", is_flag=True, help="Look at the lanes of motor traffic, too.")
@click.option("--watch", "watched", metavar="URL|TRACE", help="Find the group: press SPACE when the lamp turns green.")
@click.option("--presses", type=_FILE, metavar="FILE", help="Presses noted earlier, for --watch TRACE.")
@click.option("--pace", type=NumberRange(0.1, 1000), default=1.0, metavar="N", help="TRACE N times as fast.")
@click.option("--secrets", type=_FILE, metavar="FILE.json", help="Password for --watch URL.")
@click.option("--defaults", is_flag=True, help="Do not ask what has a default.")
@click.option("--yes", is_flag=True, help="Replace an earlier file.")
@click.option("--dry-run", is_flag=True, help="Print the file instead of writing it.")
def new(
    file: Path,
    map_file: Path | None,
    at_text: str | None,
    heading: float | None,
    all_lanes: bool,
    watched: str | None,
    presses: Path | None,
    pace: float,
    secrets: Path | None,
    defaults: bool,
    yes: bool,
    dry_run: bool,
    **given: str | None,
) -> None:
    """Write FILE.toml for a new intersection, question by question. Every answer can also be given as an option.

    The signal group may come from the operator's map (--map) or from watching the lamp (--watch).
    """
    check_new_file(file, replace=yes or dry_run)
    questions = site_questions(file.stem)
    answers = _given_answers(questions, given)
    found: Answers = {}
    remarks: list[str] = []
    if map_file is not None:
        remarks += _look_at_map(map_file, at_text, heading, all_lanes, answers, found)
    elif at_text is not None or heading is not None:
        raise InputError("--at and --heading belong to --map FILE; give that, too.")
    if watched is not None:
        remarks += _watch(watched, presses, pace, secrets, answers, found)
    elif presses is not None:
        raise InputError("--presses belongs to --watch TRACE; give that, too.")
    for remark in remarks:
        click.echo(remark, err=True)
    if sys.stdin.isatty() and not defaults:
        ask_all(questions, answers, found)
    else:
        take_defaults(questions, answers, found)
    check_answers(answers, questions)
    text = render_site(answers, questions, remarks)
    if dry_run:
        click.echo(text, nl=False)
        return
    write_site(file, text, replace=yes)
    click.echo(f"Wrote {file}. Check it where the unit will stand: leezenflow site check {file} --live 15")
    for doubt in plausibility.doubts_about(file, read_site(file)):
        click.echo(f"{file}: look twice: {doubt}", err=True)


def _given_answers(questions: list[Question], given: dict[str, str | None]) -> Answers:
    """Return what options answered; InputError for all that cannot be read."""
    answers: Answers = {}
    problems: list[str] = []
    for question in questions:
        text = given[question.flag[2:].replace("-", "_")]
        if text is not None:
            try:
                answers[question.key] = question.parse(text)
            except InputError as error:
                problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))
    return answers


def _look_at_map(
    file: Path, at_text: str | None, heading: float | None, all_lanes: bool, answers: Answers, found: Answers
) -> list[str]:
    """Take signal group and distance from the nearest lane of a map."""
    if at_text is None:
        raise InputError("--map needs --at LAT,LON: where does the display stand?")
    geometry = choose_map(read_maps(file), answers.get(("signal", "intersection")), file)
    near, notes = candidates_at(geometry, at_text, heading, all_lanes, file)
    best = near[0]
    found["signal", "intersection"] = reference(geometry)
    found["signal", "signal_group"] = best.signal_group
    found["rider", "distance_m"] = round(best.stop_line_m)
    other = next((one for one in near if one.signal_group != best.signal_group), None)
    notes.append(
        f"The map has lane {best.lane_id} ({best.kind}) {best.beside_m:.0f} m beside the display: signal group "
        f"{best.signal_group}, {best.stop_line_m:.0f} m to its stop line."
    )
    if other is not None:
        notes.append(
            f"Next best: group {other.signal_group} (lane {other.lane_id}). Watch the lamp to be sure (--watch)."
        )
    return notes


def _watch(
    watched: str, presses: Path | None, pace: float, secrets: Path | None, answers: Answers, found: Answers
) -> list[str]:
    """Find the group by watching; InputError if what was seen does not say which."""
    watching = Watching(answers.get(("signal", "adapter")))
    if presses is not None:
        if "://" in watched:
            raise InputError("--presses goes with a recording, not with a live source.")
        replay_presses(lambda: list(iter_arrivals(Path(watched))), watching, read_presses(presses))
    else:
        feed = open_feed(watched, read_secrets(secrets), pace)
        try:
            watch_lamp(feed, watching, Keyboard(), Console(stderr=True, highlight=False))
        finally:
            feed.close()
    best, remarks = choose_group(watching)
    if watching.watch.adapter is not None:
        found["signal", "adapter"] = watching.watch.adapter
    if "://" in watched:
        found["signal", "source"] = watched
    if best is None:
        if not sys.stdin.isatty() and ("signal", "signal_group") not in answers:
            raise LeezenflowError(" ".join(remarks))
        return remarks
    found["signal", "intersection"], found["signal", "signal_group"] = best.group
    return remarks


@command.command("check")
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE.toml...")
@click.option("--live", "seconds", type=NumberRange(1, 3600), metavar="SECONDS", help="Listen whether it comes.")
@click.option("--source", metavar="URL|TRACE", help="For --live: listen there instead.")
@click.option("--secrets", type=_FILE, metavar="FILE.json", help="For --live: the broker's password.")
def check(files: tuple[Path, ...], seconds: float | None, source: str | None, secrets: Path | None) -> None:
    """Check site files: all errors at once, then what is allowed but looks like a mistake.

    With --live it listens to the source for so long at most, and says whether the wanted signal group comes.
    """
    if seconds is None and (source or secrets):
        raise InputError("--source and --secrets belong to --live SECONDS; give that, too.")
    problems: list[str] = []
    silent: list[str] = []
    for file in files:
        try:
            site = read_site(file)
            site.require_device()
        except InputError as error:
            problems.append(str(error))
            continue
        words = "right"
        if seconds is not None:
            try:
                words += f"; {listen(site, source, seconds, read_secrets(secrets))}"
            except InputError:
                raise
            except LeezenflowError as error:
                silent.append(f"{file}: {error}")
                words += ", but its signal does not come"
        click.echo(f"{file}: {words}")
        for doubt in plausibility.doubts_about(file, site):
            click.echo(f"{file}: look twice: {doubt}", err=True)
    if problems:
        raise InputError("\n".join(problems))
    if silent:
        raise LeezenflowError("\n".join(silent))
