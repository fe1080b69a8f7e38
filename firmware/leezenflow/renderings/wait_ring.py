# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting time the Dutch way: a ring of lights that go out one by one, with the seconds inside.

The ring is a tall rectangle along the edge of the display, not a disc: nothing here resembles the lamp of a signal.
Red and green empty the ring alike, clockwise from the top; uncertain: grey lights run around without an end.
"""

from leezenflow import sprites_digits_small
from leezenflow.advice import DARK, GREEN, RED, SPRINT
from leezenflow.drawing.cyclist import HEIGHT as CYCLIST_ROWS
from leezenflow.drawing.cyclist import Cyclist
from leezenflow.drawing.digits import Digits
from leezenflow.drawing.level import Level, Stopwatch
from leezenflow.drawing.sprites import make_table
from leezenflow.palettes import BLACK, FIELD_SHADES, GREEN_RAMP, NEUTRAL_RAMP, RED_RAMP, fill_palette

OPTIONS = {
    "palette": {
        "type": "str",
        "choices": ["colour_vision_safe", "high_contrast", "muenster", "night"],
        "default": "muenster",
        "help": "colours",
    },
}

GAP = 2
# A light is 3 x 3 pixels, one every 4.
LIGHT = 3
PITCH = 4
# Shade of a light that has gone out.
OUT = 9
# Uncertain: every fourth light is lit, and the next one after this time.
STEP_MS = 240
EVERY = 4


class Look:
    """Draws for `canvas` (its palette is set here, its pixels by draw)."""

    def __init__(self, canvas, options=None):
        fill_palette(canvas.palette, (options or {}).get("palette"))
        self._cyclist_top = canvas.height - CYCLIST_ROWS
        self._rows = rows = self._cyclist_top - GAP
        self._digits = Digits(sprites_digits_small)
        self._digits_top = (rows - self._digits.height) // 2
        self._xs, self._ys = _place_lights(canvas.width, rows)
        self._shades = {ramp: _shade(ramp) for ramp in (GREEN_RAMP, RED_RAMP, NEUTRAL_RAMP)}
        self._cyclist = Cyclist()
        self._stopwatch = Stopwatch()
        self._level = Level()
        self._run_ms = 0

    def draw(self, advice, canvas, now_ms):
        """Paint the whole frame; `now_ms` monotonic, its jumps are survived. Allocates nothing."""
        elapsed_ms = self._stopwatch.lap(now_ms)
        level = self._level.update(advice, elapsed_ms)
        kind = advice.kind
        fb = canvas.fb
        fb.fill_rect(0, 0, canvas.width, self._cyclist_top, BLACK)
        if kind == DARK:
            fb.fill(BLACK)
            return
        if kind == GREEN or kind == SPRINT:
            ramp = GREEN_RAMP
        elif kind == RED:
            ramp = RED_RAMP
        else:
            ramp = NEUTRAL_RAMP
        self._digits.draw(canvas, self._digits_top, self._level.remaining_ms(advice), self._shades[ramp])
        if ramp == NEUTRAL_RAMP:
            self._run_ms = (self._run_ms + elapsed_ms) % (STEP_MS * EVERY)
            self._draw_running(fb, self._run_ms // STEP_MS)
        else:
            self._draw_left(fb, ramp, level)
        self._cyclist.draw(canvas, self._cyclist_top, kind, elapsed_ms)

    def _draw_left(self, fb, ramp, level):
        """The lights that are left; the one that goes out next fades."""
        xs = self._xs
        ys = self._ys
        count = len(xs)
        left = level * count
        for number in range(count):
            # The first lights of the ring go out first.
            light = left - ((count - 1 - number) << 15)
            if light >= 32768:
                shade = FIELD_SHADES - 1
            elif light <= 0:
                shade = OUT
            else:
                shade = OUT + (light * (FIELD_SHADES - 1 - OUT) >> 15)
            fb.fill_rect(xs[number], ys[number], LIGHT, LIGHT, ramp + shade)

    def _draw_running(self, fb, step):
        xs = self._xs
        ys = self._ys
        for number in range(len(xs)):
            shade = FIELD_SHADES - 1 if (number - step) % EVERY == 0 else OUT
            fb.fill_rect(xs[number], ys[number], LIGHT, LIGHT, NEUTRAL_RAMP + shade)


def _place_lights(width, rows):
    """Columns and rows of the lights, clockwise from the middle of the top."""
    across = (width - LIGHT) // PITCH
    down = (rows - LIGHT) // PITCH
    left = (width - across * PITCH - LIGHT) // 2
    top = (rows - down * PITCH - LIGHT) // 2
    places = [(column, 0) for column in range(across // 2 + 1, across + 1)]
    places += [(across, row) for row in range(1, down + 1)]
    places += [(column, down) for column in range(across - 1, -1, -1)]
    places += [(0, row) for row in range(down - 1, -1, -1)]
    places += [(column, 0) for column in range(1, across // 2 + 1)]
    xs = bytearray([left + column * PITCH for column, _ in places])
    ys = bytearray([top + row * PITCH for _, row in places])
    return xs, ys


def _shade(ramp):
    return make_table((BLACK, ramp + 16, ramp + 32, ramp + FIELD_SHADES - 1))
