# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors counted by their value: whole milliseconds, so that sums are exact in any order and memory stays small."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

# What is further off is no better known for being counted exactly; bounds the memory of one table.
LIMIT_MS = 600_000


class ErrorCounts:
    """How often each error occurred; in ms, held within +-LIMIT_MS."""

    def __init__(self) -> None:
        self._values: Ints = np.zeros(0, dtype=np.int64)
        self._counts: Ints = np.zeros(0, dtype=np.int64)
        self._held: list[tuple[Ints, Ints]] = []
        self._held_size = 0

    def add(self, errors: Ints, weights: Ints | None = None) -> None:
        """Count errors, each once or `weights` times."""
        if not len(errors):
            return
        clipped = np.clip(errors, -LIMIT_MS, LIMIT_MS)
        if weights is None:
            values, counts = np.unique(clipped, return_counts=True)
            self._hold(values, counts.astype(np.int64))
        else:
            self._hold(clipped, weights)

    def _hold(self, values: Ints, counts: Ints) -> None:
        self._held.append((values, counts))
        self._held_size += len(values)
        if self._held_size > 200_000:
            self._merge()

    def _merge(self) -> None:
        if not self._held:
            return
        values = np.concatenate([self._values, *(held[0] for held in self._held)])
        counts = np.concatenate([self._counts, *(held[1] for held in self._held)])
        self._values, places = np.unique(values, return_inverse=True)
        # bincount sums in double precision, exact up to 2**53.
        self._counts = np.bincount(places, counts, len(self._values)).astype(np.int64)
        self._held, self._held_size = [], 0

    @property
    def count(self) -> int:
        """How many errors were counted."""
        self._merge()
        return int(self._counts.sum())

    def absolute(self) -> "ErrorCounts":
        """The same errors without their signs."""
        self._merge()
        other = ErrorCounts()
        other.add(np.abs(self._values), self._counts)
        other._merge()
        return other

    def mean_ms(self) -> int | None:
        """The mean, in whole ms; None of nothing."""
        count = self.count
        return round(int((self._values * self._counts).sum()) / count) if count else None

    def percentile_ms(self, percent: int) -> int | None:
        """The value at place count * percent // 100 of the sorted errors; None of nothing."""
        count = self.count
        if not count:
            return None
        place = count * percent // 100
        return int(self._values[np.searchsorted(np.cumsum(self._counts), place, side="right")])

    def within(self, limit_ms: int) -> int:
        """How many are at most `limit_ms` off, either way."""
        self._merge()
        return int(self._counts[np.abs(self._values) <= limit_ms].sum())

    def figures(self) -> dict[str, Any]:
        """The errors of one row of a table."""
        count = self.count
        absolute = self.absolute()
        return {
            "messages": count,
            "mae_ms": absolute.mean_ms(),
            "bias_ms": self.mean_ms(),
            "p95_ms": absolute.percentile_ms(95),
            "within_1_s_share": share(self.within(1_000), count),
            "within_2_s_share": share(self.within(2_000), count),
            "within_5_s_share": share(self.within(5_000), count),
        }


def share(part: int, whole: int, digits: int = 6) -> float | None:
    """A fraction, None of nothing."""
    return round(part / whole, digits) if whole else None
