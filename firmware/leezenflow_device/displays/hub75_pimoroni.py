# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HUB75 panels on an Interstate 75 that runs Pimoroni's own MicroPython build, by its C module `hub75`.

For units that need that build for something else: `hub75_rp2` drives the same boards with stock MicroPython, without
an interrupt a line, without torn pictures, with dimming by on-time. Here each pixel is a call (some 10 us), so only
those that have changed are sent.
"""

import hub75  # pyright: ignore[reportMissingImports]
import machine

from leezenflow.errors import LeezenflowError
from leezenflow.pixel_map import PixelMap

OPTIONS = {
    "oe_pin": {"type": "int", "range": [13, 13], "default": 13, "help": "GPIO of OE (active low): the module's own"},
    "colour_order": {
        "type": "str",
        "choices": ["RGB", "RBG", "GRB", "GBR", "BRG", "BGR"],
        "default": "RGB",
        "help": "which colours the pins called R, G, B light on this panel",
    },
    "start_up": {
        "type": "str",
        "choices": ["none", "fm6126a"],
        "default": "none",
        "help": "registers to write first: fm6126a for panels that stay dark otherwise",
    },
    "latch_inverted": {
        "type": "bool",
        "default": False,
        "help": "for panels with a missing middle row and a corrupt top row",
    },
}

# For /boot.py: (option that names the pin, level that keeps the panel dark).
DARK = (("oe_pin", 1),)

# The module's own numbers; its constants have changed names between releases.
_COLOUR_ORDERS = ("RGB", "RBG", "GRB", "GBR", "BRG", "BGR")
_PANELS = ("none", "fm6126a")
# The module makes light from values by a table of about this exponent, so dimming has to go through it backwards.
_GAMMA = 2.2


class Display:
    """A chain of HUB75 panels; `options`: keys of OPTIONS and of PixelMap, both optional."""

    def __init__(self, options, width, height):
        self._oe = machine.Pin(options.get("oe_pin", 13), machine.Pin.OUT, value=1)
        self._matrix = None
        pixel_map = PixelMap(width, height, options)
        self._columns = pixel_map.columns
        self._places = pixel_map.table
        self._pixels = bytearray(width * height)
        self._palette = bytearray(768)
        self._dimmed = bytearray(768)
        self._brightness = 255
        self._all_stale = True  # the palette or the brightness is another than in the frame before
        matrix = hub75.Hub75(
            pixel_map.columns,
            pixel_map.rows,
            panel_type=_PANELS.index(options.get("start_up", "none")),
            stb_invert=1 if options.get("latch_inverted", False) else 0,
            color_order=_COLOUR_ORDERS.index(options.get("colour_order", "RGB")),
        )
        matrix.clear()
        matrix.start()
        self._matrix = matrix

    def show(self, canvas):
        """Put what has changed on the panel, at once: the module has one buffer."""
        if canvas.palette != self._palette:
            self._palette[:] = canvas.palette
            self._dim()
        if self._matrix is None:
            raise LeezenflowError("the display was ended; restart the unit")
        set_pixel = self._matrix.set_pixel
        pixels = canvas.pixels
        if pixels == self._pixels and not self._all_stale:
            return
        shown = self._pixels
        everything = self._all_stale
        colours = self._dimmed
        places = self._places
        columns = self._columns
        index = 0
        for colour in pixels:
            if everything or colour != shown[index]:
                place = places[index]
                at = 3 * colour
                set_pixel(place % columns, place // columns, colours[at], colours[at + 1], colours[at + 2])
            index += 1
        shown[:] = pixels
        self._all_stale = False

    def set_brightness(self, brightness):
        """Dim everything, 0 .. 255, about linear in light; dark colours lose steps."""
        if brightness != self._brightness:
            self._brightness = brightness
            self._dim()

    def deinit(self):
        """Dark, and the module stopped. Safe to call twice."""
        if self._matrix is not None:
            self._matrix.stop()
            self._matrix = None
        # The module leaves OE as it was.
        self._oe.init(machine.Pin.OUT, value=1)

    def _dim(self):
        share = (self._brightness / 255) ** (1 / _GAMMA)
        for index in range(768):
            self._dimmed[index] = int(self._palette[index] * share + 0.5)
        self._all_stale = True
