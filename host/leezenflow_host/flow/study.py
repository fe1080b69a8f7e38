# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated study: the same riders on the same days, with and without a display, several times over."""

import dataclasses
import importlib.util
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leezenflow.board import Site
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.evaluation.report import observe_truth, read_recording
from leezenflow_host.evaluation.truth import AMBER, COLOURS, GREEN, NONE, RED, UNKNOWN, Truth, load_truth
from leezenflow_host.flow import timelines
from leezenflow_host.flow.riders import Rider, RiderModel, draw_riders
from leezenflow_host.flow.sumo_files import Path2D
from leezenflow_host.flow.sumo_worker import MISSING
from leezenflow_host.flow.timelines import Timeline
from leezenflow_host.simulation.recording import simulate
from leezenflow_host.simulation.scenario import load_scenario
from leezenflow_host.trace import TraceMessage

WITHOUT, DISPLAY, PERFECT, ARITHMETIC, UNSHIFTED = "without", "display", "perfect", "arithmetic", "unshifted"
CONDITIONS = (WITHOUT, DISPLAY, PERFECT, ARITHMETIC, UNSHIFTED)

SIGNALS = {"fixed": "fixed_time", "actuated": "actuated", "bus": "bus_priority"}
"""Kind of signal -> bundled scenario."""
GENERATED_HEADER: dict[str, Any] = {"intersection": "49:1090", "signal_group": 12, "adapter": "spatem_xml"}
"""Which signal of the bundled scenarios the riders have: the bicycle signal."""

# Before this a display has no two messages yet, and the path is empty.
_WARMUP_S = 40.0
# Between entering and passing the display even the slowest are done after this.
_LEAD_IN_S = 40.0
# A rider who would meet a stretch that nobody observed, or come this close to it, is not sent in.
_UNKNOWN_MARGIN_S = 60.0
# Days whose messages are kept in memory (some 13 MB each for half an hour).
_DAYS_HELD = 4
_LAMPS = {GREEN: "G", RED: "r", AMBER: "y", NONE: "O", UNKNOWN: "r"}


@dataclass(frozen=True)
class Day:
    """One signal history: what the lamp did, and the messages about it. Riders enter between two instants (s)."""

    title: str
    truth: Truth
    messages: Sequence[TraceMessage]
    enter_from_s: float
    enter_to_s: float
    known_until_s: float
    problems: tuple[str, ...] = ()

    def lamp_states(self) -> list[tuple[float, str]]:
        """When the lamp changed to which state of SUMO's, in seconds from the beginning of the day."""
        return [
            ((at_ms - self.truth.from_ms) / 1000, _LAMPS[colour])
            for at_ms, colour in zip(self.truth.starts, self.truth.colours, strict=True)
        ]

    def unknown(self) -> list[tuple[float, float]]:
        """Stretches in which nobody knows what the lamp did, in seconds."""
        starts = [(at_ms - self.truth.from_ms) / 1000 for at_ms in self.truth.starts]
        ends = [*starts[1:], self.known_until_s]
        return [
            (start, end)
            for start, end, colour in zip(starts, ends, self.truth.colours, strict=True)
            if colour == UNKNOWN
        ]


@dataclass(frozen=True)
class StudySetup:
    """Everything a simulated study rests on; `seeds` number its days."""

    site: Site
    path: Path2D
    model: RiderModel
    seeds: tuple[int, ...]
    conditions: tuple[str, ...] = CONDITIONS
    signal: str | None = "fixed"
    duration_s: int = 1800
    trace: Path | None = None
    truth_file: Path | None = None
    memory: bytes | None = None
    step_s: float = 0.2
    lateral_m: float = 0.2


@dataclass(frozen=True)
class StudyRun:
    """What one day gave under one condition: riders sent in, and a record of each who got through.

    `notes` say what was left out, and what was wrong with the recording.
    """

    seed: int
    condition: str
    entered: int
    passages: list[dict[str, Any]]
    truth: Truth = field(repr=False)
    notes: tuple[str, ...] = ()


def require_sumo() -> None:
    """Raise LeezenflowError when SUMO is not installed."""
    if importlib.util.find_spec("libsumo") is None:
        raise LeezenflowError(
            "SUMO is not installed, and simulating riders needs it (about 800 MB): pip install 'leezenflow[flow]'"
        )


