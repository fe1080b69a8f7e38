# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single keys from a terminal, without Enter."""

import contextlib
import os
import select
import sys
import time
from types import TracebackType
from typing import Any, Self

try:
    import termios
    import tty
except ImportError:  # Windows
    termios = tty = None


class Keyboard:
    """A context manager in which `read` returns keys as they are pressed; Ctrl-C still interrupts.

    Without a terminal there are never any keys.
    """

    def __init__(self) -> None:
        self.is_terminal = sys.stdin.isatty()
        self._before: Any = None

    def __enter__(self) -> Self:
        if self.is_terminal and termios is not None and tty is not None:
            self._before = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None and termios is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def read(self, timeout_s: float) -> str:
        """Return the keys pressed within `timeout_s` at the latest, as text; "" if none were."""
        if not self.is_terminal:
            time.sleep(timeout_s)
            return ""
        if termios is None:
            return _read_windows(timeout_s)
        ready, _, _ = select.select([sys.stdin], [], [], timeout_s)
        return os.read(sys.stdin.fileno(), 64).decode(errors="ignore") if ready else ""


def _read_windows(timeout_s: float) -> str:
    import msvcrt

    deadline = time.monotonic() + timeout_s
    keys = ""
    with contextlib.suppress(AttributeError):
        while not keys and time.monotonic() < deadline:
            while msvcrt.kbhit():
                keys += msvcrt.getwch()
            time.sleep(0.01)
    return keys
