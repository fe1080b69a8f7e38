# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roadside observations from CSV files: trajectories, passages or counts (docs/reference/flow-data.md).

Which of the three a file holds follows from its columns. Everything that is wrong with a file is told at once, with
line and column.
"""

import csv
import datetime
import io
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leezenflow_host.errors import InputError
from leezenflow_host.problems import did_you_mean

TRAJECTORIES, PASSAGES, COUNTS = "trajectories", "passages", "counts"

# Beyond this many faults a file is only counted through: it is of another kind.
_MAX_FAULTS = 20
_YES, _NO = ("yes", "true", "1", "ja"), ("no", "false", "0", "nein")
_COLOURS = {"green": "green", "red": "red", "amber": "amber", "yellow": "amber", "red-amber": "red", "dark": "none"}


@dataclass(frozen=True, slots=True)
class Instant:
    """A time of an observation in seconds; `absolute` when it is Unix time, else it counts from anywhere."""

    at_s: float
    absolute: bool


def _read_text(text: str) -> str:
    if not text:
        raise ValueError("give a name")
    return text


def _read_number(low: float, high: float, words: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"give {words}") from None
        if not low <= value <= high:
            raise ValueError(f"give {words}")
        return value

    return read


def _read_count(low: int, high: int, words: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"give {words}")
        return int(text)

    return read


def _read_yes(text: str) -> bool:
    word = text.lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError("give yes or no")


def _read_colour(text: str) -> str:
    colour = _COLOURS.get(text.lower())
    if colour is None:
        raise ValueError("give green, amber, red, red-amber or dark")
    return colour


def read_instant(text: str) -> Instant:
    """Read a time: seconds, or ISO 8601 with its time zone. ValueError in words."""
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        if math.isfinite(seconds):
            return Instant(seconds, False)
        raise ValueError("give seconds, or a date and time with its time zone")
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("give seconds, or a date and time such as 2026-05-12T07:50:00.2+02:00") from None
    if moment.tzinfo is None:
        raise ValueError("has no time zone: end it in Z for UTC, or in the offset, such as +02:00")
    return Instant(moment.timestamp(), True)


_Reader = Callable[[str], Any]
_SHARED: dict[str, _Reader] = {"condition": _read_text, "period": _read_text, "cycle": _read_text}
_METRES = _read_number(-2000, 2000, "metres from the stop line, negative before it, -2000 to 2000")
_SPEED = _read_number(0, 30, "a speed in m/s, 0 to 30")
_SECONDS = _read_number(0, 3600, "seconds, 0 to 3600")

REQUIRED: dict[str, dict[str, _Reader]] = {
    TRAJECTORIES: {"rider": _read_text, "time": read_instant, "position_m": _METRES},
    PASSAGES: {"rider": _read_text, "time": read_instant, "stopped": _read_yes},
    COUNTS: {
        "cycle": _read_text,
        "riders": _read_count(0, 100_000, "a whole number from 0"),
        "stopped": _read_count(0, 100_000, "a whole number from 0, at most the riders"),
    },
}
"""Kind of file -> the columns it must have."""

OPTIONAL: dict[str, dict[str, _Reader]] = {
    TRAJECTORIES: {
        **_SHARED,
        "speed_ms": _SPEED,
        "free_speed_ms": _read_number(0.5, 30, "a speed in m/s, 0.5 to 30"),
        "signal": _read_colour,
    },
    PASSAGES: {
        **_SHARED,
        "stops": _read_count(0, 100, "a whole number from 0 to 100"),
        "stopped_s": _SECONDS,
        "delay_s": _read_number(-60, 3600, "seconds, -60 to 3600"),
        "signal": _read_colour,
        "red_age_s": _SECONDS,
    },
    COUNTS: {
        **_SHARED,
        "on_red_under_1_s": _read_count(0, 100_000, "a whole number from 0, at most the riders"),
        "on_red_from_1_s": _read_count(0, 100_000, "a whole number from 0, at most the riders"),
    },
}
"""Kind of file -> the columns it may have; a value left empty is unknown."""


@dataclass(frozen=True)
class ObservedFile:
    """The rows of one file: values by column (absent or empty ones are missing), `lines[i]` where row i stands."""

    path: Path
    kind: str
    rows: list[dict[str, Any]] = field(repr=False)
    lines: list[int] = field(repr=False)
    unknown_columns: tuple[str, ...] = ()


def read_observed(path: Path) -> ObservedFile:
    """Read a CSV of any of the three kinds; InputError with everything that is wrong, file, line and column named."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: byte {error.start} is not UTF-8; save the file as CSV in UTF-8 (spreadsheets ask for it)"
        ) from error
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    faults: list[str] = []
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        kind = _kind_of(path, header)
        known = REQUIRED[kind] | OPTIONAL[kind]
        for line, cells in _numbered(reader):
            if len(cells) != len(header):
                faults.append(f"{path}:{line}: has {len(cells)} values, the header has {len(header)} columns")
                continue
            row = _read_row(f"{path}:{line}", dict(zip(header, cells, strict=True)), kind, known, delimiter, faults)
            rows.append(row)
            lines.append(line)
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: is no CSV ({error}); save the file as CSV again") from error
    if not faults and not rows:
        raise InputError(f"{path}: holds a header and nothing else")
    if faults:
        more = [f"{path}: and {len(faults) - _MAX_FAULTS} more"] if len(faults) > _MAX_FAULTS else []
        raise InputError("\n".join(faults[:_MAX_FAULTS] + more))
    unknown = tuple(name for name in header if name not in known)
    return ObservedFile(path, kind, rows, lines, unknown)


