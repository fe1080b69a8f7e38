# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored pictures as FrameBuffers that can be blitted, and the tables that give their shades a colour."""

from leezenflow.canvas import framebuf
from leezenflow.palettes import BLACK, INK_FULL, INK_RAMP

# Indices of shades 0..3 without a halo (0 is transparent), and with one (0 is transparent, 1 black).
INK_SHADES = (BLACK, INK_RAMP + 5, INK_RAMP + 10, INK_FULL)


def unpack_frames(sheet, pictures):
    """All pictures of one loop; `sheet` is the generated module, `pictures` one of its constants."""
    view = memoryview(pictures)
    size = sheet.FRAME_BYTES
    return tuple(
        framebuf.FrameBuffer(view[start : start + size], sheet.WIDTH, sheet.HEIGHT, framebuf.GS2_HMSB)
        for start in range(0, len(pictures), size)
    )


def moving_rows(sheet, pictures):
    """First row that differs among the pictures of one loop, and the number of rows to the last that does."""
    size = sheet.FRAME_BYTES
    stride = size // sheet.HEIGHT
    moving = [
        row
        for row in range(sheet.HEIGHT)
        if any(
            pictures[start + row * stride : start + (row + 1) * stride] != pictures[row * stride : (row + 1) * stride]
            for start in range(size, len(pictures), size)
        )
    ]
    return (moving[0], moving[-1] + 1 - moving[0]) if moving else (0, sheet.HEIGHT)


def make_table(indices):
    """A blit palette that turns shade i into palette index indices[i]."""
    table = bytearray(indices)
    return framebuf.FrameBuffer(table, len(indices), 1, framebuf.GS8)
