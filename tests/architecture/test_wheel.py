# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `pip install` brings: all four packages at the top, board descriptions and data inside the host package."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("firmware", "signal_adapters", "host")
PACKAGES = ("leezenflow", "leezenflow_adapters", "leezenflow_device", "leezenflow_host")


def list_package_files() -> set[str]:
    """Every file of the four packages in the checkout, by the name it must have in the wheel."""
    names = set()
    for source_root in SOURCE_ROOTS:
        for path in (ROOT / source_root).rglob("*"):
            name = path.relative_to(ROOT / source_root)
            if path.is_file() and name.parts[0] in PACKAGES and "__pycache__" not in name.parts:
                names.add(name.as_posix())
    return names


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of a copy of the checkout (without network: the build backend is called directly)."""
    tree = tmp_path_factory.mktemp("tree")
    for name in (*SOURCE_ROOTS, "board_configs", "LICENSES"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", ".gitignore"):
        shutil.copy(ROOT / name, tree)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tree / "dist")]
    subprocess.run(command, cwd=tree, check=True, capture_output=True)
    (built,) = (tree / "dist").glob("leezenflow-*-py3-none-any.whl")
    return zipfile.ZipFile(built)


def test_the_packages_are_whole(wheel: zipfile.ZipFile):
    assert list_package_files() - set(wheel.namelist()) == set()


def test_board_descriptions_are_package_data(wheel: zipfile.ZipFile):
    boards = {path.name for path in (ROOT / "board_configs").glob("*.toml")}
    assert boards
    assert boards <= {Path(name).name for name in wheel.namelist() if name.startswith("leezenflow_host/board_configs/")}


def test_nothing_else_comes_along(wheel: zipfile.ZipFile):
    folders = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in folders if not name.endswith(".dist-info")} == set(PACKAGES)


def test_the_command_is_there(wheel: zipfile.ZipFile):
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    assert "leezenflow = leezenflow_host.cli:main" in wheel.read(entry_points).decode()
