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
from leezenflow.drawing.rows import Rows
from leezenflow.drawing.sprites import make_table
from leezenflow.palettes import BLACK, FIELD_SHADES, GREEN_RAMP, NEUTRAL_RAMP, RED_RAMP

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
# A light goes out in so many steps.
STEPS = 8
# Shade of a light that has gone out.
OUT = 9
# Uncertain: every fourth light is lit, and the next one after this time.
STEP_MS = 240
EVERY = 4


class Look:
    """Draws for `canvas` (its palette is set here, its pixels by draw)."""

    def __init__(self, canvas, options=None):
        from leezenflow.palettes import fill_palette  # only a start needs it

        fill_palette(canvas.palette, (options or {}).get("palette"))
        cyclist_top = canvas.height - CYCLIST_ROWS
        self._rows = rows = Rows(canvas, 0, cyclist_top)
        self._xs, self._ys = _place_lights(canvas.width, cyclist_top - GAP)
        self._digits = digits = Digits(sprites_digits_small)
        self._digits_left = (canvas.width - digits.width) // 2
        self._digits_top = (cyclist_top - GAP - digits.height) // 2
        self._shades = {ramp: _shade(ramp) for ramp in (GREEN_RAMP, RED_RAMP, NEUTRAL_RAMP)}
        self._fb = rows.fb
        self._cyclist = Cyclist(canvas, cyclist_top)
        self._stopwatch = Stopwatch()
        self._level = Level()
        self._run_ms = 0
        # What the ring shows: its ramp and, in 1/STEPS of a light, how much of it is lit (or which step it runs at).
        self._ramp = None
        self._lit = 0

    def draw(self, advice, canvas, now_ms):
        """Paint the whole frame; `now_ms` monotonic, its jumps are survived. Allocates nothing."""
        elapsed_ms = self._stopwatch.lap(now_ms)
        level = self._level.update(advice, elapsed_ms)
        kind = advice.kind
        if kind == DARK:
            canvas.fb.fill(BLACK)
            return
        if kind == GREEN or kind == SPRINT:
            ramp = GREEN_RAMP
        elif kind == RED:
            ramp = RED_RAMP
        else:
            ramp = NEUTRAL_RAMP
        if ramp == NEUTRAL_RAMP:
            self._run_ms = (self._run_ms + elapsed_ms) % (STEP_MS * EVERY)
            self._run(self._run_ms // STEP_MS)
        else:
            self._light(ramp, level * len(self._xs) * STEPS >> 15)
        remaining_ms = self._level.remaining_ms(advice)
        self._digits.draw(self._fb, self._digits_left, self._digits_top, remaining_ms, self._shades[ramp])
        self._rows.show()
        self._cyclist.draw(kind, elapsed_ms)

    def _light(self, ramp, lit):
        """Bring the ring to `lit`, in 1/STEPS of a light; only lights that change are painted."""
        count = len(self._xs)
        if ramp != self._ramp:
            first = 0
            last = count - 1
        elif lit == self._lit:
            return
        else:
            # The first lights of the ring go out first; the one between lit and unlit fades.
            less = min(lit, self._lit)
            more = max(lit, self._lit)
            first = count - 1 - more // STEPS
            last = count - 1 - less // STEPS
            if first < 0:
                first = 0
        self._ramp = ramp
        self._lit = lit
        for number in range(first, last + 1):
            light = lit - (count - 1 - number) * STEPS
            light = 0 if light < 0 else STEPS if light > STEPS else light
            shade = OUT + light * (FIELD_SHADES - 1 - OUT) // STEPS
            self._fb.fill_rect(self._xs[number], self._ys[number], LIGHT, LIGHT, ramp + shade)

    def _run(self, step):
        """Let every EVERY-th light run around."""
        if self._ramp == NEUTRAL_RAMP and step == self._lit:
            return
        self._ramp = NEUTRAL_RAMP
        self._lit = step
        for number in range(len(self._xs)):
            shade = FIELD_SHADES - 1 if (number - step) % EVERY == 0 else OUT
            self._fb.fill_rect(self._xs[number], self._ys[number], LIGHT, LIGHT, NEUTRAL_RAMP + shade)


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
