# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seconds as two large digits over the width of the display."""

from leezenflow.drawing.sprites import INK_SHADES, make_table, unpack_frames
from leezenflow.palettes import BLACK

# Two digits end here. A longer wait shows no number: it would be neither readable nor reliable.
HIGHEST = 99
# Columns between two digits.
GAP = 2


class Digits:
    """Draws whole seconds, the last one being 1, or two dashes where no number can be given.

    `sheet` is one of the generated modules sprites_digits (two digits over the whole width) and sprites_digits_small
    (22 columns). `height` and `width` are those of both digits.
    """

    def __init__(self, sheet):
        self._digits = tuple(
            unpack_frames(sheet, picture)[0]
            for picture in (
                sheet.DIGIT_0,
                sheet.DIGIT_1,
                sheet.DIGIT_2,
                sheet.DIGIT_3,
                sheet.DIGIT_4,
                sheet.DIGIT_5,
                sheet.DIGIT_6,
                sheet.DIGIT_7,
                sheet.DIGIT_8,
                sheet.DIGIT_9,
            )
        )
        self._dash = unpack_frames(sheet, sheet.DIGIT_NONE)[0]
        self._shades = make_table(INK_SHADES)
        self._pitch = sheet.WIDTH + GAP
        self.height = sheet.HEIGHT
        self.width = 2 * sheet.WIDTH + GAP
        self._shown = None
        self._shown_in = None

    def draw(self, fb, left, top, remaining_ms, shades=None):
        """Paint `width` x `height` pixels from (left, top) of `fb` if the number differs from the one before.

        `remaining_ms` None stands for dashes, more than HIGHEST seconds for nothing. `shades`: a table of four
        indices (the first stays transparent), white if left out. Returns True if anything was painted.
        """
        if shades is None:
            shades = self._shades
        seconds = -1
        if remaining_ms is not None:
            seconds = (remaining_ms + 999) // 1000
            if seconds > HIGHEST:
                seconds = HIGHEST + 1
        if seconds == self._shown and shades is self._shown_in:
            return False
        self._shown = seconds
        self._shown_in = shades
        pitch = self._pitch
        fb.fill_rect(left, top, self.width, self.height, BLACK)
        if seconds < 0:
            fb.blit(self._dash, left, top, BLACK, shades)
            fb.blit(self._dash, left + pitch, top, BLACK, shades)
        elif seconds < 10:
            fb.blit(self._digits[seconds], left + (pitch >> 1), top, BLACK, shades)
        elif seconds <= HIGHEST:
            fb.blit(self._digits[seconds // 10], left, top, BLACK, shades)
            fb.blit(self._digits[seconds % 10], left + pitch, top, BLACK, shades)
        return True
