# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Up to eight WS2812 strands in parallel on an RP2040 or RP2350: PIO and one DMA transfer a frame, the CPU only packs.

3072 LEDs on eight lanes take 11.8 ms a frame (84 frames a second); one strand alone would take 92 ms. At full white
they would also take more than 100 A: the light of every picture is summed up and the picture dimmed to `max_ma`.
"""

# The stubs of rp2.DMA lack its registers.
# pyright: reportAttributeAccessIssue=false

import time
from array import array

import machine
import rp2

from leezenflow import strands
from leezenflow.bitplanes import gamma_levels
from leezenflow.errors import LeezenflowError
from leezenflow.pixel_map import PixelMap
from leezenflow_device.displays import _ws2812_program

try:
    from leezenflow_device.displays._strands_viper import pack_lanes, scale_levels, spread_colours, sum_light
except ImportError:  # a port without the compiler to machine code
    from leezenflow.strands import pack_lanes, scale_levels, spread_colours, sum_light

OPTIONS = {
    "pin": {"type": "int", "range": [0, 29], "default": 0, "help": "GPIO of the first lane; the others are after it"},
    "lanes": {"type": "int", "range": [1, 8], "default": 8, "help": "strands that are fed at once, equally long"},
    "colour_order": {
        "type": "str",
        "choices": ["GRB", "RGB", "BRG", "BGR", "GBR", "RBG"],
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
        "help": "strands run along rows or along columns; lane 0 has the first LEDs",
    },
    "serpentine": {"type": "bool", "default": True, "help": "strands run back and forth instead of always forth"},
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
    "pio": {"type": "int", "range": [0, 2], "default": 0, "help": "PIO block; its state machine 0 is taken"},
}

# For /boot.py: pins that are low while nothing runs, and strands that must be sent zeros (one a lane).
DARK = (("pin", 0),)
DARK_STRANDS = ("pin",)

_STALL_MS = 250


class Display:
    """LED strands that together show `width` x `height` pixels.

    `options`: the board's display section (keys of OPTIONS and of PixelMap). Raises LeezenflowError for what cannot
    work.
    """

    def __init__(self, options, width, height):
        values = {"wiring": "rows", "serpentine": True}
        values.update(options)
        for name in OPTIONS:
            values.setdefault(name, OPTIONS[name]["default"])
        self._lanes = lanes = values["lanes"]
        if values["pin"] + lanes > 30:
            raise LeezenflowError("pin = %d: %d lanes end after GPIO 29" % (values["pin"], lanes))
        self._count = width * height
        self._order = strands.lane_order(PixelMap(width, height, values).visible(), lanes)
        self._leds = self._count // lanes
        self._most_light = strands.most_light(values["max_ma"], values["channel_ma"], self._count)
        self._colours = bytes(["RGB".index(colour) for colour in values["colour_order"]])
        self._fine = gamma_levels(values["gamma_tenths"], 12)
        self._nibbles = strands.nibble_words()
        self._palette = bytearray(768)
        self._light = bytearray(256)
        self._tables = array("I", bytes(4 * 256 * strands.WORDS_PER_LED))
        # What each colour is in light: as the picture asks for it, and as the supply allows it.
        self._full_sums = array("H", bytes(512))
        self._sums = array("H", bytes(512))
        frame = bytes(4 * self._leds * strands.WORDS_PER_LED)
        self._frames = (array("I", frame), array("I", frame))
        self._next = 0
        self._frame_us = self._leds * strands.LED_NS // 1000 + strands.LATCH_US
        self._factor = strands.FULL_FACTOR
        self._scale = -1
        self._pins = range(values["pin"], values["pin"] + lanes)
        self._pio = values["pio"]
        self._dma = None
        self._machine = None
        self._program = _ws2812_program.make_program(lanes)
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        self._send()  # zeros: strands keep what an earlier run has told them

    @property
    def frames_per_second(self):
        """Highest frame rate."""
        return strands.frames_per_second(self._leds)

    def show(self, canvas):
        """Send the canvas; waits for the end of the frame before if that is still under way. Allocates nothing."""
        pixels = canvas.pixels
        if canvas.palette != self._palette:
            self._palette[:] = canvas.palette
            self._scale = -1
        if self._scale < 0:
            self._spread(256, self._full_sums)
        scale = 256
        light = sum_light(pixels, self._full_sums, self._count)
        if light > self._most_light:
            # In 256ths; rounding of the levels can still leave it above: then one step more.
            scale = (self._most_light << 6) // ((light >> 2) + 1)
        while True:
            if scale != self._scale:
                self._spread(scale, self._sums)
                self._scale = scale
            if scale == 256 or scale == 0 or sum_light(pixels, self._sums, self._count) <= self._most_light:
                break
            scale -= 1
        pack_lanes(pixels, self._order, self._tables, self._frames[self._next], self._leds, self._lanes)
        self._send()

    def set_brightness(self, brightness):
        """Dim everything, 0 .. 255, linear in light (the LEDs have 8 bits: dark colours lose steps)."""
        self._factor = strands.FULL_FACTOR * brightness // 255
        self._scale = -1

    def deinit(self):
        """Make every LED dark (strands keep their colours), then give everything back. Safe to call twice."""
        if self._dma is None:
            return
        try:
            frame = self._frames[self._next]
            for place in range(len(frame)):
                frame[place] = 0
            self._send()
            self._await_frame()
        finally:
            self._stop()

    def _spread(self, scale, sums):
        scale_levels(self._fine, self._factor * scale >> 8, self._light)
        spread_colours(self._palette, self._light, self._nibbles, self._tables, sums, self._colours)

    def _start(self):
        self._machine = rp2.StateMachine(
            4 * self._pio,
            self._program,
            freq=_ws2812_program.SM_HZ,
            out_base=machine.Pin(self._pins[0]),
        )
        self._dma = rp2.DMA()
        self._dma.config(
            write=self._machine,
            count=self._leds * strands.WORDS_PER_LED,
            # DREQ numbers of the TX FIFOs are 8 * block + machine.
            ctrl=self._dma.pack_ctrl(inc_write=False, treq_sel=8 * self._pio),
        )
        self._sent_at = time.ticks_us() - self._frame_us
        self._machine.active(1)

    def _send(self):
        """Send the frame that was packed last and make the other one the next to be packed."""
        self._await_frame()
        self._dma.read = self._frames[self._next]
        self._dma.active(1)
        self._sent_at = time.ticks_us()
        self._next = 1 - self._next

    def _await_frame(self):
        """Wait until the frame that was sent last is shown."""
        began = time.ticks_ms()
        while self._dma.active() or 0 <= time.ticks_diff(time.ticks_us(), self._sent_at) < self._frame_us:
            if time.ticks_diff(time.ticks_ms(), began) > _STALL_MS:
                raise LeezenflowError(
                    "the strands take no data: something else uses PIO %d or the DMA channels; restart the unit"
                    % self._pio
                )

    def _stop(self):
        if self._machine is not None:
            self._machine.active(0)
        if self._dma is not None:
            self._dma.ctrl = self._dma.pack_ctrl(enable=False)
            self._dma.active(0)
            self._dma.close()
        if self._machine is not None:
            rp2.PIO(self._pio).remove_program(self._program)
        for pin in self._pins:
            machine.Pin(pin, machine.Pin.OUT, value=0)
        self._dma = self._machine = None
