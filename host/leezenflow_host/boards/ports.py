# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports as people write them: a device file, or `virtual` for a board without hardware."""

import contextlib
from collections.abc import Iterator, Mapping

from leezenflow_host.board_config import BoardConfig
from leezenflow_host.boards.port_trouble import ports
from leezenflow_host.errors import BoardError, InputError


@contextlib.contextmanager
def plugged_in(port: str, board: BoardConfig, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield the path of the serial port that `port` names.

    `virtual` (or `virtual:NAME`) plugs a virtual board in for as long as the context lasts; its flash is kept in the
    user's state folder, so that the next command finds what this one installed.
    """
    kind, _, name = port.partition(":")
    if kind != "virtual":
        yield port
        return
    if name and not name.replace("-", "").replace("_", "").isalnum():
        raise InputError(f"{name!r} cannot name a virtual board; use letters, digits, - and _.")
    if board.virtual is None:
        raise InputError(f"{board.name} is not a virtual board; use --board virtual, or name a real port.")
    try:
        from leezenflow_host.boards.virtual import VirtualBoard, state_file
    except ImportError:
        raise BoardError("Virtual boards need Linux or macOS; name a real port.") from None
    flash = state_file(name or "virtual")
    with VirtualBoard(
        flash, heap_kb=board.virtual.heap_kb, flash_kb=board.virtual.flash_kb, environment=environment
    ) as plugged:
        yield plugged.port


def require_port(port: str | None) -> str:
    """Return `port`; InputError that lists the likely ones when none was named."""
    if port is not None:
        return port
    found = ports()
    known = f"Ports with a device: {', '.join(found)}" if found else "No port has a device at the moment"
    raise InputError(f"Which board? Give --port. {known}; --port virtual is a board without hardware.")
