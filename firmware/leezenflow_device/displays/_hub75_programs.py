# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two PIO programs that refresh a HUB75 panel, one shifting a line while the other shows the line before it.

They take turns by two flags of their PIO block: the data machine raises LINE_SHIFTED and waits, the row machine latches
the line, raises LINE_LATCHED and lights it while the next one is shifted. Neither ever waits for the CPU. When DMA
should fail to feed one of them, both stop with OE off.

Timing against the usual shift registers (16 constant-current outputs, 25 MHz at 5 V, 15 ns set-up and hold): data
changes with the falling clock and has a whole SM cycle (48 ns at 20.8 MHz) before and after the rising one; LAT is up
for two cycles while the clock is low; OE is off for at least one cycle before the address changes and for eight after.
"""

# The assembler's words exist only while rp2.asm_pio runs these functions.
# ruff: noqa: F821
# pyright: reportUndefinedVariable=false

import rp2

# Flags 4 to 7 are for the state machines of a block only, the CPU is not told.
LINE_SHIFTED = 4
LINE_LATCHED = 5

# Side-set pins of the row machine when LAT has the lower pin number: bit 0 LAT, bit 1 OE (active low).
LAT_BELOW_OE = (0b10, 0b11, 0b00)
OE_BELOW_LAT = (0b01, 0b11, 0b00)


def make_data_program():
    """Clocks out the columns of a line, a byte each: bits 0..5 on R1 G1 B1 R2 G2 B2. Side-set: CLK.

    Wants columns - 1 in ISR. One line takes 2 cycles a column and bitplanes.SHIFT_EXTRA_CYCLES.
    """
    # The assembler takes all globals away while it runs; locals stay.
    line_shifted = LINE_SHIFTED
    line_latched = LINE_LATCHED

    @rp2.asm_pio(
        out_init=(rp2.PIO.OUT_LOW,) * 6,
        sideset_init=rp2.PIO.OUT_LOW,
        out_shiftdir=rp2.PIO.SHIFT_RIGHT,
        autopull=True,
        pull_thresh=32,
        fifo_join=rp2.PIO.JOIN_TX,
    )
    def shift_lines():
        wrap_target()
        mov(x, isr).side(0)
        label("column")
        out(pins, 8).side(0)  # six pins: the upper two bits go nowhere
        jmp(x_dec, "column").side(1)
        irq(line_shifted).side(0)
        wait(1, irq, line_latched).side(0)
        wrap()

    return shift_lines


def make_row_program(address_bits, lit_bits, side_sets):
    """Latches and lights the lines. Word: address, cycles of darkness after (less 1), cycles lit (less 1) on top.

    Side-set: LAT and OE; `side_sets` their states dark, latching, lit. A line takes its lit cycles and
    bitplanes.LIT_EXTRA_CYCLES, and its cycles of darkness.
    """
    line_shifted = LINE_SHIFTED
    line_latched = LINE_LATCHED
    dark_bits = 32 - address_bits - lit_bits
    dark, latching, lit = side_sets
    idle = rp2.PIO.OUT_HIGH if dark & 1 else rp2.PIO.OUT_LOW
    idle_upper = rp2.PIO.OUT_HIGH if dark & 2 else rp2.PIO.OUT_LOW

    @rp2.asm_pio(
        out_init=(rp2.PIO.OUT_LOW,) * address_bits,
        sideset_init=(idle, idle_upper),
        out_shiftdir=rp2.PIO.SHIFT_RIGHT,
        autopull=True,
        pull_thresh=32,
        fifo_join=rp2.PIO.JOIN_TX,
    )
    def show_lines():
        wrap_target()
        out(pins, address_bits).side(dark)[1]  # while dark, or the row before glows along
        out(y, dark_bits).side(dark)
        wait(1, irq, line_shifted).side(dark)
        out(x, lit_bits).side(latching)[1]
        irq(line_latched).side(dark)[1]
        label("lit")
        jmp(x_dec, "lit").side(lit)
        label("rest")
        jmp(y_dec, "rest").side(dark)
        wrap()

    return show_lines


def empty_fifo(state_machine):
    """Throw away what is in the transmit FIFO and the shift register of a machine that does not run."""
    # Making a StateMachine clears its FIFO on the chips; emulators and later MicroPythons need not.
    for _ in range(state_machine.tx_fifo()):
        state_machine.exec("pull(noblock)")
        state_machine.exec("out(null, 32)")