def _kind_of(path: Path, header: list[str]) -> str:
    if not any(header):
        raise InputError(f"{path}: is empty; its first line must name the columns")
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"{path}:1: column {name!r} is there twice; leave one out")
    if "position_m" in header:
        kind = TRAJECTORIES
    elif "riders" in header:
        kind = COUNTS
    else:
        kind = PASSAGES
    missing = [name for name in REQUIRED[kind] if name not in header]
    if missing:
        if kind == PASSAGES and len(missing) > 1:
            kinds = "; ".join(f"{name}: {', '.join(columns)}" for name, columns in REQUIRED.items())
            raise InputError(f"{path}:1: no kind of observation has these columns. What each needs - {kinds}")
        guess = did_you_mean(missing[0], [name for name in header if name not in REQUIRED[kind] | OPTIONAL[kind]])
        raise InputError(f"{path}:1: column {' and '.join(missing)} is missing, which {kind} need{guess}")
    return kind


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line they begin in; empty lines are passed over."""
    line = reader.line_num + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def _read_row(
    place: str, cells: dict[str, str], kind: str, known: dict[str, _Reader], delimiter: str, faults: list[str]
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, read in known.items():
        text = cells.get(name, "").strip()
        if not text:
            if name in REQUIRED[kind]:
                faults.append(f"{place}: column {name} is empty")
            continue
        if delimiter == ";" and re.fullmatch(r"[-+]?\d+,\d+", text):
            # What a German spreadsheet writes.
            text = text.replace(",", ".")
        try:
            row[name] = read(text)
        except ValueError as error:
            faults.append(f"{place}: column {name} is {text!r}: {error}")
    _check_together(place, row, faults)
    return row


def _check_together(place: str, row: dict[str, Any], faults: list[str]) -> None:
    """What each value alone does not show."""
    for name in ("stopped", "on_red_under_1_s", "on_red_from_1_s"):
        if "riders" in row and name in row and row[name] > row["riders"]:
            faults.append(f"{place}: column {name} is {row[name]}, more than the {row['riders']} riders")
    if "stops" in row and "stopped" in row and (row["stops"] > 0) != row["stopped"]:
        word = "yes" if row["stopped"] else "no"
        faults.append(f"{place}: column stops is {row['stops']}, but stopped is {word}; correct one of them")
    if "red_age_s" in row and row.get("signal", "red") != "red":
        faults.append(
            f"{place}: column red_age_s is {row['red_age_s']:g}, but signal is {row['signal']}; leave it empty"
        )
