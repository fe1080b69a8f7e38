# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a board is going through, told step by step to whoever shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["detect", "interpreter", "firmware", "restart", "self-test", "report"]
STAGES: tuple[Stage, ...] = ("detect", "interpreter", "firmware", "restart", "self-test", "report")


@dataclass(frozen=True, slots=True)
class Step:
    """A stage, how far it got (`done` of `total` in its own unit; total 0: nobody knows), and what it works on."""

    stage: Stage
    done: int = 0
    total: int = 0
    words: str = ""


Notify = Callable[[Step], None]
"""Called from the thread that works on the board; must not block."""
