# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How good the controller's forecast is: the metrics of docs/reference/evaluation.md, from the messages alone.

Parts are taken one after the other; what has no true switch yet waits for the next. All sums are of integers, so that
they are the same in whatever order, and wherever, they are made.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leezenflow_host.dataset.reading import NEVER, GroupPart
from leezenflow_host.evaluation.counting import ErrorCounts, share
from leezenflow_host.evaluation.cycle_shapes import CycleShapes
from leezenflow_host.evaluation.cycles import AMBER_TRUTH, GREEN_TRUTH, RED_TRUTH
from leezenflow_host.evaluation.forecast_columns import ForecastColumns, forecast_columns
from leezenflow_host.evaluation.forecast_tables import ForecastTables, LocalHours

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

JUMP_MS = 1_500
STABLE_MS = 1_000
FRESH_MS = 6_000
# TimeMarks count tenths of a second.
_TENTH_MS = 100
# Between two changes of a feed that speaks on change; a longer red is a signal that rests, or a feed that was away.
_ON_CHANGE_MS = 600_000
# In a longer silence a whole phase may have come and gone, as in `truth.ObservedTruth`.
_BLIND_MS = 15_000
# A colour that lasts longer than this many messages is not waited for.
_MAX_WAITING = 200_000


class ForecastMetrics:
    """Takes the parts of one signal group in the order of time; `figures` gives the results."""

    def __init__(self, hours: LocalHours) -> None:
        self._waiting: ForecastColumns | None = None
        self._newest_ms = NEVER
        self._tables = ForecastTables(hours)
        self._shapes = CycleShapes(hours)
        self._leads: dict[int, list[Ints]] = {GREEN_TRUTH: [], RED_TRUTH: []}
        self._jumps = self._jumps_up = self._jump_max_ms = 0
        self._available_ms = self._time_ms = 0
        self._usable = self._coloured = 0
        self._bounded = self._before_min = self._after_max = 0

    def begin_life(self) -> None:
        """Another recording: nothing waits for it."""
        self._waiting = None
        self._newest_ms = NEVER
        self._shapes.begin_life()

    def add(self, part: GroupPart) -> None:
        """Take the next part."""
        columns = forecast_columns(part, self._newest_ms)
        if not len(columns):
            return
        self._newest_ms = int(columns.at_ms[-1])
        coloured = (columns.colour == GREEN_TRUTH) | (columns.colour == RED_TRUTH)
        self._coloured += int(coloured.sum())
        self._usable += int((coloured & (columns.end_ms != NEVER)).sum())
        new_from = 0
        if self._waiting is not None:
            new_from = len(self._waiting)
            columns = self._waiting.join(columns)
        self._measure_time(columns, new_from)
        self._judge(columns)

    def _measure_time(self, columns: ForecastColumns, new_from: int) -> None:
        steps = np.diff(columns.at_ms)
        good = ~columns.broken[1:] & (steps > 0)
        # The step onto the first new message belongs to the new ones.
        good[: max(0, new_from - 1)] = False
        usable = (columns.end_ms[:-1] != NEVER) & (columns.colour[:-1] != AMBER_TRUTH)
        amber = columns.colour[:-1] == AMBER_TRUTH
        self._time_ms += int(steps[good].sum())
        self._available_ms += int(np.minimum(steps, FRESH_MS)[good & (usable | amber)].sum())

    def _judge(self, columns: ForecastColumns) -> None:
        colour = columns.colour
        blind = (np.diff(columns.at_ms) > _BLIND_MS) & ~columns.on_change[1:]
        changes = np.flatnonzero((colour[1:] != colour[:-1]) | columns.broken[1:] | blind) + 1
        if not len(changes):
            self._waiting = columns if len(columns) < _MAX_WAITING else columns.cut(len(columns) - 1)
            return
        switch, known = _switch_instants(columns, changes)
        self._shapes.add(switch, colour[changes], known)
        # Number of the switch that ends each message's colour; those behind the last one wait.
        ends_at = np.searchsorted(changes, np.arange(changes[-1]), side="right")
        self._waiting = columns.cut(int(changes[-1]))
        self._judge_forecasts(columns, changes, switch, known, ends_at)

    def _judge_forecasts(
        self, columns: ForecastColumns, changes: Ints, switch: Ints, known: Flags, ends_at: Ints
    ) -> None:
        count = len(ends_at)
        colour, next_colour = columns.colour[:count], columns.colour[changes][ends_at]
        to_green = (colour == RED_TRUTH) & (next_colour == GREEN_TRUTH)
        to_red = (colour == GREEN_TRUTH) & ((next_colour == AMBER_TRUTH) | (next_colour == RED_TRUTH))
        judged = (to_green | to_red) & known[ends_at]
        at_ms, switch_ms = columns.at_ms[:count], switch[ends_at]
        end_ms = columns.end_ms[:count]
        usable = end_ms != NEVER
        error = np.where(usable, end_ms - switch_ms, 0)
        to = np.where(to_green, GREEN_TRUTH, RED_TRUTH)
        chosen = np.flatnonzero(judged & usable)
        self._tables.add(
            at_ms[chosen],
            to[chosen],
            (switch_ms - at_ms)[chosen],
            error[chosen],
            columns.program[:count][chosen],
            columns.confidence[:count][chosen],
        )
        self._judge_bounds(columns.min_ms[:count], columns.max_ms[:count], switch_ms, judged)
        self._judge_jumps(end_ms, usable & judged, ends_at)
        self._measure_leads(at_ms, switch_ms, error, usable, judged, to, ends_at)

    def _judge_bounds(self, low: Ints, high: Ints, switch_ms: Ints, judged: Flags) -> None:
        has_low, has_high = low != NEVER, high != NEVER
        self._bounded += int((judged & (has_low | has_high)).sum())
        self._before_min += int((judged & has_low & (switch_ms + _TENTH_MS < low)).sum())
        self._after_max += int((judged & has_high & (switch_ms - _TENTH_MS > high)).sum())

    def _judge_jumps(self, end_ms: Ints, usable: Flags, ends_at: Ints) -> None:
        pairs = usable[1:] & usable[:-1] & (ends_at[1:] == ends_at[:-1])
        moved = np.diff(end_ms)[pairs]
        jumped = np.abs(moved) > JUMP_MS
        self._jumps += int(jumped.sum())
        self._jumps_up += int((moved[jumped] > 0).sum())
        self._jump_max_ms = max(self._jump_max_ms, int(np.abs(moved).max(initial=0)))

    def _measure_leads(
        self, at_ms: Ints, switch_ms: Ints, error: Ints, usable: Flags, judged: Flags, to: Ints, ends_at: Ints
    ) -> None:
        rows = np.flatnonzero(judged)
        if not len(rows):
            return
        first = rows[np.r_[True, ends_at[rows][1:] != ends_at[rows][:-1]]]
        bad = rows[(~usable | (np.abs(error) > STABLE_MS))[rows]]
        # The instant of the last message that was off, of each switch; where none was, the first message's.
        since = np.full(int(ends_at.max()) + 1, NEVER)
        since[ends_at[first]] = at_ms[first]
        np.maximum.at(since, ends_at[bad], at_ms[bad])
        lead = switch_ms[first] - since[ends_at[first]]
        for code in (GREEN_TRUTH, RED_TRUTH):
            self._leads[code].append(np.maximum(lead[to[first] == code], 0))

    @property
    def has_colour(self) -> bool:
        """Whether any message showed red or green."""
        return self._coloured > 0

    @property
    def cycle_count(self) -> int:
        """How many whole cycles were seen."""
        return self._shapes.count

    def figures(self) -> dict[str, Any]:
        """`forecast`, `forecast_by_horizon`, `forecast_by`, `confidence` and `cycle_discrepancy`."""
        confidence, calibration_error = self._tables.confidence()
        whole = ErrorCounts()
        whole.add(*self._tables.errors())
        discrepancy, diversity, table = self._shapes.figures()
        cycles = self._shapes.count
        # A feed that never tells an end has no forecast that could jump or hold.
        told = self._usable > 0
        return {
            "forecast": {
                **whole.figures(),
                "available_share": share(self._available_ms, self._time_ms),
                "usable_share": share(self._usable, self._coloured),
                "jumps": self._jumps,
                "jumps_per_cycle": share(self._jumps, cycles) if told else None,
                "jump_max_ms": self._jump_max_ms if told else None,
                "jump_up_share": share(self._jumps_up, self._jumps),
                "bounds_judged": self._bounded,
                "before_min_share": share(self._before_min, self._bounded),
                "after_max_share": share(self._after_max, self._bounded),
                "lead_to_green_ms": _median(self._leads[GREEN_TRUTH]) if told else None,
                "lead_to_red_ms": _median(self._leads[RED_TRUTH]) if told else None,
                "expected_calibration_error": calibration_error,
                "cycle_discrepancy_s": discrepancy,
                "wait_time_diversity": diversity,
            },
            "forecast_by_horizon": self._tables.by_horizon(),
            "forecast_by": self._tables.by_kind(),
            "confidence": confidence,
            "cycle_discrepancy": table,
        }


def _switch_instants(columns: ForecastColumns, changes: Ints) -> tuple[Ints, Flags]:
    """When each change happened: where the message before said so, if that is possible, else when it was first seen.

    A feed that speaks on change tells the instant itself. Not known where nobody listened for more than 6 s (15 s where
    the message before told the instant; on change: ten minutes), or the clock was set in between.
    """
    before, after = columns.at_ms[changes - 1], columns.at_ms[changes]
    told = columns.end_ms[changes - 1]
    possible = (told != NEVER) & (told >= before) & (told <= after)
    since = columns.since_ms[changes]
    changed = (since != NEVER) & (since <= after) & (after - before <= _ON_CHANGE_MS)
    blind = (after - before > _BLIND_MS) & ~columns.on_change[changes]
    known = ~columns.broken[changes] & ~blind & (possible | changed | (after - before <= FRESH_MS))
    return np.where(changed, since, np.where(possible, told, after)), known


def _median(pieces: list[Ints]) -> int | None:
    values = np.sort(np.concatenate(pieces)) if pieces else np.zeros(0, dtype=np.int64)
    return int(values[(len(values) - 1) // 2]) if len(values) else None
