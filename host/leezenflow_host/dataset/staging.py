# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One source into the parts of a dataset, in a folder of its own: work for one process, publishing comes later."""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from leezenflow_host.dataset.ledger import LedgerEntry, Part
from leezenflow_host.dataset.observations import Problem
from leezenflow_host.dataset.runs import DayWriter
from leezenflow_host.dataset.schema import PROBLEMS
from leezenflow_host.dataset.sources import Source, SourceOptions
from leezenflow_host.dataset.watching import IntersectionWatch, ProblemList
from leezenflow_host.errors import LeezenflowError

_DAY_MS = 86_400_000


def stage(path: Path, sha256: str, folder: Path, options: SourceOptions) -> tuple[LedgerEntry, list[Problem]]:
    """Decode `path` into parts below `folder`; what is wrong is in the problems, a file without use in `failed`."""
    entry = LedgerEntry(sha256[:16], sha256, path.name, path.stat().st_size)
    problems = ProblemList()
    try:
        _decode(path, folder, options, entry, problems)
    except (LeezenflowError, OSError) as error:
        entry.failed = str(error)
        entry.parts.clear()
        problems.add(Problem("failed_file", str(error)))
    else:
        if not entry.parts:
            reason = "every message is unreadable" if entry.unreadable else "it holds no message about a signal"
            entry.failed = f"{path}: {reason}. See what it holds with `leezenflow decode`."
            problems.add(Problem("failed_file", entry.failed))
    entry.problems = dict(sorted(problems.counts.items()))
    return entry, problems.kept


class _Days:
    """The open part of each intersection; a day that comes again, after a clock was set, is a part of its own."""

    def __init__(self, folder: Path, entry: LedgerEntry) -> None:
        self._folder = folder
        self._entry = entry
        self._open: dict[str, tuple[int, DayWriter, Part]] = {}
        self._used: dict[tuple[str, str], int] = {}

    def writer(self, intersection: str, at_ms: int) -> DayWriter:
        day = at_ms // _DAY_MS
        found = self._open.get(intersection)
        if found is not None and found[0] == day:
            return found[1]
        if found is not None:
            self._end(intersection)
        name = day_name(at_ms)
        number = self._used.get((intersection, name), 0)
        self._used[intersection, name] = number + 1
        file = self._entry.source + (f"-{number}" if number else "")
        part = Part(intersection, name, file, 0, 0, 0, 0)
        writer = DayWriter(self._folder / part.file("messages"), self._folder / part.file("states"))
        self._open[intersection] = (day, writer, part)
        return writer

    def _end(self, intersection: str) -> None:
        _, writer, part = self._open.pop(intersection)
        writer.close()
        part.messages, part.states = writer.message_count, writer.state_count
        part.from_ms, part.to_ms, part.stretches = writer.from_ms, writer.to_ms, writer.stretches
        self._entry.parts.append(part)

    def close(self) -> None:
        for intersection in list(self._open):
            self._end(intersection)


def _decode(path: Path, folder: Path, options: SourceOptions, entry: LedgerEntry, problems: ProblemList) -> None:
    source = Source(path, options)
    days = _Days(folder, entry)
    watches: dict[str, IntersectionWatch] = {}
    try:
        for observation in source:
            watch = watches.get(observation.intersection)
            if watch is None:
                watch = watches[observation.intersection] = IntersectionWatch(observation.intersection, problems)
            watch.observe(observation)
            days.writer(observation.intersection, observation.at_ms).add(observation)
            if entry.from_ms is None:
                entry.from_ms = observation.at_ms
            _take(source, problems)
    finally:
        days.close()
        _take(source, problems)
        entry.adapter = source.adapter
        entry.messages = source.message_count
        entry.unreadable = source.unreadable_count
    for watch in watches.values():
        watch.finish()


def _take(source: Source, problems: ProblemList) -> None:
    if source.problems:
        for problem in source.problems:
            problems.add(problem)
        source.problems.clear()


def day_name(at_ms: int) -> str:
    """The UTC day of an instant, "2026-05-12"."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).date().isoformat()


def write_problems(path: Path, source: str, problems: list[Problem]) -> None:
    """The problems of a source as their Parquet file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"source": source, **asdict(problem)} for problem in problems]
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        pq.write_table(pa.Table.from_pylist(rows, schema=PROBLEMS), part, compression="zstd")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
