# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MicroPython onto an RP2040 or RP2350: a UF2 file copied to the volume that the chip shows, one board at a time."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.errors import BoardError
from leezenflow_host.flashing.serial_ports import list_serial_ports
from leezenflow_host.flashing.volumes import Volume, find_volumes

# Which serial port belongs to which volume shows only in that the one comes when the other goes.
ONE_AT_A_TIME = threading.Lock()

Result = TypeVar("Result")

_PIECE_BYTES = 64 * 1024
# Writing 1.5 MB to the flash takes a chip some 10 s; computers with slow mounts need as long again.
_VANISH_S = 40.0
_RETURN_S = 40.0
_POLL_S = 0.1
_BOOTSEL = "Unplug the board, hold its button BOOTSEL (or BOOT) while you plug it in again, and repeat the command."


def install_on_volume(volume: Volume, chip: str, content: bytes, progress: Callable[[int, int], None]) -> str:
    """Copy an image onto a volume, wait until the board has started it, and return the port where it comes back.

    `progress(done, total)` counts bytes. Hold ONE_AT_A_TIME. BoardError; nothing is written to a chip of another kind.
    """
    if volume.chip != chip:
        raise BoardError(
            f"The board at {volume.path} is {volume.model}, but an {chip} is asked for: nothing was written. "
            "Name the right board with --board, or plug in the other one."
        )
    before = {port.device for port in list_serial_ports()}
    try:
        _copy(volume, content, progress)
    except PermissionError:
        raise BoardError(
            f"You may not write to {volume.path}. Mount the volume as yourself (open it in the file manager), and "
            "repeat the command."
        ) from None
    except OSError as error:
        raise BoardError(f"The copy to {volume.path} broke off ({error.strerror or error}). {_BOOTSEL}") from None
    _await(lambda: not volume.is_there, _VANISH_S, f"The board at {volume.path} does not take the image. {_BOOTSEL}")
    new = _await(
        lambda: [port.device for port in list_serial_ports() if port.device not in before],
        _RETURN_S,
        "The board has taken MicroPython, but its serial port does not appear. Unplug the board, plug it in again "
        "without touching a button, and repeat the command.",
    )
    if len(new) > 1:
        raise BoardError(
            f"The board has taken MicroPython, but several ports appeared at once ({', '.join(new)}). Name its port "
            "with --port, and repeat the command."
        )
    return new[0]


def enter_loader(board: SerialBoard, chip: str) -> Volume:
    """Send a board that runs MicroPython into its loader and return the volume that appears. Hold ONE_AT_A_TIME."""
    before = {volume.path for volume in find_volumes()}
    board.start_loader()
    board.close()
    return _await(
        lambda: next((volume for volume in find_volumes() if volume.path not in before and volume.chip == chip), None),
        _RETURN_S,
        f"The board does not show its volume. {_BOOTSEL}",
    )


def _copy(volume: Volume, content: bytes, progress: Callable[[int, int], None]) -> None:
    total = len(content)
    file = (volume.path / "leezenflow.uf2").open("wb", buffering=0)
    done = 0
    try:
        for at in range(0, total, _PIECE_BYTES):
            done += file.write(content[at : at + _PIECE_BYTES])
            os.fsync(file.fileno())
            progress(done, total)
    except OSError:
        # A board that has its last block starts at once, before the computer has heard that all was written.
        if done < total:
            raise
    finally:
        with contextlib.suppress(OSError):
            file.close()


def _await(look: Callable[[], Result | None], patience_s: float, complaint: str) -> Result:
    """Return what `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + patience_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise BoardError(complaint)
        time.sleep(_POLL_S)
