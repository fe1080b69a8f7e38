# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dataset read again: one signal group, one part (source and day) at a time, so that memory stays small."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from leezenflow_host.dataset.ledger import LedgerEntry, Part, check_dataset, read_ledger
from leezenflow_host.dataset.schema import STATES
from leezenflow_host.errors import InputError

Ints = NDArray[np.int64]
NEVER = np.iinfo(np.int64).min
"""Stands for an absent instant in arrays."""


@dataclass(frozen=True)
class GroupPart:
    """One signal group in the messages of one part; arrays of one length for messages, for runs and for events.

    For messages: `at_ms` arrival, `message_at_ms` the controller's instant (NEVER: none), `clock`, `status`, `program`
    (-1: unknown), `on_change`, `heartbeat`, and `run`, the row of the state it told (-1: nothing about this group).
    For runs: `offsets` (one more than runs) into the events. For events: `states`, `start`, `min_end`, `likely_end`,
    `max_end` (NEVER: none), `confidence` and `reason` (-1: none). `adapter` and `source` name where it is from.
    """

    adapter: str | None
    source: str
    at_ms: Ints
    message_at_ms: Ints
    clock: Ints
    status: Ints
    program: Ints
    on_change: NDArray[np.bool_]
    heartbeat: NDArray[np.bool_]
    run: Ints
    offsets: Ints
    states: Ints
    start: Ints
    min_end: Ints
    likely_end: Ints
    max_end: Ints
    confidence: Ints
    reason: Ints

    def cut(self, begin: int, end: int) -> "GroupPart":
        """The messages from row `begin` up to `end`; the runs stay as they are."""
        rows = {name: getattr(self, name)[begin:end] for name in _MESSAGE_COLUMNS}
        return replace(self, **rows)


_MESSAGE_COLUMNS = ("at_ms", "message_at_ms", "clock", "status", "program", "on_change", "heartbeat", "run")


@dataclass(frozen=True)
class GroupSource:
    """What one signal group's evaluation reads: files only, so that it can travel to another process or machine."""

    dataset: str
    intersection: str
    signal_group: int
    parts: tuple[tuple[str, str, str | None], ...]
    """(messages file, states file, adapter) in the order of time, relative to the dataset."""
    digest: str
    """Changes whenever the parts do."""

    def read(self) -> Iterator[GroupPart]:
        """The parts, one after the other."""
        for messages, states, adapter in self.parts:
            yield read_part(Path(self.dataset), messages, states, adapter, self.signal_group)


class Dataset:
    """A dataset on disk; `InputError` where the folder is none."""

    def __init__(self, path: Path) -> None:
        check_dataset(path)
        self.path = path
        self.entries: list[LedgerEntry] = read_ledger(path)

    def groups(self) -> list[tuple[str, int]]:
        """Every (intersection, signal group) that ever showed a colour, in order."""
        found: set[tuple[str, int]] = set()
        for part, _ in self._parts:
            try:
                # One file each: the folders' names are no columns here.
                table = pq.ParquetFile(self.path / part.file("states")).read(columns=["signal_group", "event_state"])
                groups = table.column("signal_group").to_numpy()
                states = table.column("event_state").to_numpy()
            except _DAMAGE as error:
                raise _damaged(self.path, str(part.file("states")), error) from error
            coloured = np.unique(groups[(states >= 2) & (states <= 8)])
            found.update((part.intersection, int(group)) for group in coloured)
        return sorted(found, key=lambda place: (place[0].zfill(12), place[1]))

    def source(self, intersection: str, signal_group: int) -> GroupSource:
        """What an evaluation of that group reads; `InputError` where the dataset knows no such intersection."""
        parts = [(part, entry) for part, entry in self._parts if part.intersection == intersection]
        if not parts:
            known = ", ".join(sorted({part.intersection for part, _ in self._parts})) or "none"
            raise InputError(f"{self.path}: holds nothing about intersection {intersection}. It knows: {known}.")
        digest = hashlib.sha256()
        for part, entry in parts:
            digest.update(f"{entry.sha256} {part.name} {part.day} {part.messages} {part.states}\n".encode())
        files = tuple((str(part.file("messages")), str(part.file("states")), entry.adapter) for part, entry in parts)
        return GroupSource(str(self.path), intersection, signal_group, files, digest.hexdigest())

    def match(self, region: int | None, intersection_id: int) -> str:
        """The name the dataset has for an intersection; a region None is any. `InputError` where that is not one."""
        names = sorted({part.intersection for part, _ in self._parts})
        wanted = [
            name
            for name in names
            if name.rpartition(":")[2] == str(intersection_id)
            and (region is None or name.rpartition(":")[0] in ("", str(region)))
        ]
        if len(wanted) != 1:
            asked = str(intersection_id) if region is None else f"{region}:{intersection_id}"
            what = "knows several of them" if wanted else "holds nothing about it"
            raise InputError(f"{self.path}: intersection {asked}: the dataset {what}. It knows: {', '.join(names)}.")
        return wanted[0]

    def problems(self, intersection: str | None = None, signal_group: int | None = None) -> list[dict[str, Any]]:
        """Rows of the table `problems`; of one intersection or group also those that concern a whole file."""
        return [
            row
            for row in self._problems
            if intersection is None
            or row["intersection"] is None
            or (
                row["intersection"] == intersection
                and (signal_group is None or row["signal_group"] in (None, signal_group))
            )
        ]

    @cached_property
    def _problems(self) -> list[dict[str, Any]]:
        paths = sorted((self.path / "problems").glob("*.parquet"))
        return [row for path in paths for row in pq.read_table(path).to_pylist()]

    @cached_property
    def _parts(self) -> list[tuple[Part, LedgerEntry]]:
        found = [(part, entry) for entry in self.entries if entry.failed is None for part in entry.parts]
        return sorted(found, key=lambda pair: (pair[0].intersection, pair[0].day, pair[0].from_ms, pair[0].name))


