# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about it: keep your pace, ride faster, ride slower, or nothing helps; under the field of green_wave.

* green: two bars, keep your pace.
* sprint: chevrons up, faster reaches the green.
* red that ends soon: chevrons down, slower will meet the green after it; the cyclist coasts.
* red for longer: the bars of a pause, no pace avoids it.
* uncertain: no sign.
"""

from leezenflow import sprites_symbols as sheet
from leezenflow.advice import DARK, GREEN, RED, SPRINT, UNCERTAIN
from leezenflow.drawing.advice_field import AdviceField
from leezenflow.drawing.cyclist import HEIGHT as CYCLIST_ROWS
from leezenflow.drawing.cyclist import Cyclist
from leezenflow.drawing.level import Stopwatch
from leezenflow.drawing.symbols import ROWS as SIGN_ROWS
from leezenflow.drawing.symbols import Signs
from leezenflow.palettes import BLACK

OPTIONS = {
    "palette": {
        "type": "str",
        "choices": ["colour_vision_safe", "high_contrast", "muenster", "night"],
        "default": "muenster",
        "help": "colours",
    },
    "slack_ms": {
        "type": "int",
        "range": [0, 20000],
        "default": 6000,
        "help": "by how much riders can delay their arrival by riding slower, in ms",
    },
}

# Black rows between the sign and the cyclist.
GAP = 1
STEADY, FASTER, SLOWER, WAIT = range(4)


class Look:
    """Draws for `canvas` (its palette is set here, its pixels by draw)."""

    def __init__(self, canvas, options=None):
        options = options or {}
        from leezenflow.palettes import fill_palette  # only a start needs it

        fill_palette(canvas.palette, options.get("palette"))
        self._slack_ms = options.get("slack_ms", 6000)
        cyclist_top = canvas.height - CYCLIST_ROWS
        signs_top = cyclist_top - GAP - SIGN_ROWS
        self._field = AdviceField(canvas, signs_top)
        self._signs = Signs(canvas, signs_top, (sheet.STEADY, sheet.FASTER, sheet.SLOWER, sheet.WAIT))
        self._gap_top = signs_top + SIGN_ROWS
        self._cyclist = Cyclist(canvas, cyclist_top)
        self._stopwatch = Stopwatch()

    def draw(self, advice, canvas, now_ms):
        """Paint the whole frame; `now_ms` monotonic, its jumps are survived. Allocates nothing."""
        elapsed_ms = self._stopwatch.lap(now_ms)
        kind = advice.kind
        if kind == DARK:
            self._field.level.update(advice, elapsed_ms)
            canvas.fb.fill(BLACK)
            return
        self._field.draw(advice, canvas, elapsed_ms)
        sign = beat_ms = None
        if kind == GREEN:
            sign = STEADY
        elif kind == SPRINT:
            sign = FASTER
            beat_ms = now_ms
        elif kind == RED:
            sign = WAIT
            remaining_ms = advice.remaining_ms
            if remaining_ms is not None and remaining_ms <= self._slack_ms:
                sign = SLOWER
                beat_ms = now_ms
                kind = UNCERTAIN
        self._signs.draw(sign, beat_ms)
        canvas.fb.hline(0, self._gap_top, canvas.width, BLACK)
        self._cyclist.draw(kind, elapsed_ms)
