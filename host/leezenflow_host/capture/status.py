# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees of a recording: one line that is renewed on a terminal, plain lines everywhere else."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

if TYPE_CHECKING:
    from leezenflow_host.capture.recorder import Summary

_RENEW_S = 0.5
# In a journal, a line a minute is enough to see that it goes on.
_PLAIN_S = 60.0


class Status:
    """Tells of a recording on `console`; a context manager, so that the terminal is left in order."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._shown_at: float | None = None
        self._messages_then = 0

    def __enter__(self) -> "Status":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """Print what happened, with the time."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._console.print(f"{now} {text}", highlight=False, markup=False, soft_wrap=True)

    def show(self, summary: "Summary", file_bytes: int, now: float) -> None:
        """Renew the line, where it is time; `now` in seconds of a monotonic clock."""
        if self._shown_at is None:
            self._shown_at, self._messages_then = now, summary.messages
            return
        elapsed = now - self._shown_at
        if elapsed < (_PLAIN_S if self._live is None else _RENEW_S):
            return
        rate = (summary.messages - self._messages_then) / elapsed
        self._shown_at, self._messages_then = now, summary.messages
        line = status_line(summary, file_bytes, rate, now)
        if self._live is None:
            self.say(line)
        else:
            self._live.update(Text(line, overflow="ellipsis", no_wrap=True), refresh=True)


def status_line(summary: "Summary", file_bytes: int, rate: float, now: float) -> str:
    """One line: how many messages, how often, how large the file is, when the last one came, what was left out."""
    last = "nothing yet" if summary.last_at_s is None else f"last {max(0.0, now - summary.last_at_s):.1f} s ago"
    line = f"{summary.messages} messages, {rate:.1f}/s, file {format_bytes(file_bytes)}, {last}"
    return line + (f"; left out: {left_out(summary)}" if summary.left_out else "")


def left_out(summary: "Summary") -> str:
    """What was not recorded, by reason."""
    return ", ".join(f"{number} {reason}" for reason, number in sorted(summary.left_out.items()))


def format_bytes(number: int) -> str:
    """A size for people: 950 bytes, 1.2 kB, 3.4 MB, 5.6 GB."""
    if number < 1000:
        return f"{number} bytes"
    power = 1 if number < 999_950 else 2 if number < 999_950_000 else 3
    return f"{number / 1000**power:.1f} {'kMG'[power - 1]}B"
