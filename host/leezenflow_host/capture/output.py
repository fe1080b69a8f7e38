# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a recording: one, or one an hour or day, within a budget of disk space."""

import glob
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from leezenflow_host.capture import resuming
from leezenflow_host.capture.arrivals import Arrival
from leezenflow_host.errors import InputError
from leezenflow_host.packing import packer_for
from leezenflow_host.trace import TraceHeader, TraceWriter

PERIODS_MS = {"hour": 3_600_000, "day": 86_400_000}
# What is put before the suffix where the name has no pattern of its own.
_STAMPS = {"hour": "-%Y%m%dT%H", "day": "-%Y%m%d"}
_SUFFIX = re.compile(r"\.jsonl(?:\.gz|\.zst)?$", re.IGNORECASE)
_PATTERN = re.compile(r"%[A-Za-z]")


class BudgetSpentError(Exception):
    """The disk budget is used up, and nothing older can be deleted."""


class Output:
    """Writes arrivals into files named after `pattern`, each a complete recording at every moment.

    With `rotate` ("hour", "day") the pattern holds strftime codes, filled with the UTC time of the arrival; without
    codes, the time is put before the suffix. An existing file of the same source goes on. `max_bytes` limits all files
    of the pattern together: the oldest are deleted; the present one alone at the limit is BudgetSpentError. `say` is
    told of what a person should know. `adapter` None: as an existing file has it, or else set before the first write.
    """

    def __init__(
        self,
        pattern: str,
        header: TraceHeader,
        rotate: str | None = None,
        max_bytes: int | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.pattern = _complete(pattern, rotate)
        self.header = header
        self.adapter = header.adapter
        self.path: Path | None = None
        self.file_count = 0
        self._rotate = rotate
        self._max_bytes = max_bytes
        self._say = say
        self._period: int | None = None
        self._writer: TraceWriter | None = None
        self._lock: int | None = None
        self._older: list[tuple[Path, int]] = []
        self._older_bytes = 0
        packer_for(Path(self.pattern))  # a wrong suffix is told at once

    def check(self, now_ms: int) -> None:
        """Find out before anything arrives what would not work then; takes the adapter from a file that goes on."""
        path = self._path_at(now_ms)
        folder = path.parent
        while self._rotate and not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            raise InputError(f"--out: there is no folder {folder}. Make it, or give another name.")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise InputError(f"--out: {path} may not be written. Give another name, or change the rights.")
        if path.exists() and path.stat().st_size:
            found = resuming.read_header(path)
            resuming.check_same(path, found, self.header)
            self.adapter = self.adapter or found.adapter

    @property
    def size(self) -> int:
        """Bytes in the present file."""
        return self._writer.size if self._writer else 0

    def write(self, arrival: Arrival) -> None:
        """Put one message into the file its time belongs to; OSError that names the file, `BudgetSpentError`."""
        period = arrival.at_ms // PERIODS_MS[self._rotate] if self._rotate else 0
        if self._writer is None or period != self._period:
            self._open(self._path_at(arrival.at_ms))
            self._period = period
        assert self._writer is not None
        try:
            self._writer.write(arrival.at_ms, arrival.topic, arrival.payload)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        if self._max_bytes is not None and self._older_bytes + self._writer.size > self._max_bytes:
            self._make_room(self._max_bytes)

    def sync(self) -> None:
        """Have the disk keep what was written."""
        if self._writer is not None:
            self._writer.sync()

    def close(self) -> None:
        """Close the present file; it is complete without this, too."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _path_at(self, at_ms: int) -> Path:
        if not self._rotate:
            return Path(self.pattern)
        return Path(datetime.fromtimestamp(at_ms / 1000, UTC).strftime(self.pattern))

    def _open(self, path: Path) -> None:
        self.close()
        if self._rotate:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = resuming.lock(path)
        header = TraceHeader(self.adapter, self.header.source, self.header.note, self.header.extra)
        append = path.stat().st_size > 0
        if append:
            resuming.check_same(path, resuming.read_header(path), header)
            if not resuming.is_whole(path):
                count = resuming.repair(path)
                os.close(self._lock)
                self._lock = resuming.lock(path)
                self._say(f"{path} was cut off; the {count - 1} whole messages in it are kept")
        self._writer = TraceWriter(path, header, append)
        self.path = path
        self.file_count += 1
        if self._max_bytes is not None:
            self._older = list(self._find_older(path))
            self._older_bytes = sum(size for _, size in self._older)
        self._say(f"{'going on with' if append else 'recording into'} {path}")

    def _find_older(self, present: Path) -> list[tuple[Path, int]]:
        """The other files of the pattern and source with their sizes, the oldest first."""
        if not self._rotate:
            return []
        found = []
        pattern = str(Path(self.pattern))
        for path in map(Path, glob.glob(_PATTERN.sub("*", glob.escape(pattern)))):
            try:
                when = datetime.strptime(str(path), pattern)
                if path != present and resuming.read_header(path).source == self.header.source:
                    found.append((when, path, path.stat().st_size))
            except (ValueError, OSError, InputError):
                continue  # not one of ours
        return [(path, size) for _, path, size in sorted(found)]

    def _make_room(self, max_bytes: int) -> None:
        while self._older and self._older_bytes + self.size > max_bytes:
            path, size = self._older.pop(0)
            path.unlink(missing_ok=True)
            self._older_bytes -= size
            self._say(f"deleted {path}: the budget of {max_bytes / 1e6:g} MB is used up")
        if self.size > max_bytes:
            raise BudgetSpentError(f"the budget of {max_bytes / 1e6:g} MB is used up")


def _complete(pattern: str, rotate: str | None) -> str:
    """The pattern with a place for the time; `InputError` where it does not suit the rotation."""
    if rotate is None:
        if _PATTERN.search(pattern):
            raise InputError(f"--out {pattern}: a name with % is for --rotate hour or --rotate day; give one of them.")
        return pattern
    if not _PATTERN.search(pattern):
        suffix = _SUFFIX.search(pattern)
        at = suffix.start() if suffix else len(pattern)
        return pattern[:at] + _STAMPS[rotate] + pattern[at:]
    # Two days that share neither week, month nor year tell too little: neighbours must differ, and never come again.
    step = PERIODS_MS[rotate] / 1000
    start = datetime(2024, 2, 28, 22, tzinfo=UTC).timestamp()
    moments = [start + index * step for index in range(400 if rotate == "day" else 24 * 400)]
    names = {datetime.fromtimestamp(moment, UTC).strftime(pattern) for moment in moments}
    if len(names) < len(moments):
        wanted = "%Y%m%dT%H" if rotate == "hour" else "%Y%m%d"
        raise InputError(f"--out {pattern}: the name does not differ for each {rotate}; put {wanted} into it.")
    return pattern
