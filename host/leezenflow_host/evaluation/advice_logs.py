# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advice logs read as frames: what another display, or another version, showed on the same data."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from leezenflow_host.errors import InputError
from leezenflow_host.evaluation.frames import KIND_CODES, FrameLog, Frames

_PIECE = 50_000


def read_advice(path: Path) -> Iterator[Frames]:
    """The frames of a log, in pieces; `InputError` naming the line that is none."""
    log = FrameLog()
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                values = json.loads(line)
                if "kind" not in values:
                    continue  # a header
                if values["kind"] not in KIND_CODES:
                    raise ValueError(f"kind {values['kind']!r}")
                remaining = values.get("remaining_ms")
                log.append(
                    int(values["at_ms"]),
                    values["kind"],
                    None if remaining is None else int(remaining),
                    max(0, min(100, int(values.get("certainty") or 0))),
                    values.get("reason"),
                )
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
                raise InputError(
                    f"{path}, line {number}: no frame of an advice log ({error}). "
                    "Make one with `leezenflow replay TRACE --advice FILE`."
                ) from error
            if len(log) >= _PIECE:
                yield log.take()
    if len(log):
        yield log.take()


def is_advice_log(path: Path) -> bool:
    """Whether the name is that of an advice log."""
    return path.name.lower().endswith((".jsonl", ".jsonl.gz"))


def _open(path: Path) -> IO[str]:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
