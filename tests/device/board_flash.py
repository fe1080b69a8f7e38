# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flash of a virtual board as a file on the host: written before it starts, read after it ended."""

from pathlib import Path

from littlefs import LittleFS

BLOCK_BYTES = 4096
# A plain Pico: room for the whole tree as source, and a second release.
BLOCKS = 352


def write_flash(flash: Path, tree: Path) -> None:
    """Make a LittleFS image of the folder `tree`."""
    file_system = LittleFS(block_size=BLOCK_BYTES, block_count=BLOCKS, prog_size=256)
    for path in sorted(tree.rglob("*")):
        name = "/" + path.relative_to(tree).as_posix()
        if path.is_dir():
            file_system.mkdir(name)
        else:
            with file_system.open(name, "wb") as file:
                file.write(path.read_bytes())
    flash.write_bytes(file_system.context.buffer)


def read_flash(flash: Path, name: str) -> str | None:
    """Return a text file of the image; None if it is not there."""
    file_system = LittleFS(block_size=BLOCK_BYTES, block_count=BLOCKS, prog_size=256, mount=False)
    file_system.context.buffer = bytearray(flash.read_bytes())
    file_system.mount()
    try:
        with file_system.open(name, "r") as file:
            return file.read()
    except FileNotFoundError:
        return None
