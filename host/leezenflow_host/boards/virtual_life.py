# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a virtual board's interpreter, from reset to reset."""

import contextlib
import os
import pty
import subprocess
import termios
from collections.abc import Mapping, Sequence


class Life:
    """Unix MicroPython on a terminal of its own, as the leader of a session of its own.

    The terminal keeps ISIG, so that a Ctrl-C from the host interrupts a running main.py as it does on a board.
    `terminal` and `events` are descriptors to read (not blocking); the end of `events` is the end of the interpreter.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start `command`; `{control}` in it becomes the number of the file descriptor for the ROM's events."""
        self.terminal, inner = pty.openpty()
        attributes = termios.tcgetattr(inner)
        attributes[0] = attributes[1] = 0
        attributes[3] = termios.ISIG | termios.NOFLSH
        termios.tcsetattr(inner, termios.TCSANOW, attributes)
        self.events, control = os.pipe()
        # A session leader that opens a terminal makes it its own: no code has to run between fork and exec for that.
        shell = ["/bin/sh", "-c", 'exec <>"$0" >&0 2>&1; exec "$@"', os.ttyname(inner)]
        try:
            self.process = subprocess.Popen(
                [*shell, *(part.replace("{control}", str(control)) for part in command)],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(control,),
                env=environment,
            )
        except OSError:
            for descriptor in (self.terminal, self.events, inner):
                os.close(descriptor)
            raise
        finally:
            os.close(control)
        # Kept open until the interpreter has opened it too, or the terminal would seem to have ended before it began.
        self._inner: int | None = inner
        self.up = False
        self.watchdog_s: float | None = None
        self.fed_at = 0.0
        os.set_blocking(self.terminal, False)
        os.set_blocking(self.events, False)

    def started(self) -> None:
        """Note that the interpreter runs and has opened its terminal."""
        self.up = True
        self._release()

    def waits_for_input(self) -> bool:
        """True while the REPL reads a line; False while a program runs (only then is Ctrl-C a signal)."""
        try:
            return not termios.tcgetattr(self.terminal)[3] & termios.ISIG
        except termios.error:
            return False

    def end(self) -> bytes:
        """Take the power away and return what was printed last."""
        self.process.kill()
        self.process.wait()
        self._release()
        rest = b""
        with contextlib.suppress(OSError):
            while chunk := os.read(self.terminal, 4096):
                rest += chunk
        os.close(self.terminal)
        os.close(self.events)
        return rest

    def _release(self) -> None:
        if self._inner is not None:
            os.close(self._inner)
            self._inner = None
