# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seconds as large digits, as most riders wished in the survey of 2021, under a field that empties with them.

Field and cyclist mean what they mean in green_wave. Where a forecast changes, the digits run to their new value
within a second. Uncertain: dashes. Above 99 seconds the field stands alone.
"""

from leezenflow import sprites_digits
from leezenflow.advice import DARK
from leezenflow.drawing.advice_field import AdviceField
from leezenflow.drawing.cyclist import HEIGHT as CYCLIST_ROWS
from leezenflow.drawing.cyclist import Cyclist
from leezenflow.drawing.digits import Digits
from leezenflow.drawing.level import Stopwatch
from leezenflow.drawing.rows import Rows
from leezenflow.palettes import BLACK, fill_palette

OPTIONS = {
    "palette": {
        "type": "str",
        "choices": ["colour_vision_safe", "high_contrast", "muenster", "night"],
        "default": "muenster",
        "help": "colours",
    },
}

# Rows between field, digits and cyclist.
GAP = 2


class Look:
    """Draws for `canvas` (its palette is set here, its pixels by draw)."""

    def __init__(self, canvas, options=None):
        fill_palette(canvas.palette, (options or {}).get("palette"))
        self._digits = digits = Digits(sprites_digits)
        cyclist_top = canvas.height - CYCLIST_ROWS
        digits_top = cyclist_top - digits.height - 2 * GAP
        self._rows = Rows(canvas, digits_top, digits.height + 2 * GAP)
        self._digits_left = (canvas.width - digits.width) // 2
        self._field = AdviceField(canvas, digits_top)
        self._cyclist = Cyclist(canvas, cyclist_top)
        self._stopwatch = Stopwatch()

    def draw(self, advice, canvas, now_ms):
        """Paint the whole frame; `now_ms` monotonic, its jumps are survived. Allocates nothing."""
        elapsed_ms = self._stopwatch.lap(now_ms)
        field = self._field
        if advice.kind == DARK:
            field.level.update(advice, elapsed_ms)
            canvas.fb.fill(BLACK)
            return
        field.draw(advice, canvas, elapsed_ms)
        self._digits.draw(self._rows.fb, self._digits_left, GAP, field.level.remaining_ms(advice))
        self._rows.show()
        self._cyclist.draw(advice.kind, elapsed_ms)
