# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How sure a share is: bootstrap over signal cycles, for one setting or for the difference of two.

Everything drawn is an integer sum, so the same seed gives the same bytes wherever it runs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leezenflow_host.evaluation.cycles import COUNTS, CycleTable

Ints = NDArray[np.int64]

REPLICATES = 1_000
MIN_CYCLES = 8
# Beyond this many, neighbouring cycles are drawn together: cheaper, and it respects that they resemble one another.
MAX_CLUSTERS = 2_000
_BATCH = 50

# Figure: (what is counted, of what).
RATIOS: dict[str, tuple[str, str]] = {
    "wrong_colour_share": ("wrong", "judged_frames"),
    "wrong_green_share": ("wrong_green", "frames"),
    "answered_share": ("answered", "judged_frames"),
    "uncertain_share": ("uncertain", "judged_frames"),
    "dark_share": ("dark", "judged_frames"),
    "remaining_mae_ms": ("error_ms", "timed"),
}
_COLUMN = {name: place for place, name in enumerate(COUNTS)}


def intervals(table: CycleTable, seed: int) -> list[dict[str, Any]]:
    """Rows `name, value, low, high, cycles` for every figure of RATIOS."""
    _, counts = table.by_cycle()
    drawn = _draw(_in_blocks(counts), seed) if len(counts) >= MIN_CYCLES else None
    rows = []
    for name, (part, whole) in RATIOS.items():
        value = _ratio(counts.sum(axis=0), part, whole)
        low, high = (None, None) if drawn is None else _middle(_ratios(drawn, part, whole))
        rows.append(
            {
                "name": name,
                "value": _shown(name, value),
                "low": _shown(name, low),
                "high": _shown(name, high),
                "cycles": len(counts),
            }
        )
    return rows


def compare(table: CycleTable, against: CycleTable, seed: int) -> list[dict[str, Any]]:
    """Rows `name, value, against, difference, low, high, cycles`, on the cycles that both have."""
    cycles, counts = table.by_cycle()
    other_cycles, other_counts = against.by_cycle()
    _, ours, theirs = np.intersect1d(cycles, other_cycles, return_indices=True)
    both = np.concatenate([counts[ours], other_counts[theirs]], axis=1)
    width = len(COUNTS)
    drawn = _draw(_in_blocks(both), seed) if len(both) >= MIN_CYCLES else None
    total = both.sum(axis=0)
    rows = []
    for name, (part, whole) in RATIOS.items():
        value, other = _ratio(total[:width], part, whole), _ratio(total[width:], part, whole)
        low = high = None
        if drawn is not None:
            low, high = _middle(_ratios(drawn[:, :width], part, whole) - _ratios(drawn[:, width:], part, whole))
        difference = None if value is None or other is None else value - other
        rows.append(
            {
                "name": name,
                "value": _shown(name, value),
                "against": _shown(name, other),
                "difference": _shown(name, difference),
                "low": _shown(name, low),
                "high": _shown(name, high),
                "cycles": len(both),
            }
        )
    return rows


def _in_blocks(counts: Ints) -> Ints:
    size = -(-len(counts) // MAX_CLUSTERS)
    return np.add.reduceat(counts, np.arange(0, len(counts), size), axis=0) if size > 1 else counts


def _draw(counts: Ints, seed: int) -> Ints:
    """Sums of REPLICATES draws of as many clusters as there are, with replacement."""
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = np.empty((REPLICATES, counts.shape[1]), dtype=np.int64)
    for first in range(0, REPLICATES, _BATCH):
        chosen = generator.integers(0, len(counts), size=(_BATCH, len(counts)))
        drawn[first : first + _BATCH] = counts[chosen].sum(axis=1)
    return drawn


def _ratio(sums: Ints, part: str, whole: str) -> float | None:
    count = int(sums[_COLUMN[whole]])
    return int(sums[_COLUMN[part]]) / count if count else None


def _ratios(drawn: Ints, part: str, whole: str) -> NDArray[np.float64]:
    numerator, denominator = drawn[:, _COLUMN[part]], drawn[:, _COLUMN[whole]]
    return np.divide(numerator, denominator, out=np.full(len(drawn), np.nan), where=denominator > 0)


def _middle(values: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """What 95 % of the draws lie between."""
    known = np.sort(values[~np.isnan(values)])
    if len(known) < len(values) // 2:
        return None, None
    return float(known[len(known) * 25 // 1000]), float(known[min(len(known) - 1, len(known) * 975 // 1000)])


def _shown(name: str, value: float | None) -> float | int | None:
    if value is None:
        return None
    return round(value) if name.endswith("_ms") else round(value, 6)
