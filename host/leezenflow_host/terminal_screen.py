# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel live in a terminal, with words beside it; where there is no terminal, the words alone."""

import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console

from leezenflow.advice import Advice
from leezenflow_host.preview import Depth, Picture, terminal_frame

_DEPTHS: dict[str | None, Depth] = {"truecolor": "true", "256": "256"}
# Columns between picture and words.
_MARGIN = 3


def terminal_depth(stream: TextIO | None = None) -> Depth:
    """How many colours the terminal behind `stream` (stdout) has; "plain" for a file, a pipe or NO_COLOR.

    "plain", too, where the terminal's alphabet lacks the half blocks that colours are shown with.
    """
    console = Console(file=stream or sys.stdout)
    if not console.is_terminal or console.no_color or not _can_say("▀", stream or sys.stdout):
        return "plain"
    return _DEPTHS.get(console.color_system, "plain")


def _can_say(letter: str, stream: TextIO) -> bool:
    try:
        letter.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def describe_advice(advice: Advice) -> str:
    """An advice in a few words, such as "green, 14 s of 30 s left"."""
    if advice.remaining_ms is None:
        return f"{advice.kind} ({advice.reason})" if advice.reason else advice.kind
    left = f"{advice.remaining_ms / 1000:.0f} s"
    if advice.span_ms:
        left += f" of {advice.span_ms / 1000:.0f} s"
    return f"{advice.kind}, {left} left"


class TerminalScreen:
    """A context manager that takes the terminal over (alternate screen, no cursor) and gives it back.

    show() draws a picture and captions. Without a terminal nothing is taken over, and show() prints the first caption
    whenever its text before the first comma or bracket has changed.
    """

    def __init__(self, stream: TextIO | None = None, depth: Depth | None = None) -> None:
        self._stream = stream or sys.stdout
        self.is_terminal = self._stream.isatty()
        self.depth: Depth = depth or terminal_depth(self._stream)
        self._said = ""
        self._size = (0, 0)

    def __enter__(self) -> Self:
        if self.is_terminal:
            self._stream.write("\x1b[?1049h\x1b[?25l\x1b[2J")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_terminal:
            self._stream.write("\x1b[0m\x1b[?25h\x1b[?1049l")
            self._stream.flush()

    def show(self, picture: Picture, captions: Sequence[str]) -> None:
        """Draw the picture at the left and the captions beside it, as far as the terminal has room."""
        if not self.is_terminal:
            self._say(captions[0] if captions else "")
            return
        columns, lines = os.get_terminal_size(self._stream.fileno())
        parts = ["\x1b[H"]
        if (columns, lines) != self._size:
            self._size = (columns, lines)
            parts.append("\x1b[2J")
        shrink = 1 if lines * 2 >= picture.height else 2
        rows = terminal_frame(picture, self.depth, shrink)[:lines]
        room = max(0, columns - picture.width // shrink - _MARGIN - 1)
        words = [""] + [caption[:room] for caption in captions]
        for number, row in enumerate(rows):
            caption = words[number] if number < len(words) else ""
            end = "\r\n" if number + 1 < len(rows) else ""
            parts.append(f"{row}{' ' * _MARGIN}{caption}\x1b[K{end}")
        self._stream.write("".join(parts))
        self._stream.flush()

    def _say(self, caption: str) -> None:
        gist = caption.split(",")[0].split("(")[0]
        if gist != self._said:
            self._said = gist
            self._stream.write(caption + "\n")
            self._stream.flush()
