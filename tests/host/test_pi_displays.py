# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The displays of Raspberry Pi units, against fakes of the libraries that drive them."""

import random
import sys
import types
from typing import Any

import pytest
from PIL import Image

from leezenflow.canvas import Canvas
from leezenflow_host.displays import neopixel_blinka, rgbmatrix_hat
from leezenflow_host.errors import BoardError, InputError


class FakeNeoPixel:
    """Keeps what it is sent."""

    made: "FakeNeoPixel"

    def __init__(self, pin: object, count: int, *, brightness: float, auto_write: bool, pixel_order: str) -> None:
        assert (brightness, auto_write) == (1.0, False)
        self.pin = pin
        self.order = pixel_order
        self.waiting: list[Any] = [(0, 0, 0)] * count
        self.shown: list[Any] = []
        self.ended = False
        FakeNeoPixel.made = self

    def __setitem__(self, place: slice, colours: list[tuple[int, int, int]]) -> None:
        assert len(colours) == len(self.waiting)
        self.waiting[place] = colours

    def fill(self, colour: int) -> None:
        self.waiting = [(colour, colour, colour)] * len(self.waiting)

    def show(self) -> None:
        self.shown = list(self.waiting)

    def deinit(self) -> None:
        self.ended = True


class FakeMatrix:
    """RGBMatrix and its frame canvases in one."""

    made: "FakeMatrix"

    def __init__(self, options: Any) -> None:
        self.options = options
        self.image: Image.Image | None = None
        self.brightness = 100
        self.cleared = False
        FakeMatrix.made = self

    def CreateFrameCanvas(self) -> "FakeMatrix":  # noqa: N802
        return self

    def SetImage(self, image: Image.Image) -> None:  # noqa: N802
        self.image = image

    def SwapOnVSync(self, canvas: "FakeMatrix") -> "FakeMatrix":  # noqa: N802
        return canvas

    def Clear(self) -> None:  # noqa: N802
        self.cleared = True


@pytest.fixture
def pi(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Raspberry Pi with everything installed."""
    board, neopixel, rgbmatrix = (types.ModuleType(name) for name in ("board", "neopixel", "rgbmatrix"))
    board.__dict__.update(D18="GPIO 18")
    neopixel.__dict__.update(NeoPixel=FakeNeoPixel)
    rgbmatrix.__dict__.update(RGBMatrix=FakeMatrix, RGBMatrixOptions=types.SimpleNamespace)
    for module in (board, neopixel, rgbmatrix):
        monkeypatch.setitem(sys.modules, module.__name__, module)


def draw_noise() -> Canvas:
    source = random.Random(9)
    canvas = Canvas(32, 96)
    canvas.pixels[:] = source.randbytes(3072)
    canvas.palette[:] = source.randbytes(768)
    return canvas


def colour(canvas: Canvas, x: int, y: int) -> tuple[int, ...]:
    index = canvas.pixels[32 * y + x]
    return tuple(canvas.palette[3 * index : 3 * index + 3])


@pytest.mark.usefixtures("pi")
def test_neopixels_show_the_picture_in_light():
    display = neopixel_blinka.Display({"max_ma": 60_000, "channel_ma": 5}, 32, 96)
    leds = FakeNeoPixel.made
    assert (leds.pin, leds.order) == ("GPIO 18", "GRB")
    canvas = draw_noise()
    display.show(canvas)
    for y in range(96):
        for x in range(32):
            # Back and forth along the rows.
            shown = leds.shown[32 * y + (31 - x if y & 1 else x)]
            for value, light in zip(colour(canvas, x, y), shown, strict=True):
                assert -1.1 < light - 255 * (value / 255) ** 2.2 < 0.1


@pytest.mark.usefixtures("pi")
def test_neopixels_stay_within_their_supply():
    display = neopixel_blinka.Display({"max_ma": 10_000, "channel_ma": 20}, 32, 96)
    canvas = Canvas(32, 96)
    canvas.palette[:] = b"\xff" * 768
    display.show(canvas)
    current = sum(map(sum, FakeNeoPixel.made.shown)) * 20 / 255 + 3072
    assert 8_700 < current <= 10_000
    display.set_brightness(8)
    display.show(canvas)
    assert sum(map(sum, FakeNeoPixel.made.shown)) == 3072 * 3 * 7


@pytest.mark.usefixtures("pi")
def test_neopixels_end_dark():
    display = neopixel_blinka.Display({}, 32, 96)
    display.show(draw_noise())
    display.deinit()
    assert set(FakeNeoPixel.made.shown) == {(0, 0, 0)}
    assert FakeNeoPixel.made.ended


@pytest.mark.usefixtures("pi")
def test_neopixels_that_cannot_work(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InputError, match="3072 LEDs need 3072 mA"):
        neopixel_blinka.Display({"max_ma": 3000}, 32, 96)
    with pytest.raises(BoardError, match="D21 cannot be driven"):
        neopixel_blinka.Display({"pin": "D21"}, 32, 96)
    monkeypatch.setitem(sys.modules, "neopixel", None)
    with pytest.raises(BoardError, match="pip install"):
        neopixel_blinka.Display({}, 32, 96)


@pytest.mark.usefixtures("pi")
def test_the_matrix_shows_the_picture():
    display = rgbmatrix_hat.Display({"rotation": 270, "panel_widths": [64, 32], "slowdown": 4}, 32, 96)
    settings = FakeMatrix.made.options
    assert (settings.rows, settings.cols, settings.chain_length) == (32, 32, 3)
    assert (settings.hardware_mapping, settings.gpio_slowdown, settings.pwm_bits) == ("adafruit-hat", 4, 11)
    canvas = draw_noise()
    display.show(canvas)
    image = FakeMatrix.made.image
    assert image is not None
    assert image.size == (96, 32)
    for y in range(96):
        for x in range(32):
            # Turned counter-clockwise: column 0 of the chain is at the bottom, row 0 on the left.
            assert image.getpixel((95 - y, x)) == colour(canvas, x, y)
    display.deinit()
    assert FakeMatrix.made.cleared


@pytest.mark.usefixtures("pi")
def test_the_matrix_is_dimmed_and_capped():
    display = rgbmatrix_hat.Display({"rotation": 90, "panel_widths": [64, 32], "brightness_cap": 102}, 32, 96)
    assert FakeMatrix.made.brightness == 40
    display.set_brightness(128)
    assert FakeMatrix.made.brightness == 20


@pytest.mark.usefixtures("pi")
def test_matrices_that_cannot_work(monkeypatch: pytest.MonkeyPatch):
    options = {"rotation": 90, "panel_widths": [64, 32]}
    with pytest.raises(InputError, match="panel_columns = 64 does not divide"):
        rgbmatrix_hat.Display({**options, "panel_columns": 64}, 32, 96)

    def fail(options: object) -> None:
        raise RuntimeError("no access to /dev/mem")

    sys.modules["rgbmatrix"].__dict__["RGBMatrix"] = fail
    with pytest.raises(BoardError, match=r"no access to /dev/mem.* as root"):
        rgbmatrix_hat.Display(options, 32, 96)
    monkeypatch.setitem(sys.modules, "rgbmatrix", None)
    with pytest.raises(BoardError, match="bindings"):
        rgbmatrix_hat.Display(options, 32, 96)
