# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The LED grid against a strand that records what is sent: order, wiring, brightness, and the limit of the supply."""

import importlib.util
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from unix_device import ROOT, run_script

from leezenflow.canvas import Canvas
from leezenflow.errors import LeezenflowError

DRIVER = ROOT / "firmware/leezenflow_device/displays/neopixel_grid.py"

# sRGB-like palette value 255 at brightness 255 is full light; 128 is what gamma 2.2 makes of it.
HALF = round((128 / 255) ** 2.2 * 255)


class Pin:
    """A pin that remembers its level."""

    OUT = 1

    def __init__(self, name: int, mode: int, value: int | None = None) -> None:
        self.name = name
        self.level = value


class Strand:
    """`neopixel.NeoPixel`: what has been written, frame by frame."""

    made: ClassVar[list["Strand"]] = []

    def __init__(self, pin: Pin, n: int, bpp: int = 3, timing: int = 1) -> None:
        self.pin = pin
        self.buf = bytearray(n * bpp)
        self.sent: list[bytes] = []
        Strand.made.append(self)

    def write(self) -> None:
        """Remember a frame."""
        self.sent.append(bytes(self.buf))


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Any, Strand]]]:
    """Makes a Display on a fake strand; both are returned."""
    fakes = {"machine": {"Pin": Pin}, "neopixel": {"NeoPixel": Strand}}
    for name, contents in fakes.items():
        module = types.ModuleType(name)
        module.__dict__.update(contents)
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("neopixel_grid_under_test", DRIVER)
    assert spec is not None and spec.loader is not None
    driver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driver)
    Strand.made.clear()

    def make_display(width: int = 4, height: int = 4, **options: Any) -> tuple[Any, Strand]:
        display = driver.Display({"pin": 4, "divide": 2, "max_ma": 20_000, **options}, width, height)
        return display, Strand.made[-1]

    yield make_display


def painted(width: int, height: int, *points: tuple[int, int, int], palette: dict[int, tuple[int, int, int]]) -> Canvas:
    """A canvas with (x, y, palette index) points."""
    canvas = Canvas(width, height)
    for index, colour in palette.items():
        canvas.palette[3 * index : 3 * index + 3] = bytes(colour)
    for x, y, index in points:
        canvas.pixels[y * width + x] = index
    return canvas


COLOUR = {7: (255, 128, 0)}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("GRB", (HALF, 255, 0)),
        ("RGB", (255, HALF, 0)),
        ("BRG", (0, 255, HALF)),
        ("BGR", (0, HALF, 255)),
        ("GBR", (HALF, 0, 255)),
        ("RBG", (255, 0, HALF)),
        ("GRBW", (HALF, 255, 0, 0)),
        ("RGBW", (255, HALF, 0, 0)),
    ],
)
def test_bytes_go_out_in_the_order_of_the_leds(
    make: Callable[..., tuple[Any, Strand]], order: str, expected: tuple[int, ...]
) -> None:
    display, strand = make(colour_order=order)
    display.show(painted(4, 4, (1, 1, 7), palette=COLOUR))
    assert strand.sent == [bytes(expected) + bytes(3 * len(order))]
    assert strand.pin.name == 4
    assert strand.pin.level == 0


@pytest.mark.parametrize(
    ("options", "order"),
    [
        ({}, [(0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (0, 1)]),
        ({"serpentine": False}, [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]),
        ({"wiring": "columns"}, [(0, 0), (0, 1), (1, 1), (1, 0), (2, 0), (2, 1)]),
        ({"wiring": "columns", "serpentine": False}, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]),
        ({"mirror": True}, [(2, 0), (1, 0), (0, 0), (0, 1), (1, 1), (2, 1)]),
        ({"rotation": 180}, [(2, 1), (1, 1), (0, 1), (0, 0), (1, 0), (2, 0)]),
    ],
)
def test_the_strand_runs_as_wired(
    make: Callable[..., tuple[Any, Strand]], options: dict[str, Any], order: list[tuple[int, int]]
) -> None:
    display, strand = make(9, 6, divide=3, **options)
    for place, (x, y) in enumerate(order):
        display.show(painted(9, 6, (3 * x + 1, 3 * y + 1, 7), palette=COLOUR))
        assert strand.sent[-1].find(bytes((HALF, 255, 0))) == 3 * place, (x, y)
        assert len(strand.sent[-1]) == 3 * 6


