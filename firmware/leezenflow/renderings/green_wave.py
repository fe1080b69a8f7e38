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

from leezenflow.advice import DARK
from leezenflow.drawing.advice_field import AdviceField
from leezenflow.drawing.cyclist import HEIGHT as CYCLIST_ROWS
from leezenflow.drawing.cyclist import Cyclist
from leezenflow.drawing.level import Stopwatch
from leezenflow.palettes import BLACK

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


class Look:
    """Draws for `canvas` (its palette is set here, its pixels by draw)."""

    def __init__(self, canvas, options=None):
        from leezenflow.palettes import fill_palette  # only a start needs it

        fill_palette(canvas.palette, (options or {}).get("palette"))
        cyclist_top = canvas.height - CYCLIST_ROWS
        self._field = AdviceField(canvas, cyclist_top - GAP)
        self._cyclist = Cyclist(canvas, cyclist_top)
        self._stopwatch = Stopwatch()

    def draw(self, advice, canvas, now_ms):
        """Paint the whole frame; `now_ms` monotonic, its jumps are survived. Allocates nothing."""
        elapsed_ms = self._stopwatch.lap(now_ms)
        if advice.kind == DARK:
            self._field.level.update(advice, elapsed_ms)
            canvas.fb.fill(BLACK)
            return
        self._field.draw(advice, canvas, elapsed_ms)
        canvas.fb.fill_rect(0, self._field.rows, canvas.width, GAP, BLACK)
        self._cyclist.draw(advice.kind, elapsed_ms)
