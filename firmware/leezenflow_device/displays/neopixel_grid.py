# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small grid of WS2812-type LEDs on one pin, by MicroPython's own `neopixel`.

`neopixel` sends 30 us an LED with interrupts off, and each LED costs some 30 us of Python here: 192 LEDs (8 x 24, the
picture divided by 4) are 12 ms of a frame, 768 (16 x 48) already 46. Bigger panels want a HUB75 board.
"""

from array import array

from machine import Pin
from neopixel import NeoPixel

from leezenflow.errors import LeezenflowError
from leezenflow.pixel_map import PixelMap

OPTIONS = {
    "pin": {"type": "int", "range": [0, 63], "help": "the pin at the data line of the first LED"},
    "divide": {
        "type": "int",
        "range": [1, 8],
        "default": 4,
        "help": "one LED shows this many pixels squared: 4 makes the picture of 32 x 96 a grid of 8 x 24",
    },
    "colour_order": {
        "type": "str",
        "choices": ["GRB", "RGB", "BRG", "BGR", "GBR", "RBG", "GRBW", "RGBW"],
        "default": "GRB",
        "help": "the order in which the LEDs take their colours; a white LED beside them stays off",
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
        "range": [50, 20000],
        "default": 1000,
        "help": "what the supply gives the LEDs, in mA; a brighter picture is dimmed to it",
    },
    "channel_ma": {
        "type": "int",
        "range": [1, 60],
        "default": 12,
        "help": "current of one colour of one LED at full light, in mA (12 for WS2812B-V5, 20 for older ones)",
    },
}

# For /boot.py: (option that names the pin, level that keeps the panel dark), and options that name the pins of strands
# which must be sent zeros because they keep their colours.
DARK = (("pin", 0),)
DARK_STRANDS = ("pin",)

# The controller in an unlit WS2812 takes about this much.
IDLE_UA = 1_000
# Palettes are perceptual, LEDs are linear; the exponent of sRGB is about this.
_GAMMA = 2.2


class Display:
    """Shows a canvas of `width` x `height` on (width / divide) x (height / divide) LEDs.

    `options` is the board's display section. The middle pixel of each square is the one shown, so that colours stay
    those of the palette.
    """

    def __init__(self, options, width, height):
        divide = _option(options, "divide")
        order = _option(options, "colour_order")
        if width % divide or height % divide:
            raise LeezenflowError("divide = %d does not divide a picture of %d x %d" % (divide, width, height))
        across = width // divide
        down = height // divide
        strand = {"wiring": "rows", "serpentine": True}
        strand.update(options)
        places = PixelMap(across, down, strand).visible()
        # Element `place` is the canvas pixel of the LED at that place of the strand.
        self._pixels = array("H", places)
        for place, spot in enumerate(places):
            self._pixels[place] = (spot // across * divide + divide // 2) * width + spot % across * divide + divide // 2
        self._bytes_per_led = len(order)
        self._channels = bytes(order.find(colour) for colour in "RGB")
        self._leds = NeoPixel(Pin(options["pin"], Pin.OUT, value=0), across * down, len(order))
        idle_ma = across * down * IDLE_UA // 1000
        max_ma = _option(options, "max_ma")
        if max_ma <= idle_ma:
            raise LeezenflowError("max_ma = %d: %d LEDs need %d mA even when dark" % (max_ma, across * down, idle_ma))
        self._most_light = (max_ma - idle_ma) * 255 // _option(options, "channel_ma")
        self._palette = bytearray(768)
        self._colours = bytearray(768)
        self._sums = array("H", bytes(512))
        self._light = bytearray(256)
        self.set_brightness(255)

    def set_brightness(self, level):
        """Dim the whole picture: 255 is full light, 0 none."""
        for value in range(256):
            self._light[value] = int((value / 255) ** _GAMMA * level + 0.5)
        self._spread()

    def show(self, canvas):
        """Send the frame to the LEDs; allocates nothing."""
        if canvas.palette != self._palette:
            self._palette[:] = canvas.palette
            self._spread()
        pixels = canvas.pixels
        colours = self._colours
        sums = self._sums
        data = self._leds.buf
        red, green, blue = self._channels
        step = self._bytes_per_led
        light = 0
        at = 0
        for spot in self._pixels:
            index = pixels[spot]
            light += sums[index]
            index *= 3
            data[at + red] = colours[index]
            data[at + green] = colours[index + 1]
            data[at + blue] = colours[index + 2]
            at += step
        if light > self._most_light:
            # In 4096ths, rounded down, without leaving the small ints of a board.
            self._dim(data, (self._most_light << 8) // ((light >> 4) + 1))
        self._leds.write()

    def deinit(self):
        """Make every LED dark: a strand keeps the last colours it was sent."""
        data = self._leds.buf
        for index in range(len(data)):
            data[index] = 0
        self._leds.write()

    def _dim(self, data, in_4096):
        for index in range(len(data)):
            data[index] = data[index] * in_4096 >> 12

    def _spread(self):
        """Look up what each palette colour is in light, and how much current that takes."""
        for index in range(256):
            total = 0
            for channel in range(3 * index, 3 * index + 3):
                value = self._light[self._palette[channel]]
                self._colours[channel] = value
                total += value
            self._sums[index] = total


def _option(options, name):
    value = options.get(name)
    return OPTIONS[name]["default"] if value is None else value
