# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The import contracts of pyproject.toml hold, and they bite: what is planted in a copy of the tree is caught."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE_ROOTS = ("firmware", "signal_adapters", "host")


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the source roots of a folder, with that folder's pyproject.toml."""
    # The path goes before what an editable installation adds, so that a copy is checked and not the checkout.
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(root / name) for name in SOURCE_ROOTS),
        "COLUMNS": "200",
    }
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def tree_copy(project_root: Path, tmp_path: Path) -> Path:
    """A copy of everything the contracts look at, to plant faults in."""
    for name in SOURCE_ROOTS:
        shutil.copytree(project_root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(project_root / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_tree_keeps_its_contracts(project_root: Path):
    result = lint_imports(project_root)
    assert result.returncode == 0, result.stdout + result.stderr


def test_an_untouched_copy_keeps_them_too(tree_copy: Path):
    # So that what the tests below see is what they planted.
    result = lint_imports(tree_copy)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("planted_in", "statement", "broken"),
    [
        ("firmware/leezenflow/clock.py", "import machine", "leezenflow -> machine"),
        ("firmware/leezenflow/engine.py", "import time", "leezenflow -> time"),
        ("firmware/leezenflow/engine.py", "import asyncio", "leezenflow -> asyncio"),
        ("firmware/leezenflow/forecast.py", "from network import WLAN", "leezenflow -> network"),
        ("firmware/leezenflow/renderings/dark.py", "import socket", "leezenflow -> socket"),
        ("firmware/leezenflow/tracker.py", "import leezenflow_adapters", "leezenflow -> leezenflow_adapters"),
        ("firmware/leezenflow/board.py", "import leezenflow_device.ticks", "leezenflow -> leezenflow_device"),
        ("signal_adapters/leezenflow_adapters/planted.py", "import socket", "leezenflow_adapters -> socket"),
        (
            "signal_adapters/leezenflow_adapters/planted.py",
            "from leezenflow.engine import Engine",
            "leezenflow_adapters -> leezenflow.engine",
        ),
        (
            "firmware/leezenflow_device/planted.py",
            "import leezenflow_host.errors",
            "leezenflow_device -> leezenflow_host",
        ),
        ("host/leezenflow_host/planted.py", "import leezenflow_device", "leezenflow_host -> leezenflow_device"),
    ],
)
def test_a_planted_import_is_caught(tree_copy: Path, planted_in: str, statement: str, broken: str):
    with (tree_copy / planted_in).open("a", encoding="utf-8") as module:
        module.write(f"\n{statement}\n")
    result = lint_imports(tree_copy)
    assert result.returncode == 1, result.stdout + result.stderr
    importer, _, imported = broken.partition(" -> ")
    report = result.stdout.replace("is not allowed to import", "->")
    assert any(line.strip().startswith(importer) and f"-> {imported}" in line for line in report.splitlines()), (
        result.stdout
    )
