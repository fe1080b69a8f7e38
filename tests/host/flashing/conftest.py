# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of flashing share: an empty computer, and boards behind its ports."""

from collections.abc import Callable, Iterator
from pathlib import Path

import esptool.loader
import pytest
from fake_unit import fake_image

from leezenflow_host import cli
from leezenflow_host.boards.identity import BoardIdentity
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.flashing import detect, job, procedure


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of this computer's own boards, images and memory; returns the folder of everything."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("LEEZENFLOW_VOLUMES", str(tmp_path / "volumes"))
    monkeypatch.setenv("LEEZENFLOW_PORTS", str(tmp_path / "ports"))
    (tmp_path / "ports").mkdir()
    monkeypatch.chdir(tmp_path)
    # An emulated chip on a busy computer may need longer for its first word than a real one.
    monkeypatch.setattr(esptool.loader, "SYNC_TIMEOUT", 0.3)
    monkeypatch.setattr(detect, "PATIENCE_S", 90.0)
    return tmp_path


@pytest.fixture
def firmware(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put the stand-in into the place of the firmware; the returned function bends what it says."""
    bent: dict[str, object] = {}
    monkeypatch.setattr(job, "build_image", lambda board, site, **_: fake_image(board, site, **bent))
    monkeypatch.setattr(procedure, "_START_S", 0.1)
    monkeypatch.setattr(detect, "_ASK_S", 0.6)
    return lambda **changes: bent.update(changes)


@pytest.fixture
def chip(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let virtual boards say that they have a chip of that kind."""
    return lambda name: monkeypatch.setattr(BoardIdentity, "chip", property(lambda identity: name))


@pytest.fixture
def plug_in(places: Path, micropython: str) -> Iterator[Callable[[str], VirtualBoard]]:
    """Plug virtual boards into ports of that name."""
    boards: list[VirtualBoard] = []

    def plug_in(name: str) -> VirtualBoard:
        board = VirtualBoard(places / f"{name}.flash")
        boards.append(board)
        port = places / "ports" / name
        port.unlink(missing_ok=True)
        port.symlink_to(board.port)
        return board

    yield plug_in
    for board in boards:
        board.close()


@pytest.fixture
def flash(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run `leezenflow flash` and return its exit code, output and error output."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = cli.run(["flash", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
