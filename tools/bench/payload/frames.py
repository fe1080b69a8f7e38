# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on MicroPython for tools/bench/frame.py: draws COUNT frames of one kind and prints µs and bytes a frame.

    micropython frames.py LOOK KIND COUNT

LOOK "per_pixel" is the yardstick: the same canvas filled pixel by pixel with three colour bytes each, in a loop.
"""

# MicroPython has more in these modules than CPython.
# pyright: reportAttributeAccessIssue=false
import gc
import sys
import time

from leezenflow.advice import Advice
from leezenflow.canvas import Canvas

TIMES = {"green": (20000, 30000), "sprint": (6000, 15000), "red": (20000, 40000)}


class PerPixel:
    """A colour field with a straight edge, as one writes it first."""

    def __init__(self, canvas):
        self.rgb = bytearray(canvas.width * canvas.height * 3)

    def draw(self, advice, canvas, now_ms):
        rgb = self.rgb
        edge = 96 - 96 * advice.remaining_ms // advice.span_ms
        for y in range(96):
            for x in range(32):
                place = (y * 32 + x) * 3
                if y < edge:
                    rgb[place] = 0
                    rgb[place + 1] = 0
                    rgb[place + 2] = 0
                else:
                    rgb[place] = 0
                    rgb[place + 1] = 222
                    rgb[place + 2] = 132


def run(name, kind, count):
    canvas = Canvas()
    if name == "per_pixel":
        look = PerPixel(canvas)
    else:
        look = __import__("leezenflow.renderings." + name, None, None, ("Look",)).Look(canvas)
    advice = Advice()
    if kind in TIMES:
        advice.claim(kind, TIMES[kind][0], TIMES[kind][1], 90)
    else:
        advice.decline(kind, "doubtful")
    now_ms = 0
    look.draw(advice, canvas, now_ms)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    begin_us = time.ticks_us()
    for _ in range(count):
        now_ms += 40
        look.draw(advice, canvas, now_ms)
    took_us = time.ticks_diff(time.ticks_us(), begin_us)
    print(took_us, gc.mem_alloc() - before)


run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
