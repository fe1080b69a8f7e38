# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow flash`: from a blank chip to a running, tested and reported unit; one board or a boxful."""

import os
import re
from pathlib import Path

import rich_click as click
from rich.console import Console

import leezenflow
from leezenflow_host.board_config import BoardConfig, read_board
from leezenflow_host.commands._board_option import board_option, site_option
from leezenflow_host.commissioning.report import require_folder
from leezenflow_host.commissioning.words import Language
from leezenflow_host.completing import complete_port
from leezenflow_host.diagnosis.finding import default_language
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.flashing.batch import flash_boards, split_done
from leezenflow_host.flashing.detect import FoundBoard, find_boards, is_virtual
from leezenflow_host.flashing.installation import find_site
from leezenflow_host.flashing.job import Job
from leezenflow_host.flashing.journal import Journal
from leezenflow_host.flashing.procedure import Outcome
from leezenflow_host.flashing.screen import Screen, print_results
from leezenflow_host.flashing.selection import Only, choose_boards, guess_board, keep_only
from leezenflow_host.kit import Kit
from leezenflow_host.secrets_file import read_secrets_bytes
from leezenflow_host.signing import read_root_keys
from leezenflow_host.site_config import SiteConfig
from leezenflow_host.staging import stage_image

_FILE = click.Path(path_type=Path)
_NOTHING_LEFT = {
    None: "all boards are done",
    "failed": "no board failed last time",
    "outdated": "no board is outdated",
}


@click.command()
@board_option(required=False)
@site_option("; with --kit, its name there. Else the board keeps its site.")
@click.option(
    "--port",
    "ports",
    multiple=True,
    metavar="PORT",
    shell_complete=complete_port,
    help="Port or UF2 volume, or 'virtual'; several times.",
)
@click.option("--all", "everything", is_flag=True, help="All boards that fit, at the same time.")
@click.option("--kit", "kit_path", type=_FILE, metavar="PATH", help="Take everything from an offline kit.")
@click.option("--interpreter", type=_FILE, metavar="FILE", help="Image of MicroPython for boards that have none.")
@click.option("--allow-unpinned", is_flag=True, help="Install an image whose hash stands in no board file.")
@click.option("--secrets", type=_FILE, metavar="FILE.json", help="Passwords; else those of the kit, or kept as is.")
@click.option("--root-keys", type=_FILE, metavar="FILE", help="Public keys that updates must be signed with.")
@click.option("--unit", metavar="NAME", help="Name of the unit, instead of the site's.")
@click.option("--operator", metavar="NAME", help="Who does it; stands in the report.")
@click.option("--out", type=_FILE, default=Path(), metavar="DIR", help="Folder for the reports [default: this one].")
@click.option("--lang", type=click.Choice(["de", "en"]), help="Language of the report [default: the system's].")
@click.option("--stage", type=_FILE, metavar="DIR", help="Write the device's files there; touches no port.")
@click.option("--only", type=click.Choice(["failed", "outdated"]), help="Of these boards, only such.")
@click.option("--mpy/--no-mpy", default=None, help="Compiled modules or sources [default: compiled where possible].")
@click.option("--yes", is_flag=True, help="Replace another program on the board.")
@click.option("--dry-run", is_flag=True, help="Only say what would be installed; touches no port, writes nothing.")
def command(
    board_name: str | None,
    site_name: str | None,
    ports: tuple[str, ...],
    everything: bool,
    kit_path: Path | None,
    interpreter: Path | None,
    allow_unpinned: bool,
    secrets: Path | None,
    root_keys: Path | None,
    unit: str | None,
    operator: str | None,
    out: Path,
    lang: Language | None,
    stage: Path | None,
    only: Only | None,
    mpy: bool | None,
    yes: bool,
    dry_run: bool,
) -> int:
    """Bring boards from a blank chip to a running unit: interpreter, firmware, site, restart, self-test, report.

    What is right already is not written again: when a cable slips out, the same command goes on where it ended.
    """
    if ports and everything:
        raise InputError("Give --port or --all, not both.")
    if unit is not None and not re.fullmatch(r"[\w.-]{1,40}", unit):
        raise InputError(f"{unit!r} cannot name a unit; use letters, digits, '.', '_' and '-', up to 40.")
    kit = Kit.open(kit_path) if kit_path is not None else None
    # What can be told without a board is told before one is asked.
    secret_bytes = read_secrets_bytes(secrets) if secrets is not None else None
    roots = read_root_keys(root_keys)[0] if root_keys is not None else None
    if interpreter is not None and not interpreter.is_file():
        raise InputError(f"{interpreter}: there is no such file; an image of MicroPython was expected there.")
    if stage is None and not dry_run:
        require_folder(out)
    ports = _each_once(ports)
    found = [] if stage is not None or dry_run else find_boards(ports or None)
    if unit is not None and (everything or (len(found) > 1 and ports)):
        raise InputError("--unit is for one board; name it with --port.")
    board = _find_board(board_name, kit, ports, found)
    board.require_device()
    site, kit_site = _find_site(board, site_name, kit)
    job = Job(board, site, out, unit, mpy=mpy, kit=kit, kit_site=kit_site, interpreter=interpreter)
    job.secrets, job.root_keys = secret_bytes, roots
    job.allow_unpinned, job.replace, job.operator = allow_unpinned, yes, operator
    job.language = lang or ("de" if default_language() == "de" else "en")
    if stage is not None or dry_run:
        _stage(job, None if dry_run else stage)
        return 0
    journal = Journal()
    chosen = found if ports else choose_boards(found, board, all_that_fit=everything or only is not None)
    skipped: list[FoundBoard] = []
    if only is not None:
        chosen = keep_only(chosen, only, journal, job.digest(), leezenflow.__version__)
    elif everything or len(ports) > 1:
        chosen, skipped = split_done(chosen, job, journal)
    if not chosen:
        click.echo(f"Nothing is left to do: {_NOTHING_LEFT[only]}.")
        return 0
    screen = Screen(Console(stderr=True, highlight=False))
    several = len(chosen) + len(skipped) > 1
    with screen.shown(chosen):
        outcomes = flash_boards(job, chosen, journal, screen.tell, screen.ended, one_of_many=several or everything)
    if journal.fault:
        click.echo(f"What was done is not noted, and --only cannot know of it: {journal.fault}", err=True)
    return _conclude(outcomes, skipped, out.resolve())


