# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cyclist who does what the rider is advised to do: rides, hurries, coasts, or stands with one foot down."""

from leezenflow.advice import GREEN, SPRINT, UNCERTAIN
from leezenflow.canvas import WHOLE
from leezenflow.drawing.rows import Rows
from leezenflow.drawing.sprites import INK_SHADES, make_table, moving_rows, unpack_frames
from leezenflow.palettes import ACCENT_FULL, BLACK
from leezenflow.start_parts import forget

# As the sheet has them.
WIDTH = 32
SPRITE_HEIGHT = 30
# The sprite stands on a road of two rows.
HEIGHT = SPRITE_HEIGHT + 2

# Pictures a second. One turn of the cranks is 8 pictures, one of the wheels 12.
RIDE_SPEED = 9
SPRINT_SPEED = 13
COAST_SPEED = 5
# The wheels' speed approaches the wanted one with this time constant: the cyclist brakes and sets off.
EASE_MS = 350
# Phase and speed in 1/1024 of a picture (and a second). All loops of 8, 4 and 1 pictures fit into 8, and the dashes
# of the road into 16 pictures.
UNIT = 1024
LOOP = 16 * UNIT
# A wheel turns 30 degrees a picture: 3 columns of road. Dashes and gaps are 6 columns each.
ROAD_COLUMNS = 3
DASH = 6


class Cyclist:
    """The cyclist in the HEIGHT rows of `canvas` from `top`, animated by how much time has gone by."""

    def __init__(self, canvas, top):
        self._rows = Rows(canvas, top, SPRITE_HEIGHT)
        self._left = (canvas.width - WIDTH) >> 1
        self._roads, self._still_road = _lay_road(canvas.width)
        pixels = memoryview(canvas.pixels)
        end = (top + HEIGHT) * canvas.width
        self._upper_road = pixels[end - 2 * canvas.width : end - canvas.width]
        self._lower_road = pixels[end - canvas.width : end]
        self._shown = None
        self._loop = None
        from leezenflow import sprites_bicycle as sheet

        self._ride = self._unpack(sheet, sheet.RIDE)
        self._sprint = self._unpack(sheet, sheet.SPRINT)
        self._coast = self._unpack(sheet, sheet.COAST)
        self._stand = self._unpack(sheet, sheet.STAND)
        forget(sheet)  # its text takes more memory than the pictures unpacked from it
        # In white whatever the advice: a green or red bicycle would look like the lamp of a cycle signal.
        self._shades = make_table(INK_SHADES)
        self._phase = 0
        self._speed = None

    def _unpack(self, sheet, pictures):
        """The pictures of a loop, the rows of it that move, and how far its pictures begin above them.

        Head and frame keep still within a loop, so that its next picture needs painting in the moving rows only.
        """
        first, count = moving_rows(sheet, pictures)
        return unpack_frames(sheet, pictures), self._rows.part(first, count), -first

    def draw(self, kind, elapsed_ms):
        """Paint all rows; `kind` as of an Advice, `elapsed_ms` 0..1000 since the frame before."""
        if kind == GREEN:
            wanted = RIDE_SPEED * UNIT
            loop = self._ride
        elif kind == SPRINT:
            wanted = SPRINT_SPEED * UNIT
            loop = self._sprint
        elif kind == UNCERTAIN:
            wanted = COAST_SPEED * UNIT
            loop = self._coast
        else:
            wanted = 0
            loop = self._coast
        speed = self._speed
        if speed is None or elapsed_ms >= 2 * EASE_MS:
            speed = wanted
        else:
            speed += (wanted - speed) * elapsed_ms // EASE_MS
        self._speed = speed
        if not wanted and speed < UNIT:
            speed = 0
            loop = self._stand
        phase = (self._phase + speed * elapsed_ms // 1000) % LOOP
        self._phase = phase
        frames = loop[0]
        picture = frames[(phase >> 10) % len(frames)]
        rows = self._rows
        if picture is not self._shown:
            self._shown = picture
            if loop is self._loop:
                part = loop[1]
                part.fill(BLACK)
                part.blit(picture, self._left, loop[2], BLACK, self._shades)
            else:
                self._loop = loop
                rows.fb.fill(BLACK)
                rows.fb.blit(picture, self._left, 0, BLACK, self._shades)
        rows.show()
        # The road: a dashed line that runs past, whole under a standing bicycle.
        road = self._roads[(phase * ROAD_COLUMNS >> 10) % (2 * DASH)] if speed else self._still_road
        self._upper_road[WHOLE] = road
        self._lower_road[WHOLE] = road


def _lay_road(width):
    """A row of the dashed road for every shift to the left, and one without gaps."""
    row = bytearray(width + 2 * DASH)
    for column in range(len(row)):
        row[column] = ACCENT_FULL if column % (2 * DASH) < DASH else BLACK
    view = memoryview(row)
    whole = bytes((ACCENT_FULL,)) * width
    return tuple(view[shift : shift + width] for shift in range(2 * DASH)), memoryview(whole)
