# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SUMO simulation, in a process of its own: a job as json on stdin, the passages as json on stdout.

libsumo holds one simulation per process, prints as it likes, and can take the process down with it. The flow study
starts this module once for each day and condition; nothing else imports it.
"""

import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from leezenflow_host.flow.riders import Rider, RiderModel, choose_speed, pedalling_energy
from leezenflow_host.flow.sumo_files import APPROACH, SIGNAL, Path2D, write_network, write_riders
from leezenflow_host.flow.timelines import Timeline

STOP_MS = 0.3
"""Slower than this (m/s) is a stop."""
MOVING_MS = 1.0
"""A stop is over when the rider is faster than this (m/s): who creeps up in the queue has not stopped twice."""

MISSING = 3
"""Exit code: libsumo is not there."""


class Passage:
    """One rider's way, noted step by step."""

    def __init__(self, rider: Rider) -> None:
        self.rider = rider
        self.speeds: list[float] = []
        self.stops = 0
        self.stopped_s = 0.0
        self.standing = False
        self.crossed_s: float | None = None
        self.left_s: float | None = None
        self.advice: str | None = None
        self.chosen_ms: float | None = None
        self.target_ms = rider.speed_ms

    def note(self, speed_ms: float, step_s: float) -> None:
        """Note one step at this speed."""
        self.speeds.append(speed_ms)
        if speed_ms < STOP_MS:
            self.stopped_s += step_s
            if not self.standing:
                self.stops += 1
                self.standing = True
        elif speed_ms > MOVING_MS:
            self.standing = False


class Simulation:
    """Riders on a path, a signal that does what it really did, and a display that some of them follow."""

    def __init__(self, sumo: Any, job: dict[str, Any]) -> None:
        self._sumo = sumo
        self._model = RiderModel(**job["model"])
        self._path = Path2D(**job["path"])
        self._passages = {rider["name"]: Passage(Rider(**rider)) for rider in job["riders"]}
        self._switches: list[tuple[float, str]] = [(at_s, state) for at_s, state in job["signal"]]
        self._timeline = Timeline.from_dict(job["timeline"]) if job["timeline"] else None
        self._origin_ms: int = job["origin_ms"]
        self._sprint_s: float | None = job["sprint_s"]
        self._step_s: float = job["step_s"]
        self._until_s: float = job["until_s"]
        self._seed: int = job["seed"]
        self._lateral_m: float = job["lateral_m"]
        self._state = ""

    def run(self, folder: Path) -> list[dict[str, Any]]:
        """Run to the end and return one record a rider who got through."""
        network, routes = folder / "path.net.xml", folder / "riders.rou.xml"
        write_network(network, self._path)
        write_riders(routes, [passage.rider for passage in self._passages.values()], self._model)
        options = ["--net-file", str(network), "--route-files", str(routes), "--step-length", str(self._step_s)]
        options += ["--seed", str(self._seed), "--lateral-resolution", str(self._lateral_m)]
        options += ["--no-step-log", "true", "--no-warnings", "true", "--time-to-teleport", "-1"]
        self._sumo.start(["sumo", *options])
        try:
            now_s, pending = 0.0, len(self._passages)
            while pending and now_s < self._until_s:
                self._switch(now_s)
                self._sumo.simulationStep()
                now_s = self._sumo.simulation.getTime()
                pending -= self._observe(now_s)
        finally:
            self._sumo.close()
        return [self._record(one) for one in self._passages.values() if one.left_s is not None]

    def _switch(self, now_s: float) -> None:
        state = self._state
        while self._switches and self._switches[0][0] <= now_s + 1e-6:
            state = self._switches.pop(0)[1]
        if state != self._state:
            self._sumo.trafficlight.setRedYellowGreenState(SIGNAL, state)
            self._state = state

    def _observe(self, now_s: float) -> int:
        """Note where everybody is after this step; returns how many have left."""
        vehicle = self._sumo.vehicle
        line_m, display_m = self._path.approach_m, self._path.lead_m
        for name in vehicle.getIDList():
            passage = self._passages[name]
            speed_ms = vehicle.getSpeed(name)
            passage.note(speed_ms, self._step_s)
            way_m = vehicle.getDistance(name)
            if passage.crossed_s is not None:
                continue
            if vehicle.getRoadID(name) != APPROACH:
                passage.crossed_s = now_s - (way_m - line_m) / max(speed_ms, 0.1)
                self._ride(passage, passage.rider.speed_ms)
                continue
            if passage.advice is None and way_m >= display_m:
                self._read_display(passage, now_s, line_m - way_m)
            self._ride(passage, self._wanted(passage, line_m - way_m))
        left = self._sumo.simulation.getArrivedIDList()
        for name in left:
            self._passages[name].left_s = now_s
        return len(left)

    def _wanted(self, passage: Passage, distance_m: float) -> float:
        """The speed a rider wants to go on at, so far from the line: own, chosen by the display, or by the signal."""
        model, own_ms = self._model, passage.rider.speed_ms
        if self._state == "G" and distance_m <= model.sight_m:
            return max(own_ms, passage.chosen_ms or own_ms)
        wanted_ms = own_ms if passage.chosen_ms is None else passage.chosen_ms
        if self._state != "G" and distance_m <= model.coast_m:
            return min(wanted_ms, own_ms * model.coast_factor)
        return wanted_ms

    def _ride(self, passage: Passage, speed_ms: float) -> None:
        if speed_ms != passage.target_ms:
            self._sumo.vehicle.setMaxSpeed(passage.rider.name, speed_ms)
            passage.target_ms = speed_ms

    def _read_display(self, passage: Passage, now_s: float, distance_m: float) -> None:
        if self._timeline is None:
            passage.advice = ""
            return
        kind, remaining_s = self._timeline.look(self._origin_ms + now_s * 1000)
        passage.advice = kind
        passage.chosen_ms = choose_speed(passage.rider, self._model, kind, remaining_s, distance_m, self._sprint_s)

    def _record(self, passage: Passage) -> dict[str, Any]:
        assert passage.left_s is not None and passage.crossed_s is not None
        rider = passage.rider
        travel_s = passage.left_s - rider.enters_s
        return {
            "rider": rider.name,
            "enters_s": rider.enters_s,
            "crossed_s": round(passage.crossed_s, 3),
            "stops": passage.stops,
            "stopped_s": round(passage.stopped_s, 3),
            "delay_s": round(travel_s - self._path.length_m / rider.speed_ms, 3),
            "energy_j": round(pedalling_energy(passage.speeds, self._step_s), 1),
            "advice": passage.advice or None,
            "chosen_ms": None if passage.chosen_ms is None else round(passage.chosen_ms, 3),
        }


def main() -> int:
    """Read the job, simulate, print the passages; returns the exit code."""
    job = json.load(sys.stdin)
    # SUMO and its Python package print greetings and warnings where the result belongs.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            import libsumo
        except ImportError as error:
            print(error)
            return MISSING
        with tempfile.TemporaryDirectory(prefix="leezenflow-flow-") as folder:
            passages = Simulation(libsumo, job).run(Path(folder))
    json.dump(passages, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
