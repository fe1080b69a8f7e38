# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which board is which unit: remembered by the chip's own number, so that a board keeps its name."""

import json
import os
import threading
from pathlib import Path
from typing import Any

from leezenflow_host.atomic_file import open_atomic

_lock = threading.Lock()


def state_folder() -> Path:
    """Where this computer keeps what it knows of boards (XDG_STATE_HOME, or ~/.local/state)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "leezenflow"


class Registry:
    """The file `boards.json` in `folder`: chip number in hex -> {"unit", "board", "when"}.

    A file that cannot be read counts as empty: it is a convenience, and no reason to stand in the cold.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.file = (folder or state_folder()) / "boards.json"

    def unit_of(self, chip_id: str | None) -> str | None:
        """Return the name of the unit that this chip was last, None if it is new."""
        known = self._read().get(chip_id or "")
        return known.get("unit") if isinstance(known, dict) else None

    def remember(self, chip_id: str, unit: str, board: str, when: str) -> None:
        """Note that this chip is that unit from now on."""
        with _lock:
            known = self._read()
            known[chip_id] = {"unit": unit, "board": board, "when": when}
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with open_atomic(self.file) as file:
                json.dump(known, file, indent=1, sort_keys=True)
                file.write("\n")

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}
