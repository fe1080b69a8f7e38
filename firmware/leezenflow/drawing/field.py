# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A field of colour over the full width that empties from the top, behind a soft edge, like water in a glass."""

from leezenflow.canvas import WHOLE, framebuf
from leezenflow.palettes import FIELD_SHADES, GREEN_RAMP, NEUTRAL_RAMP, RED_RAMP

# All lengths below in eighths of a row: at 25 frames a second even a slow phase moves in steps too small to see.
SOFT = 56
# The surface of the water in green: one period over 32 columns.
WAVE = (0, 3, 6, 8, 10, 12, 13, 14, 14, 14, 13, 12, 10, 8, 6, 3, 0, -3, -6, -8, -10, -12, -13, -14)
WAVE += (-14, -14, -13, -12, -10, -8, -6, -3)
WAVE_HEIGHT = 14
HALF = SOFT // 2 + WAVE_HEIGHT
# One row more than the edge is high, since it begins at any eighth of a row.
EDGE_ROWS = (2 * HALF + 7) // 8 + 1
# The middle of the edge never sinks below this height: the colour stays in sight until it switches.
LOWEST = 40
# What is left of the light where the field has already emptied: the whole scale stays in sight in the dark.
TRACK = 8


class Field:
    """The top `rows` rows of a canvas `width` wide.

    draw() paints every pixel of them, and may spill into the rows below, which are to be painted later. `pattern`
    (a `Stripes`) replaces the even colour of the field.
    """

    def __init__(self, width, rows):
        self.width = width
        self.rows = rows
        self._wavy = _make_edge(width, WAVE)
        self._tables = {ramp: _make_table(ramp) for ramp in (GREEN_RAMP, RED_RAMP, NEUTRAL_RAMP)}
        self._wavy_shades = _make_shades(self._tables[GREEN_RAMP])

    def draw(self, canvas, ramp, level, drift, pattern=None, shift=0):
        """Paint the field in the colours of `ramp` (GREEN_RAMP, RED_RAMP or NEUTRAL_RAMP of the palette).

        `level` 0..level.WHOLE (2^15); `drift` None for a flat surface, else columns (>= 0) by which the waves
        have moved to the left, for an even field in GREEN_RAMP; `shift` rows (>= 0) by which `pattern` has moved
        upwards. Returns the row of the middle of the edge.
        """
        fb = canvas.fb
        width = self.width
        rows = self.rows
        # From the top of the field down to the upper end of the edge, which lies wholly above the field at WHOLE.
        highest = rows * 8 - LOWEST - HALF
        top = highest - (level * (highest + 2 * HALF) >> 15)
        row = top >> 3
        full = ramp + FIELD_SHADES - 1
        if pattern is not None:
            pattern.draw(shift)
        elif row + EDGE_ROWS < rows:
            fb.fill_rect(0, row + EDGE_ROWS, width, rows - row - EDGE_ROWS, full)
        if row > 0:
            fb.fill_rect(0, 0, width, row if row < rows else rows, ramp + TRACK)
        late = 7 - (top & 7)
        if drift is None:
            # Row by row: a quarter of the instructions of a blit.
            table = self._tables[ramp]
            index = late + WAVE_HEIGHT
            for y in range(row, row + EDGE_ROWS):
                shade = table[index]
                if shade == full and pattern is not None:
                    break  # where the edge has reached full light, the pattern shows
                fb.hline(0, y, width, shade)
                index += 8
            return (top + HALF) >> 3
        shades = self._wavy_shades[late]
        drift %= width
        fb.blit(self._wavy, -drift, row, -1, shades)
        if drift:
            fb.blit(self._wavy, width - drift, row, -1, shades)
        return (top + HALF) >> 3


class Stripes:
    """Stripes that fill the top `rows` rows of `canvas` and move upwards: copies of a piece prepared at start.

    `slant`: rows by which a stripe falls a column, away from the middle (`chevron`) or from left to right; `period` and
    `thickness` in rows; `ramp` with `light` and `dim` (0..FIELD_SHADES - 1) on and between the stripes.
    """

    def __init__(self, canvas, rows, ramp, chevron, period, thickness, light, dim):
        width = canvas.width
        # Two periods, so that each shift of one is a piece of them; what is longer is made of copies.
        strip = bytearray(width * 2 * period)
        for row in range(2 * period):
            for column in range(width):
                if chevron:
                    fall = abs(2 * column + 1 - width) >> 1
                else:
                    fall = column
                shade = light if (row - fall) % period < thickness else dim
                strip[row * width + column] = ramp + shade
        view = memoryview(strip)
        rest = rows % period
        self._windows = tuple(view[late * width : (late + period) * width] for late in range(period))
        self._rests = tuple(view[late * width : (late + rest) * width] for late in range(period))
        pixels = memoryview(canvas.pixels)
        whole = rows - rest
        self._targets = tuple(pixels[top * width : (top + period) * width] for top in range(0, whole, period))
        self._last_target = pixels[whole * width : rows * width]
        self._period = period

    def draw(self, shift):
        """Paint the rows, the stripes `shift` rows (>= 0) farther up."""
        shift %= self._period
        window = self._windows[shift]
        for target in self._targets:
            target[WHOLE] = window
        self._last_target[WHOLE] = self._rests[shift]


def _make_edge(width, wave):
    """A sprite whose values say how deep below the upper end of the edge a pixel lies, in eighths of a row."""
    depths = bytearray(width * EDGE_ROWS)
    for row in range(EDGE_ROWS):
        for column in range(width):
            depths[row * width + column] = row * 8 + WAVE_HEIGHT + wave[column * len(wave) // width]
    return framebuf.FrameBuffer(depths, width, EDGE_ROWS, framebuf.GS8)


def _make_table(ramp):
    """Palette indices by depth below the upper end of the edge, in eighths of a row from -7 (and waves below that)."""
    table = bytearray(EDGE_ROWS * 8 + 2 * WAVE_HEIGHT + 8)
    for index in range(len(table)):
        # index 7 is the look-up of depth 0 where the edge begins exactly on a row
        depth = index - 7 + 4 - 2 * WAVE_HEIGHT
        depth = 0 if depth < 0 else SOFT if depth > SOFT else depth
        # smoothstep: 3 t^2 - 2 t^3
        light = (FIELD_SHADES - 1 - TRACK) * (3 * SOFT - 2 * depth) * depth * depth // (SOFT * SOFT * SOFT)
        table[index] = ramp + TRACK + light
    return table


def _make_shades(table):
    """Eight blit palettes from `table`, each an eighth of a row farther on than the one before."""
    view = memoryview(table)
    size = len(table) - 8
    return tuple(framebuf.FrameBuffer(view[late : late + size], size, 1, framebuf.GS8) for late in range(8))
