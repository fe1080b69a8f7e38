# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ambient light sensors, one file each: OPTIONS, `class Sensor(options, bus=None)` with `lux()`.

`lux()` is called about once a second and returns whole lux, or None while there is no measurement yet; OSError when
the sensor does not answer (the next call starts it anew). `bus` is a machine.I2C or ADC made by somebody else.
"""
