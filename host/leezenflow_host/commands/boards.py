# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow boards`: which boards there are, what is on them, and whether a board file is right."""

import rich_click as click

from leezenflow_host.board_config import board_names, read_board
from leezenflow_host.board_sheet import board_sheet
from leezenflow_host.completing import complete_board
from leezenflow_host.errors import InputError

_VERIFIED = {"hardware": "tried on hardware", "emulation": "tried in emulation", "none": "not tried yet"}


@click.group()
def command() -> None:
    """List, check and describe the boards that Leezenflow knows."""


@command.command("list")
def list_boards() -> None:
    """List all boards: name, chip, how the build was verified, and what it is."""
    boards = [read_board(name) for name in board_names()]
    rows = [(board.name, board.chip, _VERIFIED[board.verified], board.title) for board in boards]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *rest in rows:
        words = [word.ljust(width) for word, width in zip(rest, widths[1:], strict=True)]
        click.echo(f"{click.style(name.ljust(widths[0]), bold=True)}  {'  '.join(words)}".rstrip())


@command.command("check")
@click.argument("board", nargs=-1, metavar="[BOARD|FILE.toml]...", shell_complete=complete_board)
def check_boards(board: tuple[str, ...]) -> None:
    """Check board files, or every board that comes with Leezenflow; tells all that is wrong at once."""
    problems: list[str] = []
    for name in board or board_names():
        try:
            checked = read_board(name)
        except InputError as error:
            problems.append(str(error))
        else:
            click.echo(f"{checked.file}: right")
    if problems:
        raise InputError("\n".join(problems))


@command.command("show")
@click.argument("board", metavar="BOARD|FILE.toml", shell_complete=complete_board)
def show_board(board: str) -> None:
    """Describe a board: pins, panel, memory, and where each number comes from."""
    for title, rows in board_sheet(read_board(board)):
        click.echo(click.style(title, bold=True))
        width = max((len(name) for name, _ in rows), default=0)
        for name, words in rows:
            click.echo(f"  {name.ljust(width)}  {words}".rstrip())
        click.echo()
