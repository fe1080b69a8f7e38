# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The field as an advice has it: green with waves, green chevrons, still red, or grey stripes without a length."""

from leezenflow.advice import GREEN, RED, SPRINT
from leezenflow.drawing.field import Field, Stripes
from leezenflow.drawing.level import Level
from leezenflow.palettes import GREEN_RAMP, INK_FULL, NEUTRAL_RAMP, RED_RAMP

# Speeds in 1/1024 columns or rows a millisecond.
WAVE_SPEED = 10
CHEVRON_SPEED = 24
STRIPE_SPEED = 6
# Distances are counted modulo a common multiple of all periods (waves 32, chevrons 12, stripes 16).
LOOP = 96 * 1024


class AdviceField:
    """The top `rows` rows of `canvas`, for every kind of advice but dark.

    `level` is the Level behind it, for whoever puts the remaining time into figures.
    """

    def __init__(self, canvas, rows):
        self.rows = rows
        self.level = Level()
        self._field = Field(canvas.width, rows)
        self._chevrons = Stripes(canvas, rows, GREEN_RAMP, True, 12, 7, 47, 16)
        self._stripes = Stripes(canvas, rows, NEUTRAL_RAMP, False, 16, 8, 40, 12)
        self._way = 0

    def draw(self, advice, canvas, elapsed_ms):
        """Paint the rows (and spill into those below), `elapsed_ms` (0..1000) after the frame before."""
        kind = advice.kind
        level = self.level.update(advice, elapsed_ms)
        if kind == GREEN:
            self._way = way = (self._way + elapsed_ms * WAVE_SPEED) % LOOP
            edge = self._field.draw(canvas, GREEN_RAMP, level, way >> 10)
        elif kind == SPRINT:
            self._way = way = (self._way + elapsed_ms * CHEVRON_SPEED) % LOOP
            edge = self._field.draw(canvas, GREEN_RAMP, level, None, self._chevrons, way >> 10)
        elif kind == RED:
            edge = self._field.draw(canvas, RED_RAMP, level, None)
        else:
            self._way = way = (self._way + elapsed_ms * STRIPE_SPEED) % LOOP
            edge = self._field.draw(canvas, NEUTRAL_RAMP, level, None, self._stripes, way >> 10)
        if self.level.changing:
            canvas.fb.fill_rect(0, edge, canvas.width, 2, INK_FULL)
