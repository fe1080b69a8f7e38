# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PIO program that feeds up to eight WS2812 strands at once.

At 8 MHz a bit is 10 cycles of 125 ns: high for 3 (375 ns) for a 0 and for 7 (875 ns) for a 1, low for the rest. That
is within what WS2812B and its V5 ask for (0: 220 to 380 and 400 +- 150 ns; 1: 580 to 1000 and 800 +- 150 ns).
"""

# The assembler's words exist only while rp2.asm_pio runs this function.
# ruff: noqa: F821
# pyright: reportUndefinedVariable=false

import rp2

SM_HZ = 8_000_000


def make_program(lanes):
    """A byte for each bit time, bit k for lane k."""

    @rp2.asm_pio(
        out_init=(rp2.PIO.OUT_LOW,) * lanes,
        out_shiftdir=rp2.PIO.SHIFT_RIGHT,
        autopull=True,
        pull_thresh=32,
        fifo_join=rp2.PIO.JOIN_TX,
    )
    def feed_lanes():
        wrap_target()
        out(x, 8)  # waits here, low, between frames
        mov(pins, invert(null))[2]
        mov(pins, x)[3]
        mov(pins, null)[1]
        wrap()

    return feed_lanes
