# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on a board, and whether it is what a board file asks for."""

from dataclasses import dataclass

from leezenflow_host.board_config import BoardConfig
from leezenflow_host.errors import BoardError

OLDEST_MICROPYTHON = (1, 24)
"""The first with rp2.DMA on both chips of that family."""

# Runs on the board and prints the fields of BoardIdentity.
IDENTITY_CODE = """
import sys
try:
    from machine import unique_id
    i = unique_id()
except ImportError:
    i = b""
n = sys.implementation
v = [p for p in n.version if isinstance(p, int)]
print(repr((n.name, tuple(v[:3]), sys.platform, getattr(n, "_machine", ""), getattr(n, "_mpy", 0), bytes(i))))
"""


@dataclass(frozen=True)
class BoardIdentity:
    """Interpreter and its version, port of it ("rp2", "esp32", "linux"), machine, .mpy code, the chip's own number."""

    interpreter: str
    version: tuple[int, ...]
    platform: str
    machine: str
    mpy: int
    unique_id: bytes

    @property
    def chip(self) -> str:
        """The chip as board files spell it, or what the interpreter calls it."""
        if self.platform in ("linux", "darwin"):
            return "virtual"
        return self.machine.rpartition(" with ")[2].removesuffix("-RISCV")

    @property
    def release(self) -> str:
        """Interpreter and version in words."""
        return f"{self.interpreter} {'.'.join(map(str, self.version))}"


def check_identity(identity: BoardIdentity, board: BoardConfig) -> None:
    """Refuse a board that cannot run our firmware, or is not the one that `board` describes (BoardError)."""
    oldest = ".".join(map(str, OLDEST_MICROPYTHON))
    images = " or ".join(board.micropython)
    if identity.interpreter != "micropython":
        raise BoardError(
            f"The board runs {identity.release}, not MicroPython. Install MicroPython {oldest} or newer ({images})."
        )
    if identity.version[:2] < OLDEST_MICROPYTHON:
        raise BoardError(
            f"The board runs {identity.release}; Leezenflow needs {oldest} or newer. "
            f"Install a newer MicroPython ({images}), then try again."
        )
    if identity.chip != board.chip:
        raise BoardError(
            f"The board has {_article(identity.chip)}, but {board.name} has {_article(board.chip)}: nothing was "
            "written. Name the right board with --board, or plug in the other one."
        )


def _article(chip: str) -> str:
    if chip == "virtual":
        return "no chip (it is a virtual board)"
    return f"{'an' if chip[:1] in 'AERS' else 'a'} {chip}" if chip else "an unknown chip"
