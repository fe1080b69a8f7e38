# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what a display showed against what the lamp did when its rider arrived (docs/timing.md, "How we judge").

Shares of colour are of the frames whose truth is green or red; amber is neutral. Wrong green (green or sprint shown,
the rider meets red or no signal) is of all frames. A sprint is judged at the sprinter's arrival.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from leezenflow.advice import Advice
from leezenflow_host.evaluation.truth import GREEN, NONE, RED, UNKNOWN, Truth

WARMUP_MS = 30_000
JUMP_MS = 1_500
"""A remaining time that grows by more than this within one kind is an upward jump."""
WEIGHT_OF_GREEN = 3
"""A wrong green counts this many times a wrong red in the weighted share."""
# A shown switch further than this from every true one belongs to none.
_SWITCH_REACH_MS = 15_000


@dataclass
class Score:
    """Counts and errors over the judged frames; `as_dict` gives the shares. Errors are in ms, shown minus true."""

    frames: int = 0
    known: int = 0
    answered: int = 0
    wrong: int = 0
    wrong_red: int = 0
    wrong_green: int = 0
    uncertain: int = 0
    dark: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    remaining_errors: list[int] = field(default_factory=list)
    upward_jumps: int = 0
    shown_changes: int = 0
    true_changes: int = 0
    switch_errors: list[int] = field(default_factory=list)
    missed_switches: int = 0
    reliability: dict[int, list[int]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Shares as fractions (None without frames to judge), errors in ms."""
        weighted = self.wrong_red + WEIGHT_OF_GREEN * (self.wrong - self.wrong_red)
        switches = sorted(abs(error) for error in self.switch_errors)
        total = len(switches) + self.missed_switches
        return {
            "frames": self.frames,
            "judged_frames": self.known,
            "wrong_colour_share": _share(self.wrong, self.known),
            "wrong_green_share": _share(self.wrong_green, self.frames),
            "wrong_weighted_share": _share(weighted, self.known),
            "answered_share": _share(self.answered, self.known),
            "uncertain_share": _share(self.uncertain, self.known),
            "dark_share": _share(self.dark, self.known),
            "reason_shares": {name: _share(count, self.known) for name, count in self.reasons.most_common()},
            "remaining_mae_ms": _mean(self.remaining_errors),
            "remaining_p95_ms": _percentile(self.remaining_errors, 95),
            "upward_jumps": self.upward_jumps,
            "shown_changes": self.shown_changes,
            "true_changes": self.true_changes,
            "flicker_ratio": _share(self.shown_changes, self.true_changes, 2),
            "switch_error_mean_ms": _mean(self.switch_errors),
            "switch_error_mae_ms": _mean(switches),
            "switch_error_p95_ms": _percentile(switches, 95),
            "switches_within_1_s_share": _share(sum(error <= 1_000 for error in switches), total),
            "switches_within_2_s_share": _share(sum(error <= 2_000 for error in switches), total),
            "missed_switches_share": _share(self.missed_switches, total),
            "reliability": [
                {"certainty": certainty, "frames": count, "right_share": _share(right, count)}
                for certainty, (count, right) in sorted(self.reliability.items())
            ],
        }


def _share(part: int, whole: int, digits: int = 6) -> float | None:
    return round(part / whole, digits) if whole else None


def _mean(values: list[int]) -> int | None:
    return round(sum(values) / len(values)) if values else None


def _percentile(values: list[int], percent: int) -> int | None:
    return sorted(values)[len(values) * percent // 100] if values else None


class Scorer:
    """Takes frames one by one, in the order of time, and judges each.

    `shift_ms` and `sprint_ms` are the rider's travel times at cruising and at sprinting speed.
    """

    def __init__(self, truth: Truth, shift_ms: int, sprint_ms: int | None = None, warmup_ms: int = WARMUP_MS) -> None:
        self.score = Score()
        self._truth = truth
        self._shift_ms = shift_ms
        self._sprint_ms = sprint_ms if sprint_ms is not None else shift_ms
        self._from_ms = truth.from_ms + warmup_ms
        self._last_kind: str | None = None
        self._gap = False
        self._before: tuple[str, int | None, int] | None = None
        self._entries: list[tuple[int, str]] = []

    def judge(self, at_ms: int, advice: Advice) -> None:
        """Judge the frame at `at_ms` (Unix ms on the receiver's clock)."""
        truth = self._truth
        true_ms = at_ms - truth.rx_offset_ms
        if not self._from_ms <= true_ms < truth.to_ms:
            return
        arrival_ms = true_ms + (self._sprint_ms if advice.kind == "sprint" else self._shift_ms)
        index = truth.index_at(arrival_ms)
        want = truth.colours[index] if index >= 0 else NONE
        if want == UNKNOWN:
            return
        score = self.score
        score.frames += 1
        kind = GREEN if advice.kind == "sprint" else advice.kind
        score.wrong_green += kind == GREEN and want in (RED, NONE)
        if want in (GREEN, RED):
            self._judge_colour(advice, kind, want, index, arrival_ms)
        self._judge_steadiness(true_ms, advice, kind)

    def _judge_colour(self, advice: Advice, kind: str, want: str, index: int, arrival_ms: int) -> None:
        score = self.score
        score.known += 1
        if kind not in (GREEN, RED):
            if kind == "uncertain":
                score.uncertain += 1
            else:
                score.dark += 1
            score.reasons[f"{kind}: {advice.reason}"] += 1
            return
        score.answered += 1
        right = kind == want
        if not right:
            score.wrong += 1
            score.wrong_red += kind == RED
        entry = score.reliability.setdefault(advice.certainty, [0, 0])
        entry[0] += 1
        entry[1] += right
        starts = self._truth.starts
        if right and advice.kind != "sprint" and advice.remaining_ms is not None and index + 1 < len(starts):
            score.remaining_errors.append(abs(advice.remaining_ms - (starts[index + 1] - arrival_ms)))

    def _judge_steadiness(self, true_ms: int, advice: Advice, kind: str) -> None:
        score = self.score
        if kind in (GREEN, RED):
            if self._last_kind is not None and (kind != self._last_kind or self._gap):
                score.shown_changes += 1
            if kind != self._last_kind:
                self._entries.append((true_ms, kind))
            self._last_kind = kind
            self._gap = False
        elif self._last_kind is not None:
            self._gap = True
        before = self._before
        if (
            before is not None
            and before[0] == advice.kind
            and before[1] is not None
            and advice.remaining_ms is not None
        ):
            score.upward_jumps += advice.remaining_ms - before[1] + true_ms - before[2] > JUMP_MS
        self._before = (advice.kind, advice.remaining_ms, true_ms)

    def finish(self) -> Score:
        """Judge the switches as a whole and return the score."""
        truth = self._truth
        coloured = [
            (at_ms, colour) for at_ms, colour in zip(truth.starts, truth.colours, strict=True) if colour in (GREEN, RED)
        ]
        for (_, before), (at_ms, colour) in pairwise(coloured):
            ideal_ms = at_ms - self._shift_ms
            if before == colour or not self._from_ms <= ideal_ms < truth.to_ms:
                continue
            self.score.true_changes += 1
            # Amber is neutral: to red, any instant from its beginning on is right.
            index = truth.index_at(at_ms - 1)
            earliest_ms = (
                truth.starts[index] - self._shift_ms if colour == RED and truth.colours[index] == "amber" else ideal_ms
            )
            errors = [_outside(shown_ms, earliest_ms, ideal_ms) for shown_ms, kind in self._entries if kind == colour]
            nearest = min(errors, key=abs, default=None)
            if nearest is None or abs(nearest) > _SWITCH_REACH_MS:
                self.score.missed_switches += 1
            else:
                self.score.switch_errors.append(nearest)
        return self.score


def _outside(value: int, low: int, high: int) -> int:
    """By how much `value` lies above `high` (positive) or below `low` (negative); 0 between them."""
    return max(value - high, 0) + min(value - low, 0)


HORIZONS_MS = (0, 2_000, 5_000, 10_000, 20_000, 40_000)


class HorizonErrors:
    """The controller's forecast of the end of the present colour against the truth, by how far ahead it was."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._errors: dict[tuple[str, int], list[int]] = {}

    def observe(self, at_ms: int, colour: str, end_ms: int) -> None:
        """Note that at `at_ms` the present `colour` (GREEN or RED) was expected to end at `end_ms` (true ms)."""
        truth = self._truth
        index = truth.index_at(at_ms)
        if index < 0 or truth.colours[index] != colour or index + 1 >= len(truth.starts):
            return
        switch_ms = truth.starts[index + 1]
        if truth.colours[index + 1] == UNKNOWN:
            return
        horizon = max(low for low in HORIZONS_MS if low <= switch_ms - at_ms)
        self._errors.setdefault((colour, horizon), []).append(end_ms - switch_ms)

    def as_list(self) -> list[dict[str, Any]]:
        """One entry for each colour and horizon, nearest first."""
        rows: Iterable[tuple[tuple[str, int], list[int]]] = sorted(self._errors.items())
        return [
            {
                "colour": colour,
                "from_horizon_ms": horizon,
                "messages": len(errors),
                "mae_ms": _mean([abs(error) for error in errors]),
                "bias_ms": _mean(errors),
                "p95_ms": _percentile([abs(error) for error in errors], 95),
                "within_2_s_share": _share(sum(abs(error) <= 2_000 for error in errors), len(errors)),
            }
            for (colour, horizon), errors in rows
        ]
