# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal as a Linux unit's display, on a fake standard output."""

import pytest

from leezenflow.advice import Advice
from leezenflow.canvas import Canvas
from leezenflow_host.displays import terminal


def test_the_terminal_as_a_panel(capsys: pytest.CaptureFixture[str]) -> None:
    display = terminal.Display({}, 32, 96)
    advice = Advice()
    canvas = Canvas(32, 96)
    for _ in range(2):
        display.note_frame(0, advice, True, 0)
        display.show(canvas)
    advice.claim("green", 9_000, 20_000, 99)
    display.note_frame(0, advice, True, 0)
    display.show(canvas)
    display.deinit()
    assert capsys.readouterr().out == "dark (no_data)\ngreen, 9 s of 20 s left\n"
