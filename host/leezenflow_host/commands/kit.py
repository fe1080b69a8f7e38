# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow kit`: one folder or zip with everything for work without internet."""

from pathlib import Path

import rich_click as click

from leezenflow_host.board_config import read_board
from leezenflow_host.completing import complete_board
from leezenflow_host.errors import InputError
from leezenflow_host.kit import Kit, plan_kit, write_kit
from leezenflow_host.kit.storage import check_target

_PATH = click.Path(path_type=Path)
_KIT = click.argument("kit", type=_PATH, metavar="KIT")


@click.group()
def command() -> None:
    """Build, check and describe an offline kit: all that `flash --kit` needs at a junction without internet."""


@command.command("build")
@click.option("--out", type=_PATH, required=True, metavar="KIT", help="A new folder, or a file that ends in .zip.")
@click.option(
    "--board",
    "boards",
    multiple=True,
    required=True,
    metavar="BOARD|FILE.toml",
    shell_complete=complete_board,
    help="Repeat for more.",
)
@click.option("--interpreter", "interpreters", multiple=True, type=_PATH, metavar="FILE", help="Image of MicroPython.")
@click.option("--site", "sites", multiple=True, type=_PATH, metavar="FILE.toml", help="Where a unit stands.")
@click.option("--secrets", multiple=True, metavar="UNIT=FILE", help="Secrets of one unit [default: none go in].")
@click.option("--no-secrets", is_flag=True, help="None go in, even if some are given.")
@click.option("--keys", type=_PATH, metavar="DIR", help="The public keys in it; private ones stay out.")
@click.option("--release", type=_PATH, metavar="FILE.lzf", help="A signed update.")
@click.option("--wheels", type=_PATH, metavar="DIR", help="Python packages, for a laptop without Leezenflow.")
@click.option("--allow-unpinned", is_flag=True, help="Take images whose hash stands in no board file.")
@click.option("--yes", is_flag=True, help="Replace an earlier kit.")
@click.option("--dry-run", is_flag=True, help="Only say what would be in it.")
def build(
    out: Path,
    boards: tuple[str, ...],
    interpreters: tuple[Path, ...],
    sites: tuple[Path, ...],
    secrets: tuple[str, ...],
    no_secrets: bool,
    keys: Path | None,
    release: Path | None,
    wheels: Path | None,
    allow_unpinned: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Gather images, firmware, sites and keys into one kit; everything is checked before it goes in.

    The same content gives the same bytes, so two people can compare the hashes of their kits.
    """
    check_target(out, replace=yes)
    checked = [read_board(name) for name in dict.fromkeys(boards)]
    for board in checked:
        board.require_device()
    plan = plan_kit(
        checked,
        sites=sites,
        interpreters=interpreters,
        secrets={} if no_secrets else _parse_secrets(secrets),
        keys=keys,
        release=release,
        wheels=wheels,
        allow_unpinned=allow_unpinned,
    )
    if dry_run:
        for path, content in sorted(plan.files.items()):
            click.echo(f"{len(content):9}  {path}")
    else:
        write_kit(out, plan.files, replace=yes)
    for remark in plan.remarks:
        click.echo(f"Note: {remark}", err=True)
    verb = "Would write" if dry_run else "Wrote"
    click.echo(f"{verb} {out}: {len(plan.files)} files, {plan.size / 1024:.0f} kB.")


@command.command("check")
@_KIT
def check(kit: Path) -> None:
    """Check every file of a kit: none missing, none damaged, none too many."""
    opened = Kit.open(kit)
    for name in opened.boards:
        opened.board(name)
    for name in opened.sites:
        opened.site(name)
    click.echo(f"{kit}: right ({len(opened.facts['files'])} files, {opened.size / 1024:.0f} kB).")


@command.command("show")
@_KIT
def show(kit: Path) -> None:
    """Say what is in a kit (and check it first)."""
    opened = Kit.open(kit)
    facts = opened.facts
    rows: list[tuple[str, str]] = [("made by", f"Leezenflow {facts['tool_version']}")]
    for name in opened.boards:
        image = facts["interpreters"].get(name)
        if opened.board(name).interpreter is None:
            words = "needs no image of MicroPython"
        elif image is None:
            words = "no image of MicroPython here"
        else:
            words = Path(image["file"]).name + ("" if image["pinned"] else ", not pinned")
        rows.append(("board", f"{name}: {words}"))
    for stem in opened.sites:
        unit = facts["sites"][stem]["unit"]
        secret = ", with secrets" if unit in facts["secrets"] else ""
        rows.append(("site", f"{stem}{f' (unit {unit})' if unit else ''}{secret}"))
    loose = sorted(set(facts["secrets"]) - {site["unit"] for site in facts["sites"].values()})
    rows += [("secrets", f"of {unit}") for unit in loose]
    rows += [("update", Path(facts["release"]).name)] if facts["release"] else []
    rows += [("keys", "public root keys")] if opened.root_keys is not None else []
    wheels = sum(path.startswith("tool/") for path, _, _ in facts["files"])
    rows += [("tool", f"{wheels} Python packages")] if wheels else []
    rows.append(("size", f"{len(facts['files'])} files, {opened.size / 1024:.0f} kB"))
    for title, words in rows:
        click.echo(f"{click.style(title.ljust(8), bold=True)} {words}")


def _parse_secrets(given: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in given:
        unit, mark, file = text.partition("=")
        if not (mark and unit and file):
            raise InputError(f"--secrets {text}: write UNIT=FILE, as in north-1=north-1.json.")
        if unit in found:
            raise InputError(f"--secrets {unit}: given twice; each unit has one file.")
        found[unit] = Path(file)
    return found
