# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a person follows what happens to the boards: a bar for each on a terminal, plain lines everywhere else."""

import contextlib
import threading
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from leezenflow_host.flashing.detect import FoundBoard
from leezenflow_host.flashing.procedure import Outcome
from leezenflow_host.flashing.steps import STAGES, Step

_WORDS = {
    "detect": "look",
    "interpreter": "install MicroPython",
    "firmware": "copy the firmware",
    "restart": "restart",
    "self-test": "self-test",
    "report": "report",
}


class Screen:
    """Shows steps on `console` (stderr); use within `shown`. Its methods may be called from every thread."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._stages: dict[str, str] = {}
        self._tasks: dict[str, TaskID] = {}
        self._bars: Progress | None = None
        self._several = True

    @contextlib.contextmanager
    def shown(self, boards: Sequence[FoundBoard]) -> Iterator[None]:
        """Show a bar for each board, on a terminal."""
        self._several = len(boards) > 1
        if not self._console.is_terminal:
            yield
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[stage]}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[words]}", style="dim", markup=False),
        )
        with Progress(*columns, console=self._console) as self._bars:
            for found in boards:
                self._tasks[found.port] = self._bars.add_task(found.port, total=None, stage="waits", words="")
            yield
        self._bars = None

    def tell(self, found: FoundBoard, step: Step) -> None:
        """Show how far a board is."""
        number = f"{STAGES.index(step.stage) + 1}/{len(STAGES)} {_WORDS[step.stage]}"
        if self._bars is not None:
            total = step.total or None
            self._bars.update(
                self._tasks[found.port], completed=step.done, total=total, stage=number, words=step.words[-40:]
            )
            return
        with self._lock:
            if self._stages.get(found.port) != step.stage:
                self._stages[found.port] = step.stage
                self._say(f"{found.port}: {number}")

    def ended(self, outcome: Outcome) -> None:
        """Show how it ended with a board."""
        if self._bars is not None:
            self._bars.update(
                self._tasks[outcome.port],
                completed=1 if outcome.ok else 0,
                total=1,
                stage="done" if outcome.ok else "failed",
                words=outcome.unit,
            )
            return
        with self._lock:
            # With one board, why it failed is the error that comes below.
            why = f": {outcome.message}" if self._several else ""
            self._say(f"{outcome.port}: done: {outcome.unit}" if outcome.ok else f"{outcome.port}: failed{why}")

    def _say(self, words: str) -> None:
        # Who reads along may go away; the boards are brought to their end all the same.
        with contextlib.suppress(OSError):
            self._console.file.write(f"{words}\n")
            self._console.file.flush()


def print_results(console: Console, outcomes: Sequence[Outcome], skipped: Sequence[FoundBoard]) -> None:
    """Print the table at the end of a batch: every board, how it went, and the next step; a line each in a file."""
    rows = [
        (found.port, found.unit or "", found.unique_id or "", "done before this batch was broken off")
        for found in skipped
    ]
    for outcome in outcomes:
        result = f"done, {outcome.written} files written" if outcome.ok else f"failed: {outcome.message}"
        rows.append((outcome.port, outcome.unit, outcome.chip_id or "", result))
    titles = ("port", "unit", "chip number", "result")
    if not console.is_terminal:
        widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
        for row in (titles, *rows):
            words = "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True))
            console.print(words.rstrip(), soft_wrap=True, markup=False, emoji=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
