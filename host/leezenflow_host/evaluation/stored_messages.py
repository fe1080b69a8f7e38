# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored messages told to the core as a decoder tells them, and heard messages kept as a dataset keeps them."""

import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from leezenflow.spatem import MAX_EVENTS, IntersectionState
from leezenflow_host.dataset.instants import instant_mark, mark_instant, message_clock, message_instant
from leezenflow_host.dataset.observations import Events, state_events
from leezenflow_host.dataset.reading import NEVER, GroupPart


class StoredDecoder:
    """A Decoder whose buffer is a row of a `GroupPart`: `begin(row, 0, 0)` with a row number of `use(part)`.

    `state_only` marks feeds without forecast, for which the core learns.
    """

    def __init__(self, adapter: str | None) -> None:
        self.state = IntersectionState()
        self.state_only = is_state_only(adapter)
        self._row = 0
        self._run = -1

    def use(self, part: GroupPart) -> Iterator[tuple[int, int]]:
        """Take the messages of a part from now on; (arrival, row) of each that concerns the signal group."""
        self._message_at_ms = part.message_at_ms.tolist()
        self._clock = part.clock.tolist()
        self._status = part.status.tolist()
        self._program = part.program.tolist()
        self._on_change = part.on_change.tolist()
        self._heartbeat = part.heartbeat.tolist()
        self._runs = part.run.tolist()
        self._offsets = part.offsets.tolist()
        self._states = part.states.tolist()
        self._start = part.start.tolist()
        self._min_end = part.min_end.tolist()
        self._likely_end = part.likely_end.tolist()
        self._max_end = part.max_end.tolist()
        self._confidence = part.confidence.tolist()
        self._run = -1
        rows = np.flatnonzero((part.run >= 0) | part.heartbeat)
        return zip(part.at_ms[rows].tolist(), rows.tolist(), strict=True)

    def begin(self, buffer: Any, start: int, end: int) -> None:
        """Take a row."""
        self._row = buffer

    def step(self) -> bool:
        """Fill `state` with what the row told."""
        row = self._row
        state = self.state
        message_at_ms = self._message_at_ms[row]
        state.moy, state.time_stamp = message_clock(None if message_at_ms == NEVER else message_at_ms, self._clock[row])
        state.status = self._status[row]
        program = self._program[row]
        state.program = None if program < 0 else program
        state.on_change = self._on_change[row]
        state.heartbeat = self._heartbeat[row]
        run = self._runs[row]
        if run != self._run and run >= 0:
            self._run = run
            self._fill(run)
        return True

    def _fill(self, run: int) -> None:
        movement = self.state.movement
        movement.event_count = 0
        begin = self._offsets[run]
        for place in range(begin, min(self._offsets[run + 1], begin + MAX_EVENTS)):
            event = movement.add_event()
            assert event is not None
            event.event_state = self._states[place]
            event.start_time = _mark(self._start[place])
            event.min_end_time = _mark(self._min_end[place])
            event.likely_time = _mark(self._likely_end[place])
            event.max_end_time = _mark(self._max_end[place])
            confidence = self._confidence[place]
            event.confidence = None if confidence < 0 else confidence


def is_state_only(adapter: str | None) -> bool:
    """Whether an adapter's feed tells no more than the present state."""
    if adapter is None:
        return False
    module = importlib.import_module(f"leezenflow_adapters.{adapter}")
    return bool(getattr(module.Decoder, "state_only", False))


def _mark(instant_ms: int) -> int | None:
    return None if instant_ms == NEVER else instant_mark(instant_ms)


class KeepingDecoder:
    """Another decoder's work, with everything it found kept: a `GroupPart` for each unbroken stretch (`parts()`)."""

    def __init__(self, decoder: Any, adapter: str | None) -> None:
        self._decoder = decoder
        self._adapter = adapter
        self.state = decoder.state
        self.state_only = getattr(decoder, "state_only", False)
        self.at_ms = 0
        """Arrival of the message that is decoded; set by whoever feeds it."""
        self._rows: list[tuple[int, int, int, int, int, bool, bool, int]] = []
        self._runs: list[tuple[Events, int]] = []
        self._ended: list[GroupPart] = []

    def begin_stretch(self) -> None:
        """What is found from now on belongs to a part of its own."""
        self._ended.append(self.part())
        self._rows, self._runs = [], []

    def parts(self) -> list[GroupPart]:
        """All that was found, stretch by stretch."""
        return [*self._ended, self.part()]

    def begin(self, buffer: Any, start: int, end: int) -> None:
        """See Decoder."""
        self._decoder.begin(buffer, start, end)

    def step(self) -> bool | None:
        """See Decoder."""
        found = self._decoder.step()
        if found:
            self._keep()
        return found

    def _keep(self) -> None:
        state = self.state
        message_at_ms, clock = message_instant(state.moy, state.time_stamp, self.at_ms)
        run = -1
        if not state.heartbeat:
            events = state_events(state.movement)
            if not self._runs or self._runs[-1][0] != events:
                self._runs.append((events, self.at_ms if message_at_ms is None else message_at_ms))
            run = len(self._runs) - 1
        row = (
            self.at_ms,
            NEVER if message_at_ms is None else message_at_ms,
            clock,
            state.status,
            -1 if state.program is None else state.program,
            state.on_change,
            state.heartbeat,
            run,
        )
        self._rows.append(row)

    def part(self) -> GroupPart:
        """What was found in the last stretch."""
        columns = [np.array(column, dtype=np.int64) for column in zip(*self._rows, strict=True)] or [
            np.zeros(0, dtype=np.int64)
        ] * 8
        at_ms, message_at_ms, clock, status, program, on_change, heartbeat, run = columns
        offsets = np.r_[0, np.cumsum([len(events) for events, _ in self._runs], dtype=np.int64)].astype(np.int64)
        flat = [(event, reference_ms) for events, reference_ms in self._runs for event in events]
        start, min_end, likely_end, max_end = (
            np.array([_instant(event[place], reference_ms) for event, reference_ms in flat], dtype=np.int64)
            for place in (1, 2, 3, 4)
        )
        return GroupPart(
            self._adapter,
            "",
            at_ms,
            message_at_ms,
            clock,
            status,
            program,
            on_change.astype(bool),
            heartbeat.astype(bool),
            run,
            offsets,
            np.array([event[0] for event, _ in flat], dtype=np.int64),
            start,
            min_end,
            likely_end,
            max_end,
            np.array([-1 if event[5] is None else event[5] for event, _ in flat], dtype=np.int64),
            np.array([-1 if event[6] is None else event[6] for event, _ in flat], dtype=np.int64),
        )


def _instant(mark: int | None, reference_ms: int) -> int:
    instant = mark_instant(mark, reference_ms)
    return NEVER if instant is None else instant
