# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture before it meets any wiring: one byte a pixel and a palette of 256 colours."""

import sys
from binascii import crc32

from leezenflow.errors import LeezenflowError

# Ask for the interpreter, not for the module: a laptop may have some other package called "framebuf".
if sys.implementation.name == "micropython":
    import framebuf
else:
    from leezenflow import framebuf_twin as framebuf

PALETTE_BYTES = 768


class _Slices:
    """Gives slices to keep."""

    def __getitem__(self, item):
        return item


# `view[WHOLE] = pixels` copies all of them. `view[:]` would make a new slice for each copy, which older versions of
# MicroPython (1.24 at least) take from the heap, in every frame.
WHOLE = _Slices()[:]


class Canvas:
    """A visible picture of `width` x `height` palette indices, row-major from the top left.

    `pixels` (bytearray, one index a pixel) and `palette` (bytearray of 768: R, G, B of index 0, then 1, ...; 0..255
    each, perceptual like sRGB: displays apply the gamma of their LEDs) are the picture. `fb` draws into `pixels`
    with the C speed of framebuf.GS8. Everything is made here; drawing allocates nothing.
    """

    def __init__(self, width=32, height=96):
        self.width = width
        self.height = height
        self.pixels = bytearray(width * height)
        self.palette = bytearray(PALETTE_BYTES)
        self.fb = framebuf.FrameBuffer(self.pixels, width, height, framebuf.GS8)

    def checksum(self):
        """CRC-32 of pixels and palette: two frames with the same checksum show the same picture."""
        # Two calls, each with one argument or a small start value: a 32-bit result is a big int on the boards, which
        # is fine for tests and logs and the reason why no frame loop should call this.
        return crc32(self.palette, crc32(self.pixels))

    def load_picture(self, picture):
        """Take over a stored picture: width * height palette indices, then 768 palette bytes (`/picture.bin`).

        Raises LeezenflowError when the length is not exactly that.
        """
        count = self.width * self.height
        if len(picture) != count + PALETTE_BYTES:
            raise LeezenflowError(
                "a picture for this display has %d bytes (%d x %d palette indices, then 768 bytes of palette), "
                "this one has %d: make it again for this size, or remove it"
                % (count + PALETTE_BYTES, self.width, self.height, len(picture))
            )
        view = memoryview(picture)
        self.pixels[:] = view[:count]
        self.palette[:] = view[count:]

    def picture(self):
        """The bytes that `load_picture` takes."""
        return bytes(self.pixels) + bytes(self.palette)
