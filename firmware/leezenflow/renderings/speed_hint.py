# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about it: keep your pace, ride faster, ride slower, or nothing helps; on the field of green_wave.

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
from leezenflow.drawing.symbols import HEIGHT as SYMBOL_ROWS
from leezenflow.drawing.symbols import Symbol
from leezenflow.palettes import BLACK, fill_palette

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

GAP = 2


class Look:
    """Draws for `canvas` (its palette is set here, its pixels by draw)."""

    def __init__(self, canvas, options=None):
        options = options or {}
        fill_palette(canvas.palette, options.get("palette"))
        self._slack_ms = options.get("slack_ms", 6000)
        cyclist_top = canvas.height - CYCLIST_ROWS
        self._field = AdviceField(canvas, cyclist_top - GAP)
        self._symbol_top = (self._field.rows - SYMBOL_ROWS) // 2
        self._cyclist = Cyclist(canvas, cyclist_top)
        self._stopwatch = Stopwatch()
        self._steady = Symbol(sheet.STEADY)
        self._faster = Symbol(sheet.FASTER)
        self._slower = Symbol(sheet.SLOWER)
        self._wait = Symbol(sheet.WAIT)

    def draw(self, advice, canvas, now_ms):
        """Paint the whole frame; `now_ms` monotonic, its jumps are survived. Allocates nothing."""
        elapsed_ms = self._stopwatch.lap(now_ms)
        kind = advice.kind
        if kind == DARK:
            self._field.level.update(advice, elapsed_ms)
            canvas.fb.fill(BLACK)
            return
        self._field.draw(advice, canvas, elapsed_ms)
        if kind == GREEN:
            self._steady.draw(canvas, self._symbol_top, 0)
        elif kind == SPRINT:
            self._faster.draw(canvas, self._symbol_top, now_ms)
        elif kind == RED:
            remaining_ms = advice.remaining_ms
            if remaining_ms is not None and remaining_ms <= self._slack_ms:
                self._slower.draw(canvas, self._symbol_top, now_ms)
                kind = UNCERTAIN
            else:
                self._wait.draw(canvas, self._symbol_top, 0)
        canvas.fb.fill_rect(0, self._field.rows, canvas.width, GAP, BLACK)
        self._cyclist.draw(kind, elapsed_ms)
