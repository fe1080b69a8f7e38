# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HUB75 panels on an RP2040 or RP2350 with stock MicroPython (1.24 or newer): PIO and DMA refresh, the CPU only packs.

Data flow of a refresh, without the CPU:

    front -> restart -> control -> data -> FIFO of the data machine      (planes, the same blocks over and over)
                           row restart -> rows -> FIFO of the row machine (address and times, the same words for ever)

`control` reads blocks of four words (CTRL, WRITE_ADDR, TRANS_COUNT, READ_ADDR) into the registers of `data`, one block
after another: the lines of a row pair, then the plane whose turn it is in the slot (leezenflow.bitplanes explains the
slot). The last block chains to `restart`, which reads from `front` where to go on. A flip is one store to `front`; it
is taken after the last row of the last phase, so no picture is ever torn.
"""

# The stubs of rp2.DMA lack its registers.
# pyright: reportAttributeAccessIssue=false

import time
from array import array

import machine
import rp2
import uctypes

from leezenflow import bitplanes
from leezenflow.errors import LeezenflowError
from leezenflow.start_parts import forget

try:
    from leezenflow_device.displays._planes_viper import pack_planes, spread_palette, spread_rows
except (ImportError, ValueError):  # no compiler to machine code, or an .mpy of another processor
    from leezenflow.bitplanes import pack_planes, spread_palette, spread_rows
try:
    from leezenflow_device.displays._planes_thumb import pack_planes

    _folds = True
except (ImportError, SyntaxError, ValueError):  # not an ARM core: the RISC-V ones of an RP2350
    _folds = False

OPTIONS = {
    "data_pin": {
        "type": "int",
        "range": [0, 24],
        "default": 0,
        "help": "GPIO of R1; G1 B1 R2 G2 B2 are the five after it",
    },
    "address_pin": {"type": "int", "range": [0, 27], "default": 6, "help": "GPIO of A; B, C, D, E are those after it"},
    "clock_pin": {"type": "int", "range": [0, 29], "default": 11, "help": "GPIO of CLK"},
    "latch_pin": {"type": "int", "range": [0, 29], "default": 12, "help": "GPIO of LAT, next to OE"},
    "oe_pin": {"type": "int", "range": [0, 29], "default": 13, "help": "GPIO of OE (active low), next to LAT"},
    "colour_order": {
        "type": "str",
        "choices": ["RGB", "RBG", "GRB", "GBR", "BRG", "BGR"],
        "default": "RGB",
        "help": "which colours the pins called R, G, B light on this panel",
    },
    "planes": {
        "type": "int",
        "range": [5, 11],
        "default": 8,
        "help": "bit planes a frame (8: >= 500 Hz, 10: >= 300 Hz)",
    },
    "dither": {
        "type": "int",
        "range": [0, 3],
        "default": 2,
        "help": "further bits of depth by alternating the lowest plane over 2, 4 or 8 frames",
    },
    "gamma_tenths": {
        "type": "int",
        "range": [10, 30],
        "default": 22,
        "help": "exponent, in tenths, from palette values to light",
    },
    "pixel_clock_khz": {
        "type": "int",
        "range": [1000, 25000],
        "default": 11000,
        "help": "fastest shift clock; many panels bear 16000 and get brighter with it",
    },
    "refresh_hz": {
        "type": "int",
        "range": [0, 2000],
        "default": 0,
        "help": "lowest refresh rate; less means brighter; 0: 560 or the best that leaves every plane 140 ns",
    },
    "brightness_cap": {
        "type": "int",
        "range": [1, 255],
        "default": 255,
        "help": "what brightness 255 means: the share of full light (of 255) that the power supply bears",
    },
    "start_up": {
        "type": "str",
        "choices": ["none", "fm6126a"],
        "default": "none",
        "help": "registers to write first: fm6126a for panels that stay dark otherwise",
    },
    "pio": {"type": "int", "range": [0, 2], "default": 0, "help": "PIO block; its state machines 0 and 1 are taken"},
}

# For /boot.py: (option that names the pin, level that keeps the panel dark).
DARK = (("oe_pin", 1),)

# A flip is taken within a cycle of all phases, some 15 ms at the slowest plan.
_STALL_MS = 100
_COLOURS = "RGB"


class Display:
    """A chain of HUB75 panels.

    `options`: the board's display section (keys of OPTIONS and of PixelMap, both optional); `width`, `height`: of the
    visible picture. Raises LeezenflowError for pins or panels that cannot work, before a pin other than OE is touched.
    """

    def __init__(self, options, width, height):
        values = {}
        for name in OPTIONS:
            values[name] = options.get(name, OPTIONS[name]["default"])
        # Before anything that takes time or may fail: nothing may be lit.
        self._oe = machine.Pin(values["oe_pin"], machine.Pin.OUT, value=1)
        self._channels = ()
        self._machines = ()
        self._programs = ()
        self._pio = values["pio"]
        self._cap = values["brightness_cap"]
        from leezenflow import pixel_map as places
        from leezenflow_device.displays import _hub75_pins as pins

        pixel_map = places.PixelMap(width, height, options)
        self.timing = timing = bitplanes.plan_timing(
            pixel_map.columns,
            pixel_map.rows,
            values["planes"],
            values["dither"],
            machine.freq(),
            values["pixel_clock_khz"],
            values["refresh_hz"],
        )
        pins.check_pins(values, bitplanes.address_bits(timing.row_pairs))
        self._make_tables(pixel_map, values)
        if _folds:
            self._order = places.fold_order(self._order, timing.columns)
        if values["start_up"] == "fm6126a":
            pins.start_fm6126a(values, timing.columns)
        try:
            self._start(values)
        except BaseException:
            self.deinit()
            raise
        forget(places)
        forget(pins)

    def show(self, canvas):
        """Put the canvas on the panel: packs it into the hidden buffer and flips at the end of the refresh cycle.

        Returns at once; only when called again within one refresh cycle (2 ** dither frames) does it wait for that
        cycle's end. Allocates nothing. Raises LeezenflowError when the refresh stands still.
        """
        if canvas.palette != self._palette:
            self._palette[:] = canvas.palette
            self._spread_palette()
        hidden = 1 - self._await_flip()
        timing = self.timing
        pack_planes(
            canvas.pixels,
            self._order,
            self._tables,
            self._planes[hidden],
            timing.columns,
            timing.row_pairs,
            timing.depth,
        )
        self._front[0] = self._list_starts[hidden]
        self._flipped_to = hidden

    def set_brightness(self, brightness):
        """Dim by on-time, 0 (nothing lit) .. 255 (`brightness_cap`), linear in light; no colour depth is lost."""
        scaled = brightness * self._cap // 255
        if (scaled == 0) != (self._brightness == 0):
            self._brightness = scaled
            self._spread_palette()
        self._brightness = scaled
        timing = self.timing
        words = bitplanes.line_words(timing, max(1, scaled))
        spread_rows(words, self._row_words, timing.lines, timing.row_pairs, timing.phases)

    def deinit(self):
        """Dark at once, then everything given back. Safe to call twice and after a failed start."""
        self._oe.init(machine.Pin.OUT, value=1)
        for state_machine in self._machines:
            state_machine.active(0)
        # Disabled all before the first is aborted, or an aborted one could wake the next of its chain.
        for channel in self._channels:
            channel.ctrl = channel.pack_ctrl(enable=False)
        for channel in self._channels:
            channel.active(0)
            channel.close()
        for program in self._programs:
            rp2.PIO(self._pio).remove_program(program)
        self._channels = self._machines = self._programs = ()

    def _make_tables(self, pixel_map, values):
        timing = self.timing
        self._groups = bitplanes.table_groups(timing.depth)
        self._order = bitplanes.pair_order(pixel_map.visible(), timing.columns, timing.row_pairs)
        self._levels = bitplanes.gamma_levels(values["gamma_tenths"], timing.depth)
        self._no_levels = None
        self._nibbles = bitplanes.nibble_words()
        self._shifts = bytes([values["colour_order"].index(colour) for colour in _COLOURS])
        self._palette = bytearray(768)
        self._tables = array("I", bytes(1024 * self._groups))
        self._planes = (bytearray(timing.plane_bytes()), bytearray(timing.plane_bytes()))
        self._row_words = array("I", bytes(4 * timing.phases * timing.row_pairs * timing.lines))
        self._brightness = 255
        self.set_brightness(255)

    def _spread_palette(self):
        levels = self._levels
        if self._brightness == 0:
            if self._no_levels is None:
                self._no_levels = array("H", bytes(512))
            levels = self._no_levels
        spread_palette(self._palette, levels, self._nibbles, self._tables, self._groups, self._shifts)

    def _await_flip(self):
        """Wait until the last flip has been taken; returns the buffer that is being shown."""
        shown = self._flipped_to
        start = self._plane_starts[shown]
        end = start + self.timing.plane_bytes()
        data = self._channels[0]
        began = time.ticks_ms()
        while not start < data.read <= end:
            if time.ticks_diff(time.ticks_ms(), began) > _STALL_MS:
                raise LeezenflowError(
                    "the panel's refresh stands still: something else uses PIO %d or the DMA channels; restart the unit"
                    % self._pio
                )
        return shown

    def _start(self, values):
        from leezenflow_device.displays import _hub75_programs as programs

        timing = self.timing
        block = 4 * self._pio
        bits = bitplanes.address_bits(timing.row_pairs)
        side_sets = programs.LAT_BELOW_OE if values["latch_pin"] < values["oe_pin"] else programs.OE_BELOW_LAT
        data_program = programs.make_data_program()
        row_program = programs.make_row_program(bits, bitplanes.ROW_WORD_LIT_BITS, side_sets)
        self._programs = (data_program, row_program)
        row_machine = rp2.StateMachine(
            block + 1,
            row_program,
            freq=timing.sm_hz,
            out_base=machine.Pin(values["address_pin"]),
            sideset_base=machine.Pin(min(values["latch_pin"], values["oe_pin"])),
        )
        data_machine = rp2.StateMachine(
            block,
            data_program,
            freq=timing.sm_hz,
            out_base=machine.Pin(values["data_pin"]),
            sideset_base=machine.Pin(values["clock_pin"]),
        )
        self._machines = (row_machine, data_machine)
        # What an interrupted run has left in a flag or a FIFO would put rows and lines out of step for good.
        for flag in (programs.LINE_SHIFTED, programs.LINE_LATCHED):
            data_machine.exec("irq(clear, %d)" % flag)
        for state_machine in self._machines:
            programs.empty_fifo(state_machine)
        for part in (timing.columns - 1 >> 5, timing.columns - 1 & 31):
            data_machine.exec("set(x, %d)" % part)
            data_machine.exec("in_(x, 5)")
        self._start_dma(data_machine, block, row_machine, block + 1)
        row_machine.active(1)
        data_machine.active(1)
        forget(programs)

    def _start_dma(self, data_machine, data_request, row_machine, row_request):
        # DREQ numbers of the TX FIFOs are 8 * block + machine.
        data_request += 4 * self._pio
        row_request += 4 * self._pio
        self._channels = (rp2.DMA(), rp2.DMA(), rp2.DMA(), rp2.DMA(), rp2.DMA())
        data, control, restart, rows, rows_restart = self._channels
        data.config(write=data_machine)
        onwards = data.pack_ctrl(inc_write=False, treq_sel=data_request, chain_to=control.channel)
        again = data.pack_ctrl(inc_write=False, treq_sel=data_request, chain_to=restart.channel)
        self._plane_starts = tuple([uctypes.addressof(planes) for planes in self._planes])
        self._lists = tuple(
            [control_blocks(self.timing, start, data.write, onwards, again) for start in self._plane_starts]
        )
        self._list_starts = tuple([uctypes.addressof(blocks) for blocks in self._lists])
        self._front = array("I", [self._list_starts[0]])
        self._flipped_to = 0
        control.config(
            # The four registers of alias 3, the last of which starts the channel.
            write=data.registers[12:16],
            count=4,
            ctrl=control.pack_ctrl(ring_sel=True, ring_size=4),
        )
        restart.config(
            read=self._front,
            write=control.registers[15:16],
            count=1,
            ctrl=restart.pack_ctrl(inc_read=False, inc_write=False),
        )
        rows.config(
            write=row_machine,
            count=len(self._row_words),
            ctrl=rows.pack_ctrl(inc_write=False, treq_sel=row_request, chain_to=rows_restart.channel),
        )
        self._rows_start = array("I", [uctypes.addressof(self._row_words)])
        rows_restart.config(
            read=self._rows_start,
            write=rows.registers[15:16],
            count=1,
            ctrl=rows_restart.pack_ctrl(inc_read=False, inc_write=False),
        )
        restart.active(1)
        rows_restart.active(1)


def control_blocks(timing, start, fifo, onwards, again):
    """The words that `control` reads for one cycle over the planes at address `start`; `again` ends it."""
    line_bytes = timing.columns
    row_bytes = timing.depth * line_bytes
    if not timing.dither:
        return array("I", [again, fifo, timing.plane_bytes() // 4, start])
    blocks = array("I", bytes(2 * 16 * timing.phases * timing.row_pairs))
    place = 0
    for phase in range(timing.phases):
        slot = timing.slot_bit(phase)
        for row in range(timing.row_pairs):
            row_start = start + row * row_bytes
            for bit, count in ((slot, 1), (timing.dither + 1, timing.lines - 1)):
                blocks[place] = onwards
                blocks[place + 1] = fifo
                blocks[place + 2] = count * line_bytes // 4
                blocks[place + 3] = row_start + bit * line_bytes
                place += 4
    blocks[place - 4] = again
    return blocks
