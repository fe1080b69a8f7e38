# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The I2C bus that the board's [light] names."""


def open_bus(options):
    """Return the machine.I2C of `options` (`i2c`, `sda_pin`, `scl_pin`), at a speed that a metre of cable bears."""
    from machine import I2C, Pin

    return I2C(options["i2c"], sda=Pin(options["sda_pin"]), scl=Pin(options["scl_pin"]), freq=100_000)


def through_window(lux, window_percent):
    """Return the light outside a window that lets `window_percent` of it through."""
    return lux * 100 // window_percent
