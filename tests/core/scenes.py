# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Short plays of advice that every look has to draw; tests and tools/make_golden.py share them."""

from leezenflow.advice import Advice
from leezenflow.canvas import Canvas

FRAME_MS = 40

# name: steps of (frames, kind, remaining_ms at the first of them, span_ms, reason). The last frame is looked at.
SCENES = {
    "dark": ((3, "dark", None, None, "no_data"),),
    "green_full": ((15, "green", 30_000, 30_000, None),),
    "green_half": ((40, "green", 16_000, 30_000, None),),
    "green_last": ((40, "green", 3_000, 30_000, None),),
    "sprint": ((31, "sprint", 9_000, 15_000, None),),
    "red_first": ((1, "red", 48_000, 50_000, None),),
    "red_half": ((60, "red", 25_000, 50_000, None),),
    "red_last": ((60, "red", 3_000, 50_000, None),),
    "braking": ((20, "green", 800, 30_000, None), (8, "red", 45_000, 45_000, None)),
    "uncertain": ((50, "uncertain", None, None, "beyond_forecast"),),
    "drained": ((20, "green", 15_000, 30_000, None), (5, "uncertain", None, None, "doubtful")),
    "prolonged": ((20, "green", 8_000, 30_000, None), (6, "green", 24_000, 30_000, None)),
    "cut_short": ((20, "green", 24_000, 30_000, None), (6, "green", 6_000, 30_000, None)),
    "long_red": ((30, "red", 131_000, 150_000, None),),
    "overdue": ((10, "red", 0, 40_000, None),),
}


def say(advice, kind, remaining_ms=None, span_ms=None, reason=None):
    """Fill an Advice by hand; returns it."""
    advice.kind = kind
    advice.remaining_ms = remaining_ms
    advice.span_ms = span_ms
    advice.certainty = 90 if reason is None else 0
    advice.reason = reason
    return advice


def play_scene(look_module, scene, options=None, canvas=None, start_ms=1_000):
    """Draw a scene with a fresh look; returns the canvas with its last frame."""
    canvas = canvas or Canvas()
    look = look_module.Look(canvas, options)
    advice = Advice()
    now_ms = start_ms
    for frames, kind, remaining_ms, span_ms, reason in SCENES[scene]:
        for frame in range(frames):
            left_ms = None if remaining_ms is None else max(0, remaining_ms - frame * FRAME_MS)
            look.draw(say(advice, kind, left_ms, span_ms, reason), canvas, now_ms)
            now_ms += FRAME_MS
    return canvas


def import_look(name):
    """The module of the look called `name`."""
    return __import__("leezenflow.renderings." + name, None, None, ("Look",))
