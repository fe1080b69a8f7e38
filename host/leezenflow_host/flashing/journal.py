# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was begun and what was done, one json line each as it happens: a batch goes on where it was broken off.

Lines are only ever added. A line that a power failure cut in the middle is passed over.
"""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leezenflow_host.flashing.registry import state_folder

STARTED, DONE, FAILED, COMPLETE = "started", "done", "failed", "complete"

_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: `batch` tells jobs apart, `key` boards (chip number, else port); `state` is one of the constants."""

    when: str
    batch: str
    state: str
    key: str = ""
    port: str = ""
    unit: str = ""
    message: str = ""


class Journal:
    """The file `flash.jsonl` in `folder` (default: where this computer keeps what it knows of boards).

    `fault` is empty, or why a line could not be written: no reason to leave a board half done.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.file = (folder or state_folder()) / "flash.jsonl"
        self.fault = ""

    def add(self, entry: Entry) -> None:
        """Write one line, so that it survives whatever comes next; what is in the way stands in `fault`."""
        try:
            self._write(entry)
        except OSError as error:
            self.fault = self.fault or f"{self.file}: {error.strerror or error}"

    def _write(self, entry: Entry) -> None:
        line = json.dumps({name: getattr(entry, name) for name in Entry.__slots__}, ensure_ascii=False)
        with _lock:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("ab") as file:
                # Behind a line that was cut short, on a new one.
                start = b"\n" if file.tell() and not self._ends_well() else b""
                file.write(start + line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())

    def done_in_open_batch(self, batch: str) -> dict[str, Entry]:
        """Return the boards (by key) that the last batch of this name has done, if it was never completed."""
        done: dict[str, Entry] = {}
        for entry in self.entries():
            if entry.batch != batch:
                continue
            if entry.state == COMPLETE:
                done = {}
            elif entry.state == DONE:
                done[entry.key] = entry
            else:
                done.pop(entry.key, None)
        return done

    def last_of_each(self) -> dict[str, Entry]:
        """Return the last entry of each board (by key)."""
        return {entry.key: entry for entry in self.entries() if entry.key}

    def entries(self) -> Iterator[Entry]:
        """Yield every line that can be read, in the order of time."""
        try:
            lines = self.file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return
        for line in lines:
            try:
                values: dict[str, Any] = json.loads(line)
                yield Entry(**{name: str(values.get(name, "")) for name in Entry.__slots__})
            except (ValueError, AttributeError):
                continue

    def _ends_well(self) -> bool:
        with self.file.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
