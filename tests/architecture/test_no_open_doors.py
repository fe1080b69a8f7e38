# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/security.md says of doors: a unit listens on nothing but its UDP source, and nothing starts a WebREPL."""

import ast
from pathlib import Path

import pytest

from leezenflow_host.board_config import board_names, read_board
from leezenflow_host.image import build_image
from leezenflow_host.site_config import example_site

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = sorted((ROOT / "firmware").rglob("*.py")) + sorted((ROOT / "signal_adapters").rglob("*.py"))
# The one that listens, for datagrams of a site's udp:// source; and the portal that opens while a button is held.
LISTENERS = {"udp.py", "setup_portal.py"}


def calls(file: Path) -> set[str]:
    """Names of all methods and functions that a file calls, and of all modules that it imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            found.add(node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_there_is_firmware_to_look_at() -> None:
    assert len(FIRMWARE) > 60


@pytest.mark.parametrize("file", FIRMWARE, ids=lambda file: file.name)
def test_nothing_of_ours_opens_a_door(file: Path) -> None:
    used = calls(file)
    assert not used & {"webrepl", "webrepl_setup", "_webrepl", "dupterm", "bluetooth", "aioble"}, file
    if file.name not in LISTENERS:
        assert not used & {"listen", "start_server", "bind"}, file


@pytest.mark.parametrize("name", [name for name in board_names() if not read_board(name).is_linux])
def test_no_board_gets_a_file_that_does(name: str) -> None:
    files = build_image(read_board(name), example_site(), compiler=None).files
    assert not [path for path in files if "webrepl" in path]
    start = files["/boot.py"] + files["/main.py"]
    assert b"webrepl" not in start
    assert b"network" not in start.replace(b"without network", b"")
    # Only these run by themselves; MicroPython imports nothing else at its start.
    assert {path for path in files if path.count("/") == 1 and path.endswith(".py")} == {"/boot.py", "/main.py"}