def require_generated(site: Site) -> None:
    """Raise InputError when a site asks for a signal that the bundled scenarios do not have."""
    if (site.region or 49, site.intersection_id) != (49, 1090) or site.signal_group not in (1, 5, 12, 14):
        raise InputError(
            "a generated signal is intersection 49:1090 with the signal groups 1, 5, 12 and 14; "
            "for another one, simulate or record it first and give --trace TRACE"
        )


def recorded_day(setup: StudySetup) -> Day:
    """The day of a recording; InputError when it is too short, or holds nothing about the signal."""
    assert setup.trace is not None
    recording = read_recording(setup.trace)
    if setup.truth_file is not None:
        truth = load_truth(setup.truth_file, setup.site.signal_group)
    else:
        truth = observe_truth(recording, setup.site)
    offset_ms = truth.rx_offset_ms
    if not recording.messages[0].at_ms - offset_ms <= truth.to_ms or truth.from_ms > recording.messages[-1].at_ms:
        raise InputError(f"{setup.truth_file}: is about another time than {setup.trace}")
    day = _make_day(str(setup.trace), truth, recording.messages, setup)
    return dataclasses.replace(day, problems=tuple(recording.problems))


def generated_day(setup: StudySetup, seed: int) -> Day:
    """A day of a generated signal; another seed, another day."""
    assert setup.signal is not None
    name, scenario = load_scenario(SIGNALS[setup.signal])
    recording = simulate(name, scenario, seed, setup.duration_s)
    truth = Truth(recording.truth["from_ms"], recording.truth["to_ms"], recording.truth["rx_offset_ms"])
    for at_ms, state in recording.truth["signal_groups"][str(setup.site.signal_group)]:
        truth.append(at_ms, COLOURS.get(state, NONE))
    return _make_day(f"{name}, seed {seed}", truth, recording.messages, setup)


def _make_day(title: str, truth: Truth, messages: Sequence[TraceMessage], setup: StudySetup) -> Day:
    first_ms = max(messages[0].at_ms - truth.rx_offset_ms, truth.from_ms)
    last_ms = messages[-1].at_ms - truth.rx_offset_ms
    known_ms = max(truth.starts[-1] if truth.starts else truth.from_ms, truth.to_ms)
    reds_ms = [
        end - max(start, truth.from_ms)
        for start, end, colour in zip(truth.starts, truth.starts[1:], truth.colours, strict=False)
        if colour == RED and end > truth.from_ms
    ]
    # Whoever enters must be able to cross while the signal is still known, after the longest red of the day.
    tail_s = (max(reds_ms, default=60_000) + setup.site.cruise_ms) / 1000 + 60.0
    enter_from_s = (first_ms - truth.from_ms) / 1000 + _WARMUP_S
    enter_to_s = min((last_ms - truth.from_ms) / 1000 - _LEAD_IN_S, (known_ms - truth.from_ms) / 1000 - tail_s)
    if enter_to_s - enter_from_s < 60:
        raise InputError(
            f"{title}: too short; riders must be able to come for a minute at least, after {_WARMUP_S:.0f} s and "
            f"{tail_s:.0f} s before the end"
        )
    return Day(title, truth, messages, enter_from_s, enter_to_s, (known_ms - truth.from_ms) / 1000)


def send_riders(setup: StudySetup, day: Day, seed: int) -> list[Rider]:
    """The riders of a day, the same under every condition; none who would arrive when nobody knows the signal."""
    unknown = day.unknown()
    return [
        rider
        for rider in draw_riders(setup.model, seed, day.enter_from_s, day.enter_to_s)
        if not any(
            start - _UNKNOWN_MARGIN_S
            <= rider.enters_s + setup.path.approach_m / rider.speed_ms
            <= end + _UNKNOWN_MARGIN_S
            for start, end in unknown
        )
    ]