def test_a_led_shows_the_middle_of_its_square(make: Callable[..., tuple[Any, Strand]]) -> None:
    display, strand = make(8, 8, divide=4)
    border = [(x, y, 7) for x in range(8) for y in range(8) if (x % 4, y % 4) != (2, 2)]
    display.show(painted(8, 8, *border, palette=COLOUR))
    assert strand.sent[-1] == bytes(12)


def test_a_new_palette_shows_at_once(make: Callable[..., tuple[Any, Strand]]) -> None:
    display, strand = make()
    canvas = painted(4, 4, (1, 1, 7), palette=COLOUR)
    display.show(canvas)
    canvas.palette[21:24] = bytes((0, 0, 255))
    display.show(canvas)
    assert strand.sent[-1][:3] == bytes((0, 0, 255))


def test_brightness_dims_light_not_palette_values(make: Callable[..., tuple[Any, Strand]]) -> None:
    display, strand = make()
    canvas = painted(4, 4, (1, 1, 7), palette=COLOUR)
    for level in (255, 128, 1, 0):
        display.set_brightness(level)
        display.show(canvas)
        assert strand.sent[-1][:2] == bytes((round((128 / 255) ** 2.2 * level), level))


@pytest.mark.parametrize("max_ma", [100, 300, 1000])
def test_the_supply_is_never_asked_for_more(make: Callable[..., tuple[Any, Strand]], max_ma: int) -> None:
    display, strand = make(16, 16, max_ma=max_ma, channel_ma=20)
    leds = 64
    for lit in (0, 1, 10, 40, 64):
        points = [(2 * (place % 8) + 1, 2 * (place // 8) + 1, 1) for place in range(lit)]
        display.show(painted(16, 16, *points, palette={1: (255, 255, 255)}))
        light = sum(strand.sent[-1])
        needed_ma = leds + lit * 60
        assert leds + light * 20 / 255 <= max_ma
        if needed_ma <= max_ma:
            assert light == lit * 3 * 255, "what the supply bears is not dimmed"
        else:
            assert light * 20 / 255 >= 0.98 * (max_ma - leds) - lit * 3 * 20 / 255, "nor more than needed"


def test_the_end_is_dark(make: Callable[..., tuple[Any, Strand]]) -> None:
    display, strand = make()
    display.show(painted(4, 4, (1, 1, 7), palette=COLOUR))
    display.deinit()
    assert strand.sent[-1] == bytes(12)


@pytest.mark.parametrize(
    ("size", "options", "said"),
    [((5, 4), {}, "divide = 2"), ((4, 6), {"divide": 4}, "divide = 4"), ((64, 64), {"max_ma": 1000}, "max_ma = 1000")],
)
def test_what_cannot_be_is_refused(
    make: Callable[..., tuple[Any, Strand]], size: tuple[int, int], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(LeezenflowError, match=said):
        make(*size, **options)


_ON_MICROPYTHON = """
import gc
class Pin:
    OUT = 1
    def __init__(self, name, mode, value=None):
        pass
class NeoPixel:
    def __init__(self, pin, n, bpp=3):
        self.buf = bytearray(n * bpp)
    def write(self):
        self.sent = True
class machine:
    pass
class neopixel:
    pass
machine.Pin = Pin
neopixel.NeoPixel = NeoPixel
sys.modules["machine"] = machine
sys.modules["neopixel"] = neopixel
from leezenflow.canvas import Canvas
from leezenflow_device.displays.neopixel_grid import Display
display = Display({"pin": 4, "max_ma": 250}, 32, 96)
canvas = Canvas()
for index in range(768):
    canvas.palette[index] = 255 - index // 3
canvas.fb.fill(3)
display.show(canvas)
gc.collect()
gc.disable()
before = gc.mem_alloc()
for _ in range(10):
    display.show(canvas)
after = gc.mem_alloc()
print(after - before, len(display._leds.buf), display._leds.buf[0])
"""


def test_a_frame_allocates_nothing_even_when_dimmed(micropython: str) -> None:
    allocated, count, light = run_script(micropython, _ON_MICROPYTHON).split()
    assert (allocated, count) == ("0", "576")
    # 58 mA are left for 576 channels of 12 mA: less than a hundredth of full light.
    assert 0 < int(light) < 3
