# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow doctor`: which case it is, and the one thing to do next."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console

from leezenflow_host.board_config import read_board
from leezenflow_host.boards.ports import plugged_in
from leezenflow_host.completing import complete_port
from leezenflow_host.diagnosis.bundle import bundle_texts, write_bundle
from leezenflow_host.diagnosis.doctor import Doctor, Examination
from leezenflow_host.diagnosis.finding import LANGUAGES, default_language
from leezenflow_host.diagnosis.port_check import Sighting, wait_for_board
from leezenflow_host.number_range import NumberRange
from leezenflow_host.secrets_file import read_secrets
from leezenflow_host.site_config import read_site

_FILE = click.Path(path_type=Path, dir_okay=False)
_REPLUG_S = 20.0
_ASK_TO_PLUG_IN = {
    "de": f"Es ist nichts angesteckt. Bitte die Platine jetzt anstecken (ich warte {_REPLUG_S:.0f} s) …",
    "en": f"Nothing is plugged in. Please plug the board in now (I wait {_REPLUG_S:.0f} s) …",
}


@click.command()
@click.option(
    "--port", metavar="PORT", shell_complete=complete_port, help="The board's port; without it, the only one there is."
)
@click.option("--site", type=_FILE, metavar="FILE.toml", help="Also listen to this site's signal from here.")
@click.option("--secrets", type=_FILE, metavar="FILE.json", help="Password and certificates for the site's source.")
@click.option("--lang", type=click.Choice(list(LANGUAGES)), help="Language of the answer [default: the system's].")
@click.option(
    "--seconds",
    type=NumberRange(1, 600),
    default=10.0,
    show_default=True,
    help="The longest time to listen to the signal.",
)
@click.option("--json", "as_json", is_flag=True, help="One json object instead of words.")
@click.option("--bundle", type=_FILE, metavar="FILE.zip", help="Also write all that was seen, without secrets.")
@click.option("--dry-run", is_flag=True, help="Examine, but only list what would go into the bundle.")
def command(
    port: str | None,
    site: Path | None,
    secrets: Path | None,
    lang: str | None,
    seconds: float,
    as_json: bool,
    bundle: Path | None,
    dry_run: bool,
) -> int:
    """Find out why a unit does not show what it should: one diagnosis, one next step.

    Looks at port, board, unit and signal in this order and stops at the first thing that is wrong. A unit that runs is
    only asked; one that does not answer is interrupted, looked at, and started again. Nothing is ever written to it.
    With --site and no board it listens to the signal from this computer. The exit code is 0 when nothing has to be
    done, 1 otherwise.
    """
    language = lang or default_language()
    site_config = None if site is None else read_site(site)
    known = {} if secrets is None else read_secrets(secrets)
    with _plugged_in(port) as path:
        examination = Doctor(
            path, site_config, known, seconds=seconds, replug=lambda: _ask_to_plug_in(language), called=port
        ).examine()
    _tell(examination, language, as_json)
    if bundle is not None and dry_run:
        click.echo(f"Would write {bundle}:", err=True)
        for name, text in bundle_texts(examination, language, site, known).items():
            click.echo(f"{len(text.encode()):7}  {name}", err=True)
    elif bundle is not None:
        write_bundle(bundle, examination, language, site, known)
        click.echo(f"Wrote {bundle}.", err=True)
    return 0 if examination.finding.is_healthy else 1


@contextlib.contextmanager
def _plugged_in(port: str | None) -> Iterator[str | None]:
    """The path of the port; a virtual board is plugged in for the examination."""
    if port is None or port.partition(":")[0] != "virtual":
        yield port
        return
    with plugged_in(port, read_board("virtual")) as path:
        yield path


def _ask_to_plug_in(language: str) -> Sighting | None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    Console(stderr=True, highlight=False, soft_wrap=True).print(_ASK_TO_PLUG_IN[language])
    return wait_for_board(_REPLUG_S)


def _tell(examination: Examination, language: str, as_json: bool) -> None:
    finding = examination.finding
    if as_json:
        values: dict[str, Any] = {"port": examination.port, **finding.as_dict(language)}
        click.echo(json.dumps(values, ensure_ascii=False))
        return
    labels = LANGUAGES[language].LABELS
    console = Console(highlight=False, soft_wrap=True)
    for name, text in (("diagnosis", finding.diagnosis(language)), ("next_step", finding.next_step(language))):
        console.print(f"[bold]{labels[name]}:[/bold] ", end="")
        console.print(text, markup=False)
