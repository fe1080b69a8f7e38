# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sensors, one file each: OPTIONS and `class Sensor(options, bus=None)`; `bus` is an I2C or ADC made by somebody else.

A sensor of ambient light has `lux()`, called about once a second: it returns whole lux, or None while there is no
measurement yet; OSError when the sensor does not answer (the next call starts it anew).

A sensor for the health reports says in `MEASURES` what it measures, and has a coroutine `measure(sleep_ms)`, called
every few seconds: it returns a dict with just these names; OSError when the sensor does not answer.
"""
