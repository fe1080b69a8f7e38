# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forecast errors counted by horizon, switch kind, hour, weekday and program at once, and read out by any of them."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from leezenflow_host.evaluation.counting import LIMIT_MS, ErrorCounts, share
from leezenflow_host.evaluation.cycles import RED_TRUTH
from leezenflow_host.evaluation.scoring import HORIZONS_MS

Ints = NDArray[np.int64]

HOUR_MS = 3_600_000
# What a confidence code promises (signal data, section 1), in per cent; "right" is within 2 s.
CONFIDENCE_PERCENT = (21, 36, 47, 56, 62, 68, 73, 77, 81, 85, 88, 91, 94, 96, 98, 100)
RIGHT_MS = 2_000
_SPREAD = 2 * LIMIT_MS + 1
_WEEK_HOURS = 168
# A table holds at most about this many rows before equal ones are put together.
_HELD = 400_000


class LocalHours:
    """Hours of the week in a time zone: Monday 0:00 is 0."""

    def __init__(self, timezone: str = "UTC") -> None:
        self.timezone = timezone
        self._zone = None if timezone == "UTC" else ZoneInfo(timezone)

    def hour_of_week(self, at_ms: Ints) -> Ints:
        """0..167 for each instant (Unix ms)."""
        hours = at_ms // HOUR_MS
        if self._zone is not None:
            quarters, places = np.unique(at_ms // (HOUR_MS // 4), return_inverse=True)
            offsets = [_offset_ms(quarter * (HOUR_MS // 4), self._zone) for quarter in quarters.tolist()]
            hours = (at_ms + np.array(offsets, dtype=np.int64)[places]) // HOUR_MS
        # 1970-01-01 was a Thursday.
        return (hours + 72) % _WEEK_HOURS


def _offset_ms(at_ms: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return round(offset.total_seconds() * 1000)


class ForecastTables:
    """Counts forecast errors; `by_horizon` and `by_kind` are tables of the results."""

    def __init__(self, hours: LocalHours) -> None:
        self._hours = hours
        self._keys = np.zeros(0, dtype=np.int64)
        self._counts = np.zeros(0, dtype=np.int64)
        self._held: list[tuple[Ints, Ints]] = []
        self._held_size = 0
        self._told = np.zeros(16, dtype=np.int64)
        self._right = np.zeros(16, dtype=np.int64)

    def add(self, at_ms: Ints, to: Ints, horizon_ms: Ints, error: Ints, program: Ints, confidence: Ints) -> None:
        """Count messages: instant, colour their switch leads to, horizon, error, program (-1: none), confidence."""
        if not len(at_ms):
            return
        hour = self._hours.hour_of_week(at_ms)
        horizon = np.searchsorted(np.array(HORIZONS_MS), np.maximum(horizon_ms, 0), side="right") - 1
        key = ((np.clip(program, -1, 1 << 20) + 1) * _WEEK_HOURS + hour) * 2 + (to == RED_TRUTH)
        key = (key * len(HORIZONS_MS) + horizon) * _SPREAD + np.clip(error, -LIMIT_MS, LIMIT_MS) + LIMIT_MS
        # Messages that repeat a forecast follow one another: most of the counting is done without sorting.
        starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
        counts = np.diff(np.r_[starts, len(key)])
        self._held.append((key[starts], counts))
        self._held_size += len(starts)
        if self._held_size > _HELD:
            self._merge()
        told = confidence >= 0
        self._told += np.bincount(confidence[told], minlength=16)[:16]
        self._right += np.bincount(confidence[told & (np.abs(error) <= RIGHT_MS)], minlength=16)[:16]

    def _merge(self) -> None:
        if not self._held:
            return
        keys = np.concatenate([self._keys, *(held[0] for held in self._held)])
        counts = np.concatenate([self._counts, *(held[1] for held in self._held)])
        self._keys, places = np.unique(keys, return_inverse=True)
        self._counts = np.bincount(places, counts, len(self._keys)).astype(np.int64)
        self._held, self._held_size = [], 0

    def errors(self) -> tuple[Ints, Ints]:
        """Every error with its count."""
        self._merge()
        return self._keys % _SPREAD - LIMIT_MS, self._counts

    def by_horizon(self) -> list[dict[str, Any]]:
        """The table `forecast_by_horizon`."""
        errors, counts = self.errors()
        block = self._keys // _SPREAD
        rows = []
        for to, name in ((0, "green"), (1, "red")):
            for horizon, from_ms in enumerate(HORIZONS_MS):
                chosen = (block % len(HORIZONS_MS) == horizon) & (block // len(HORIZONS_MS) % 2 == to)
                if chosen.any():
                    to_ms = HORIZONS_MS[horizon + 1] if horizon + 1 < len(HORIZONS_MS) else None
                    row = {"to": name, "from_horizon_ms": from_ms, "to_horizon_ms": to_ms}
                    rows.append({**row, **_figures(errors[chosen], counts[chosen])})
        return rows

    def by_kind(self) -> list[dict[str, Any]]:
        """The table `forecast_by`: by hour, weekday, program and switch."""
        errors, counts = self.errors()
        rest = self._keys // _SPREAD // len(HORIZONS_MS)
        hour = rest // 2 % _WEEK_HOURS
        program = rest // 2 // _WEEK_HOURS - 1
        dimensions = (
            ("hour", hour % 24, str),
            ("weekday", hour // 24, str),
            ("program", program, str),
            ("switch", rest % 2, lambda code: "red" if code else "green"),
        )
        rows = []
        for by, values, name in dimensions:
            for value in np.unique(values).tolist():
                if by == "program" and value < 0:
                    continue
                chosen = values == value
                rows.append({"by": by, "value": name(value), **_figures(errors[chosen], counts[chosen])})
        return rows

    def confidence(self) -> tuple[list[dict[str, Any]], float | None]:
        """The table `confidence`, and the expected calibration error."""
        rows = []
        total = int(self._told.sum())
        off = 0.0
        for code, (told, right) in enumerate(zip(self._told.tolist(), self._right.tolist(), strict=True)):
            if told:
                coded = CONFIDENCE_PERCENT[code] / 100
                row = {"confidence": code, "coded_share": coded, "messages": told, "right_share": share(right, told)}
                rows.append(row)
                off += abs(right / told - coded) * told
        return rows, round(off / total, 6) if total else None


def _figures(errors: Ints, counts: Ints) -> dict[str, Any]:
    found = ErrorCounts()
    found.add(errors, counts)
    return found.figures()
