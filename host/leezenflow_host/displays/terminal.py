# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in the terminal, to try a Linux unit without a panel; without a terminal, a line for each new advice."""

from typing import Any

from leezenflow.advice import Advice
from leezenflow.canvas import Canvas
from leezenflow_host.terminal_screen import TerminalScreen, describe_advice

OPTIONS: dict[str, Any] = {}


class Display:
    """Takes the terminal over until `deinit`."""

    def __init__(self, options: dict[str, Any], width: int, height: int) -> None:
        self._screen = TerminalScreen()
        self._advice = "dark"
        self._listening = False
        self._screen.__enter__()

    def note_frame(self, ticks: int, advice: Advice, listening: bool, draw_us: int) -> None:
        """Take what the next `show` belongs to."""
        self._advice = describe_advice(advice)
        self._listening = listening

    def show(self, canvas: Canvas) -> None:
        """Draw it."""
        captions = [self._advice]
        if self._screen.is_terminal:
            captions += ["", "messages can arrive" if self._listening else "no connection yet", "", "Ctrl-C ends"]
        self._screen.show(canvas, captions)

    def deinit(self) -> None:
        """Give the terminal back."""
        self._screen.__exit__(None, None, None)
