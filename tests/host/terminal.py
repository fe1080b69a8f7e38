# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real terminal with a shell in it, driven by tmux: keys in, the screen out."""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_PROMPT = "ready>"
_PATIENCE_S = 180.0


class Terminal:
    """A context manager: a shell in `folder` with `leezenflow` on its path and a home of its own."""

    def __init__(self, folder: Path, columns: int = 110, lines: int = 45) -> None:
        self._socket = f"leezenflow-{os.getpid()}-{folder.name}"
        self._size = (str(columns), str(lines))
        self._folder = folder
        programs = folder / ".bin"
        programs.mkdir()
        program = programs / "leezenflow"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m leezenflow_host "$@"\n')
        program.chmod(0o755)
        home = folder / ".home"
        home.mkdir()
        self._variables = {
            "HOME": str(home),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PS1": f"{_PROMPT} ",
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "LANG": "C.UTF-8",
        }
        for name in ("MICROPYTHON", "LEEZENFLOW_DEBUG", "NO_COLOR"):
            if name in os.environ:
                self._variables[name] = os.environ[name]

    def __enter__(self) -> Self:
        variables = {**self._variables, "TERM": "screen-256color"}
        words = ["env", "-i", *(shlex.quote(f"{name}={value}") for name, value in variables.items())]
        shell = " ".join([*words, "bash", "--norc", "--noprofile", "-i"])
        columns, lines = self._size
        self._tmux(
            "-f", "/dev/null", "-u", "new-session", "-d", "-x", columns, "-y", lines, "-c", str(self._folder), shell
        )
        self.wait_for(_PROMPT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], capture_output=True, check=False)

    def type(self, text: str, *, enter: bool = True) -> None:
        """Type `text`, and Enter behind it."""
        if text:
            self._tmux("send-keys", "-l", text)
        if enter:
            self._tmux("send-keys", "Enter")

    def screen(self) -> str:
        """What stands on the screen, and above it as far as the shell's history of lines goes."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-500")

    def wait_for(self, text: str) -> str:
        """Wait until `text` stands there; return the screen. AssertionError with the screen when it does not come."""
        deadline = time.monotonic() + _PATIENCE_S
        while text not in (screen := self.screen()):
            assert time.monotonic() < deadline, f"{text!r} does not appear:\n{screen}"
            time.sleep(0.05)
        return screen

    def run(self, command: str) -> tuple[int, str]:
        """Run a command to its end; return its exit code and the screen since it was typed."""
        self.begin(command)
        return self.end()

    def begin(self, command: str) -> None:
        """Clear the screen and start a command."""
        self._tmux("send-keys", "-R")
        self._tmux("clear-history")
        # The mark is put together by the shell, so that what was typed is not taken for what came.
        self.type(f"{command}; echo en'd' $?")

    def end(self) -> tuple[int, str]:
        """Wait for the end of what was begun; return its exit code and the screen."""
        screen = self.wait_for("\nend ")
        deadline = time.monotonic() + _PATIENCE_S
        while not screen.partition("\nend ")[2].partition("\n")[2].strip():
            assert time.monotonic() < deadline, screen
            screen = self.screen()
        said, _, rest = screen.partition("\nend ")
        return int(rest.split()[0]), said

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(["tmux", "-L", self._socket, *arguments], capture_output=True, text=True, check=True)
        return done.stdout
