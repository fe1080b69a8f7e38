# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""UF2 volumes: the small drive that a board shows while it waits for a program (BOOTSEL held when plugged in)."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

INFO_FILE = "INFO_UF2.TXT"
# What the ROMs of these chips write as Board-ID.
_CHIPS = {"RPI-RP2": "RP2040", "RP2350": "RP2350"}


@dataclass(frozen=True, slots=True)
class Volume:
    """A mounted UF2 volume; `chip` as board files spell it, None for a loader that we do not know."""

    path: Path
    board_id: str
    model: str
    chip: str | None

    @property
    def is_there(self) -> bool:
        """Whether the board still waits for a program."""
        try:
            return (self.path / INFO_FILE).is_file()
        except OSError:
            # A drive that was pulled out under its mount point.
            return False


def find_volumes() -> list[Volume]:
    """Return the UF2 volumes that are mounted, in the order of their paths.

    LEEZENFLOW_VOLUMES names the folders to look into (separated as in PATH) instead of the usual mount points.
    """
    found = {path: volume for path in _places() if (volume := read_volume(path)) is not None}
    return [found[path] for path in sorted(found)]


def read_volume(path: Path) -> Volume | None:
    """Return the UF2 volume at `path`; None if there is none."""
    try:
        text = (path / INFO_FILE).read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    board_id, model = _field(text, "Board-ID"), _field(text, "Model")
    chip = _CHIPS.get(board_id)
    if chip is None and board_id.upper().startswith("ESP32S3"):
        chip = "ESP32S3"
    return Volume(path, board_id, model or board_id or path.name, chip)


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name}:\s*([^\r\n]*)", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _places() -> Iterator[Path]:
    """Every folder that may be a volume."""
    for folder in _search_path():
        yield folder
        try:
            yield from (entry for entry in folder.iterdir() if entry.is_dir())
        except OSError:
            continue


def _search_path() -> list[Path]:
    named = os.environ.get("LEEZENFLOW_VOLUMES")
    if named is not None:
        return [Path(part) for part in named.split(os.pathsep) if part]
    if sys.platform == "win32":
        return [Path(f"{letter}:/") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ"]
    if sys.platform == "darwin":
        return [Path("/Volumes")]
    users = {name for variable in ("USER", "SUDO_USER") if (name := os.environ.get(variable))}
    folders = [Path("/media"), Path("/mnt"), Path("/run/media")]
    return folders + [base / user for base in (Path("/media"), Path("/run/media")) for user in sorted(users)]
