# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of one intersection and day into the two tables: every arrival, and each state once for as long as it lasts.

A run is a row of consecutive messages that say the same about a signal group, TimeMarks included.
"""

from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leezenflow_host.dataset.instants import mark_instant
from leezenflow_host.dataset.observations import Events, Observation
from leezenflow_host.dataset.schema import INSTANT_LISTS, MESSAGES, STATES, empty_rows, open_writer

# Rows held back until they are written: some megabytes, whatever the length of the recording.
_MESSAGES_HELD = 65_536
_STATES_HELD = 32_768
# Between two messages further apart nobody listened: a stretch of the recording ends.
STRETCH_GAP_MS = 60_000


class _Run:
    __slots__ = ("events", "first_at_ms", "first_message", "last_at_ms", "max_gap_ms", "messages", "reference_ms")

    def __init__(self, events: Events, number: int, at_ms: int, reference_ms: int) -> None:
        self.events = events
        self.first_message = number
        self.messages = 1
        self.first_at_ms = self.last_at_ms = at_ms
        self.max_gap_ms = 0
        self.reference_ms = reference_ms


class DayWriter:
    """Writes one part: the files of one intersection and day from one source, `name`.parquet in two folders.

    `message_count`, `state_count`, `from_ms`, `to_ms` and `stretches` ([from, to] of arrivals) tell what is in it.
    """

    def __init__(self, messages_file: Path, states_file: Path) -> None:
        self.message_count = 0
        self.state_count = 0
        self.from_ms = 0
        self.to_ms = 0
        self.stretches: list[list[int]] = []
        self._runs: dict[int, _Run] = {}
        messages_file.parent.mkdir(parents=True, exist_ok=True)
        states_file.parent.mkdir(parents=True, exist_ok=True)
        self._messages = open_writer(messages_file, "messages")
        self._states = open_writer(states_file, "states")
        self._start_rows()
        self._states_rows = empty_rows(STATES)

    def _start_rows(self) -> None:
        self._at_ms = array("q")
        self._rows: list[tuple[Any, ...]] = []

    def add(self, observation: Observation) -> None:
        """Take one message."""
        at_ms = observation.at_ms
        number = self.message_count
        self._note_arrival(at_ms)
        self._at_ms.append(at_ms)
        self._rows.append(
            (
                observation.message_at_ms,
                observation.clock,
                observation.status,
                observation.revision,
                observation.program,
                observation.on_change,
                observation.heartbeat,
            )
        )
        self.message_count += 1
        reference_ms = at_ms if observation.message_at_ms is None else observation.message_at_ms
        runs = self._runs
        for group, events in observation.movements:
            run = runs.get(group)
            if run is not None and run.events == events and run.first_message + run.messages == number:
                run.messages += 1
                gap_ms = at_ms - run.last_at_ms
                if gap_ms > run.max_gap_ms:
                    run.max_gap_ms = gap_ms
                run.last_at_ms = at_ms
                continue
            if run is not None:
                if run.first_message + run.messages > number:
                    continue  # the same group twice in one message
                self._end_run(group, run)
            runs[group] = _Run(events, number, at_ms, reference_ms)
        if len(self._at_ms) >= _MESSAGES_HELD:
            self._write_messages()

    def _note_arrival(self, at_ms: int) -> None:
        if not self.stretches:
            self.from_ms = self.to_ms = at_ms
        self.from_ms = min(self.from_ms, at_ms)
        self.to_ms = max(self.to_ms, at_ms)
        last = self.stretches[-1] if self.stretches else None
        if last is None or not last[0] <= at_ms <= last[1] + STRETCH_GAP_MS:
            self.stretches.append([at_ms, at_ms])
        elif at_ms > last[1]:
            last[1] = at_ms

    def _end_run(self, group: int, run: _Run) -> None:
        rows = self._states_rows
        reference_ms = run.reference_ms
        rows["signal_group"].append(group)
        rows["first_message"].append(run.first_message)
        rows["messages"].append(run.messages)
        rows["first_at_ms"].append(run.first_at_ms)
        rows["last_at_ms"].append(run.last_at_ms)
        rows["max_gap_ms"].append(min(run.max_gap_ms, 0x7FFFFFFF))
        rows["event_state"].append(run.events[0][0] if run.events else 0)
        rows["event_states"].append([event[0] for event in run.events])
        for place, name in enumerate(INSTANT_LISTS, 1):
            told = [mark_instant(event[place], reference_ms) for event in run.events]
            rows[name].append(told if any(instant is not None for instant in told) else None)
        for place, name in ((5, "confidence"), (6, "state_change_reason")):
            values = [event[place] for event in run.events]
            rows[name].append(values if any(value is not None for value in values) else None)
        self.state_count += 1
        if len(rows["signal_group"]) >= _STATES_HELD:
            self._write_states()

    def _write_messages(self) -> None:
        if not self._at_ms:
            return
        at_ms = np.frombuffer(self._at_ms, dtype=np.int64)
        columns = list(zip(*self._rows, strict=True))
        arrays = [pa.array(at_ms)]
        arrays += [pa.array(column, MESSAGES.field(index).type) for index, column in enumerate(columns, 1)]
        self._messages.write_table(pa.Table.from_arrays(arrays, schema=MESSAGES))
        self._start_rows()

    def _write_states(self) -> None:
        if self._states_rows["signal_group"]:
            write_states(self._states, pa.Table.from_pydict(self._states_rows, schema=STATES))
        self._states_rows = empty_rows(STATES)

    def close(self) -> None:
        """Write what is held back; the files are complete then."""
        for group, run in sorted(self._runs.items()):
            self._end_run(group, run)
        self._runs.clear()
        self._write_messages()
        self._write_states()
        self._messages.close()
        self._states.close()


def write_states(writer: pq.ParquetWriter, table: pa.Table) -> None:
    """Write states as one row group a signal group, so that whoever wants one group need not read the others."""
    table = table.sort_by([("signal_group", "ascending"), ("first_message", "ascending")])
    groups = table.column("signal_group").to_numpy()
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    for start, end in zip(starts, np.r_[starts[1:], len(groups)], strict=True):
        writer.write_table(table.slice(start, end - start))
