# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A still picture that shows wrong wiring at a glance, and even fields in which a dead LED stands out.

From the top: an arrow up and an F (turned or mirrored panels), four corners red, green, blue, white (swapped
colours), a frame (cut edges); ramps of red, green, blue and grey in 32 steps; 125 mixed colours; single rows, columns
and a checkerboard (swapped or stuck address lines). It needs no messages and ignores the advice.
"""

from leezenflow.canvas import WHOLE, framebuf
from leezenflow.errors import LeezenflowError

OPTIONS = {
    "field": {
        "type": "str",
        "choices": ["pattern", "white", "red", "green", "blue", "black", "cycle"],
        "default": "pattern",
        "help": "the picture, one even colour (white needs the most current), or all of them two seconds each",
    },
}

# Indices: 0 black, four ramps of 32, then a cube of 5 x 5 x 5.
RAMP = 1
RAMP_STEPS = 32
CUBE = RAMP + 4 * RAMP_STEPS
CUBE_STEPS = 5
RED = RAMP + RAMP_STEPS - 1
GREEN = RED + RAMP_STEPS
BLUE = GREEN + RAMP_STEPS
WHITE = BLUE + RAMP_STEPS
FIELDS = {"white": WHITE, "red": RED, "green": GREEN, "blue": BLUE, "black": 0}
CYCLE = (RED, GREEN, BLUE, WHITE, 0)
CYCLE_MS = 2000


class Look:
    """Draws for `canvas`, made for 32 x 96; other sizes show as much of it as fits."""

    def __init__(self, canvas, options=None):
        self._field = field = (options or {}).get("field", "pattern")
        if field not in OPTIONS["field"]["choices"]:
            raise LeezenflowError('field = "%s": write one of %s' % (field, ", ".join(OPTIONS["field"]["choices"])))
        _fill_palette(canvas.palette)
        # Drawn once: a board copies it in a fraction of the time.
        still = bytearray(canvas.width * canvas.height)
        fb = framebuf.FrameBuffer(still, canvas.width, canvas.height, framebuf.GS8)
        if field == "pattern":
            _draw_orientation(fb, canvas.width)
            _draw_ramps(fb, 32)
            _draw_cube(fb, 64)
            _draw_grids(fb, 84, canvas.width, canvas.height)
        elif field != "cycle":
            fb.fill(FIELDS[field])
        self._still = memoryview(still)
        self._target = memoryview(canvas.pixels)

    def draw(self, advice, canvas, now_ms):
        """Paint the whole frame."""
        if self._field == "cycle":
            canvas.fb.fill(CYCLE[now_ms // CYCLE_MS % len(CYCLE)])
        else:
            self._target[WHOLE] = self._still


def _fill_palette(palette):
    for index in range(len(palette)):
        palette[index] = 0
    for step in range(RAMP_STEPS):
        light = (step * 255 + 15) // 31
        for ramp in range(3):
            palette[(RAMP + ramp * RAMP_STEPS + step) * 3 + ramp] = light
            palette[(RAMP + 3 * RAMP_STEPS + step) * 3 + ramp] = light
    for cell in range(CUBE_STEPS**3):
        rest = cell
        for channel in range(3):
            palette[(CUBE + cell) * 3 + channel] = (rest % CUBE_STEPS * 255 + 2) // 4
            rest //= CUBE_STEPS


def _draw_orientation(fb, width):
    fb.hline(0, 0, width, WHITE)
    fb.vline(0, 0, 31, WHITE)
    fb.vline(width - 1, 0, 31, WHITE)
    fb.fill_rect(1, 1, 4, 4, RED)
    fb.fill_rect(width - 5, 1, 4, 4, GREEN)
    for row in range(6):
        fb.hline(width // 2 - 1 - row, 3 + row, 2 * row + 2, WHITE)
    fb.fill_rect(width // 2 - 2, 9, 4, 5, WHITE)
    fb.fill_rect(11, 16, 3, 13, WHITE)
    fb.fill_rect(14, 16, 8, 3, WHITE)
    fb.fill_rect(14, 21, 5, 3, WHITE)


def _draw_ramps(fb, top):
    for ramp in range(4):
        for step in range(RAMP_STEPS):
            fb.vline(step, top + ramp * 8, 8, RAMP + ramp * RAMP_STEPS + step)


def _draw_cube(fb, top):
    for cell in range(CUBE_STEPS**3):
        column = cell % 25
        fb.fill_rect(1 + column + column // 5, top + cell // 25 * 4, 1, 4, CUBE + cell)


def _draw_grids(fb, top, width, height):
    for row in range(top, height, 2):
        fb.hline(1, row, 8, WHITE)
    for column in range(10, 22, 2):
        fb.vline(column, top, height - top, WHITE)
    for row in range(top, height):
        for column in range(23 + (row & 1), width - 1, 2):
            fb.pixel(column, row, WHITE)
    fb.hline(0, height - 1, width, WHITE)
    fb.vline(0, top, height - top, WHITE)
    fb.vline(width - 1, top, height - top, WHITE)
    fb.fill_rect(1, height - 6, 5, 5, 0)
    fb.fill_rect(width - 6, height - 6, 5, 5, 0)
    fb.fill_rect(1, height - 5, 4, 4, BLUE)
    fb.fill_rect(width - 5, height - 5, 4, 4, WHITE)
