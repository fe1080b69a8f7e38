# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames as text, PNG and GIF hold the picture that was drawn."""

import re
from pathlib import Path

import pytest
from PIL import Image

from leezenflow.canvas import Canvas
from leezenflow_host.errors import InputError
from leezenflow_host.preview import (
    HOUSING,
    Snapshot,
    draw_image,
    picture_colours,
    shine,
    terminal_frame,
    write_gif,
    write_png,
)


@pytest.fixture
def canvas() -> Canvas:
    """4 x 4 pixels: red at the top left, grey at the bottom right, green in the second row, the rest black."""
    canvas = Canvas(4, 4)
    canvas.palette[3:12] = bytes([255, 0, 0, 0, 200, 0, 90, 90, 90])
    canvas.fb.pixel(0, 0, 1)
    canvas.fb.hline(0, 1, 4, 2)
    canvas.fb.pixel(3, 3, 3)
    return canvas


def test_true_colour_frames_put_two_rows_on_a_line(canvas: Canvas) -> None:
    lines = terminal_frame(canvas)
    assert len(lines) == 2
    assert [line.count("▀") for line in lines] == [4, 4]
    assert lines[0].startswith("\x1b[38;2;255;0;0;48;2;0;200;0m▀\x1b[38;2;0;0;0;48;2;0;200;0m▀▀▀")
    assert all(line.endswith("\x1b[0m") for line in lines)


def test_256_colours(canvas: Canvas) -> None:
    lines = terminal_frame(canvas, "256")
    assert lines[0].startswith("\x1b[38;5;196;48;5;40m▀\x1b[38;5;16;48;5;40m▀▀▀")
    assert "48;5;59m" in lines[1]


def test_plain_frames_are_characters_only(canvas: Canvas) -> None:
    lines = terminal_frame(canvas, "plain")
    assert lines == ["@###", "   -"]


def test_shrinking_averages(canvas: Canvas) -> None:
    [line] = terminal_frame(canvas, "true", shrink=2)
    assert re.findall(r"38;2;(\d+);(\d+);(\d+)", line) == [("64", "100", "0"), ("0", "100", "0")]


def test_an_odd_number_of_rows_is_filled_up() -> None:
    assert len(terminal_frame(Canvas(2, 3))) == 2


def test_pixels_hold_the_exact_colours(canvas: Canvas, tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", canvas, "pixels", scale=3)
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (12, 12)
        small = image.convert("RGB").resize((4, 4), Image.Resampling.BOX)
    colours = picture_colours(canvas)
    assert [small.getpixel((i % 4, i // 4)) for i in range(16)] == [colours[index] for index in canvas.pixels]


def test_the_panel_shows_dots_in_their_light(canvas: Canvas) -> None:
    image = draw_image(canvas, "panel", scale=8)
    assert image.size == (32, 32)
    middle = image.getpixel((4, 4))
    # The neighbours' glow comes on top.
    assert isinstance(middle, tuple) and middle[0] == 255 and max(middle[1:]) < 24
    corner = image.getpixel((31, 0))
    assert isinstance(corner, tuple) and max(corner) < 64
    dimmed = draw_image(canvas, "panel", scale=8, brightness=64).getpixel((4, 4))
    assert isinstance(dimmed, tuple) and 120 < dimmed[0] < 150


def test_dark_shades_fall_into_the_steps_of_the_bit_planes() -> None:
    assert shine((255, 255, 255)) == (255, 255, 255)
    assert shine((10, 10, 10)) == (0, 0, 0)
    assert shine((19, 20, 40)) == shine((20, 21, 40))
    assert shine((10, 10, 10), planes=11) != (0, 0, 0)
    assert shine((255, 0, 0), brightness=0) == (0, 0, 0)


def frames_of(canvas: Canvas) -> list[tuple[Snapshot, int]]:
    frames = []
    for x, length_ms in ((0, 40), (0, 45), (1, 45), (2, 40)):
        canvas.fb.hline(0, 2, 4, 0)
        canvas.fb.pixel(x, 2, 1)
        frames.append((Snapshot.of(canvas), length_ms))
    return frames


@pytest.mark.parametrize("style", ["pixels", "panel"])
def test_a_gif_shows_every_picture_as_long_as_it_stood(canvas: Canvas, tmp_path: Path, style: str) -> None:
    assert write_gif(tmp_path / "a.gif", frames_of(canvas), "pixels" if style == "pixels" else "panel", scale=8) == 3
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.size == (32, 32)
        assert getattr(gif, "n_frames", 1) == 3
        lengths = []
        for number in range(3):
            gif.seek(number)
            lengths.append(gif.info["duration"])
            frame = gif.convert("RGB")
            lit = [frame.getpixel((x * 8 + 4, 2 * 8 + 4)) == (255, 0, 0) for x in range(4)]
            assert lit == [x == number for x in range(4)]
            assert frame.getpixel((4, 8 + 4)) == (shine((0, 200, 0)) if style == "panel" else (0, 200, 0))
            if style == "panel":
                assert frame.getpixel((0, 0)) == HOUSING
        assert lengths == [80, 50, 40]
        assert gif.info["loop"] == 0


def test_more_colours_than_a_gif_can_hold_become_coarser(tmp_path: Path) -> None:
    canvas = Canvas(16, 16)
    canvas.palette[:] = bytes((i * 5 + channel * 85) & 255 for i in range(256) for channel in range(3))
    canvas.pixels[:] = bytes(range(256))
    write_gif(tmp_path / "a.gif", [(canvas, 100)], "panel", scale=4)
    with Image.open(tmp_path / "a.gif") as gif:
        frame = gif.convert("RGB")
    for index, colour in enumerate(picture_colours(canvas)):
        seen = frame.getpixel((index % 16 * 4 + 2, index // 16 * 4 + 2))
        assert isinstance(seen, tuple)
        assert all(abs(a - b) <= 16 for a, b in zip(seen, shine(colour), strict=True))


def test_a_gif_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no frame"):
        write_gif(tmp_path / "a.gif", [])