def _each_once(ports: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ports without those that only name one of them again; several may lead to the same device."""
    places: dict[str, str] = {}
    for port in ports:
        places.setdefault(port if is_virtual(port) or "://" in port else os.path.realpath(port), port)
    return tuple(places.values())


def _find_board(name: str | None, kit: Kit | None, ports: tuple[str, ...], found: list[FoundBoard]) -> BoardConfig:
    if name is not None:
        return kit.board(name) if kit is not None and name in kit.boards else read_board(name)
    if ports and all(map(is_virtual, ports)):
        return read_board("virtual")
    if kit is not None and len(kit.boards) == 1:
        return kit.board(kit.boards[0])
    return guess_board(found)


def _find_site(board: BoardConfig, name: str | None, kit: Kit | None) -> tuple[SiteConfig | None, str | None]:
    """Return the site, and the name it has in the kit (None where it is not from there)."""
    if kit is None or (name is not None and (name == "example" or name.endswith(".toml") or "/" in name)):
        return find_site(board, name), None
    if name is None:
        if len(kit.sites) != 1:
            return find_site(board, None), None
        name = kit.sites[0]
    site = kit.site(name)
    stem = next((stem for stem, facts in kit.facts["sites"].items() if name in (stem, facts["unit"])), None)
    return site, stem


def _stage(job: Job, folder: Path | None) -> None:
    unit = job.unit or ("" if job.site is None else job.site.values["unit"]["name"])
    image = job.image(job.named(job.site, unit), unit)
    amount = f"{len(image.files)} files, {image.size / 1024:.0f} kB"
    if folder is not None:
        stage_image(image, folder)
        click.echo(f"Wrote the files of {job.board.name} to {folder}: {amount}.")
        return
    for path, content in image.files.items():
        click.echo(f"{len(content):7}  {path}")
    click.echo(f"Would install Leezenflow {leezenflow.__version__} for {job.board.name}: {amount}.")


def _conclude(outcomes: list[Outcome], skipped: list[FoundBoard], out: Path) -> int:
    """Say how it ended; return the exit code."""
    if len(outcomes) == 1 and not skipped:
        (outcome,) = outcomes
        if not outcome.ok:
            raise outcome.error or LeezenflowError(outcome.message)
    done = [outcome for outcome in outcomes if outcome.ok]
    if len(outcomes) + len(skipped) > 1:
        print_results(Console(highlight=False), outcomes, skipped)
        click.echo(
            f"{len(done) + len(skipped)} of {len(outcomes) + len(skipped)} boards are done; reports are in {out}."
        )
    else:
        (outcome,) = done
        click.echo(
            f"{outcome.unit} on {outcome.port} runs Leezenflow {leezenflow.__version__} ({outcome.written} files "
            f"written), has said who it is, and is reported in {outcome.report}."
        )
    for outcome in done:
        if outcome.setup_label is not None:
            words = "for the label inside the housing: Wi-Fi {network}, password {password}"
            click.echo(f"{outcome.unit}: {words.format(**outcome.setup_label)}.")
    for outcome in outcomes:
        for warning in outcome.warnings:
            click.echo(f"{outcome.unit or outcome.port}: {warning}", err=True)
    return 0 if all(outcome.ok for outcome in outcomes) else 1
