# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file of tests/core once more, on a real MicroPython with the heap of a board."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE_TESTS = sorted((ROOT / "tests/core").glob("test_*.py"))

# An ESP32 starts with some 160 kB free, a Pico W with 198 kB. Objects of the 64-bit unix port are about twice as big,
# so this is 128 kB of a board; and the tests and what they note down lie in the same heap.
HEAP = "256k"


def run_file(micropython: str, test_file: Path) -> subprocess.CompletedProcess[str]:
    """Run one file's tests under MicroPython; stdout and stderr come back as one text."""
    command = [micropython, "-X", f"heapsize={HEAP}", str(ROOT / "tests/core_runner.py"), str(test_file)]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )


def read_test_names(test_file: Path) -> set[str]:
    """The names of the file's tests, from its text."""
    tree = ast.parse(test_file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_there_are_core_tests():
    assert CORE_TESTS


@pytest.mark.parametrize("test_file", CORE_TESTS, ids=lambda path: path.stem)
def test_core_file(micropython: str, test_file: Path):
    result = run_file(micropython, test_file)
    if result.returncode:
        pytest.fail(result.stdout, pytrace=False)
    # Exactly these have run: a runner that finds nothing must not look like success.
    assert set(re.findall(r"^ok (\w+)$", result.stdout, re.MULTILINE)) == read_test_names(test_file)


def test_a_failing_test_is_reported(micropython: str, tmp_path: Path):
    planted = tmp_path / "test_planted.py"
    planted.write_text("def test_wrong():\n    assert 1 + 1 == 3\n\n\ndef test_right():\n    assert 1 + 1 == 2\n")
    result = run_file(micropython, planted)
    assert result.returncode == 1
    assert "FAILED test_wrong" in result.stdout
    assert "AssertionError" in result.stdout
    assert "ok test_right" in result.stdout
    assert "ran 2, failed 1" in result.stdout


def test_the_heap_is_as_small_as_said(micropython: str, tmp_path: Path):
    planted = tmp_path / "test_planted.py"
    planted.write_text("def test_too_much():\n    assert bytearray(270_000)\n")
    result = run_file(micropython, planted)
    assert result.returncode == 1
    assert "MemoryError" in result.stdout


@pytest.mark.parametrize("text", ["", "import typing\n\n\ndef test_never():\n    pass\n"], ids=["empty", "no-import"])
def test_a_file_that_runs_nothing_fails(micropython: str, tmp_path: Path, text: str):
    planted = tmp_path / "test_planted.py"
    planted.write_text(text)
    assert run_file(micropython, planted).returncode == 1
