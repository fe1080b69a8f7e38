# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installed as /boot.py: before anything else, the panel goes dark.

A soft reset leaves pins at their last level, and LEDs that hold their colour go on shining: a row of a HUB75 panel
stayed lit, bright and hard on its LEDs, until OE was driven high. So these lines depend on no other file. The
installer replaces the two literals by those of the board; the driver's `DARK` says which options they come from.
"""

# Pins and the level that keeps the panel dark: ((pin, level), ...)
DARK_PINS = ()
# LED strands that must be told: ((pin, bytes of one frame), ...)
DARK_STRANDS = ()

if DARK_PINS or DARK_STRANDS:
    from machine import Pin

    for _pin, _level in DARK_PINS:
        Pin(_pin, Pin.OUT, value=_level)
    for _pin, _count in DARK_STRANDS:
        from machine import bitstream

        # WS2812, 800 kHz: high and low times of a 0 and of a 1 in ns, as MicroPython's neopixel has them.
        bitstream(Pin(_pin, Pin.OUT, value=0), 0, (400, 850, 800, 450), bytes(_count))
