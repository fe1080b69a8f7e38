# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look of Münster: a field of colour that empties with the remaining time, and a cyclist below who shows the way.

* green: even green with waves on its surface; the cyclist rides.
* sprint: green chevrons that race upwards; the cyclist hurries.
* red: even red, its surface flat; the cyclist brakes and stands.
* uncertain: the colour is gone at once, the length dissolves into slow grey stripes without any end to read; the
  cyclist coasts. "Nothing known, look ahead."
* dark: black.

A changed forecast moves the surface to its new place within a second, under a bright line.
"""

from leezenflow.advice import GREEN, RED, SPRINT, UNCERTAIN
from leezenflow.drawing.cyclist import HEIGHT as CYCLIST_ROWS
from leezenflow.drawing.cyclist import Cyclist
from leezenflow.drawing.field import Field, Stripes
from leezenflow.drawing.level import Level, Stopwatch
from leezenflow.palettes import BLACK, GREEN_RAMP, INK_FULL, NEUTRAL_RAMP, RED_RAMP, fill_palette

OPTIONS = {
    "palette": {
        "type": "str",
        "choices": ["colour_vision_safe", "high_contrast", "muenster", "night"],
        "default": "muenster",
        "help": "colours",
    },
}

# Rows between field and cyclist.
GAP = 2
# Speeds in 1/1024 rows or columns a millisecond.
WAVE_SPEED = 10
CHEVRON_SPEED = 24
STRIPE_SPEED = 6
# Distances are counted modulo this many 1/1024 rows: a common multiple of all periods (32, 12 and 16 rows).
LOOP = 96 * 1024


class Look:
    """Draws for `canvas` (its palette is set here, its pixels by draw)."""

    def __init__(self, canvas, options=None):
        fill_palette(canvas.palette, (options or {}).get("palette"))
        self._cyclist_top = canvas.height - CYCLIST_ROWS
        self._rows = rows = self._cyclist_top - GAP
        self._field = Field(canvas.width, rows)
        self._chevrons = Stripes(canvas, rows, GREEN_RAMP, True, 12, 7, 47, 16)
        self._stripes = Stripes(canvas, rows, NEUTRAL_RAMP, False, 16, 8, 40, 12)
        self._cyclist = Cyclist()
        self._stopwatch = Stopwatch()
        self._level = Level()
        self._way = 0

    def draw(self, advice, canvas, now_ms):
        """Paint the whole frame; `now_ms` monotonic, its jumps are survived. Allocates nothing."""
        kind = advice.kind
        elapsed_ms = self._stopwatch.lap(now_ms)
        level = self._level.update(advice, elapsed_ms)
        if kind == GREEN:
            self._way = way = (self._way + elapsed_ms * WAVE_SPEED) % LOOP
            edge = self._field.draw(canvas, GREEN_RAMP, level, way >> 10)
        elif kind == SPRINT:
            self._way = way = (self._way + elapsed_ms * CHEVRON_SPEED) % LOOP
            edge = self._field.draw(canvas, GREEN_RAMP, level, way >> 10, self._chevrons, way >> 10)
        elif kind == RED:
            edge = self._field.draw(canvas, RED_RAMP, level, None)
        elif kind == UNCERTAIN:
            self._way = way = (self._way + elapsed_ms * STRIPE_SPEED) % LOOP
            edge = self._field.draw(canvas, NEUTRAL_RAMP, level, None, self._stripes, way >> 10)
        else:
            canvas.fb.fill(BLACK)
            return
        if self._level.changing:
            canvas.fb.fill_rect(0, edge, canvas.width, 2, INK_FULL)
        canvas.fb.fill_rect(0, self._rows, canvas.width, GAP, BLACK)
        self._cyclist.draw(canvas, self._cyclist_top, kind, elapsed_ms)
