# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How alike the cycles of a signal are: green, amber and red from one green to the next.

After the predictability study of Jeschor, Matthes and others: the seconds at which two successive cycles differ.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leezenflow_host.evaluation.counting import share
from leezenflow_host.evaluation.cycles import AMBER_TRUTH, GREEN_TRUTH, RED_TRUTH
from leezenflow_host.evaluation.forecast_tables import LocalHours

Ints = NDArray[np.int64]

# A "cycle" longer than this is a signal that rests.
_MAX_CYCLE_MS = 600_000


class CycleShapes:
    """Takes switches (instant, colour that begins, whether the instant is known) in the order of time."""

    def __init__(self, hours: LocalHours) -> None:
        self._hours = hours
        self._pieces: list[tuple[Ints, Ints, NDArray[np.bool_]]] = []

    def begin_life(self) -> None:
        """What comes now does not go on from what was before."""
        nothing = np.array([0], dtype=np.int64)
        self._pieces.append((nothing, nothing, np.array([False])))

    def add(self, at_ms: Ints, colour: Ints, known: NDArray[np.bool_]) -> None:
        """Take the next switches."""
        self._pieces.append((at_ms, colour, known))

    def _cycles(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Beginning, length of green, of amber and of the whole, of each cycle; 0 length where it is broken."""
        if not self._pieces:
            nothing = np.zeros(0, dtype=np.int64)
            return nothing, nothing, nothing, nothing
        at_ms, colour, known = (np.concatenate(pieces) for pieces in zip(*self._pieces, strict=True))
        greens = np.flatnonzero(colour == GREEN_TRUTH)
        if len(greens) < 2:
            nothing = np.zeros(0, dtype=np.int64)
            return nothing, nothing, nothing, nothing
        first, following = greens[:-1], greens[1:]
        steps = following - first
        second = colour[first + 1]
        with_amber = (
            (steps == 3) & (second == AMBER_TRUTH) & (colour[np.minimum(first + 2, len(colour) - 1)] == RED_TRUTH)
        )
        without = (steps == 2) & (second == RED_TRUTH)
        sound = np.add.reduceat(~known, first)[: len(first)] == 0
        sound &= known[following] & (with_amber | without)
        length = at_ms[following] - at_ms[first]
        sound &= (length > 0) & (length <= _MAX_CYCLE_MS)
        green = at_ms[first + 1] - at_ms[first]
        amber = np.where(with_amber, at_ms[np.minimum(first + 2, len(colour) - 1)] - at_ms[first + 1], 0)
        return at_ms[first], green, amber, np.where(sound, length, 0)

    @property
    def count(self) -> int:
        """How many whole cycles were seen."""
        return int((self._cycles()[3] > 0).sum())

    def figures(self) -> tuple[int | None, float | None, list[dict[str, Any]]]:
        """Median discrepancy in s, distinct waits per wait, and the table `cycle_discrepancy`."""
        begin, green, amber, length = self._cycles()
        whole = length > 0
        waits = np.rint((length - green)[whole] / 1000).astype(np.int64)
        diversity = share(len(np.unique(waits)), len(waits))
        pairs = np.flatnonzero(whole[1:] & whole[:-1])
        if not len(pairs):
            return None, diversity, []
        differ = _discrepancy_s(green, amber, length, pairs)
        hours = self._hours.hour_of_week(begin[pairs + 1])
        rows = []
        for hour in np.unique(hours).tolist():
            chosen = differ[hours == hour]
            row = {"weekday": hour // 24, "hour": hour % 24, "cycles": len(chosen), "median_s": _median(chosen)}
            rows.append(row)
        return _median(differ), diversity, rows


def _discrepancy_s(green: Ints, amber: Ints, length: Ints, pairs: Ints) -> Ints:
    """Seconds in which two successive cycles differ; a second that only one of them has counts as one."""
    one, two = pairs, pairs + 1
    green_s, amber_s, length_s = (np.rint(values / 1000).astype(np.int64) for values in (green, green + amber, length))
    same = np.minimum(green_s[one], green_s[two])
    same += _overlap(green_s[one], amber_s[one], green_s[two], amber_s[two])
    same += _overlap(amber_s[one], length_s[one], amber_s[two], length_s[two])
    return np.maximum(length_s[one], length_s[two]) - same


def _overlap(from_a: Ints, to_a: Ints, from_b: Ints, to_b: Ints) -> Ints:
    return np.maximum(np.minimum(to_a, to_b) - np.maximum(from_a, from_b), 0)


def _median(values: Ints) -> int:
    return int(np.sort(values)[(len(values) - 1) // 2])
