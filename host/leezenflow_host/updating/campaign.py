# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many units at once: a line of progress each on a terminal, one line at the end of each elsewhere."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from leezenflow_host.errors import BoardError, InputError
from leezenflow_host.release import Release
from leezenflow_host.updating.fleet import FleetUnit, read_fleet
from leezenflow_host.updating.pushing import UnitState, push_release, read_state


def choose_units(port: str | None, fleet: Path | None, names: Sequence[str], labels: Sequence[str]) -> list[FleetUnit]:
    """Return the units that a command line means; InputError when it means none, or two things at once."""
    if (port is None) == (fleet is None):
        raise InputError("Which units? Give either --port PORT for one that is plugged in, or --fleet FILE.toml.")
    if fleet is not None:
        return read_fleet(fleet, names, labels)
    if names or labels:
        raise InputError("--unit and --label choose from a fleet; give --fleet FILE.toml with them.")
    return [FleetUnit(str(port), (), port, None, None, None)]


def push_to_all(
    units: Sequence[FleetUnit],
    releases: Mapping[str, Release],
    *,
    jobs: int = 8,
    confirmed: bool = False,
    dry_run: bool = False,
) -> str:
    """Bring to each unit the release for its board; returns the names of those that failed ("": none)."""
    console = Console()
    failed: list[str] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with (
        Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress,
        ThreadPoolExecutor(jobs) as pool,
    ):
        running = {}
        for unit in units:
            bar = progress.add_task(unit.name, total=None)
            running[pool.submit(_push, unit, releases, progress, bar, confirmed, dry_run)] = unit
        for job in as_completed(running):
            unit = running[job]
            try:
                said = job.result()
            except BoardError as error:
                failed.append(unit.name)
                said = str(error)
                if not said.startswith(unit.name):
                    said = f"{unit.name}: {said}"
            progress.console.print(said, highlight=False, soft_wrap=True, markup=False)
    return ", ".join(sorted(failed))


def _push(
    unit: FleetUnit,
    releases: Mapping[str, Release],
    progress: Progress,
    bar: TaskID,
    confirmed: bool,
    dry_run: bool,
) -> str:
    """Update one unit; what there is to say about it."""
    link = unit.open()
    try:
        before = read_state(link)
        release = releases.get(before.board or "")
        if release is None:
            kinds = ", ".join(sorted(releases))
            raise BoardError(f"{unit.name} is a {before.board}; the update is for {kinds}. Nothing was sent.")
        if before.manifest == release.digest:
            progress.update(bar, total=1, completed=1)
            return f"{unit.name} runs release {release.number} already."
        if before.release is not None and before.release >= release.number:
            raise BoardError(
                f"{unit.name} runs release {before.release}; release {release.number} is not newer, and units never go "
                "back. Build it again with a higher --release."
            )
        if dry_run:
            return f"{unit.name} runs release {before.release} and would get release {release.number}."
        after = push_release(
            link,
            release,
            lambda done, total: progress.update(bar, completed=done, total=total),
            confirmed=confirmed,
        )
    finally:
        link.close()
    trial = "; it is on trial and confirms itself within minutes, or goes back" if after.trial else ""
    return f"{unit.name} runs release {after.release} (version {after.version}) now{trial}."


def show_states(units: Sequence[FleetUnit], *, as_json: bool = False) -> str:
    """Print what each unit runs, in the fleet's order; returns the names of those that did not answer ("": none)."""
    console = Console()
    silent: list[str] = []
    with ThreadPoolExecutor(16) as pool:
        for unit, job in [(unit, pool.submit(_read, unit)) for unit in units]:
            state = job.result()
            if isinstance(state, str):
                silent.append(unit.name)
                line = {"name": unit.name, "error": state}
                said = state if state.startswith(unit.name) else f"{unit.name}: {state}"
            else:
                line = {"name": unit.name, **dataclasses.asdict(state)}
                said = _describe(unit.name, state)
            if as_json:
                print(json.dumps(line), flush=True)
            else:
                console.print(said, highlight=False, soft_wrap=True, markup=False)
    return ", ".join(silent)


def _read(unit: FleetUnit) -> UnitState | str:
    try:
        link = unit.open()
        try:
            return read_state(link)
        finally:
            link.close()
    except BoardError as error:
        return str(error)


def _describe(name: str, state: UnitState) -> str:
    words = f"{name}: {state.unit or 'no name'}, {state.board}, release {state.release} (version {state.version})"
    words += f" in slot {state.slot}" + (", on trial" if state.trial else "")
    if state.update is not None:
        words += f"; release {state.update.get('release')} is half-way there"
    return words + "."
