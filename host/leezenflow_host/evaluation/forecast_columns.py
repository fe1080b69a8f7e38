# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of one signal group as columns: what each said, by the controller's own clock, about its present colour."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from leezenflow_host.dataset.reading import NEVER, GroupPart
from leezenflow_host.evaluation.cycles import AMBER_TRUTH, GREEN_TRUTH, NONE_TRUTH, RED_TRUTH

Ints = NDArray[np.int64]

# Code of each event state 0..15; flashing red is red for who must stop, and no phase whose end is told.
_COLOURS = np.full(16, NONE_TRUTH)
_COLOURS[[2, 3, 4]] = RED_TRUTH
_COLOURS[[5, 6]] = GREEN_TRUTH
_COLOURS[[7, 8]] = AMBER_TRUTH

# Bounds this close name one instant (signal data, section 1).
_EXACT_MS = 1_000
# A clock that goes back by more has been set; by less, the message was overtaken.
_SET_BACK_MS = 10_000


@dataclass(frozen=True)
class ForecastColumns:
    """One row a message that was news: its instant, the colour shown, and what it says of the colour's end.

    `end_ms`, `min_ms`, `max_ms` are NEVER where nothing usable is told; `confidence` is -1 without. `since_ms` is when
    the colour began, where a feed that speaks on change tells it (else NEVER); `broken` marks the first message after
    the clock was set; `on_change` those of feeds that may be silent as long as nothing changes.
    """

    at_ms: Ints
    colour: Ints
    end_ms: Ints
    min_ms: Ints
    max_ms: Ints
    confidence: Ints
    program: Ints
    since_ms: Ints
    broken: NDArray[np.bool_]
    on_change: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.at_ms)

    def cut(self, first: int) -> "ForecastColumns":
        """The rows from `first` on."""
        return ForecastColumns(*(getattr(self, field.name)[first:].copy() for field in fields(self)))

    def join(self, other: "ForecastColumns") -> "ForecastColumns":
        """These rows, and those of another behind them."""
        return ForecastColumns(
            *(np.concatenate([getattr(self, field.name), getattr(other, field.name)]) for field in fields(self))
        )


_EMPTY = np.zeros(0, dtype=np.int64)
_NOTHING = ForecastColumns(
    _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY.astype(bool), _EMPTY.astype(bool)
)


def forecast_columns(part: GroupPart, after_ms: int = NEVER) -> ForecastColumns:
    """The messages of a part that are news after the instant `after_ms`, in their order."""
    rows = np.flatnonzero(part.run >= 0)
    if not len(rows) or not len(part.states):
        return _NOTHING
    run = part.run[rows]
    named = part.message_at_ms[rows]
    at_ms = np.where(named == NEVER, part.at_ms[rows], named)
    news, broken = _find_news(at_ms, after_ms)
    rows, run, at_ms = rows[news], run[news], at_ms[news]
    end, low, high, confidence, colour = _leading_ends(part)
    # Of other feeds the start is that of the state, not of the colour, and nobody checks it.
    since = np.where(
        part.on_change[rows], part.start[np.minimum(part.offsets[run], max(0, len(part.start) - 1))], NEVER
    )
    return ForecastColumns(
        at_ms,
        colour[run],
        end[run],
        low[run],
        high[run],
        confidence[run],
        part.program[rows],
        since,
        broken[news],
        part.on_change[rows],
    )


def _find_news(at_ms: Ints, after_ms: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which messages are newer than all before them, and before which of them the clock was set back."""
    count = len(at_ms)
    broken = np.zeros(count, dtype=bool)
    if not count:
        return np.zeros(0, dtype=bool), broken
    # Where the clock was set back, the comparison begins anew: everything behind is lifted above what was before.
    set_back = np.flatnonzero(np.diff(at_ms) < -_SET_BACK_MS) + 1
    broken[set_back] = True
    if after_ms != NEVER and at_ms[0] < after_ms - _SET_BACK_MS:
        broken[0] = True
        after_ms = NEVER
    news = np.zeros(count, dtype=bool)
    for start, end in zip(np.r_[0, set_back], np.r_[set_back, count], strict=True):
        newest = np.maximum.accumulate(at_ms[start:end])
        before = np.r_[after_ms if start == 0 else NEVER, newest[:-1]]
        news[start:end] = at_ms[start:end] > before
    return news, broken


def _leading_ends(part: GroupPart) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """For each run the end, bounds and confidence of the last of its leading events of one colour, and that colour."""
    begins, ends = part.offsets[:-1], part.offsets[1:]
    count = len(begins)
    if not count or not len(part.states):
        empty = np.full(count, NEVER)
        return empty, empty, empty, np.full(count, -1), np.zeros(count, dtype=np.int64)
    shades = _COLOURS[np.minimum(part.states, 15)]
    lengths = ends - begins
    shown = shades[np.minimum(begins, len(shades) - 1)]
    other = shades != np.repeat(shown, lengths)
    # The first event of another colour ends the leading ones; without one, the list does.
    places = np.where(other, np.arange(len(shades)), len(shades))
    first_other = np.minimum(np.minimum.reduceat(np.r_[places, len(shades)], np.minimum(begins, len(shades))), ends)
    last = np.maximum(first_other - 1, begins)
    last = np.minimum(last, len(shades) - 1)
    low, high = part.min_end[last], part.max_end[last]
    likely = part.likely_end[last]
    exact = (likely == NEVER) & (low != NEVER) & (high != NEVER) & (high >= low) & (high - low <= _EXACT_MS)
    end = np.where(exact, low, likely)
    contradictory = (low != NEVER) & (high != NEVER) & (low > high)
    low, high = np.where(contradictory, NEVER, low), np.where(contradictory, NEVER, high)
    untold = (lengths == 0) | (shown == NONE_TRUTH)
    end = np.where(untold, NEVER, end)
    return end, low, high, part.confidence[last], np.where(lengths == 0, NONE_TRUTH, shown)
