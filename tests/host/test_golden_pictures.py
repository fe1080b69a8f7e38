# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The golden pictures that reviewers look at show what the looks draw (the bytes are compared in tests/core)."""

import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image


def run_tool(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "tools/make_golden.py"), "--check"]
    return subprocess.run(command, capture_output=True, text=True)


def test_pictures_and_checksums_are_up_to_date(project_root: Path) -> None:
    result = run_tool(project_root)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 frames changed" in result.stdout


def test_a_changed_picture_is_noticed(project_root: Path, tmp_path: Path) -> None:
    for folder in ("firmware", "host", "tools", "tests/core", "tests/golden"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(project_root / folder, tmp_path / folder, ignore=ignored)
    path = tmp_path / "tests/golden/green_wave.png"
    with Image.open(path) as image:
        changed = image.convert("RGB")
    changed.putpixel((40, 5), (1, 2, 3))
    changed.save(path)
    result = run_tool(tmp_path)
    assert result.returncode == 1
    assert "green_wave.png" in result.stdout
