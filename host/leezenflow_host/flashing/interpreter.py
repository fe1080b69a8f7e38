# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a board needs an interpreter, and how its chip gets one."""

import time
from dataclasses import dataclass
from pathlib import Path

from leezenflow_host.board_config import BoardConfig
from leezenflow_host.boards.identity import OLDEST_MICROPYTHON
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.errors import BoardError
from leezenflow_host.flashing import uf2_install
from leezenflow_host.flashing.detect import ESP_ROM, LEEZENFLOW, MICROPYTHON, UF2_VOLUME, UNKNOWN, FoundBoard
from leezenflow_host.flashing.interpreter_image import InterpreterImage
from leezenflow_host.flashing.steps import Notify, Step
from leezenflow_host.flashing.volumes import read_volume

# A new interpreter makes its file system at the first start.
_FIRST_START_S = 30.0
_ESP, _RP2 = ("ESP32", "ESP32S3"), ("RP2040", "RP2350")


@dataclass(frozen=True, slots=True)
class Installed:
    """What was done: where the board is now, by which method, and the chip's number if the loader told it."""

    port: str
    method: str
    unique_id: str | None


def needs_interpreter(found: FoundBoard, board: BoardConfig) -> bool:
    """Whether MicroPython has to be installed first: there is none, or it is older than the firmware needs."""
    if found.kind in (ESP_ROM, UF2_VOLUME):
        return True
    if found.kind == UNKNOWN:
        # What is silent may be a chip without a program, if the loader can be reached through the same port.
        return board.chip in _ESP
    if found.micropython is None:
        return False
    version = tuple(int(part) for part in found.micropython.split(".")[:2])
    return version < OLDEST_MICROPYTHON and board.interpreter is not None


def install_interpreter(found: FoundBoard, board: BoardConfig, image: InterpreterImage, notify: Notify) -> Installed:
    """Install an image on a board; returns when it takes commands. BoardError with the next physical step."""
    words = image.path.name

    def progress(done: int, total: int) -> None:
        notify(Step("interpreter", done, total, words))

    progress(0, len(image.content))
    if board.chip in _ESP:
        if found.kind == UF2_VOLUME:
            raise BoardError(
                f"{found.port} is the drive of a UF2 loader on an {board.chip}, which we do not use. Press its reset "
                "button once, and name its serial port with --port."
            )
        from leezenflow_host.flashing.esp_install import install_on_esp

        # A unit that only gets a newer interpreter keeps its files.
        erase = found.kind not in (MICROPYTHON, LEEZENFLOW)
        waits = found.kind == ESP_ROM
        number = install_on_esp(found.port, board.chip, image.content, progress, waits=waits, erase=erase)
        installed = Installed(found.port, "esptool", number)
    elif board.chip in _RP2:
        installed = _install_on_rp2(found, board, image, progress)
    else:
        raise BoardError(f"{board.name} brings its interpreter with it; name a board with a chip.")
    notify(Step("interpreter", 0, 0, "first start"))
    await_micropython(installed.port)
    return installed


def _install_on_rp2(found: FoundBoard, board: BoardConfig, image: InterpreterImage, progress) -> Installed:
    with uf2_install.ONE_AT_A_TIME:
        if found.kind == UF2_VOLUME:
            volume = read_volume(Path(found.port))
            if volume is None:
                raise BoardError(
                    f"The board at {found.port} has gone. Hold its button BOOTSEL while you plug it in again, and "
                    "repeat the command."
                )
        else:
            volume = uf2_install.enter_loader(SerialBoard(found.port), board.chip)
        port = uf2_install.install_on_volume(volume, board.chip, image.content, progress)
    return Installed(port, "uf2", None)


def await_micropython(port: str) -> None:
    """Return when the board at `port` takes commands; BoardError when it does not within half a minute."""
    deadline = time.monotonic() + _FIRST_START_S
    while True:
        try:
            SerialBoard(port).close()
            return
        except BoardError as error:
            if time.monotonic() > deadline:
                raise BoardError(
                    f"MicroPython was installed, but the board at {port} does not start it. Unplug the board, plug it "
                    f"in again without touching a button, and repeat the command. ({error})"
                ) from None
            time.sleep(0.3)
