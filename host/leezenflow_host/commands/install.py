# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow install`: bring firmware, board and site configuration onto a board that has MicroPython."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

import leezenflow
from leezenflow_host.board_config import BoardConfig, read_board
from leezenflow_host.boards.identity import check_identity
from leezenflow_host.boards.ports import plugged_in, require_port
from leezenflow_host.boards.serial_board import Deployment, SerialBoard
from leezenflow_host.boards.serial_board import Progress as ProgressCallback
from leezenflow_host.commands._board_option import board_option, site_option
from leezenflow_host.completing import complete_port
from leezenflow_host.errors import InputError
from leezenflow_host.flashing.installation import (
    NO_SITE,
    REAL_START_S,
    VIRTUAL_START_S,
    check_start,
    choose_compiler,
    find_site,
    has_other_program,
    site_on_board,
)
from leezenflow_host.image import Image, build_image
from leezenflow_host.secrets_file import read_secrets_bytes
from leezenflow_host.signing import read_root_keys
from leezenflow_host.site_config import SiteConfig
from leezenflow_host.staging import stage_image


@click.command()
@board_option(required=True)
@site_option(". Without it, the board keeps the site it has.")
@click.option(
    "--port",
    metavar="PORT",
    shell_complete=complete_port,
    help="Serial port of the board, or 'virtual' for one without hardware.",
)
@click.option("--secrets", type=click.Path(path_type=Path), metavar="FILE.json", help="Passwords; else kept as is.")
@click.option(
    "--root-keys", type=click.Path(path_type=Path), metavar="FILE.json", help="Whose updates it takes; else kept as is."
)
@click.option("--stage", type=click.Path(path_type=Path), metavar="DIR", help="Write the device's files there instead.")
@click.option("--mpy/--no-mpy", default=None, help="Compiled modules or sources [default: compiled where possible].")
@click.option("--yes", is_flag=True, help="Replace another program on the board without asking.")
@click.option("--dry-run", is_flag=True, help="Only say what would be installed; touches no port, writes nothing.")
def command(
    board_name: str,
    site_name: str | None,
    port: str | None,
    secrets: Path | None,
    root_keys: Path | None,
    stage: Path | None,
    mpy: bool | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """Install the firmware on a board that has MicroPython, with its board and site configuration.

    Writes only what differs. A cable that slips out does no harm: the same command goes on where it ended.
    """
    board = read_board(board_name)
    board.require_device()
    site = find_site(board, site_name)
    secret_bytes = read_secrets_bytes(secrets) if secrets is not None else None
    roots = read_root_keys(root_keys)[0] if root_keys is not None else None
    if stage is not None or dry_run:
        compiler = choose_compiler(mpy, board, None)
        image = build_image(board, site, compiler=compiler, secrets=secret_bytes, root_keys=roots)
        if dry_run:
            _list_files(board, image)
        elif stage is not None:
            stage_image(image, stage)
            click.echo(f"Wrote the files of {board.name} to {stage}: {_amount(image)}. {_site_words(site)}".rstrip())
        return
    port = require_port(port)
    with plugged_in(port, board) as path, SerialBoard(path, name=f"The board at {port}") as connection:
        identity = connection.identify()
        check_identity(identity, board)
        _ask_before_replacing(connection, port, yes)
        if site is None:
            site = site_on_board(connection)
        compiler = choose_compiler(mpy, board, identity)
        image = build_image(board, site, compiler=compiler, secrets=secret_bytes, root_keys=roots)
        with _progress(port) as progress:
            done = connection.deploy(image, progress)
        connection.reset()
        _report(board, port, image, done)
        if site is None:
            click.echo(_site_words(None))
            return
        check_start(connection, VIRTUAL_START_S if board.virtual else REAL_START_S)
        click.echo("The unit runs.")


def _ask_before_replacing(connection: SerialBoard, port: str, yes: bool) -> None:
    if yes or not has_other_program(connection):
        return
    if not sys.stdin.isatty():
        raise InputError(f"The board at {port} has another program (/main.py). Give --yes to replace it.")
    click.confirm(f"The board at {port} has another program (/main.py). Replace it?", abort=True, err=True)


@contextlib.contextmanager
def _progress(port: str) -> Iterator[ProgressCallback | None]:
    """Show a bar while files are copied, on a terminal only."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TextColumn("{task.fields[path]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(port, total=None, path="")
        yield lambda done, total, path: bar.update(task, completed=done, total=total, path=path)


def _list_files(board: BoardConfig, image: Image) -> None:
    for path, content in image.files.items():
        click.echo(f"{len(content):7}  {path}")
    click.echo(f"Would install Leezenflow {leezenflow.__version__} for {board.name}: {_amount(image)}.")


def _report(board: BoardConfig, port: str, image: Image, done: Deployment) -> None:
    written = sum(len(image.files[path]) for path in done.written)
    click.echo(
        f"Installed Leezenflow {leezenflow.__version__} for {board.name} on {port}: {len(done.written)} files written "
        f"({written / 1024:.0f} kB), {done.unchanged} were right already, {len(done.removed)} removed."
    )


def _amount(image: Image) -> str:
    return f"{len(image.files)} files, {image.size / 1024:.0f} kB"


def _site_words(site: SiteConfig | None) -> str:
    return NO_SITE if site is None else ""
