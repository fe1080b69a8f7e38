# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""White signs with a black rim that can lie on any colour."""

from leezenflow import sprites_symbols as sheet
from leezenflow.drawing.sprites import make_table, unpack_frames
from leezenflow.palettes import BLACK, INK_FULL, INK_RAMP

WIDTH = sheet.WIDTH
HEIGHT = sheet.HEIGHT
# A shade that no look paints with marks what stays transparent.
_CLEAR = 255
# A sign rises and falls by a row in this time.
_BEAT_MS = 800

_SHADES = make_table((_CLEAR, BLACK, INK_RAMP + 8, INK_FULL))


class Symbol:
    """One sign; `picture` is a constant of the generated sheet."""

    def __init__(self, picture):
        self._picture = unpack_frames(sheet, picture)[0]

    def draw(self, canvas, top, now_ms):
        """Lay the sign over the middle of the rows from `top`; it moves a little, so that it is noticed."""
        if now_ms % _BEAT_MS * 2 < _BEAT_MS:
            top += 1
        canvas.fb.blit(self._picture, (canvas.width - WIDTH) >> 1, top, _CLEAR, _SHADES)
