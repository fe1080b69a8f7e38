# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generated sprite modules are what their readable sources make of them."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_sprites_are_up_to_date(project_root: Path) -> None:
    command = [sys.executable, str(project_root / "tools/make_sprites.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("up to date") == 5


@pytest.mark.parametrize("line", ["line 1.0", "circle 1 2,3", "use nothing", "size 3"])
def test_a_wrong_line_is_named(project_root: Path, tmp_path: Path, line: str) -> None:
    source = tmp_path / "broken.txt"
    source.write_text(f"size 8 8\nsprite a 1\n{line}\n")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; import make_sprites\n"
        "sheet = make_sprites.Sheet(Path(sys.argv[2]))\nlist(sheet.draw('a'))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(project_root / "tools"), str(source)], capture_output=True, text=True
    )
    assert "broken.txt:3" in result.stderr
    assert line in result.stderr
