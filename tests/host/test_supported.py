# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SUPPORTED.md says what is here, all of it, and no more than was tried."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from leezenflow_host.board_config import board_names, read_board
from leezenflow_host.drivers import driver_names

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_supported", ROOT / "tools/make_supported.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "SUPPORTED.md").read_text(encoding="utf-8")


def run(maker: ModuleType, monkeypatch: pytest.MonkeyPatch, target: Path, *arguments: str) -> int:
    monkeypatch.setattr(maker, "TARGET", target)
    monkeypatch.setattr(sys, "argv", ["make_supported.py", *arguments])
    return maker.main()


def test_the_page_is_current(
    maker: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    text = maker.build()
    monkeypatch.setattr(maker, "build", lambda: text)
    assert run(maker, monkeypatch, ROOT / "SUPPORTED.md", "--check") == 0, capsys.readouterr().err
    copy = tmp_path / "SUPPORTED.md"
    assert run(maker, monkeypatch, copy, "--check") == 1
    assert run(maker, monkeypatch, copy) == 0
    assert run(maker, monkeypatch, copy, "--check") == 0
    copy.write_text(copy.read_text().replace("never", "often"))
    assert run(maker, monkeypatch, copy, "--check") == 1
    assert "Run: python tools/make_supported.py" in capsys.readouterr().err


def test_everything_is_on_the_page(page: str):
    for kind in ("adapter", "display", "host_display", "look"):
        for name in driver_names(kind):
            assert f"\n| {name} |" in page or f"\n| [{name}](" in page, name
    for name in board_names():
        assert f"\n| {name} |" in page


def test_nothing_claims_more_than_its_board_file(page: str):
    tried = [name for name in board_names() if read_board(name).verified == "hardware"]
    assert page.count("**hardware**") == len(tried)
    assert ("Nothing on this page was verified by us on hardware" in page) == (not tried)


def test_links_lead_somewhere(page: str):
    targets = [part.partition(")")[0] for part in page.split("](")[1:]]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
