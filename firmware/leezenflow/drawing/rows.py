# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of a canvas that change less often than frames are drawn: painted aside, copied into every frame.

A blit costs some 50 machine instructions a pixel, a copy one; a cyclist has nine new pictures a second, not 25.
"""

from leezenflow.canvas import WHOLE, framebuf


class Rows:
    """`count` whole rows of `canvas` from `top`: paint into `fb` (origin at their top left), then show()."""

    def __init__(self, canvas, top, count):
        width = canvas.width
        picture = bytearray(width * count)
        self.width = width
        self.count = count
        self.fb = framebuf.FrameBuffer(picture, width, count, framebuf.GS8)
        self._source = memoryview(picture)
        self._target = memoryview(canvas.pixels)[top * width : (top + count) * width]

    def part(self, first, count):
        """A FrameBuffer of `count` of the rows from `first`: what is painted beyond them is cut off."""
        begin = first * self.width
        return framebuf.FrameBuffer(self._source[begin : begin + count * self.width], self.width, count, framebuf.GS8)

    def show(self):
        """Copy the rows onto the canvas."""
        self._target[WHOLE] = self._source
