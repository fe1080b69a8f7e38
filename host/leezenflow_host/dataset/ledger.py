# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a dataset: one small JSON file a source, written last, so that what it names is complete."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leezenflow_host.atomic_file import open_atomic
from leezenflow_host.dataset.schema import DATASET_VERSION, partition
from leezenflow_host.errors import InputError

_CHUNK = 1024 * 1024


@dataclass
class Part:
    """The rows of one source about one intersection on one UTC day; `stretches` are [from, to] of its arrivals."""

    intersection: str
    day: str
    name: str
    messages: int
    states: int
    from_ms: int
    to_ms: int
    stretches: list[list[int]] = field(default_factory=list)

    def file(self, table: str) -> Path:
        """Its file of a table, relative to the dataset."""
        return partition(table, self.intersection, self.day) / f"{self.name}.parquet"


@dataclass
class LedgerEntry:
    """One ingested source. `failed` says why nothing of it could be used; `overlaps` counts messages left out."""

    source: str
    sha256: str
    name: str
    bytes: int
    adapter: str | None = None
    messages: int = 0
    unreadable: int = 0
    from_ms: int | None = None
    parts: list[Part] = field(default_factory=list)
    problems: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    overlapped: int = 0
    failed: str | None = None
    ingested: str = ""


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_entry(dataset: Path, entry: LedgerEntry) -> None:
    """Make a source part of the dataset."""
    entry.ingested = datetime.now(UTC).isoformat(timespec="seconds")
    folder = dataset / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    with open_atomic(folder / f"{entry.source}.json") as out:
        json.dump({"leezenflow_dataset": DATASET_VERSION, **asdict(entry)}, out, indent=1)
        out.write("\n")


def read_ledger(dataset: Path) -> list[LedgerEntry]:
    """Every source of a dataset, in the order of their names; `InputError` for a damaged or a newer one."""
    entries = []
    for path in sorted((dataset / "sources").glob("*.json")):
        if path.name.startswith("."):
            continue
        try:
            values: dict[str, Any] = json.loads(path.read_bytes())
            version = values.pop("leezenflow_dataset")
            if version > DATASET_VERSION:
                raise InputError(f"{path}: of format {version}, newer than this program reads. Update leezenflow.")
            values["parts"] = [Part(**part) for part in values["parts"]]
            entries.append(LedgerEntry(**values))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"{path}: damaged ({error}). Delete it and ingest {path.stem} again.") from error
    return entries


def mark_dataset(dataset: Path) -> None:
    """Make the folder a dataset, or check that it is one; `InputError` where it is something else."""
    mark = dataset / "dataset.json"
    if mark.exists():
        check_dataset(dataset)
        return
    if dataset.exists() and (not dataset.is_dir() or any(name for name in os.listdir(dataset) if name != ".staging")):
        raise InputError(f"--out {dataset}: is no dataset, and not empty. Give a new folder, or an existing dataset.")
    dataset.mkdir(parents=True, exist_ok=True)
    with open_atomic(mark) as out:
        out.write(json.dumps({"leezenflow_dataset": DATASET_VERSION}) + "\n")


def is_dataset(path: Path) -> bool:
    """Whether a folder says that it is a dataset."""
    return (path / "dataset.json").is_file()


def check_dataset(dataset: Path) -> None:
    """`InputError` unless this program can read the dataset."""
    mark = dataset / "dataset.json"
    if not mark.is_file():
        raise InputError(f"{dataset}: is no dataset (it has no dataset.json). Make one with `leezenflow ingest`.")
    try:
        version = json.loads(mark.read_bytes())["leezenflow_dataset"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f'{mark}: damaged ({error}). Write {{"leezenflow_dataset": {DATASET_VERSION}}} into it.'
        ) from error
    if not isinstance(version, int) or version > DATASET_VERSION:
        raise InputError(f"{mark}: format {version!r} is not known to this program. Update leezenflow.")
