# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow update push`: a signed release to one unit, or to a fleet."""

from pathlib import Path

import rich_click as click

from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.release import open_release
from leezenflow_host.updating.campaign import choose_units, push_to_all


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE.lzf...")
@click.option("--port", metavar="PORT", help="The unit that is plugged in there.")
@click.option("--fleet", type=click.Path(path_type=Path), metavar="FILE.toml", help="The units of this fleet.")
@click.option("--unit", "units", multiple=True, metavar="NAME", help="Only this unit; repeat for more.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="Only units with this label; repeat for more.")
@click.option("--wait", "confirmed", is_flag=True, help="Wait until each unit has found the release sound.")
@click.option("--jobs", type=click.IntRange(1, 64), default=8, show_default=True, help="Units at the same time.")
@click.option("--dry-run", is_flag=True, help="Only ask the units what they run, and say what would be sent.")
def command(
    files: tuple[Path, ...],
    port: str | None,
    fleet: Path | None,
    units: tuple[str, ...],
    labels: tuple[str, ...],
    confirmed: bool,
    jobs: int,
    dry_run: bool,
) -> None:
    """Bring signed update files to units; each unit gets the one for its board.

    The units show their advice all the while, and take nothing that is not signed, is older than what they run, or is
    for another board. Interrupted? The same command goes on where this one ended.
    """
    releases = {}
    for file in files:
        release = open_release(file)
        if release.board in releases:
            raise InputError(f"{file} is a second update for {release.board}; give one file for each kind of board.")
        releases[release.board] = release
    failed = push_to_all(
        choose_units(port, fleet, units, labels), releases, jobs=jobs, confirmed=confirmed, dry_run=dry_run
    )
    if failed:
        raise LeezenflowError(f"{failed} could not be updated; the same command tries again, and leaves the others be.")
