# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the pins of a HUB75 panel before the PIO programs take them: checks, and registers to write."""

import time

import machine

from leezenflow.errors import LeezenflowError


def check_pins(values, address_bits):
    """Raise LeezenflowError for pins that the PIO programs cannot drive, or that two signals share."""
    if abs(values["latch_pin"] - values["oe_pin"]) != 1:
        raise LeezenflowError(
            "latch_pin = %d and oe_pin = %d: LAT and OE must be on neighbouring GPIOs, in either order"
            % (values["latch_pin"], values["oe_pin"])
        )
    taken = {}
    uses = (("data_pin", 6), ("address_pin", address_bits), ("clock_pin", 1), ("latch_pin", 1), ("oe_pin", 1))
    for name, count in uses:
        for pin in range(values[name], values[name] + count):
            if not 0 <= pin <= 29:
                raise LeezenflowError("%s = %d: that needs GPIO %d, there are 0 to 29" % (name, values[name], pin))
            if pin in taken:
                raise LeezenflowError("%s and %s both need GPIO %d: correct the board's pins" % (taken[pin], name, pin))
            taken[pin] = name


def start_fm6126a(values, columns):
    """Write the two configuration registers of FM6126A-like column drivers, which are dark before that.

    All six data lines carry the same 16 bits, repeated along the chain; LAT is up during the last 11 (12) clocks,
    which selects the register. 10 us a clock edge, as slow as any panel likes.
    """
    lines = [machine.Pin(values["data_pin"] + offset, machine.Pin.OUT, value=0) for offset in range(6)]
    clock = machine.Pin(values["clock_pin"], machine.Pin.OUT, value=0)
    latch = machine.Pin(values["latch_pin"], machine.Pin.OUT, value=0)
    # 0xfffe: all outputs at full current; 0x0200: outputs on.
    for register, latched_clocks in ((0xFFFE, 11), (0x0200, 12)):
        for column in range(columns):
            level = register >> column % 16 & 1
            for line in lines:
                line.value(level)
            if column == columns - latched_clocks:
                latch.value(1)
            time.sleep_us(10)
            clock.value(1)
            time.sleep_us(10)
            clock.value(0)
        latch.value(0)
