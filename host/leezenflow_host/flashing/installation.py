# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `install` and `flash` do alike: the site, the kind of modules, whose program is there, does the unit start."""

import json
import re
from pathlib import Path

from leezenflow_host.board_config import BoardConfig
from leezenflow_host.boards.identity import BoardIdentity
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.errors import BoardError, InputError, LeezenflowError
from leezenflow_host.mpy import Abi, Compiler, compiler_for_chip
from leezenflow_host.site_config import SiteConfig, example_site, read_site

# A unit that cannot work says so within this time of its start (importing takes a Pico a second or two).
REAL_START_S, VIRTUAL_START_S = 5.0, 1.0
_FAILURES = ("The panel is dark; starting again", "There is no release")

NO_SITE = "There is no site: the panel stays dark (or shows /picture.bin) until one is installed with --site."


def find_site(board: BoardConfig, name: str | None) -> SiteConfig | None:
    """Return the site of that file, or the demo's for "example"; None without a name, but for a virtual board."""
    if name is None:
        return example_site() if board.virtual is not None else None
    return example_site() if name == "example" else read_site(Path(name))


def choose_compiler(wanted: bool | None, board: BoardConfig, identity: BoardIdentity | None) -> Compiler | None:
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


def has_other_program(connection: SerialBoard) -> bool:
    """Whether somebody else's /main.py would be replaced."""
    other = connection.read_file("/main.py")
    if not other or b"Leezenflow contributors" in other[:200]:
        return False
    return connection.read_file("/a/manifest.json") is None


def site_on_board(connection: SerialBoard) -> SiteConfig | None:
    """Return the site that the board has; InputError where it cannot be read."""
    content = connection.read_file("/site.json")
    if content is None:
        return None
    try:
        site = SiteConfig("/site.json of the board", json.loads(content))
        site.site()
    except (ValueError, LeezenflowError):
        raise InputError("The site on the board cannot be read: name one with --site.") from None
    return site


def check_start(connection: SerialBoard, patience_s: float) -> None:
    """Listen to a unit that was just reset; BoardError with its own words when it does not start."""
    said = connection.watch_start(patience_s)
    if any(failure in said for failure in _FAILURES):
        errors = [line for line in said.splitlines() if re.match(r"\w*(Error|Exception)\b", line)]
        why = errors[-1].strip() if errors else said.strip()[-200:]
        raise BoardError(f"Everything is installed, but the unit does not start: {why}")
