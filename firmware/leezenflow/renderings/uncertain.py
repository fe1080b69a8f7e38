# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alive, but without advice: what the other looks show when nothing is known. For trial runs and for looking at it."""

from leezenflow.advice import DARK, UNCERTAIN, Advice
from leezenflow.palettes import BLACK
from leezenflow.renderings import green_wave

OPTIONS = {
    "palette": {
        "type": "str",
        "choices": ["colour_vision_safe", "high_contrast", "muenster", "night"],
        "default": "muenster",
        "help": "colours",
    },
}


class Look:
    """Draws for `canvas` (its palette is set here, its pixels by draw)."""

    def __init__(self, canvas, options=None):
        self._look = green_wave.Look(canvas, options)
        self._advice = Advice()
        self._advice.decline(UNCERTAIN, None)

    def draw(self, advice, canvas, now_ms):
        """Paint the whole frame: grey stripes and the coasting cyclist, black where the advice is dark."""
        if advice.kind == DARK:
            canvas.fb.fill(BLACK)
        else:
            self._look.draw(self._advice, canvas, now_ms)
