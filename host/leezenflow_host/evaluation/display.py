# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a display would have shown, judged while it runs, recording by recording, in memory that does not grow."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leezenflow.board import Site
from leezenflow_host.dataset.reading import GroupPart
from leezenflow_host.dataset.runs import STRETCH_GAP_MS
from leezenflow_host.evaluation.cycles import TruthArrays
from leezenflow_host.evaluation.frame_scoring import FrameScorer
from leezenflow_host.evaluation.frames import CoreForecasts, DisplayRun, Frames
from leezenflow_host.evaluation.stored_messages import StoredDecoder
from leezenflow_host.evaluation.truth import GREEN, Truth

Ints = NDArray[np.int64]

# So many frames are held before they are judged: 50 minutes.
_HELD = 30_000
# A colour that lasts longer is judged although its end is not known yet.
_HELD_AT_MOST = 120_000
# How far back a piece of truth reaches for the green with which its cycle began.
_LOOK_BACK = 200
_FOREVER = 1 << 60


@dataclass(frozen=True)
class Life:
    """One uninterrupted recording: its truth, and between which true instants frames count."""

    truth: TruthArrays
    from_ms: int
    to_ms: int


class DisplayEvaluation:
    """Judges one site's display on the messages of one signal group; `scorer` has the figures, `lives` the truth.

    `memory` is what was learned before, and after `finish` what is known at the end. `truth` is a given truth; without,
    what the messages show later is the truth. `truth_shift_ms` is the longest travel time of all settings compared.
    """

    def __init__(
        self,
        site: Site,
        memory: bytes | None = None,
        truth: Truth | None = None,
        truth_shift_ms: int = 0,
        fps: int = 10,
    ) -> None:
        self.scorer = FrameScorer(site.cruise_ms, site.sprint_ms)
        self.memory = memory
        self.counters: Counter[str] = Counter()
        self.lives: list[Life] = []
        self.message_count = 0
        self._site = site
        self._shift_ms = max(site.cruise_ms, site.sprint_ms or 0, truth_shift_ms)
        self._given = truth
        self._fps = fps
        self._run: DisplayRun | None = None
        self._stored: StoredDecoder | None = None
        self._adapter: str | None = None
        self._last_ms = 0
        self._frames: Frames | None = None
        self._notes: CoreForecasts | None = None

    def add(self, part: GroupPart) -> None:
        """Take stored messages; they go on from those before unless more than a minute lies between."""
        if not len(part.at_ms):
            return
        first_ms = int(part.at_ms[0])
        goes_on = self._last_ms <= first_ms <= self._last_ms + STRETCH_GAP_MS and part.adapter == self._adapter
        if self._run is None or self._stored is None or not goes_on:
            self.end_life()
            self._adapter = part.adapter
            self._stored = StoredDecoder(part.adapter)
            self.begin_life(self._stored)
        assert self._run is not None and self._stored is not None
        for at_ms, row in self._stored.use(part):
            self.feed(at_ms, row, 0, 0)
        self._last_ms = int(part.at_ms[-1])

    def begin_life(self, decoder: Any) -> None:
        """Begin a recording whose messages `decoder` reads."""
        self._run = DisplayRun(self._site, decoder, self.memory, self._fps)
        self.scorer.begin_life()

    def feed(self, at_ms: int, buffer: Any, start: int, end: int) -> None:
        """Take one message."""
        run = self._run
        assert run is not None
        run.feed(at_ms, buffer, start, end)
        if len(run.log) >= _HELD:
            self._judge(run, last=False)

    def end_life(self) -> None:
        """The recording is over."""
        run = self._run
        if run is None:
            return
        run.finish()
        self._judge(run, last=True)
        self.counters.update(run.engine.counters)
        self.message_count += run.message_count
        self.memory = run.engine.memory()
        truth = self._given
        if truth is None:
            truth = run.observed.finish(self._shift_ms)
        arrays = TruthArrays.of(truth)
        self.scorer.end_life(arrays, truth.from_ms, truth.to_ms)
        self.lives.append(Life(arrays, truth.from_ms, truth.to_ms))
        self._run = self._stored = self._frames = self._notes = None

    def _judge(self, run: DisplayRun, last: bool) -> None:
        frames = _join_frames(self._frames, run.log.take())
        notes = _join_notes(self._notes, run.take_forecasts())
        truth = self._given
        if truth is not None or last:
            if truth is None:
                truth = run.observed.truth
                to_ms = truth.to_ms - self._shift_ms
            else:
                to_ms = truth.to_ms
            arrays = TruthArrays.of(truth, 0 if self._given else _first_needed(truth, frames))
            self.scorer.judge(frames, arrays, truth.from_ms, to_ms)
            self.scorer.judge_forecasts(notes, arrays)
            self._frames = self._notes = None
            return
        truth = run.observed.truth
        # What a rider met is known for good once the next switch has been seen.
        known_ms = truth.starts[-1] if truth.starts else 0
        ready = int(np.searchsorted(frames.at_ms, known_ms - self._shift_ms))
        if len(frames) - ready > _HELD_AT_MOST:
            known_ms = truth.to_ms
            ready = int(np.searchsorted(frames.at_ms, known_ms - self._shift_ms))
        noted = int(np.searchsorted(notes.at_ms, known_ms))
        arrays = TruthArrays.of(truth, _first_needed(truth, frames))
        self.scorer.judge(_cut_frames(frames, 0, ready), arrays, truth.from_ms, _FOREVER)
        self.scorer.judge_forecasts(_cut_notes(notes, 0, noted), arrays)
        self._frames = _cut_frames(frames, ready, len(frames))
        self._notes = _cut_notes(notes, noted, len(notes.at_ms))

    def figures(self) -> dict[str, Any]:
        """The figures of the display."""
        return {
            **self.scorer.as_dict(),
            "forecast_errors": self.scorer.horizon_rows(),
            "messages": self.message_count,
            "message_counts": dict(sorted(self.counters.items())),
        }


def _first_needed(truth: Truth, frames: Frames) -> int:
    """The start from which on the truth is needed to judge `frames`: the green with which the first cycle began."""
    if not len(frames):
        return max(0, len(truth.starts) - 1)
    first = index = max(0, truth.index_at(int(frames.at_ms[0])))
    while index > 0 and first - index < _LOOK_BACK and truth.colours[index] != GREEN:
        index -= 1
    return index


def _join_frames(before: Frames | None, after: Frames) -> Frames:
    if before is None or not len(before):
        return after
    return Frames(
        np.concatenate([before.at_ms, after.at_ms]),
        np.concatenate([before.kind, after.kind]),
        np.concatenate([before.remaining_ms, after.remaining_ms]),
        np.concatenate([before.certainty, after.certainty]),
        np.concatenate([before.reason, after.reason]),
        after.reasons,
    )


def _cut_frames(frames: Frames, first: int, end: int) -> Frames:
    return Frames(
        frames.at_ms[first:end],
        frames.kind[first:end],
        frames.remaining_ms[first:end],
        frames.certainty[first:end],
        frames.reason[first:end],
        frames.reasons,
    )


def _join_notes(before: CoreForecasts | None, after: CoreForecasts) -> CoreForecasts:
    if before is None:
        return after
    return CoreForecasts(
        np.concatenate([before.at_ms, after.at_ms]),
        np.concatenate([before.colour, after.colour]),
        np.concatenate([before.ahead_ms, after.ahead_ms]),
    )


def _cut_notes(notes: CoreForecasts, first: int, end: int) -> CoreForecasts:
    return CoreForecasts(notes.at_ms[first:end], notes.colour[first:end], notes.ahead_ms[first:end])