# Whatever a file that is no part of ours, or only half of one, makes of its reading.
_DAMAGE = (pa.ArrowException, OSError, LookupError, ValueError, TypeError)


def _damaged(dataset: Path, file: str, error: Exception) -> InputError:
    text = str(error).partition("\n")[0]
    source = Path(file).stem.partition("-")[0]
    return InputError(
        f"{dataset}: {file} (or its states) cannot be read ({text}). Delete "
        f"{dataset}/sources/{source}.json and ingest it again."
    )


def read_part(dataset: Path, messages: str, states: str, adapter: str | None, signal_group: int) -> GroupPart:
    """One signal group of one part as arrays; `InputError` where the files are none of ours."""
    try:
        return _read_part(dataset, messages, states, adapter, signal_group)
    except _DAMAGE as error:
        raise _damaged(dataset, messages, error) from error


def _read_part(dataset: Path, messages: str, states: str, adapter: str | None, signal_group: int) -> GroupPart:
    wanted = ("signal_group", "=", signal_group)
    # One file each: the folders' names are no columns here.
    told = pq.ParquetFile(dataset / messages).read()
    runs = pq.read_table(pa.BufferReader((dataset / states).read_bytes()), filters=[wanted])
    runs = runs.sort_by("first_message") if runs.num_rows else STATES.empty_table()
    count = told.num_rows
    run = np.full(count, -1, dtype=np.int64)
    first = runs.column("first_message").to_numpy().astype(np.int64)
    lengths = runs.column("messages").to_numpy().astype(np.int64)
    number = np.repeat(np.arange(len(first)), lengths)
    within = np.arange(len(number)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    run[np.repeat(first, lengths) + within] = number
    event_states = runs.column("event_states").combine_chunks()
    offsets = event_states.offsets.to_numpy().astype(np.int64)
    events = int(offsets[-1]) if len(offsets) else 0
    return GroupPart(
        adapter,
        Path(messages).stem,
        told.column("at_ms").to_numpy(),
        _ints(told.column("message_at_ms"), NEVER),
        _ints(told.column("clock"), 0),
        _ints(told.column("status"), 0),
        _ints(told.column("program"), -1),
        told.column("on_change").to_numpy(),
        told.column("heartbeat").to_numpy(),
        run,
        offsets if len(offsets) else np.zeros(1, dtype=np.int64),
        event_states.values.to_numpy().astype(np.int64)[:events],
        _flat(runs, "start_at_ms", offsets, NEVER),
        _flat(runs, "min_end_at_ms", offsets, NEVER),
        _flat(runs, "likely_end_at_ms", offsets, NEVER),
        _flat(runs, "max_end_at_ms", offsets, NEVER),
        _flat(runs, "confidence", offsets, -1),
        _flat(runs, "state_change_reason", offsets, -1),
    )


def _ints(column: pa.ChunkedArray, absent: int) -> Ints:
    if column.null_count:
        column = column.cast(pa.int64()).fill_null(absent)
    return column.to_numpy().astype(np.int64, copy=False)


def _flat(runs: pa.Table, name: str, offsets: Ints, absent: int) -> Ints:
    """A list column along the events; the lists that are null (nothing told) are as long as the others all the same."""
    total = int(offsets[-1]) if len(offsets) else 0
    values = np.full(total, absent, dtype=np.int64)
    if not total:
        return values
    column = runs.column(name).combine_chunks()
    told = np.asarray(column.is_valid())
    places = np.repeat(told, np.diff(offsets))
    flat = column.flatten().cast(pa.int64()).fill_null(absent)
    values[places] = flat.to_numpy()
    return values
