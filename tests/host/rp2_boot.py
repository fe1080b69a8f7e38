# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated RP2040 or RP2350 in its loader: a volume that takes a UF2 file and then comes back as a serial port.

What comes back is a virtual board. `LEEZENFLOW_VOLUMES` and `LEEZENFLOW_PORTS` have to name the folders given here.
"""

import shutil
import struct
import threading
from collections.abc import Callable
from pathlib import Path

from leezenflow_host.boards.virtual import VirtualBoard

FAMILY = {"RP2040": 0xE48BFF56, "RP2350": 0xE48BFF59}
_INFO = {
    "RP2040": "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n",
    "RP2350": "UF2 Bootloader v1.0\r\nModel: Raspberry Pi RP2350\r\nBoard-ID: RP2350\r\n",
}


def uf2_image(chip: str = "RP2040", blocks: int = 300, *, absolute: bool = False) -> bytes:
    """Return a UF2 file; with `absolute` it begins with the block that images for the RP2350 begin with."""

    def block(number: int, count: int, family: int) -> bytes:
        head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, 0x10000000 + 256 * number, 256, number, count, family)
        return (head + bytes([number % 251]) * 256).ljust(508, b"\0") + struct.pack("<I", 0x0AB16F30)

    first = block(0, 2, 0xE48BFF57) if absolute else b""
    return first + b"".join(block(number, blocks, FAMILY[chip]) for number in range(blocks))


class Rp2InLoader:
    """A board in its loader: shows `volumes`/`name` until a whole image is there, then `ports`/`name`.

    `takes`: whether it takes images at all; `comes_back`: whether it then starts; `plug_in` makes what it comes back
    as.
    """

    def __init__(
        self,
        volumes: Path,
        ports: Path,
        name: str = "rp2",
        chip: str = "RP2040",
        *,
        takes: bool = True,
        comes_back: bool = True,
        plug_in: Callable[[], VirtualBoard] = VirtualBoard,
    ) -> None:
        self.volume = volumes / name
        self.port = ports / name
        self.board: VirtualBoard | None = None
        self.image = b""
        self._takes, self._comes_back, self._plug_in = takes, comes_back, plug_in
        self.volume.mkdir(parents=True)
        ports.mkdir(exist_ok=True)
        (self.volume / "INFO_UF2.TXT").write_text(_INFO[chip], newline="")
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="RP2 in its loader", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Rp2InLoader":
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        if self.board is not None:
            self.board.close()
        shutil.rmtree(self.volume, ignore_errors=True)

    def _run(self) -> None:
        while not self._end.wait(0.02):
            for file in self.volume.glob("*.uf2"):
                content = file.read_bytes()
                if self._takes and _is_whole(content):
                    self.image = content
                    shutil.rmtree(self.volume)
                    if self._comes_back:
                        self.board = self._plug_in()
                        self.port.symlink_to(self.board.port)
                    return


def _is_whole(content: bytes) -> bool:
    if len(content) < 512 or len(content) % 512:
        return False
    number, count = struct.unpack_from("<II", content, len(content) - 512 + 20)
    return number + 1 == count
