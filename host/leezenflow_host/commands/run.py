# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow run`: this computer as a unit, with its own panel (Raspberry Pi), or in the terminal to try it."""

import os
import re
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import rich_click as click

from leezenflow_host.board_config import BoardConfig, read_board
from leezenflow_host.commands._board_option import board_option, site_option
from leezenflow_host.errors import InputError
from leezenflow_host.linux_unit.assembly import display_name, make_display, make_unit, require_linux
from leezenflow_host.linux_unit.notifier import Notifier
from leezenflow_host.linux_unit.service import service_text
from leezenflow_host.linux_unit.unit import Guard
from leezenflow_host.secrets_file import read_secrets
from leezenflow_host.site_config import SiteConfig, example_site, read_site

_FILE = click.Path(path_type=Path, dir_okay=False)
# Longer than any frame takes, shorter than the service manager's patience.
_GUARD_S = 8.0
_USER = re.compile(r"(?<=://)[^/@\s]*@")


@click.command()
@board_option(required=True)
@site_option(".")
@click.option("--secrets", type=_FILE, metavar="FILE.json", help='Passwords: {"mqtt": {"password": "..."}}.')
@click.option("--memory", type=_FILE, metavar="FILE", help="Keep what is learned about the signal there.")
@click.option("--display", metavar="NAME", help="Another display than the board's, such as 'terminal'.")
@click.option(
    "--health", "health_s", type=click.IntRange(1, 3600), default=60, show_default=True, help="Seconds between reports."
)
@click.option("--systemd-unit", is_flag=True, help="Only print the service file for this board and site.")
@click.option("--darken", is_flag=True, help="Only make the panel dark, whatever an earlier run left on it.")
@click.option("--dry-run", is_flag=True, help="Only check board, site and secrets, and say what would be done.")
def command(
    board_name: str,
    site_name: str | None,
    secrets: Path | None,
    memory: Path | None,
    display: str | None,
    health_s: int,
    systemd_unit: bool,
    darken: bool,
    dry_run: bool,
) -> None:
    """Be a unit: receive the signal's messages and drive the panel that hangs on this computer.

    For Raspberry Pi units (boards raspberrypi_...); --board virtual shows the panel in the terminal. Ctrl-C and SIGTERM
    end it with a dark panel. Each minute a health report goes to the standard output, and to the broker where the
    source has ?unit_topic=. Under systemd it tells when it is ready and feeds the watchdog; --systemd-unit prints the
    service file.
    """
    board = read_board(board_name)
    require_linux(board)
    if darken and dry_run:
        click.echo(f"Would make the display {display_name(board, display)} of {board.name} dark.")
        return
    if darken:
        make_display(board, display).deinit()
        return
    if systemd_unit:
        if site_name is None or site_name == "example":
            raise InputError("--systemd-unit needs the site's file: give --site FILE.toml.")
        read_site(Path(site_name))
        click.echo(service_text(board, board_name, Path(site_name), secrets), nl=False)
        return
    site = _find_site(site_name)
    passwords = {} if secrets is None else read_secrets(secrets)
    if dry_run:
        _say_what_would_be(board, site, passwords, display, memory)
        return
    notifier = Notifier()
    stop = threading.Event()
    _stop_on_signals(stop)
    shown = make_display(board, display)
    try:
        unit = make_unit(
            *(board, site, passwords, shown), memory=memory, notifier=notifier, health_s=health_s, say=_say
        )
    except BaseException:
        shown.deinit()
        raise
    with Guard(unit, _GUARD_S, lambda: os._exit(1), _complain):
        unit.run(stop)
    notifier.close()


def _find_site(name: str | None) -> SiteConfig:
    if name is None:
        raise InputError("Where does the unit stand? Give --site FILE.toml ('example' is the demo's).")
    return example_site() if name == "example" else read_site(Path(name))


def _say_what_would_be(
    board: BoardConfig, site_config: SiteConfig, passwords: dict[str, Any], display: str | None, memory: Path | None
) -> None:
    """Put the unit together without its panel and without connecting, so that wrong input shows."""
    shown = display_name(board, display)
    make_unit(board, site_config, passwords, None, memory=memory, say=lambda line: click.echo(line, err=True))
    site = site_config.site()
    if site.look == "test_pattern":
        click.echo(f"Would show the test pattern on the display {shown}, without any signal.")
        return
    source = _USER.sub("", site.source or "")
    click.echo(
        f"Would receive signal group {site.signal_group} of intersection {site.intersection_id} from {source} "
        f"and show it on the display {shown}."
    )
    if memory is not None:
        click.echo(f"Would write what is learned to {memory}.")


def _say(line: str) -> None:
    """A line for the journal, at once. On a terminal the panel is there, and troubles show as its reason."""
    if not sys.stdout.isatty():
        print(line, flush=True)


def _complain(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _stop_on_signals(stop: threading.Event) -> None:
    def ask_to_end(number: int, frame: FrameType | None) -> None:
        stop.set()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, ask_to_end)
