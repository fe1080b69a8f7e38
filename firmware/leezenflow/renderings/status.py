# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text for technicians: what the unit is called, its address, a fault; and what the core makes of the signal.

The device fills it with show_lines(); the option `text` gives lines, separated by |, for a first start. Below them
stand the kind of advice and its reason; the bar at the foot moves as long as frames are drawn.
"""

from leezenflow.advice import UNCERTAIN
from leezenflow.drawing.text import LINE_PITCH, draw_line, wrap
from leezenflow.palettes import ACCENT_FULL, BLACK, INK_FULL, NEUTRAL_FULL, fill_palette

OPTIONS = {
    "palette": {
        "type": "str",
        "choices": ["colour_vision_safe", "high_contrast", "muenster", "night"],
        "default": "muenster",
        "help": "colours",
    },
    "text": {"type": "str", "default": "", "help": "lines to show, separated by |"},
}

# Rows of the field for kind and reason: one line of the first, up to three of the second.
FOOT_ROWS = 4 * LINE_PITCH + 4
BAR = 6
# More letters than the display has room for.
LONGEST_LINE = 80
# The bar moves a column in this time.
BAR_STEP_MS = 64


class Look:
    """Draws for `canvas` (its palette is set here, its pixels by draw)."""

    def __init__(self, canvas, options=None):
        options = options or {}
        fill_palette(canvas.palette, options.get("palette"))
        self._lines = []
        self._drawn = False
        self._kind = None
        self._reason = None
        self.show_lines((options.get("text") or "LEEZEN-|FLOW").split("|"))

    def show_lines(self, lines):
        """Show these texts (str) from the next frame on; long ones are wrapped, what does not fit is cut off."""
        self._lines = [line[:LONGEST_LINE] for line in lines]
        self._drawn = False

    def draw(self, advice, canvas, now_ms):
        """Paint the frame; text is drawn, and memory allocated, only when it has changed."""
        fb = canvas.fb
        width = canvas.width
        foot = canvas.height - FOOT_ROWS
        if not self._drawn:
            self._drawn = True
            self._kind = None
            fb.fill(BLACK)
            y = 1
            for line in self._lines:
                for part in wrap(line, width - 1):
                    draw_line(fb, 1, y, part, INK_FULL)
                    y += LINE_PITCH
                y += 1
            fb.fill_rect(0, foot - 3, width, FOOT_ROWS + 3, BLACK)
            fb.hline(0, foot - 2, width, ACCENT_FULL)
        if advice.kind != self._kind or advice.reason != self._reason:
            self._kind = advice.kind
            self._reason = advice.reason
            fb.fill_rect(0, foot, width, FOOT_ROWS, BLACK)
            y = foot + 1
            kind = "unsure" if advice.kind == UNCERTAIN else advice.kind  # the long word has no room
            for line in [kind] + wrap((advice.reason or "").replace("_", " "), width - 1):
                draw_line(fb, 1, y, line, NEUTRAL_FULL)
                y += LINE_PITCH
        row = canvas.height - 2
        place = now_ms // BAR_STEP_MS % width
        fb.fill_rect(0, row, width, 2, BLACK)
        fb.fill_rect(place, row, BAR, 2, ACCENT_FULL)
        fb.fill_rect(place - width, row, BAR, 2, ACCENT_FULL)
