# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canvas and palettes: the picture before any wiring."""

from leezenflow import palettes
from leezenflow.canvas import PALETTE_BYTES, Canvas
from leezenflow.errors import LeezenflowError


def refuses(function, *arguments):
    """The message of the LeezenflowError that the call must raise."""
    try:
        function(*arguments)
    except LeezenflowError as error:
        return str(error)
    raise AssertionError("accepted")


def test_a_canvas_starts_black():
    canvas = Canvas()
    assert (canvas.width, canvas.height) == (32, 96)
    assert bytes(canvas.pixels) == bytes(32 * 96)
    assert bytes(canvas.palette) == bytes(768)


def test_fb_draws_into_pixels_row_by_row_from_the_top():
    canvas = Canvas(8, 4)
    canvas.fb.pixel(1, 0, 7)
    canvas.fb.hline(2, 3, 99, 9)
    assert canvas.pixels[1] == 7
    assert bytes(canvas.pixels[26:]) == bytes((9,)) * 6
    assert sum(canvas.pixels) == 7 + 54


def test_the_checksum_tells_pixels_and_palettes_apart():
    canvas = Canvas()
    seen = [canvas.checksum()]
    canvas.fb.pixel(31, 95, 1)
    seen.append(canvas.checksum())
    canvas.palette[3] = 1
    seen.append(canvas.checksum())
    canvas.pixels[0] = 1
    seen.append(canvas.checksum())
    assert len(set(seen)) == 4
    canvas.pixels[0] = 0
    assert canvas.checksum() == seen[2]


def test_a_picture_comes_back_as_it_went():
    canvas = Canvas()
    picture = bytearray(32 * 96 + PALETTE_BYTES)
    for index in range(len(picture)):
        picture[index] = index * 7 & 255
    pixels = canvas.pixels
    canvas.load_picture(picture)
    assert canvas.pixels is pixels  # drivers hold on to it
    assert canvas.picture() == bytes(picture)
    assert canvas.pixels[33] == picture[33]
    assert canvas.palette[5] == picture[3072 + 5]


def test_a_picture_of_another_size_is_refused_whole():
    canvas = Canvas()
    for length in (0, 3839, 3841, 9216):
        message = refuses(canvas.load_picture, bytes((1,)) * length)
        assert "3840" in message and str(length) in message
    assert sum(canvas.pixels) == 0


def test_palettes_are_ramps_from_black_to_the_full_colour():
    for name in palettes.NAMES:
        target = bytearray(PALETTE_BYTES)
        palettes.fill_palette(target, name)
        fulls = (
            palettes.INK_FULL,
            palettes.GREEN_FULL,
            palettes.RED_FULL,
            palettes.NEUTRAL_FULL,
            palettes.ACCENT_FULL,
        )
        for colour, full in zip(palettes.PALETTES[name], fulls):
            assert tuple(target[full * 3 : full * 3 + 3]) == colour
        for first, full in ((palettes.GREEN_RAMP, palettes.GREEN_FULL), (palettes.INK_RAMP, palettes.INK_FULL)):
            assert bytes(target[first * 3 : first * 3 + 3]) == b"\0\0\0"
            for channel in range(3):
                values = [target[index * 3 + channel] for index in range(first, full + 1)]
                assert values == sorted(values)


def test_the_default_palette_is_muensters():
    named = bytearray(PALETTE_BYTES)
    unnamed = bytearray(b"\x55" * PALETTE_BYTES)
    palettes.fill_palette(named, "muenster")
    palettes.fill_palette(unnamed)
    assert named == unnamed


def test_an_unknown_palette_is_refused_with_the_known_ones():
    message = refuses(palettes.fill_palette, bytearray(PALETTE_BYTES), "munster")
    assert '"munster"' in message and "muenster" in message and "night" in message


def test_single_pixels_are_set_and_read_and_outside_there_is_nothing():
    canvas = Canvas()
    canvas.fb.pixel(31, 95, 7)
    canvas.fb.pixel(32, 0, 9)
    canvas.fb.pixel(0, -1, 9)
    assert canvas.fb.pixel(31, 95) == 7
    assert canvas.fb.pixel(32, 0) is None
    assert sum(canvas.pixels) == 7
