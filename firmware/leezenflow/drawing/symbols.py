# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""White signs: with a black rim on any colour, or in rows of their own."""

from leezenflow import sprites_symbols as sheet
from leezenflow.canvas import WHOLE, framebuf
from leezenflow.drawing.sprites import make_table, unpack_frames
from leezenflow.palettes import BLACK, INK_FULL, INK_RAMP

WIDTH = sheet.WIDTH
HEIGHT = sheet.HEIGHT
# Room for a sign and its beat.
ROWS = HEIGHT + 1
# A shade that no look paints with marks what stays transparent.
_CLEAR = 255
# A sign rises and falls by a row in this time, so that it is noticed.
_BEAT_MS = 800

_SHADES = make_table((_CLEAR, BLACK, INK_RAMP + 8, INK_FULL))
_SHADES_ON_BLACK = make_table((BLACK, BLACK, INK_RAMP + 8, INK_FULL))


class Symbol:
    """One sign to lay over a picture; `picture` is a constant of the generated sheet."""

    def __init__(self, picture):
        self._picture = unpack_frames(sheet, picture)[0]

    def draw(self, canvas, top, now_ms):
        """Lay the sign over the middle of the rows from `top`; it beats."""
        if now_ms % _BEAT_MS * 2 < _BEAT_MS:
            top += 1
        canvas.fb.blit(self._picture, (canvas.width - WIDTH) >> 1, top, _CLEAR, _SHADES)


class Signs:
    """One of several signs in the ROWS rows of `canvas` from `top`; `pictures` are constants of the generated sheet."""

    def __init__(self, canvas, top, pictures):
        width = canvas.width
        # One row more than is shown: the beat is the same picture, copied from one row farther on.
        picture = bytearray(width * (ROWS + 1))
        self._fb = framebuf.FrameBuffer(picture, width, ROWS + 1, framebuf.GS8)
        view = memoryview(picture)
        size = width * ROWS
        self._low = view[:size]
        self._high = view[width : width + size]
        self._target = memoryview(canvas.pixels)[top * width : top * width + size]
        self._left = (width - WIDTH) >> 1
        self._pictures = tuple(unpack_frames(sheet, picture)[0] for picture in pictures)
        self._shown = None

    def draw(self, number, now_ms):
        """Paint all rows: the sign of that number, None for no sign. It beats with `now_ms`; None: it keeps still."""
        if number != self._shown:
            self._shown = number
            self._fb.fill(BLACK)
            if number is not None:
                self._fb.blit(self._pictures[number], self._left, 1, BLACK, _SHADES_ON_BLACK)
        low = now_ms is not None and now_ms % _BEAT_MS * 2 < _BEAT_MS
        self._target[WHOLE] = self._low if low else self._high
