# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of a dataset, and where their files lie (docs/reference/dataset.md)."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

DATASET_VERSION = 1

# How a message's own time was given (`clock`); `message_at_ms` holds it as an instant.
CLOCK_FULL = 0
CLOCK_NO_MINUTE = 1
CLOCK_LEAP_SECOND = 2
CLOCK_NONE = 3

_METADATA = {b"leezenflow_dataset": str(DATASET_VERSION).encode()}

MESSAGES = pa.schema(
    [
        pa.field("at_ms", pa.int64(), nullable=False),
        pa.field("message_at_ms", pa.int64()),
        pa.field("clock", pa.uint8(), nullable=False),
        pa.field("status", pa.uint16(), nullable=False),
        pa.field("revision", pa.uint8()),
        pa.field("program", pa.int32()),
        pa.field("on_change", pa.bool_(), nullable=False),
        pa.field("heartbeat", pa.bool_(), nullable=False),
    ],
    metadata=_METADATA,
)

_INSTANTS = pa.list_(pa.int64())
INSTANT_LISTS = ("start_at_ms", "min_end_at_ms", "likely_end_at_ms", "max_end_at_ms")
"""Columns with one instant an event."""
STATES = pa.schema(
    [
        pa.field("signal_group", pa.uint16(), nullable=False),
        pa.field("first_message", pa.int32(), nullable=False),
        pa.field("messages", pa.int32(), nullable=False),
        pa.field("first_at_ms", pa.int64(), nullable=False),
        pa.field("last_at_ms", pa.int64(), nullable=False),
        pa.field("max_gap_ms", pa.int32(), nullable=False),
        pa.field("event_state", pa.uint8(), nullable=False),
        pa.field("event_states", pa.list_(pa.uint8()), nullable=False),
        pa.field("start_at_ms", _INSTANTS),
        pa.field("min_end_at_ms", _INSTANTS),
        pa.field("likely_end_at_ms", _INSTANTS),
        pa.field("max_end_at_ms", _INSTANTS),
        pa.field("confidence", pa.list_(pa.uint8())),
        pa.field("state_change_reason", pa.list_(pa.uint8())),
    ],
    metadata=_METADATA,
)

PROBLEMS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("intersection", pa.string()),
        pa.field("signal_group", pa.uint16()),
        pa.field("line", pa.int64()),
        pa.field("from_ms", pa.int64()),
        pa.field("to_ms", pa.int64()),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ],
    metadata=_METADATA,
)

TABLES: dict[str, pa.Schema] = {"messages": MESSAGES, "states": STATES}


# Instants and numbers that grow: only their differences are kept, which makes a table less than half as large.
_GROWING = {
    "messages": ("at_ms", "message_at_ms"),
    "states": ("first_message", "first_at_ms", "last_at_ms", *INSTANT_LISTS),
}


def open_writer(path: Path, table: str) -> pq.ParquetWriter:
    """A writer for one of TABLES."""
    schema = TABLES[table]
    delta: list[str] = []
    others: list[str] = []
    for field in schema:
        name = f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
        (delta if field.name in _GROWING[table] else others).append(name)
    dictionaries: Any = others
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=dictionaries,
        column_encoding=dict.fromkeys(delta, "DELTA_BINARY_PACKED"),
    )


def intersection_name(region: int | None, intersection_id: int) -> str:
    """ "49:1090", or "1090" where the sender names no region."""
    return str(intersection_id) if region is None else f"{region}:{intersection_id}"


def partition(table: str, intersection: str, day: str) -> Path:
    """The folder of one intersection and UTC day, as Hive writes it: a colon is no letter of every file system."""
    return Path(table) / f"intersection={quote(intersection, safe='')}" / f"day={day}"


def empty_rows(schema: pa.Schema) -> dict[str, list[Any]]:
    """A list for each column."""
    return {name: [] for name in schema.names}
