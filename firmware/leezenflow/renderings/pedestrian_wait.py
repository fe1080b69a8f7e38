# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""For people on foot at the kerb: a red carpet that is rolled up while they wait, and the seconds above it.

Stands at the crossing itself, so the site's distance is 0. Red: digits and the carpet. Uncertain: a finger on a
button, for a signal that promises nothing until someone presses. Green: a heart for waiting, and how long there is
time to set out. No walking or standing figure anywhere: that would be a signal.
"""

from leezenflow import sprites_digits
from leezenflow import sprites_symbols as sheet
from leezenflow.advice import DARK, GREEN, RED, SPRINT
from leezenflow.canvas import framebuf
from leezenflow.drawing.digits import Digits
from leezenflow.drawing.level import Level, Stopwatch
from leezenflow.drawing.rows import Rows
from leezenflow.drawing.sprites import make_table
from leezenflow.drawing.symbols import Symbol
from leezenflow.palettes import (
    BLACK,
    FIELD_SHADES,
    GREEN_RAMP,
    INK_FULL,
    INK_RAMP,
    NEUTRAL_RAMP,
    RED_RAMP,
)

OPTIONS = {
    "palette": {
        "type": "str",
        "choices": ["colour_vision_safe", "high_contrast", "muenster", "night"],
        "default": "muenster",
        "help": "colours",
    },
    "press_hint": {
        "type": "bool",
        "default": True,
        "help": "ask people to press the button while nothing is known",
    },
}

GAP = 4
# Width of the carpet at its far end; at the near end it fills the display.
FAR_WIDTH = 14
# Always left of the carpet, so that its colour can be seen to the end.
SHORTEST = 6
ROLL_ROWS = 3
# Values of the carpet's picture.
_OUTSIDE, _CLOTH, _FOLD, _BORDER = range(4)


class Look:
    """Draws for `canvas` (its palette is set here, its pixels by draw)."""

    def __init__(self, canvas, options=None):
        options = options or {}
        from leezenflow.palettes import fill_palette  # only a start needs it

        fill_palette(canvas.palette, options.get("palette"))
        self._press_hint = options.get("press_hint", True)
        self._digits = digits = Digits(sprites_digits)
        self._digits_left = (canvas.width - digits.width) // 2
        self._head = Rows(canvas, 0, digits.height)
        self._top = top = digits.height + GAP
        self._cloth = cloth = Rows(canvas, top, canvas.height - top)
        self._carpet = _weave(canvas.width, cloth.count)
        self._colours = {ramp: _colour(ramp) for ramp in (GREEN_RAMP, RED_RAMP, NEUTRAL_RAMP)}
        self._ramp = None
        self._press = Symbol(sheet.PRESS)
        self._thanks = Symbol(sheet.THANKS)
        self._stopwatch = Stopwatch()
        self._level = Level()

    def draw(self, advice, canvas, now_ms):
        """Paint the whole frame; `now_ms` monotonic, its jumps are survived. Allocates nothing."""
        level = self._level.update(advice, self._stopwatch.lap(now_ms))
        kind = advice.kind
        fb = canvas.fb
        width = canvas.width
        if kind == DARK:
            fb.fill(BLACK)
            return
        fb.fill_rect(0, 0, width, self._top, BLACK)
        if kind == GREEN or kind == SPRINT:
            ramp = GREEN_RAMP
            self._thanks.draw(canvas, 0, now_ms)
        else:
            ramp = RED_RAMP if kind == RED else NEUTRAL_RAMP
            if kind != RED and self._press_hint:
                self._press.draw(canvas, 0, now_ms)
            else:
                self._digits.draw(self._head.fb, self._digits_left, 0, self._level.remaining_ms(advice))
                self._head.show()
        cloth = self._cloth
        if ramp != self._ramp:
            self._ramp = ramp
            cloth.fb.blit(self._carpet, 0, 0, -1, self._colours[ramp])
        cloth.show()
        gone = (cloth.count - SHORTEST) * (32768 - level) >> 15
        if gone:
            self._roll_up(fb, width, gone, ramp)

    def _roll_up(self, fb, width, gone, ramp):
        """Take `gone` rows off the far end; the roll lies across what is left."""
        top = self._top + gone
        fb.fill_rect(0, self._top, width, gone, BLACK)
        across = FAR_WIDTH + (width - FAR_WIDTH) * gone // self._cloth.count
        left = (width - across) >> 1
        fb.fill_rect(left - 1, top - 1, across + 2, ROLL_ROWS + 1, ramp + FIELD_SHADES - 1)
        fb.hline(left - 1, top + ROLL_ROWS, across + 2, ramp + 12)
        fb.hline(left, top, across, INK_RAMP + 8)


def _weave(width, rows):
    """The whole carpet in perspective, its folds closer together the farther away they are."""
    picture = bytearray(width * rows)
    for row in range(rows):
        across = FAR_WIDTH + (width - FAR_WIDTH) * row // rows
        left = (width - across) >> 1
        # Depth runs with the square: far folds crowd together.
        fold = (2 * rows - row) * row // (rows * 2) % 9 == 4
        for column in range(left, left + across):
            edge = column - left < 2 or left + across - column <= 2
            picture[row * width + column] = _BORDER if edge else _FOLD if fold else _CLOTH
    return framebuf.FrameBuffer(picture, width, rows, framebuf.GS8)


def _colour(ramp):
    full = ramp + FIELD_SHADES - 1
    return make_table((BLACK, full, full - 16, INK_FULL - 5))
