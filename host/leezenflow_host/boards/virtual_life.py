# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a virtual board's interpreter, from reset to reset."""

import contextlib
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Mapping, Sequence

# The REPL clears all of these flags while it reads a line; this one does nothing by itself.
_RUNNING = termios.NOFLSH


class Life:
    """Unix MicroPython on a terminal of its own, as the leader of a session of its own.

    `terminal` and `events` are descriptors to read (not blocking); the end of `events` is the end of the interpreter.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], interrupt: signal.Signals | None
    ) -> None:
        """Start `command`; `{control}` in it becomes the number of the file descriptor for the ROM's events.

        `interrupt` is the signal by which a running program is interrupted; None: Ctrl-C on its terminal.
        """
        self._interrupt = interrupt
        self.terminal, inner = pty.openpty()
        attributes = termios.tcgetattr(inner)
        attributes[0] = attributes[1] = 0
        attributes[3] = _RUNNING if interrupt else _RUNNING | termios.ISIG
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
        """True while the REPL reads a line, False while a program runs."""
        try:
            return not termios.tcgetattr(self.terminal)[3] & _RUNNING
        except termios.error:
            return False

    def interrupt(self) -> None:
        """Interrupt the program that runs, as Ctrl-C does on a board."""
        if self._interrupt is None:
            os.write(self.terminal, b"\x03")
        else:
            self.process.send_signal(self._interrupt)

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
