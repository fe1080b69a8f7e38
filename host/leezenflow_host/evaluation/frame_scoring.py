# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judgement of `scoring.Scorer`, on whole columns of frames, and cycle by cycle.

Frames may come in pieces, in the order of time; what a piece needs of the one before is carried over.
"""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leezenflow_host.evaluation.counting import ErrorCounts, share
from leezenflow_host.evaluation.cycles import (
    AMBER_TRUTH,
    GREEN_TRUTH,
    RED_TRUTH,
    UNKNOWN_TRUTH,
    CycleTable,
    TruthArrays,
)
from leezenflow_host.evaluation.frames import (
    DARK_KIND,
    NO_REMAINING,
    RED_KIND,
    SPRINT_KIND,
    UNCERTAIN_KIND,
    CoreForecasts,
    Frames,
)
from leezenflow_host.evaluation.scoring import HORIZONS_MS, JUMP_MS, WARMUP_MS, WEIGHT_OF_GREEN

Ints = NDArray[np.int64]

_SWITCH_REACH_MS = 15_000
_KIND_WORDS = {UNCERTAIN_KIND: "uncertain", DARK_KIND: "dark"}


class FrameScorer:
    """Judges frames for one travel time; `cycles` holds the counts of each cycle, `as_dict` the figures."""

    def __init__(self, shift_ms: int, sprint_ms: int | None = None) -> None:
        self.cycles = CycleTable()
        self.shift_ms = shift_ms
        self.sprint_ms = sprint_ms if sprint_ms is not None else shift_ms
        self._reasons: Counter[str] = Counter()
        self._errors = ErrorCounts()
        self._upward_jumps = 0
        self._shown_changes = 0
        self._true_changes = 0
        self._missed = 0
        self._switch_errors: list[Ints] = []
        self._shown = np.zeros(101, dtype=np.int64)
        self._right = np.zeros(101, dtype=np.int64)
        self._horizons: dict[tuple[int, int], ErrorCounts] = {}
        self.begin_life()

    def begin_life(self) -> None:
        """What comes now has no part in what came before: another recording."""
        self._last_colour = 0
        self._gap = False
        self._before: tuple[int, int, int] | None = None
        self._entry_at: list[Ints] = []
        self._entry_colour: list[Ints] = []

    def judge(self, frames: Frames, truth: TruthArrays, from_ms: int, to_ms: int) -> None:
        """Judge the frames between from_ms + warm-up and to_ms (true time)."""
        true_ms = frames.at_ms - truth.rx_offset_ms
        inside = (true_ms >= from_ms + WARMUP_MS) & (true_ms < to_ms)
        arrival = true_ms + np.where(frames.kind == SPRINT_KIND, self.sprint_ms, self.shift_ms)
        index, want = truth.colour_at(arrival)
        keep = np.flatnonzero(inside & (want != UNKNOWN_TRUTH))
        if not len(keep):
            return
        true_ms, arrival, index, want = true_ms[keep], arrival[keep], index[keep], want[keep]
        kind, remaining = frames.kind[keep], frames.remaining_ms[keep]
        certainty, reason = frames.certainty[keep], frames.reason[keep]
        colour = np.where(kind <= SPRINT_KIND, GREEN_TRUTH, np.where(kind == RED_KIND, RED_TRUTH, 0))
        known = (want == GREEN_TRUTH) | (want == RED_TRUTH)
        answered = known & (colour > 0)
        right = answered & (colour == want)
        wrong = answered & (colour != want)
        timed = right & (kind != SPRINT_KIND) & (remaining != NO_REMAINING)
        following = truth.start_after(index)
        timed &= following >= 0
        error = np.abs(remaining - (following - arrival))
        self._errors.add(error[timed])
        self._shown += np.bincount(certainty[answered], minlength=101)
        self._right += np.bincount(certainty[right], minlength=101)
        self._count_reasons(kind, reason, known & (colour == 0), frames.reasons)
        self.cycles.add(
            truth.cycle_of(index),
            want,
            {
                "frames": np.ones(len(keep), dtype=bool),
                "judged_frames": known,
                "answered": answered,
                "wrong": wrong,
                "wrong_red": wrong & (colour == RED_TRUTH),
                "wrong_green": (colour == GREEN_TRUTH) & ((want == RED_TRUTH) | (want == 0)),
                "uncertain": known & (kind == UNCERTAIN_KIND),
                "dark": known & (kind == DARK_KIND),
                "timed": timed,
            },
            np.where(timed, error, 0),
        )
        self._judge_steadiness(true_ms, kind, colour, remaining)

    def _count_reasons(self, kind: Ints, reason: Ints, silent: NDArray[np.bool_], reasons: list[str]) -> None:
        pairs, counts = np.unique(kind[silent] * 1000 + reason[silent] + 1, return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            code = pair % 1000 - 1
            self._reasons[f"{_KIND_WORDS[pair // 1000]}: {None if code < 0 else reasons[code]}"] += count

    def _judge_steadiness(self, true_ms: Ints, kind: Ints, colour: Ints, remaining: Ints) -> None:
        shown = np.flatnonzero(colour > 0)
        if len(shown):
            # A gap is a frame without colour between two with one.
            first_gap = self._gap or (self._last_colour != 0 and shown[0] > 0)
            before = np.r_[self._last_colour, colour[shown][:-1]]
            gaps = np.r_[first_gap, np.diff(shown) > 1]
            changed = (colour[shown] != before) | gaps
            if self._last_colour == 0:
                changed[0] = False
            self._shown_changes += int(changed.sum())
            entered = shown[colour[shown] != before]
            self._entry_at.append(true_ms[entered])
            self._entry_colour.append(colour[entered])
            self._last_colour = int(colour[shown[-1]])
            self._gap = bool(shown[-1] < len(colour) - 1)
        elif self._last_colour:
            self._gap = self._gap or len(colour) > 0
        if self._before is not None:
            true_ms = np.r_[self._before[2], true_ms]
            kind = np.r_[self._before[0], kind]
            remaining = np.r_[self._before[1], remaining]
        same = (kind[1:] == kind[:-1]) & (remaining[1:] != NO_REMAINING) & (remaining[:-1] != NO_REMAINING)
        self._upward_jumps += int((same & (np.diff(remaining) + np.diff(true_ms) > JUMP_MS)).sum())
        self._before = (int(kind[-1]), int(remaining[-1]), int(true_ms[-1]))

    def judge_forecasts(self, notes: CoreForecasts, truth: TruthArrays) -> None:
        """Judge what the core made of the forecast of the present colour's end."""
        true_ms = notes.at_ms - truth.rx_offset_ms
        index, colour = truth.colour_at(true_ms)
        switch = truth.start_after(index)
        following = truth.colour_after(index)
        keep = (colour == notes.colour) & (switch >= 0) & (following != UNKNOWN_TRUTH)
        ahead = switch[keep] - true_ms[keep]
        error = notes.ahead_ms[keep] - ahead
        horizon = np.searchsorted(np.array(HORIZONS_MS), ahead, side="right") - 1
        for key in np.unique(colour[keep] * 10 + horizon).tolist():
            chosen = colour[keep] * 10 + horizon == key
            self._horizons.setdefault((key // 10, key % 10), ErrorCounts()).add(error[chosen])

    def end_life(self, truth: TruthArrays, from_ms: int, to_ms: int) -> None:
        """Judge the switches of one recording as a whole."""
        at = np.concatenate(self._entry_at) if self._entry_at else np.zeros(0, dtype=np.int64)
        shade = np.concatenate(self._entry_colour) if self._entry_colour else np.zeros(0, dtype=np.int64)
        coloured = np.flatnonzero((truth.colours == GREEN_TRUTH) | (truth.colours == RED_TRUTH))
        if len(coloured) < 2:
            return
        before, after = coloured[:-1], coloured[1:]
        ideal = truth.starts[after] - self.shift_ms
        chosen = (truth.colours[before] != truth.colours[after]) & (ideal >= from_ms + WARMUP_MS) & (ideal < to_ms)
        after, ideal = after[chosen], ideal[chosen]
        # Amber is neutral: to red, any instant from its beginning on is right.
        amber = (truth.colours[after] == RED_TRUTH) & (truth.colours[after - 1] == AMBER_TRUTH)
        earliest = np.where(amber, truth.starts[after - 1] - self.shift_ms, ideal)
        self._true_changes += len(after)
        for code in (GREEN_TRUTH, RED_TRUTH):
            wanted = truth.colours[after] == code
            nearest = _nearest(at[shade == code], earliest[wanted], ideal[wanted])
            missed = np.abs(nearest) > _SWITCH_REACH_MS
            self._missed += int(missed.sum())
            self._switch_errors.append(nearest[~missed])

    def as_dict(self) -> dict[str, Any]:
        """The figures (docs/reference/evaluation.md); shares are None without frames to judge."""
        sums = self.cycles.sums()
        known = sums["judged_frames"]
        errors = ErrorCounts()
        for found in self._switch_errors:
            errors.add(found)
        absolute = errors.absolute()
        switches = errors.count + self._missed
        weighted = sums["wrong_red"] + WEIGHT_OF_GREEN * (sums["wrong"] - sums["wrong_red"])
        return {
            "frames": sums["frames"],
            "judged_frames": known,
            "wrong_colour_share": share(sums["wrong"], known),
            "wrong_green_share": share(sums["wrong_green"], sums["frames"]),
            "wrong_weighted_share": share(weighted, known),
            "answered_share": share(sums["answered"], known),
            "uncertain_share": share(sums["uncertain"], known),
            "dark_share": share(sums["dark"], known),
            "reason_shares": {
                name: share(count, known)
                for name, count in sorted(self._reasons.items(), key=lambda pair: (-pair[1], pair[0]))
            },
            "remaining_mae_ms": self._errors.mean_ms(),
            "remaining_p95_ms": self._errors.percentile_ms(95),
            "upward_jumps": self._upward_jumps,
            "shown_changes": self._shown_changes,
            "true_changes": self._true_changes,
            "flicker_ratio": share(self._shown_changes, self._true_changes, 2),
            "switch_error_mean_ms": errors.mean_ms(),
            "switch_error_mae_ms": absolute.mean_ms(),
            "switch_error_p95_ms": absolute.percentile_ms(95),
            "switches_within_1_s_share": share(errors.within(1_000), switches),
            "switches_within_2_s_share": share(errors.within(2_000), switches),
            "missed_switches_share": share(self._missed, switches),
            "reliability": [
                {
                    "certainty": level,
                    "frames": int(self._shown[level]),
                    "right_share": share(right, int(self._shown[level])),
                }
                for level, right in enumerate(self._right.tolist())
                if self._shown[level]
            ],
        }

    def horizon_rows(self) -> list[dict[str, Any]]:
        """The table `forecast_errors`."""
        rows = []
        for (colour, horizon), errors in sorted(self._horizons.items()):
            figures = errors.figures()
            rows.append(
                {
                    "colour": "green" if colour == GREEN_TRUTH else "red",
                    "from_horizon_ms": HORIZONS_MS[horizon],
                    **{name: figures[name] for name in ("messages", "mae_ms", "bias_ms", "p95_ms", "within_2_s_share")},
                }
            )
        return rows


def _nearest(at: Ints, earliest: Ints, latest: Ints) -> Ints:
    """How far the nearest of `at` (ascending) lies outside each [earliest, latest]; early is negative."""
    far = np.int64(1 << 60)
    if not len(at):
        return np.full(len(earliest), far)
    behind = np.searchsorted(at, earliest, side="left")
    padded = np.r_[-far, at, far]
    early = padded[behind] - earliest
    late = np.maximum(padded[behind + 1] - latest, 0)
    # On a tie the one that came first counts.
    return np.where(np.abs(early) <= late, early, late)
