# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of one intersection that overlap: the one that was there first counts, the other adds what lies outside.

Two receivers hear the same message at different instants; mixed, they would look like one bad network.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from leezenflow_host.dataset.ledger import LedgerEntry, Part
from leezenflow_host.dataset.runs import STRETCH_GAP_MS, write_states
from leezenflow_host.dataset.schema import STATES, open_writer

Ints = NDArray[np.int64]


def find_overlapping(part: Part, entries: list[LedgerEntry]) -> list[Part]:
    """Parts of other sources that were recorded while `part` was."""
    return [
        other
        for entry in entries
        for other in entry.parts
        if other.intersection == part.intersection
        and other.day == part.day
        and any(theirs[0] <= ours[1] and ours[0] <= theirs[1] for theirs in other.stretches for ours in part.stretches)
    ]


def cut_overlap(dataset: Path, folder: Path, part: Part, others: list[Part]) -> tuple[int, int]:
    """Take out of a staged part what other parts cover; (messages that were the same, messages that were not)."""
    messages = pq.read_table(folder / part.file("messages"))
    at_ms = messages.column("at_ms").to_numpy()
    keys = _keys(messages)
    covered = np.zeros(len(at_ms), dtype=bool)
    same = np.zeros(len(at_ms), dtype=bool)
    edge = np.zeros(len(at_ms), dtype=bool)
    for other in others:
        table = pq.read_table(dataset / other.file("messages"), columns=["at_ms", "message_at_ms"])
        same |= np.isin(keys, _keys(table))
        for from_ms, to_ms in other.stretches:
            covered |= (at_ms > from_ms) & (at_ms < to_ms)
            edge |= (at_ms == from_ms) | (at_ms == to_ms)
    # What came in the very millisecond in which the other recording begins or ends need not be in it.
    gone = covered | (edge & same)
    if gone.any():
        _rewrite(folder, part, messages, ~gone)
    return int((gone & same).sum()), int((gone & ~same).sum())


def _keys(messages: pa.Table) -> Ints:
    at_ms = messages.column("at_ms").to_numpy()
    message_at_ms = messages.column("message_at_ms").fill_null(0).to_numpy()
    return at_ms * 1_000_003 + message_at_ms


def _rewrite(folder: Path, part: Part, messages: pa.Table, keep: NDArray[np.bool_]) -> None:
    states = pq.read_table(folder / part.file("states"))
    kept = messages.filter(pa.array(keep))
    at_ms = kept.column("at_ms").to_numpy()
    # Numbers of the kept messages before each message: what is left of a run is consecutive again.
    before = np.r_[0, np.cumsum(keep)]
    first = states.column("first_message").to_numpy()
    new_first = before[first]
    new_count = before[first + states.column("messages").to_numpy()] - new_first
    alive = new_count > 0
    states = states.filter(pa.array(alive))
    new_first, new_count = new_first[alive], new_count[alive]
    values: dict[str, Any] = {
        "first_message": new_first,
        "messages": new_count,
        "first_at_ms": at_ms[new_first],
        "last_at_ms": at_ms[new_first + new_count - 1],
        "max_gap_ms": [
            int(np.diff(at_ms[start : start + count]).max(initial=0))
            for start, count in zip(new_first, new_count, strict=True)
        ],
    }
    for name, column in values.items():
        index = STATES.get_field_index(name)
        states = states.set_column(index, STATES.field(index), pa.array(column, STATES.field(index).type))
    with open_writer(folder / part.file("messages"), "messages") as writer:
        if len(kept):
            writer.write_table(kept)
    with open_writer(folder / part.file("states"), "states") as writer:
        if len(states):
            write_states(writer, states)
    part.messages, part.states = len(kept), len(states)
    if len(kept):
        part.from_ms, part.to_ms = int(at_ms.min()), int(at_ms.max())
        breaks = np.flatnonzero(np.abs(np.diff(at_ms)) > STRETCH_GAP_MS)
        starts, ends = np.r_[0, breaks + 1], np.r_[breaks, len(at_ms) - 1]
        part.stretches = [[int(at_ms[a]), int(at_ms[b])] for a, b in zip(starts, ends, strict=True)]
    else:
        part.stretches = []
