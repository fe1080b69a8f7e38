# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth as columns, and counts by signal cycle: from one green to the next, the unit of all statistics.

Riders who meet the same cycle are not independent of one another, so everything that is drawn, paired or grouped is
drawn, paired or grouped by cycles.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leezenflow_host.evaluation.truth import AMBER, GREEN, NONE, RED, UNKNOWN, Truth

Ints = NDArray[np.int64]

NONE_TRUTH, GREEN_TRUTH, RED_TRUTH, AMBER_TRUTH, UNKNOWN_TRUTH = range(5)
CODES = {NONE: NONE_TRUTH, GREEN: GREEN_TRUTH, RED: RED_TRUTH, AMBER: AMBER_TRUTH, UNKNOWN: UNKNOWN_TRUTH}
COUNTS = (
    "frames",
    "judged_frames",
    "answered",
    "wrong",
    "wrong_red",
    "wrong_green",
    "uncertain",
    "dark",
    "timed",
    "error_ms",
)


@dataclass(frozen=True)
class TruthArrays:
    """One signal group's colours: `starts` (Unix ms, ascending) and `colours` (codes above) that begin there.

    `cycle_starts` are the beginnings of greens; a cycle is known by the instant at which it begins, so that the same
    one is recognised in two runs over the same data.
    """

    starts: Ints
    colours: Ints
    cycle_starts: Ints
    rx_offset_ms: int = 0

    @classmethod
    def of(cls, truth: Truth, first: int = 0) -> "TruthArrays":
        """The truth from its start number `first` on."""
        starts = np.array(truth.starts[first:], dtype=np.int64)
        colours = np.array([CODES[colour] for colour in truth.colours[first:]], dtype=np.int64)
        return cls(starts, colours, starts[colours == GREEN_TRUTH], truth.rx_offset_ms)

    def colour_at(self, at_ms: Ints) -> tuple[Ints, Ints]:
        """For each instant the number of the colour that is on (-1: before the first), and its code."""
        index = np.searchsorted(self.starts, at_ms, side="right") - 1
        padded = np.r_[self.colours, NONE_TRUTH]
        return index, padded[index]

    def start_after(self, index: Ints) -> Ints:
        """The instant at which the colour after number `index` begins; -1 where none is known."""
        padded = np.r_[self.starts, -1]
        return padded[np.minimum(index + 1, len(self.starts))]

    def colour_after(self, index: Ints) -> Ints:
        """The code of the colour after number `index`; UNKNOWN_TRUTH where none is known."""
        padded = np.r_[self.colours, UNKNOWN_TRUTH]
        return padded[np.minimum(index + 1, len(self.colours))]

    def cycle_of(self, index: Ints) -> Ints:
        """The instant at which the cycle of colour number `index` began; before the first green, where truth begins."""
        begun = np.cumsum(self.colours == GREEN_TRUTH)
        padded = np.r_[begun, 0]
        origin = self.starts[0] if len(self.starts) else -1
        return np.r_[origin, self.cycle_starts][padded[index]]


class CycleTable:
    """Counts by cycle and by what the rider met (`want`: a code above)."""

    def __init__(self) -> None:
        self._keys: list[Ints] = []
        self._wants: list[Ints] = []
        self._counts: list[Ints] = []
        self._merged: tuple[Ints, Ints, Ints] | None = None

    def add(self, cycle: Ints, want: Ints, flags: dict[str, NDArray[np.bool_]], error_ms: Ints) -> None:
        """Count frames: `flags` for all of COUNTS but the last, which sums `error_ms`."""
        key = cycle * 8 + want
        values, places = np.unique(key, return_inverse=True)
        counts = np.empty((len(values), len(COUNTS)), dtype=np.int64)
        for column, name in enumerate(COUNTS[:-1]):
            counts[:, column] = np.bincount(places[flags[name]], minlength=len(values))
        counts[:, -1] = np.bincount(places, error_ms, len(values)).astype(np.int64)
        self._keys.append(values // 8)
        self._wants.append(values % 8)
        self._counts.append(counts)
        self._merged = None

    def rows(self) -> tuple[Ints, Ints, Ints]:
        """(beginning of the cycle, what the rider met, counts by COUNTS), sorted, each pair once."""
        if self._merged is None:
            if not self._keys:
                empty = np.zeros(0, dtype=np.int64)
                return empty, empty, np.zeros((0, len(COUNTS)), dtype=np.int64)
            key = np.concatenate(self._keys) * 8 + np.concatenate(self._wants)
            counts = np.concatenate(self._counts)
            values, places = np.unique(key, return_inverse=True)
            merged = np.zeros((len(values), len(COUNTS)), dtype=np.int64)
            np.add.at(merged, places, counts)
            self._merged = values // 8, values % 8, merged
            self._keys, self._wants, self._counts = [values // 8], [values % 8], [merged]
        return self._merged

    def by_cycle(self) -> tuple[Ints, Ints]:
        """(beginning of each cycle, counts by COUNTS): whatever the rider met."""
        cycles, _, counts = self.rows()
        values, places = np.unique(cycles, return_inverse=True)
        merged = np.zeros((len(values), len(COUNTS)), dtype=np.int64)
        np.add.at(merged, places, counts)
        return values, merged

    def sums(self) -> dict[str, int]:
        """The counts of all cycles together."""
        return dict(zip(COUNTS, self.rows()[2].sum(axis=0).tolist(), strict=True))
