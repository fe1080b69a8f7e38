# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HUB75 panels on a Raspberry Pi with an RGB matrix HAT, by the Python bindings of rpi-rgb-led-matrix.

The bindings are not on PyPI for every system: they are imported only where such a unit runs. The library corrects
luminance itself, so the palette's values go to it as they are.
"""

from types import ModuleType
from typing import Any

from PIL import Image

from leezenflow.canvas import Canvas
from leezenflow.pixel_map import PixelMap
from leezenflow_host.errors import BoardError, InputError

OPTIONS = {
    "hardware": {
        "type": "str",
        "choices": ["adafruit-hat", "adafruit-hat-pwm", "regular"],
        "default": "adafruit-hat",
        "help": "how the panel is wired; -pwm: with the bridge from GPIO 4 to 18 soldered (less flicker)",
    },
    "panel_columns": {
        "type": "int",
        "range": [16, 128],
        "default": 32,
        "help": "columns the chain is counted in: 96 are 3 panels of 32, also where one of them is 64 wide",
    },
    "slowdown": {
        "type": "int",
        "range": [0, 5],
        "default": 2,
        "help": "how much slower than the Pi can: 1 for a Pi 2, 2 for a Pi 3, 4 for a Pi 4",
    },
    "planes": {"type": "int", "range": [1, 11], "default": 11, "help": "bit planes a frame; fewer flicker less"},
    "colour_order": {
        "type": "str",
        "choices": ["RGB", "RBG", "GRB", "GBR", "BRG", "BGR"],
        "default": "RGB",
        "help": "which colours the pins called R, G, B light on this panel",
    },
    "brightness_cap": {
        "type": "int",
        "range": [1, 255],
        "default": 255,
        "help": "what brightness 255 means: the share of full light (of 255) that the power supply bears",
    },
}


class Display:
    """A chain of panels that shows `width` x `height` pixels; `options`: keys of OPTIONS and of PixelMap.

    Raises BoardError where the bindings or the hardware are missing, InputError for a chain that does not fit.
    """

    def __init__(self, options: dict[str, Any], width: int, height: int) -> None:
        values = {name: rule["default"] for name, rule in OPTIONS.items()} | options
        pixel_map = PixelMap(width, height, values)
        self._size = (pixel_map.columns, pixel_map.rows)
        self._order = pixel_map.visible().tolist()
        self._cap = values["brightness_cap"]
        self._palette = b""
        self._colours: list[bytes] = []
        if pixel_map.columns % values["panel_columns"]:
            raise InputError(
                f"panel_columns = {values['panel_columns']} does not divide the chain of {pixel_map.columns} columns."
            )
        bindings = _import("rgbmatrix")
        settings = bindings.RGBMatrixOptions()
        settings.hardware_mapping = values["hardware"]
        settings.rows = pixel_map.rows
        settings.cols = values["panel_columns"]
        settings.chain_length = pixel_map.columns // values["panel_columns"]
        settings.gpio_slowdown = values["slowdown"]
        settings.pwm_bits = values["planes"]
        settings.led_rgb_sequence = values["colour_order"]
        # The library's own daemon user cannot read our files afterwards.
        settings.drop_privileges = False
        try:
            self._matrix = bindings.RGBMatrix(options=settings)
        except (OSError, RuntimeError) as error:
            raise BoardError(f"The RGB matrix cannot be driven ({error}): run this as root on the Pi.") from error
        self._hidden = self._matrix.CreateFrameCanvas()
        self.set_brightness(255)

    def show(self, canvas: Canvas) -> None:
        """Draw the canvas on the hidden picture and swap at the end of a refresh."""
        if canvas.palette != self._palette:
            self._palette = bytes(canvas.palette)
            self._colours = [self._palette[start : start + 3] for start in range(0, 768, 3)]
        pixels = canvas.pixels
        colours = self._colours
        data = b"".join([colours[pixels[place]] for place in self._order])
        self._hidden.SetImage(Image.frombytes("RGB", self._size, data))
        self._hidden = self._matrix.SwapOnVSync(self._hidden)

    def set_brightness(self, brightness: int) -> None:
        """Dim everything, 0 .. 255; the library takes per cent."""
        self._matrix.brightness = 100 * brightness * self._cap // (255 * 255)

    def deinit(self) -> None:
        """Make the panel dark."""
        self._matrix.Clear()


def _import(name: str) -> ModuleType:
    try:
        return __import__(name)
    except ImportError as error:
        raise BoardError(
            f"The display rgbmatrix_hat needs the Python bindings of rpi-rgb-led-matrix ({error}): "
            "build them on the Pi, as that project's bindings/python/README.md says."
        ) from error
