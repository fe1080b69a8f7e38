# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow install`: bring firmware, board and site configuration onto a board that has MicroPython."""

import contextlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

import leezenflow
from leezenflow_host.board_config import BoardConfig, read_board
from leezenflow_host.boards.identity import BoardIdentity, check_identity
from leezenflow_host.boards.ports import plugged_in, require_port
from leezenflow_host.boards.serial_board import Deployment, SerialBoard
from leezenflow_host.boards.serial_board import Progress as ProgressCallback
from leezenflow_host.errors import BoardError, InputError, LeezenflowError
from leezenflow_host.image import Image, build_image
from leezenflow_host.mpy import Abi, Compiler, compiler_for_chip
from leezenflow_host.secrets_file import secret_files
from leezenflow_host.site_config import SiteConfig, example_site, read_site

# A unit that cannot work says so within this time of its start (importing takes a Pico a second or two).
_REAL_START_S, _VIRTUAL_START_S = 5.0, 1.0
_FAILURES = ("The panel is dark; starting again", "There is no release")


@click.command()
@click.option("--board", "board_name", required=True, metavar="BOARD|FILE.toml", help="See: leezenflow boards list.")
@click.option(
    "--site",
    "site_name",
    metavar="FILE.toml",
    help="Where the unit stands; 'example' is the demo's. Without it, the board keeps the site it has.",
)
@click.option("--port", metavar="PORT", help="Serial port of the board, or 'virtual' for one without hardware.")
@click.option("--secrets", type=click.Path(path_type=Path), metavar="FILE.json", help="Passwords; else kept as is.")
@click.option("--stage", type=click.Path(path_type=Path), metavar="DIR", help="Write the device's files there instead.")
@click.option("--mpy/--no-mpy", default=None, help="Compiled modules or sources [default: compiled where possible].")
@click.option("--yes", is_flag=True, help="Replace another program on the board without asking.")
@click.option("--dry-run", is_flag=True, help="Only say what would be installed; touches no port, writes nothing.")
def command(
    board_name: str,
    site_name: str | None,
    port: str | None,
    secrets: Path | None,
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
    site = _find_site(board, site_name)
    secret_bytes = _read_secrets(secrets) if secrets is not None else None
    if stage is not None or dry_run:
        image = build_image(board, site, compiler=_compiler(mpy, board, None), secrets=secret_bytes)
        if dry_run:
            _list_files(board, image)
        elif stage is not None:
            image.write_to(stage)
            click.echo(f"Wrote the files of {board.name} to {stage}: {_amount(image)}. {_site_words(site)}".rstrip())
        return
    port = require_port(port)
    with plugged_in(port, board) as path, SerialBoard(path, name=f"The board at {port}") as connection:
        identity = connection.identify()
        check_identity(identity, board)
        _ask_before_replacing(connection, port, yes)
        if site is None:
            site = _site_on_board(connection)
        image = build_image(board, site, compiler=_compiler(mpy, board, identity), secrets=secret_bytes)
        with _progress(port) as progress:
            done = connection.deploy(image, progress)
        connection.reset()
        _report(board, port, image, done)
        if site is None:
            click.echo(_site_words(None))
            return
        _check_start(connection, port, _VIRTUAL_START_S if board.virtual else _REAL_START_S)


def _find_site(board: BoardConfig, name: str | None) -> SiteConfig | None:
    if name is None:
        return example_site() if board.virtual is not None else None
    return example_site() if name == "example" else read_site(Path(name))


def _read_secrets(file: Path) -> bytes:
    content = file.read_bytes()
    secret_files(content, str(file))
    return content


def _compiler(wanted: bool | None, board: BoardConfig, identity: BoardIdentity | None) -> Compiler | None:
    """Choose between .mpy and .py: compiled for what the board reports, or for its chip where no board is asked."""
    if wanted is False:
        return None
    if identity is None:
        compiler = compiler_for_chip(board.chip)
        if compiler is None and wanted:
            Compiler("")  # says why there is none
        return compiler
    abi = Abi.from_implementation(identity.mpy)
    if wanted is None:
        try:
            return None if abi is None else Compiler(abi.architecture, abi.version)
        except LeezenflowError:
            return None
    if abi is None:
        raise BoardError("The MicroPython of this board loads no .mpy files; use --no-mpy.")
    return Compiler(abi.architecture, abi.version)


def _ask_before_replacing(connection: SerialBoard, port: str, yes: bool) -> None:
    if yes or connection.read_file("/a/manifest.json") is not None:
        return
    other = connection.read_file("/main.py")
    if not other or b"Leezenflow contributors" in other[:200]:
        return
    if not sys.stdin.isatty():
        raise InputError(f"The board at {port} has another program (/main.py). Give --yes to replace it.")
    click.confirm(f"The board at {port} has another program (/main.py). Replace it?", abort=True, err=True)


def _site_on_board(connection: SerialBoard) -> SiteConfig | None:
    content = connection.read_file("/site.json")
    if content is None:
        return None
    try:
        site = SiteConfig("/site.json of the board", json.loads(content))
        site.site()
    except (ValueError, LeezenflowError):
        raise InputError("The site on the board cannot be read: name one with --site.") from None
    return site


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


def _check_start(connection: SerialBoard, port: str, patience_s: float) -> None:
    said = connection.watch_start(patience_s)
    if any(failure in said for failure in _FAILURES):
        errors = [line for line in said.splitlines() if re.match(r"\w*(Error|Exception)\b", line)]
        why = errors[-1].strip() if errors else said.strip()[-200:]
        raise BoardError(f"Everything is installed, but the unit does not start: {why}")
    click.echo("The unit runs.")


def _amount(image: Image) -> str:
    return f"{len(image.files)} files, {image.size / 1024:.0f} kB"


def _site_words(site: SiteConfig | None) -> str:
    if site is not None:
        return ""
    return "There is no site: the panel stays dark (or shows /picture.bin) until one is installed with --site."
