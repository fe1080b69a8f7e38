# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver for Pimoroni's C module, against a fake of the module with the calls its source declares."""

import random
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from leezenflow.canvas import Canvas
from leezenflow.errors import LeezenflowError

sys.path.append(str(Path(__file__).parent))
from rp2_twin import Chip, load_driver


class FakeMatrix:
    """What the module's Hub75 can do, and what it was asked to."""

    made: "FakeMatrix"

    def __init__(self, width: int, height: int, panel_type: int = 0, stb_invert: int = 0, color_order: int = 0) -> None:
        self.size = (width, height)
        self.settings = (panel_type, stb_invert, color_order)
        self.pixels: dict[tuple[int, int], tuple[int, int, int]] = {}
        self.calls: list[str] = []
        self.sent = 0
        FakeMatrix.made = self

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def clear(self) -> None:
        self.calls.append("clear")

    def set_pixel(self, x: int, y: int, r: int, g: int, b: int) -> None:
        assert 0 <= x < self.size[0]
        assert 0 <= y < self.size[1]
        assert all(0 <= value <= 255 for value in (r, g, b))
        self.sent += 1
        self.pixels[x, y] = (r, g, b)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Chip]:
    """The driver's module, with a chip and the fake."""
    module = types.ModuleType("hub75")
    module.__dict__["Hub75"] = FakeMatrix
    monkeypatch.setitem(sys.modules, "hub75", module)
    return load_driver("hub75_pimoroni", monkeypatch)


def draw_noise() -> Canvas:
    source = random.Random(5)
    canvas = Canvas(32, 96)
    canvas.pixels[:] = source.randbytes(3072)
    canvas.palette[:] = source.randbytes(768)
    return canvas


def colour(canvas: Canvas, x: int, y: int) -> tuple[int, ...]:
    index = canvas.pixels[32 * y + x]
    return tuple(canvas.palette[3 * index : 3 * index + 3])


def test_every_pixel_is_where_it_belongs(loaded: tuple[Any, Chip]):
    module, chip = loaded
    options = {"rotation": 90, "panel_widths": [64, 32], "start_up": "fm6126a", "colour_order": "BGR"}
    display = module.Display({**options, "latch_inverted": True}, 32, 96)
    matrix = FakeMatrix.made
    assert chip.pin_log[0][1:] == (13, "out", 1)
    assert (matrix.size, matrix.settings, matrix.calls) == ((96, 32), (1, 1, 5), ["clear", "start"])
    canvas = draw_noise()
    display.show(canvas)
    for y in range(96):
        for x in range(32):
            assert matrix.pixels[y, 31 - x] == colour(canvas, x, y)


def test_only_changes_are_sent(loaded: tuple[Any, Chip]):
    module, _ = loaded
    display = module.Display({"panel_heights": [32, 32, 32]}, 32, 96)
    matrix = FakeMatrix.made
    canvas = draw_noise()
    display.show(canvas)
    assert matrix.sent == 3072
    display.show(canvas)
    assert matrix.sent == 3072
    canvas.pixels[100] ^= 1
    display.show(canvas)
    assert matrix.sent == 3073
    canvas.palette[0] ^= 1
    display.show(canvas)
    assert matrix.sent == 2 * 3072 + 1


def test_brightness_is_light(loaded: tuple[Any, Chip]):
    module, _ = loaded
    display = module.Display({"panel_heights": [32, 32, 32]}, 32, 96)
    canvas = draw_noise()
    canvas.palette[:] = b"\xff" * 768
    display.show(canvas)
    display.set_brightness(128)
    display.show(canvas)
    ((red, green, blue),) = set(FakeMatrix.made.pixels.values())
    assert red == green == blue
    assert abs((red / 255) ** 2.2 - 128 / 255) < 0.01
    display.set_brightness(0)
    display.show(canvas)
    assert set(FakeMatrix.made.pixels.values()) == {(0, 0, 0)}


def test_ends_dark(loaded: tuple[Any, Chip]):
    module, chip = loaded
    display = module.Display({"panel_heights": [32, 32, 32]}, 32, 96)
    display.deinit()
    assert FakeMatrix.made.calls[-1] == "stop"
    assert chip.pin_log[-1][1:] == (13, "out", 1)
    display.deinit()
    assert FakeMatrix.made.calls.count("stop") == 1
    with pytest.raises(LeezenflowError, match="was ended"):
        display.show(draw_noise())
