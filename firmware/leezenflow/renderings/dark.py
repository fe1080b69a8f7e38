# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing at all: a unit that is installed but must not advise."""

from leezenflow.palettes import BLACK

OPTIONS = {}


class Look:
    """Draws for `canvas`: its palette and pixels are black."""

    def __init__(self, canvas, options=None):
        for index in range(len(canvas.palette)):
            canvas.palette[index] = 0

    def draw(self, advice, canvas, now_ms):
        """Paint the whole frame black."""
        canvas.fb.fill(BLACK)
