# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A traffic signal controller: stages one after the other, as long as traffic asks, changed by buses.

It works on the second. What it will do (the hidden plan) is drawn when a stage begins and changes when a bus asks;
what it tells of it is the business of `forecasts`. Times are whole seconds from the scenario's beginning.
"""

import math
from dataclasses import dataclass, field
from random import Random

from leezenflow_host.simulation.scenario import Scenario

# The controller has been running before the recording begins, and goes on behind its end: a rider who passes at the
# end arrives later.
LEAD_S = 180
TAIL_S = 300


@dataclass(slots=True)
class Stage:
    """One time a stage is green: from `start_s` to `end_s`, as planned at present.

    `bus_s` is the instant from which the plan is one for a bus, or None.
    """

    name: str
    start_s: int
    end_s: int
    bus_s: int | None = None


@dataclass(slots=True)
class Moment:
    """What the controller knows in one second: the present stage with its planned end, and the ones to come."""

    stage: Stage
    end_s: int
    upcoming: list[str]
    bus: bool


@dataclass(slots=True)
class History:
    """Everything that happened: the stages as they were, and each second's `Moment` from `first_s` on."""

    first_s: int
    stages: list[Stage] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)

    def moment(self, at_s: int) -> Moment:
        """What the controller knew at that second."""
        return self.moments[at_s - self.first_s]


class Controller:
    """Runs the program of a scenario; the same `random` gives the same history."""

    def __init__(self, scenario: Scenario, random: Random) -> None:
        self._scenario = scenario
        self._program = scenario.program
        self._random = random
        self._order = scenario.program.order
        self._place = 0
        self._skip: set[str] = set()
        # Stages that buses have taken away since they were last served: nobody has to wait for a second time.
        self._starved: set[str] = set()

    def run(self, duration_s: int) -> History:
        """Everything from LEAD_S before the beginning to TAIL_S behind the end of `duration_s`."""
        first_s = -LEAD_S - self._random.randrange(LEAD_S // 2)
        history = History(first_s)
        buses = self._buses(duration_s)
        self._place = self._random.randrange(len(self._order))
        stage = self._begin(first_s)
        history.stages.append(stage)
        for now_s in range(first_s, duration_s + TAIL_S):
            if now_s >= stage.end_s + self._program.intergreen_s:
                stage = self._begin(now_s)
                history.stages.append(stage)
            if now_s in buses:
                self._serve_bus(stage, now_s)
            history.moments.append(Moment(stage, stage.end_s, self._upcoming(), stage.bus_s is not None))
        return history

    def _buses(self, duration_s: int) -> set[int]:
        bus = self._scenario.bus
        if bus is None:
            return set()
        asking = set(bus.at_s)
        if bus.per_hour > 0:
            at_s = 0.0
            while at_s < duration_s:
                at_s += self._random.expovariate(bus.per_hour / 3600)
                asking.add(int(at_s))
        return asking

    def _begin(self, now_s: int) -> Stage:
        name = self._order[self._place]
        self._starved.discard(name)
        self._place = (self._place + 1) % len(self._order)
        while self._order[self._place] in self._skip:
            self._skip.discard(self._order[self._place])
            self._place = (self._place + 1) % len(self._order)
        table = self._scenario.stage[name]
        length_s = table.usual_s
        if not self._program.fixed_time:
            # Traffic: most greens near the usual length, some much longer.
            drawn = table.usual_s * math.exp(self._random.gauss(-0.06, 0.35))
            length_s = min(max(round(drawn), table.min_s), table.max_s)
        return Stage(name, now_s, now_s + length_s)

    def _upcoming(self) -> list[str]:
        # Enough for any group to be green and red again.
        names: list[str] = []
        skip = set(self._skip)
        place = self._place
        while len(names) < 2 * len(self._order) + 1:
            name = self._order[place]
            place = (place + 1) % len(self._order)
            if name in skip:
                skip.discard(name)
            else:
                names.append(name)
        return names

    def _serve_bus(self, stage: Stage, now_s: int) -> None:
        """Stretch the bus's stage until the bus is through, or cut the present one short and go there directly."""
        bus = self._scenario.bus
        assert bus is not None
        sure_s = now_s + self._program.notice_s
        if now_s >= stage.end_s - self._program.notice_s:
            # Too late for this switch.
            return
        table = self._scenario.stage[stage.name]
        arrival_s = now_s + bus.notice_s
        if stage.name == bus.stage:
            latest_s = stage.start_s + table.max_s + bus.stretch_s
            end_s = min(max(stage.end_s, arrival_s + 3), latest_s)
        else:
            begin_s = arrival_s - 3 - self._program.intergreen_s
            end_s = max(sure_s, stage.start_s + table.min_s, min(stage.end_s, begin_s))
            upcoming = self._upcoming()
            between = set(upcoming[: upcoming.index(bus.stage)])
            self._skip = between - self._starved
            self._starved |= between
            while self._order[self._place] in self._skip:
                self._skip.discard(self._order[self._place])
                self._place = (self._place + 1) % len(self._order)
        stage.end_s = end_s
        stage.bus_s = now_s
