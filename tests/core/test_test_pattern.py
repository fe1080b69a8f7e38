# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test pattern: every mistake in wiring changes it, every LED can be lit in every colour."""

from leezenflow.advice import Advice
from leezenflow.canvas import Canvas
from leezenflow.errors import LeezenflowError
from leezenflow.renderings import test_pattern as pattern


def draw(field=None, now_ms=0):
    """Rows of RGB triples."""
    canvas = Canvas()
    look = pattern.Look(canvas, {"field": field} if field else None)
    look.draw(Advice(), canvas, now_ms)
    colours = [tuple(canvas.palette[place : place + 3]) for place in range(0, 768, 3)]
    return [[colours[index] for index in canvas.pixels[row * 32 : row * 32 + 32]] for row in range(96)]


def test_corners_tell_the_channels_and_the_corners_apart():
    rows = draw()
    assert rows[2][2] == (255, 0, 0)
    assert rows[2][29] == (0, 255, 0)
    assert rows[93][2] == (0, 0, 255)
    assert rows[93][29] == (255, 255, 255)


def test_no_turn_or_mirror_image_looks_the_same():
    rows = draw()
    mirrored = [row[::-1] for row in rows]
    assert mirrored != rows
    assert rows[::-1] != rows
    assert mirrored[::-1] != rows
    # The F alone shows it too, without any colour.
    f_rows = [row[11:22] for row in rows[16:29]]
    for other in ([row[::-1] for row in f_rows], f_rows[::-1], [row[::-1] for row in f_rows[::-1]]):
        assert other != f_rows


def test_the_frame_touches_every_edge():
    rows = draw()
    assert set(rows[0]) == {(255, 255, 255)} == set(rows[95])
    for row in (5, 12, 28, 86, 92):
        assert rows[row][0] == rows[row][31] == (255, 255, 255)


def test_all_colours_are_there():
    seen = set()
    for row in draw():
        seen.update(row)
    for step in range(32):
        light = (step * 255 + 15) // 31
        for colour in ((light, 0, 0), (0, light, 0), (0, 0, light), (light, light, light)):
            assert colour in seen
    cube = (0, 64, 128, 191, 255)
    for red in cube:
        for green in cube:
            for blue in cube:
                assert (red, green, blue) in seen, (red, green, blue)


def test_the_picture_stands_still():
    assert draw(now_ms=0) == draw(now_ms=123_456)


def test_even_fields():
    wanted = {
        "white": (255, 255, 255),
        "red": (255, 0, 0),
        "green": (0, 255, 0),
        "blue": (0, 0, 255),
        "black": (0, 0, 0),
    }
    for field in wanted:
        for row in draw(field):
            assert set(row) == {wanted[field]}


def test_the_cycle_lights_every_led_in_every_colour():
    seen = set()
    for now_ms in range(-2_000, 12_000, 500):
        rows = draw("cycle", now_ms)
        assert rows == [rows[0]] * 96
        seen.add(rows[0][0])
    assert seen == {(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)}


def test_an_unknown_field_is_refused():
    try:
        draw("pink")
    except LeezenflowError as error:
        assert "pink" in str(error) and "cycle" in str(error)
    else:
        raise AssertionError("accepted")
