# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow update build`: an update file for one kind of board."""

from pathlib import Path

import rich_click as click

from leezenflow_host.board_config import read_board
from leezenflow_host.mpy import Compiler, compiler_for_chip
from leezenflow_host.release import build_release, pack_release, write_whole
from leezenflow_host.site_config import example_site, read_site


@click.command()
@click.option("--board", "board_name", required=True, metavar="BOARD|FILE.toml", help="See: leezenflow boards list.")
@click.option(
    "--site",
    "site_names",
    multiple=True,
    metavar="FILE.toml",
    help="A site it must serve; give it for each. Without, it serves any site, and is twice as large.",
)
@click.option("--release", "number", type=click.IntRange(1, 2**30 - 1), help="Its number [default: from the version].")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.lzf", help="[default: BOARD-RELEASE.lzf]")
@click.option("--mpy/--no-mpy", default=None, help="Compiled modules or sources [default: compiled where possible].")
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
def command(
    board_name: str, site_names: tuple[str, ...], number: int | None, out: Path | None, mpy: bool | None, dry_run: bool
) -> None:
    """Build an update file. No unit takes it before `leezenflow update sign`.

    A unit never goes back: give each file that you hand out a higher --release than the one before.
    """
    board = read_board(board_name)
    board.require_device()
    sites = [example_site() if name == "example" else read_site(Path(name)) for name in site_names]
    compiler = None if mpy is False else compiler_for_chip(board.chip)
    if mpy and compiler is None:
        Compiler("")  # says why there is none
    release = build_release(board, sites, compiler=compiler, number=number)
    out = out or Path(f"{board.name}-{release.number}.lzf")
    if not dry_run:
        write_whole(out, pack_release(release))
    click.echo(
        f"{'Would write' if dry_run else 'Wrote'} {out}: release {release.number} (version {release.version}) for "
        f"{board.name}, {len(release.files)} files, {release.size / 1024:.0f} kB, not signed yet."
    )
