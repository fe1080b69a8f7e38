# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a serial port does not work, and the one thing to do about it."""

import os
import stat
from pathlib import Path

import serial.tools.list_ports

from leezenflow_host.errors import BoardError

# So many of the programs that have a port open are named.
_NAMED = 3
# On Linux, the devices /dev/null, /dev/zero and their like.
_MEMORY = 1


class PortError(BoardError):
    """A port that cannot be used; `kind` is "missing", "not_serial", "no_permission" or "busy"."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def ports() -> list[str]:
    """Return the serial ports that have a device with a USB identity, the likely boards."""
    return sorted(port.device for port in serial.tools.list_ports.comports() if port.vid is not None)


def explain_port(port: str) -> PortError | None:
    """Return what keeps `port` from being opened, or from being ours alone; None if nothing does."""
    path = Path(port)
    if os.name != "posix" or "://" in port:
        return None
    try:
        mode = path.stat().st_mode
    except OSError:
        return PortError("missing", f"There is no port {port}. {_other_ports()}")
    if not stat.S_ISCHR(mode) or os.major(path.stat().st_rdev) == _MEMORY:
        return PortError("not_serial", f"{port} is not a serial port. {_other_ports()}")
    if not os.access(path, os.R_OK | os.W_OK):
        return PortError(
            "no_permission",
            f"You may not use {port}. Run: sudo usermod -aG {_group_of(path)} $USER, then log out and in again.",
        )
    holders = find_holders(path)
    if holders:
        others = [f"{len(holders) - _NAMED} more"] if len(holders) > _NAMED else []
        names = " and ".join(holders[:_NAMED] + others)
        return PortError("busy", f"{port} is in use by {names}. End that program, then try again.")
    return None


def find_holders(path: Path) -> list[str]:
    """Return which other processes have the port open, as "name (process 123)"; only Linux tells."""
    found: list[str] = []
    try:
        device = path.stat().st_rdev
    except OSError:
        return found
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            if any(_is_device(descriptor, device) for descriptor in (process / "fd").iterdir()):
                name = (process / "comm").read_text().strip()
                found.append(f"{name} (process {process.name})")
        except OSError:
            # Gone meanwhile, or another user's.
            continue
    return found


def _is_device(descriptor: Path, device: int) -> bool:
    try:
        found = descriptor.stat()
    except OSError:
        return False
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == device


def _group_of(path: Path) -> str:
    try:
        return path.group()
    except (KeyError, OSError):
        return "dialout"


def _other_ports() -> str:
    found = ports()
    if found:
        return f"Ports with a device: {', '.join(found)}."
    return "No port has a device: plug the board in with a cable that carries data, not only power."
