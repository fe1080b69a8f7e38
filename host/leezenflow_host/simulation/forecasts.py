# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulated controller says of each signal group: the present phase, the next ones, and when each ends.

A fixed program is announced exactly. A traffic-dependent one is known exactly from `notice_s` before a switch on;
before that the likely time is a guess that is made anew every few seconds and gets better, and whatever lies behind
the next stage is the usual length.
"""

from dataclasses import dataclass
from random import Random

from leezenflow.spatem import (
    CAUTION_CONFLICTING_TRAFFIC,
    PERMISSIVE_CLEARANCE,
    PRE_MOVEMENT,
    PROTECTED_CLEARANCE,
    STOP_AND_REMAIN,
)
from leezenflow_host.simulation.controller import Controller, History, Moment, Stage
from leezenflow_host.simulation.scenario import GroupTable, Scenario

# What Münster sends: the present phase and four more.
MAX_EVENTS = 5
_CONFIDENCE_SURE = 15
_CONFIDENCE_FAR = 3
# Standard deviation of a guess, in seconds (up to) -> code of J2735 DE_TimeIntervalConfidence.
_CONFIDENCES = ((1, 13), (2, 11), (3, 8), (5, 5), (8, 3))


@dataclass(frozen=True, slots=True)
class Event:
    """One phase as forecast; its end in seconds from the beginning (None: unknown), confidence as raw code."""

    state: int
    min_end_s: int | None = None
    max_end_s: int | None = None
    likely_end_s: int | None = None
    confidence: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """When something will happen, as far as the controller knows."""

    min_s: int
    likely_s: int
    max_s: int
    confidence: int

    def shifted(self, by_s: int) -> "Window":
        """The same, so much later."""
        return Window(self.min_s + by_s, self.likely_s + by_s, self.max_s + by_s, self.confidence)


class Forecaster:
    """Turns a controller's history into forecasts; the same `random` gives the same guesses."""

    def __init__(self, scenario: Scenario, history: History, random: Random) -> None:
        self._scenario = scenario
        self._program = scenario.program
        self._history = history
        self._random = random
        self._guess_s = 0
        self._guessed_at_s: int | None = None
        self._guess_for: tuple[int, int] | None = None

    def switches(self, group: GroupTable) -> list[tuple[int, int]]:
        """When the group really changed to which state: (seconds from the beginning, event state), ascending."""
        stages = self._history.stages
        windows = [(stage.name, _sure(stage.start_s), _sure(stage.end_s)) for stage in stages]
        return self._with_flashing([(window.likely_s, state) for window, state in _changes(group, windows)])

    def events(self, group: GroupTable, at_s: int, plan: list[tuple[str, Window, Window]]) -> list[Event]:
        """The group's present phase and the ones that follow it."""
        changes = _changes(group, plan)
        state = STOP_AND_REMAIN
        while changes and changes[0][0].max_s <= at_s:
            state = changes.pop(0)[1]
        events: list[Event] = []
        for end, following in changes[:MAX_EVENTS]:
            unknown = self._random.random() < self._program.unknown_likely
            events.append(
                Event(
                    state,
                    end.min_s,
                    end.max_s,
                    None if unknown else end.likely_s,
                    None if unknown else end.confidence,
                )
            )
            state = following
        return events or [Event(state)]

    def plan(self, at_s: int) -> list[tuple[str, Window, Window]]:
        """The stages from the one before the present one on: (name, beginning, end), as known at that second."""
        moment = self._history.moment(at_s)
        before = [stage for stage in self._history.stages if stage.start_s < moment.stage.start_s][-1:]
        plan = [(stage.name, _sure(stage.start_s), _sure(stage.end_s)) for stage in before]
        end = self._end_of(moment, at_s)
        plan.append((moment.stage.name, _sure(moment.stage.start_s), end))
        for name in moment.upcoming:
            table = self._scenario.stage[name]
            begin = end.shifted(self._program.intergreen_s)
            if self._program.fixed_time:
                end = begin.shifted(table.usual_s)
            else:
                end = Window(
                    begin.min_s + table.min_s,
                    begin.likely_s + table.usual_s,
                    begin.max_s + table.max_s,
                    _CONFIDENCE_FAR,
                )
            plan.append((name, begin, end))
        return plan

    def is_flashing(self, at_s: int) -> bool:
        """Whether the lamps flash amber at that second."""
        return any(one.at_s <= at_s < one.at_s + one.length_s for one in self._scenario.flashing)

    def _end_of(self, moment: Moment, at_s: int) -> Window:
        """When the present stage will end, as far as the controller knows."""
        end_s = moment.end_s
        left_s = end_s - at_s
        if self._program.fixed_time or left_s <= self._program.notice_s:
            return _sure(end_s)
        table = self._scenario.stage[moment.stage.name]
        start_s = moment.stage.start_s
        stretch_s = self._scenario.bus.stretch_s if self._scenario.bus and moment.bus else 0
        earliest_s = max(start_s + table.min_s, at_s + self._program.notice_s + 1)
        latest_s = max(start_s + table.max_s + stretch_s, end_s)
        spread_s = 0.25 * left_s
        if self._guessed_at_s != at_s:
            self._guessed_at_s = at_s
            if self._guess_for != (start_s, end_s) or self._random.random() < 0.2:
                self._guess_for = (start_s, end_s)
                self._guess_s = round(end_s + self._random.gauss(0, spread_s))
        likely_s = min(max(self._guess_s, earliest_s), latest_s)
        confidence = next((code for limit, code in _CONFIDENCES if spread_s <= limit), 2)
        return Window(min(earliest_s, likely_s), likely_s, latest_s, confidence)

    def _with_flashing(self, switches: list[tuple[int, int]]) -> list[tuple[int, int]]:
        for one in self._scenario.flashing:
            first_s, last_s = one.at_s, one.at_s + one.length_s
            after = [state for at_s, state in switches if at_s <= last_s]
            switches = [
                *[switch for switch in switches if switch[0] < first_s],
                (first_s, CAUTION_CONFLICTING_TRAFFIC),
                (last_s, after[-1]),
                *[switch for switch in switches if switch[0] > last_s],
            ]
        return switches


def simulate_controller(scenario: Scenario, seed: int, duration_s: int) -> tuple[History, Forecaster]:
    """Run the controller of a scenario and make its forecaster."""
    # Each with its own numbers: another kind of forecast must not change what the traffic does.
    history = Controller(scenario, Random(f"traffic {seed}")).run(duration_s)
    return history, Forecaster(scenario, history, Random(f"forecast {seed}"))


def _sure(at_s: int) -> Window:
    return Window(at_s, at_s, at_s, _CONFIDENCE_SURE)


def _changes(group: GroupTable, stages: list[tuple[str, Window, Window]]) -> list[tuple[Window, int]]:
    """When a group changes to which state while these stages follow one another."""
    clearance = PERMISSIVE_CLEARANCE if group.green_state == 5 else PROTECTED_CLEARANCE
    changes: list[tuple[Window, int]] = []
    for place, (name, begin, end) in enumerate(stages):
        if name not in group.green_in:
            continue
        if place == 0 or stages[place - 1][0] not in group.green_in:
            if group.red_amber_s:
                changes.append((begin.shifted(-group.red_amber_s), PRE_MOVEMENT))
            changes.append((begin, group.green_state))
        if place + 1 < len(stages) and stages[place + 1][0] not in group.green_in:
            if group.amber_s:
                changes.append((end, clearance))
            changes.append((end.shifted(group.amber_s), STOP_AND_REMAIN))
    return changes


__all__ = ["Event", "Forecaster", "Stage", "Window", "simulate_controller"]
