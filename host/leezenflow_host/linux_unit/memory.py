# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Linux unit has learned about its signal, kept in a file across restarts."""

from collections.abc import Callable
from pathlib import Path

from leezenflow.engine import Engine
from leezenflow_host.memory_file import write_memory

# Memory cards wear out by writing, and an hour of learning can be lost.
SAVE_EVERY_MS = 3_600_000


class UnitMemory:
    """Loads `engine` from `path` at once, saves it hourly if it has learned, and when asked.

    A damaged file or a full disk never keeps a unit from working: `fault` says what was wrong, `say` is told.
    """

    def __init__(self, engine: Engine, path: Path, say: Callable[[str], None], now_ms: int) -> None:
        self.fault = ""
        self._engine = engine
        self._path = path
        self._say = say
        self._due_ms = now_ms + SAVE_EVERY_MS
        try:
            data = path.read_bytes()
            if not engine.load_memory(data):
                self._complain("is damaged, the unit learns anew")
        except FileNotFoundError:
            pass
        except OSError as error:
            self._complain(f"cannot be read ({error.strerror})")
        self._saved = engine.memory()

    def save_if_due(self, now_ms: int) -> None:
        """Save once an hour."""
        if now_ms >= self._due_ms:
            self._due_ms = now_ms + SAVE_EVERY_MS
            self.save()

    def save(self) -> None:
        """Save, if there is anything new."""
        memory = self._engine.memory()
        if memory == self._saved:
            return
        try:
            write_memory(self._path, memory)
            self._saved = memory
            self.fault = ""
        except OSError as error:
            self._complain(f"cannot be written ({error.strerror})")

    def _complain(self, what: str) -> None:
        if what != self.fault:
            self.fault = what
            self._say(f"{self._path}: {what}")
