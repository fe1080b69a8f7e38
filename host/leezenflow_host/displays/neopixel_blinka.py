# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A strand of WS2812-type LEDs on a Raspberry Pi, by Adafruit's `neopixel` on Blinka: the first generation's panels.

3072 LEDs on one strand take 92 ms a frame, so some ten frames a second is what such a unit can show.
"""

from types import ModuleType
from typing import Any

from leezenflow import strands
from leezenflow.bitplanes import gamma_levels
from leezenflow.canvas import Canvas
from leezenflow.pixel_map import PixelMap
from leezenflow_host.errors import BoardError, InputError

OPTIONS = {
    "pin": {
        "type": "str",
        "choices": ["D10", "D12", "D18", "D21"],
        "default": "D18",
        "help": "the GPIO at the data line; D10 (SPI) needs no root",
    },
    "colour_order": {
        "type": "str",
        "choices": ["GRB", "RGB", "BGR"],
        "default": "GRB",
        "help": "the order in which the LEDs take their colours",
    },
    "gamma_tenths": {
        "type": "int",
        "range": [10, 30],
        "default": 22,
        "help": "exponent, in tenths, from palette values to light",
    },
    "wiring": {
        "type": "str",
        "choices": ["rows", "columns"],
        "default": "rows",
        "help": "the strand runs along rows or along columns",
    },
    "serpentine": {"type": "bool", "default": True, "help": "the strand runs back and forth instead of always forth"},
    "max_ma": {
        "type": "int",
        "range": [50, 60000],
        "default": 8000,
        "help": "what the supply gives the LEDs, in mA; a brighter picture is dimmed to it",
    },
    "channel_ma": {
        "type": "int",
        "range": [1, 60],
        "default": 16,
        "help": "current of one colour of one LED at full light, in mA (12 for WS2812B-V5, 20 for older ones)",
    },
}

Colour = tuple[int, int, int]


class Display:
    """A strand that shows `width` x `height` pixels; `options`: keys of OPTIONS and of PixelMap.

    Raises BoardError where the library or the pin is missing, InputError for a supply that is too small.
    """

    def __init__(self, options: dict[str, Any], width: int, height: int) -> None:
        values = {name: rule["default"] for name, rule in OPTIONS.items()} | options
        count = width * height
        idle_ma = count * strands.IDLE_UA // 1000
        if values["max_ma"] <= idle_ma:
            raise InputError(f"max_ma = {values['max_ma']}: {count} LEDs need {idle_ma} mA even when dark.")
        self._most_light = strands.most_light(values["max_ma"], values["channel_ma"], count)
        self._order = PixelMap(width, height, values).visible().tolist()
        self._fine = gamma_levels(values["gamma_tenths"], 12)
        self._brightness = 255
        self._palette = b""
        self._colours: list[Colour] = []
        self._sums: list[int] = []
        board, neopixel = _import("board"), _import("neopixel")
        try:
            pin = getattr(board, values["pin"])
            self._leds = neopixel.NeoPixel(
                pin, count, brightness=1.0, auto_write=False, pixel_order=values["colour_order"]
            )
        except (AttributeError, OSError, RuntimeError) as error:
            raise BoardError(
                f"The LEDs at {values['pin']} cannot be driven ({error}): run this as root on a Raspberry Pi, "
                "or use D10 with SPI switched on."
            ) from error

    def show(self, canvas: Canvas) -> None:
        """Send the canvas, dimmed if it would take more current than the supply has."""
        if canvas.palette != self._palette:
            self._palette = bytes(canvas.palette)
            self._colours = self._look_up(256)
            self._sums = [sum(colour) for colour in self._colours]
        pixels = canvas.pixels
        colours = self._colours
        light = sum(self._sums[index] for index in pixels)
        if light > self._most_light:
            colours = self._look_up(256 * self._most_light // light)
        self._leds[:] = [colours[pixels[place]] for place in self._order]
        self._leds.show()

    def set_brightness(self, brightness: int) -> None:
        """Dim everything, 0 .. 255, linear in light."""
        self._brightness = brightness
        self._palette = b""

    def deinit(self) -> None:
        """Make every LED dark: a strand keeps the last colours it was sent."""
        self._leds.fill(0)
        self._leds.show()
        self._leds.deinit()

    def _look_up(self, scale: int) -> list[Colour]:
        """What each palette entry is in light, dimmed to `scale` 256ths; rounded down, so never above the limit."""
        factor = (strands.FULL_FACTOR * self._brightness // 255) * scale >> 8
        light = [level * factor >> 20 for level in self._fine]
        values = [light[value] for value in self._palette]
        return list(zip(values[::3], values[1::3], values[2::3], strict=True))


def _import(name: str) -> ModuleType:
    try:
        return __import__(name)
    except (ImportError, NotImplementedError) as error:
        raise BoardError(
            f"The display neopixel_blinka needs a Raspberry Pi and Adafruit's libraries ({name}: {error}): "
            "on the Pi, run pip install 'leezenflow[pi]' adafruit-blinka rpi_ws281x."
        ) from error
