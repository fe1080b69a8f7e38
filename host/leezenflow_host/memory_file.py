# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was learned about a signal, kept in a file as a board keeps it in its flash."""

from pathlib import Path

from leezenflow.calibration import Calibration
from leezenflow.calibration_memory import from_bytes
from leezenflow_host.atomic_file import write_atomic
from leezenflow_host.errors import InputError


def read_memory(path: Path | None) -> bytes | None:
    """Return what a memory file holds; None without a file, or when there is none yet. `InputError` when damaged."""
    if path is None or not path.exists():
        return None
    data = path.read_bytes()
    if not from_bytes(Calibration(), data):
        raise InputError(
            f"{path}: no memory of a signal, or a damaged one. Delete it to start without, or name another."
        )
    return data


def write_memory(path: Path | None, memory: bytes | None) -> None:
    """Write a memory file whole or not at all; nothing without a path or a memory."""
    if path is None or memory is None:
        return
    write_atomic(path, memory)
