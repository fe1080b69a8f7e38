# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files say whose they are, stay short enough to be one thing, and hold nothing of one person's machine."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("firmware", "signal_adapters", "host", "tests", "tools")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
MAX_LINES = 400

HEADER = (
    "# SPDX-FileCopyrightText: 2026 Leezenflow contributors\n# SPDX-License-Identifier: GPL-3.0-or-later\n",
    "# SPDX-FileCopyrightText: 2026 Leezenflow contributors\n# SPDX-License-Identifier: CC0-1.0\n",
)


def check_tree(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run tools/check_tree.py over a folder."""
    command = [sys.executable, str(ROOT / "tools/check_tree.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def name_file(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=name_file)
def test_file_says_whose_it_is(path: Path):
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    first = 1 if lines and lines[0].startswith("#!") else 0
    assert "".join(lines[first : first + 2]) in HEADER


@pytest.mark.parametrize("path", FILES, ids=name_file)
def test_file_is_one_thing(path: Path):
    count = len(path.read_text(encoding="utf-8").splitlines())
    assert count <= MAX_LINES, f"{count} lines: this is two things"


def test_packages_are_packages():
    # A folder without __init__.py imports as a namespace on CPython, so a wheel and a checkout would differ.
    packages = ("firmware/leezenflow", "firmware/leezenflow_device", "signal_adapters/leezenflow_adapters")
    for package in (*packages, "host/leezenflow_host"):
        folders = {path.parent for path in (ROOT / package).rglob("*.py")}
        missing = [name_file(folder) for folder in folders if not (folder / "__init__.py").exists()]
        assert missing == []


def test_nothing_unpublishable_is_in_the_tree():
    result = check_tree(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "text",
    [
        "open('/" + "home/somebody/trace.jsonl')",
        "see /" + "work/main/firmware",
        '"/' + 'tmp/board"',
        "-----" + "BEGIN RSA PRIVATE KEY-----",
        "-----" + "BEGIN PRIVATE KEY-----",
        "<<<<<" + "<< HEAD",
    ],
)
def test_what_must_not_be_published_is_found(tmp_path: Path, text: str):
    (tmp_path / "planted.md").write_text(f"First line.\n{text}\n")
    result = check_tree(tmp_path)
    assert result.returncode == 1
    assert result.stdout.startswith("planted.md:2: ")


def test_paths_on_a_board_and_in_addresses_are_fine(tmp_path: Path):
    (tmp_path / "plain.md").write_text("/boot.py, /state/, mqtt://broker/work/1, docs/home/index.md, ~/work/x\n")
    assert check_tree(tmp_path).returncode == 0
