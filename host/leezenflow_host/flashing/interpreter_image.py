# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of MicroPython as published: where they are found, and what is checked before one is installed."""

import fnmatch
import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adafruit_uf2 import load_families

from leezenflow_host.board_config import BoardConfig, InterpreterTable
from leezenflow_host.errors import InputError

# From esptool's documentation of the image header: the chip's number stands at byte 12.
_ESP_MAGIC, _ESP_CHIP_AT = 0xE9, 12
_ESP_CHIPS = {0: "ESP32", 2: "ESP32S2", 5: "ESP32C3", 9: "ESP32S3", 13: "ESP32C6", 16: "ESP32H2"}

# https://github.com/microsoft/uf2: blocks of 512 bytes, each with its number, their count and the family of the chip.
_BLOCK = 512
_MAGIC_START, _MAGIC_SECOND, _MAGIC_END = 0x0A324655, 0x9E5D5157, 0x0AB16F30
_HAS_FAMILY = 0x2000
# The registry's names of families, as board files spell the chip.
_CHIP_OF_FAMILY = {"RP2350_ARM_S": "RP2350", "RP2350_ARM_NS": "RP2350"}
# Belongs to no chip: images for the RP2350 begin with such a block because of its erratum E10.
_ABSOLUTE = "RP2XXX_ABSOLUTE"


class KitImages(Protocol):
    """What is asked of an offline kit."""

    def interpreter(self, board: BoardConfig) -> Path | None:
        """Return the image for a board; None if the kit has none."""
        ...


@dataclass(frozen=True, slots=True)
class InterpreterImage:
    """An image that was checked: `pinned` says whether its hash stands in the board file."""

    path: Path
    content: bytes
    sha256: str
    pinned: bool


def cache_folder() -> Path:
    """Where images are looked for (XDG_CACHE_HOME, or ~/.cache)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "leezenflow" / "interpreters"


def find_image(
    board: BoardConfig, given: Path | None = None, kit: KitImages | None = None, *, allow_unpinned: bool = False
) -> InterpreterImage:
    """Return the image to install on a blank board: the `given` file, else that of the kit, else of the cache folder.

    InputError: there is none, it is damaged or for another chip, or nobody pinned its hash (and `allow_unpinned` is not
    given); the message says how to go on.
    """
    pins = board.interpreter
    if pins is None:
        raise InputError(f"{board.name} gets no interpreter from us; leave --interpreter out.")
    path = given
    if path is None and kit is not None:
        path = kit.interpreter(board)
    if path is None:
        path = _find_in_cache(pins)
    if path is None:
        raise InputError(
            f"The board has no MicroPython, and no image of it is here. Fetch {pins.file} for "
            f"{' or '.join(board.micropython)} from micropython.org/download, and give --interpreter FILE "
            f"(or put it into {cache_folder()})."
        )
    return check_image(board, path, allow_unpinned=allow_unpinned)


def check_image(board: BoardConfig, path: Path, *, allow_unpinned: bool = False) -> InterpreterImage:
    """Return the image at `path` if it is whole, for the chip of `board`, and pinned; else InputError."""
    pins = board.interpreter
    if pins is None:
        raise InputError(f"{board.name} gets no interpreter from us; leave --interpreter out.")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; an image of MicroPython was expected there.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; name the image itself ({pins.file}).") from None
    suffix = pins.file.rpartition(".")[2]
    if path.suffix.lower() != f".{suffix}":
        raise InputError(f"{path}: an image for {board.chip} ends in .{suffix}; fetch {pins.file}.")
    chip = check_uf2(content, path) if suffix == "uf2" else _chip_of_esp_image(content, path)
    if chip != board.chip:
        raise InputError(f"{path} is an image for {chip}, but {board.name} has {board.chip}; fetch {pins.file}.")
    digest = hashlib.sha256(content).hexdigest()
    pinned = digest in pins.sha256
    if not pinned and not allow_unpinned:
        raise InputError(f"{path}: {_not_pinned(board, pins, digest)}")
    return InterpreterImage(path, content, digest, pinned)


def check_uf2(content: bytes, path: Path) -> str:
    """Return the chip of a UF2 image; InputError if a block of it is missing or damaged."""
    if len(content) < _BLOCK or len(content) % _BLOCK:
        raise InputError(f"{path}: {len(content)} bytes are no whole blocks of UF2; fetch the file again.")
    names = {number: name for name, number in load_families().items()}
    seen: dict[str, set[int]] = {}
    counts: dict[str, int] = {}
    for at in range(0, len(content), _BLOCK):
        first, second, flags, _, _, number, count, family = struct.unpack_from("<8I", content, at)
        (end,) = struct.unpack_from("<I", content, at + _BLOCK - 4)
        if (first, second, end) != (_MAGIC_START, _MAGIC_SECOND, _MAGIC_END):
            raise InputError(f"{path}: block {at // _BLOCK} is not UF2; fetch the file again.")
        family = names.get(family, f"family {family:08x}") if flags & _HAS_FAMILY else ""
        seen.setdefault(family, set()).add(number)
        counts[family] = max(count, counts.get(family, 0))
    families = [family for family in seen if family != _ABSOLUTE]
    if len(families) != 1:
        raise InputError(f"{path}: this UF2 file is for several chips or for none; fetch the one for your board.")
    family = families[0]
    missing = counts[family] - len(seen[family])
    if missing > 0:
        raise InputError(f"{path}: {missing} of {counts[family]} blocks are missing; fetch the file again.")
    return _CHIP_OF_FAMILY.get(family, family or "an unknown chip")


def _chip_of_esp_image(content: bytes, path: Path) -> str:
    if len(content) < 1024 or content[0] != _ESP_MAGIC:
        raise InputError(f"{path} does not begin like an image for an ESP32; fetch the file again.")
    (number,) = struct.unpack_from("<H", content, _ESP_CHIP_AT)
    return _ESP_CHIPS.get(number, f"chip number {number}")


def _find_in_cache(pins: InterpreterTable) -> Path | None:
    """Return a pinned image, else the one with the newest name, None if there is none."""
    try:
        files = sorted(file for file in cache_folder().iterdir() if fnmatch.fnmatchcase(file.name, pins.file))
    except OSError:
        return None
    if pins.sha256:
        for file in reversed(files):
            if hashlib.sha256(file.read_bytes()).hexdigest() in pins.sha256:
                return file
    return files[-1] if files else None


def _not_pinned(board: BoardConfig, pins: InterpreterTable, digest: str) -> str:
    if pins.sha256:
        versions = f" (MicroPython {', '.join(pins.versions)})" if pins.versions else ""
        return (
            f"its SHA-256 {digest} is none of the {len(pins.sha256)} pinned for {board.name}{versions}. Fetch a pinned "
            "one; or, if you know where this one comes from, give --allow-unpinned."
        )
    return (
        f"no image was pinned yet for {board.name}. Compare its SHA-256 {digest} with that of another download or a "
        f"colleague's, then write it into [interpreter] sha256 of {board.file.name}, or give --allow-unpinned."
    )