def show_timeline(setup: StudySetup, day: Day, condition: str) -> Timeline | None:
    """What the display says during a day under a condition; None where there is none."""
    site, truth = setup.site, day.truth
    if condition == WITHOUT:
        return None
    if condition == DISPLAY:
        return timelines.core_timeline(day.messages, site, truth.rx_offset_ms, setup.memory)
    if condition == ARITHMETIC:
        return timelines.arithmetic_timeline(day.messages, site, truth.rx_offset_ms)
    to_ms = truth.from_ms + round((day.enter_to_s + _LEAD_IN_S) * 1000)
    if condition == PERFECT:
        return timelines.perfect_timeline(truth, site, to_ms)
    return timelines.unshifted_timeline(truth, site, to_ms)


def run_study(setup: StudySetup, jobs: int | None = None, on_run: Callable[[], None] = lambda: None) -> list[StudyRun]:
    """Simulate every day under every condition; `on_run` is called after each. The order is that of seeds, conditions.

    Raises LeezenflowError when SUMO is missing or fails, InputError when the recording cannot be used.
    """
    require_sumo()
    if setup.trace is None:
        require_generated(setup.site)
    days = _Days(setup)
    pool = ThreadPoolExecutor(jobs or os.cpu_count() or 1)

    def run_one(seed: int, condition: str) -> StudyRun:
        run = _simulate(setup, days.day(seed), seed, condition)
        on_run()
        return run

    try:
        return list(pool.map(run_one, *zip(*itertools.product(setup.seeds, setup.conditions), strict=True)))
    finally:
        pool.shutdown(cancel_futures=True)


class _Days:
    """The days of a study, each made once and held while its conditions are simulated; safe to ask from threads."""

    def __init__(self, setup: StudySetup) -> None:
        self._setup = setup
        self._recorded = recorded_day(setup) if setup.trace is not None else None
        self._lock = threading.Lock()
        self._made: dict[int, Day] = {}

    def day(self, seed: int) -> Day:
        """The day of a seed."""
        if self._recorded is not None:
            return self._recorded
        with self._lock:
            if seed not in self._made:
                if len(self._made) > _DAYS_HELD:
                    del self._made[next(iter(self._made))]
                self._made[seed] = generated_day(self._setup, seed)
            return self._made[seed]


def _simulate(setup: StudySetup, day: Day, seed: int, condition: str) -> StudyRun:
    riders = send_riders(setup, day, seed)
    timeline = show_timeline(setup, day, condition)
    sprint_ms = setup.site.sprint_ms
    job = {
        "model": dataclasses.asdict(setup.model),
        "path": dataclasses.asdict(setup.path),
        "riders": [dataclasses.asdict(rider) for rider in riders],
        "signal": day.lamp_states(),
        "timeline": None if timeline is None else timeline.as_dict(),
        "origin_ms": day.truth.from_ms,
        "sprint_s": None if sprint_ms is None else sprint_ms / 1000,
        "step_s": setup.step_s,
        "until_s": day.known_until_s,
        "seed": seed,
        "lateral_m": setup.lateral_m,
    }
    return StudyRun(seed, condition, len(riders), _ask_worker(job), day.truth, _list_notes(day))


def _list_notes(day: Day) -> tuple[str, ...]:
    unknown = day.unknown()
    if not unknown:
        return day.problems
    seconds = sum(end - start for start, end in unknown)
    return (
        *day.problems,
        f"Stretches in which nobody saw the lamp: {len(unknown)}, {seconds:.0f} s in all. No rider was sent who would "
        f"have arrived then, or within {_UNKNOWN_MARGIN_S:.0f} s before or after",
    )


def _ask_worker(job: dict[str, Any]) -> list[dict[str, Any]]:
    command = [sys.executable, "-P", "-m", "leezenflow_host.flow.sumo_worker"]
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=False)
    if done.returncode == MISSING:
        raise LeezenflowError(
            f"SUMO cannot be loaded ({done.stderr.strip().splitlines()[-1]}). "
            "Install it again: pip install --force-reinstall 'leezenflow[flow]'"
        )
    if done.returncode != 0:
        words = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        raise LeezenflowError(
            f"SUMO stopped in the middle (seed {job['seed']}, exit code {done.returncode}): {words[-1]}\n"
            "Try it again with --jobs 1; if it stops again, report this line with the command."
        )
    return json.loads(done.stdout)
