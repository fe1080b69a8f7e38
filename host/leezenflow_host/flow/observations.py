# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passages of a stop line, from whatever was noted at the roadside, and the signal cycle each belongs to."""

import bisect
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leezenflow_host.errors import InputError
from leezenflow_host.evaluation.truth import GREEN, NONE, RED, UNKNOWN, Truth
from leezenflow_host.flow.observed_files import COUNTS, TRAJECTORIES, ObservedFile, read_observed
from leezenflow_host.flow.trajectories import Sample, measure_way


@dataclass(frozen=True)
class Observation:
    """One passage of the line; None where it was not observed. Times in s, speeds in m/s; `place` is file and line."""

    place: str
    rider: str
    at_s: float | None
    absolute: bool
    stopped: bool
    condition: str = ""
    period: str = ""
    cycle: str | None = None
    stops: int | None = None
    stopped_s: float | None = None
    delay_s: float | None = None
    signal: str | None = None
    red_age_s: float | None = None
    mean_speed_ms: float | None = None
    speed_deviation: float | None = None
    acceleration_noise: float | None = None

    @property
    def met_red(self) -> bool:
        """Whether the rider arrived on red: stopped, or crossed on it."""
        return self.stopped or self.signal == RED


def read_observations(paths: Sequence[Path], free_speed_ms: float | None = None) -> tuple[list[Observation], list[str]]:
    """Read all files; returns the passages, and what was left aside, in words."""
    observations: list[Observation] = []
    notes: list[str] = []
    seen: dict[tuple[Any, ...], str] = {}
    for path in paths:
        file = read_observed(path)
        if file.unknown_columns:
            notes.append(f"{path}: not known and left aside: column {', '.join(file.unknown_columns)}")
        for one in _observe(file, free_speed_ms, notes):
            if file.kind != COUNTS:
                key = (one.rider, one.at_s, one.condition, one.period)
                if key in seen:
                    notes.append(f"{one.place}: is the same passage as {seen[key]}; counted once")
                    continue
                seen[key] = one.place
            observations.append(one)
    if not observations:
        raise InputError("\n".join(["nothing is left to measure:", *notes]))
    kinds = {one.absolute: one.place for one in observations if one.at_s is not None}
    if len(kinds) > 1:
        raise InputError(
            f"{kinds[True]} has a date and time, {kinds[False]} only seconds: give all times in the same way"
        )
    return observations, notes


def _observe(file: ObservedFile, free_speed_ms: float | None, notes: list[str]) -> Iterable[Observation]:
    if file.kind == TRAJECTORIES:
        return _from_trajectories(file, free_speed_ms, notes)
    return _from_counts(file) if file.kind == COUNTS else _from_passages(file)


def _shared(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("condition", "period", "cycle") if name in row}


def _from_passages(file: ObservedFile) -> Iterable[Observation]:
    for row, line in zip(file.rows, file.lines, strict=True):
        values = {name: row[name] for name in ("stopped_s", "delay_s", "signal", "red_age_s") if name in row}
        if "red_age_s" in row:
            values["signal"] = RED
        stops = row.get("stops", None if row["stopped"] else 0)
        time = row["time"]
        place = f"{file.path}:{line}"
        yield Observation(
            place, row["rider"], time.at_s, time.absolute, row["stopped"], **_shared(row), stops=stops, **values
        )


def _from_counts(file: ObservedFile) -> Iterable[Observation]:
    """A cycle's riders one by one. Which of them crossed on red nobody noted: those who did not stop come first."""
    for row, line in zip(file.rows, file.lines, strict=True):
        early, late = row.get("on_red_under_1_s"), row.get("on_red_from_1_s")
        known = early is not None or late is not None
        ages = [0.0] * (early or 0) + [1.0] * (late or 0)
        for number in range(row["riders"]):
            age_s = ages[number] if number < len(ages) else None
            yield Observation(
                f"{file.path}:{line}",
                f"{row['cycle']}-{number}",
                None,
                False,
                number >= row["riders"] - row["stopped"],
                **_shared(row),
                signal=(RED if age_s is not None else NONE) if known else None,
                red_age_s=age_s,
            )


def _from_trajectories(file: ObservedFile, free_speed_ms: float | None, notes: list[str]) -> Iterable[Observation]:
    ways: dict[tuple[Any, ...], list[tuple[int, dict[str, Any]]]] = {}
    for row, line in zip(file.rows, file.lines, strict=True):
        ways.setdefault((row["rider"], row.get("condition"), row.get("period")), []).append((line, row))
    faults: list[str] = []
    found: list[Observation] = []
    for (rider, *_), rows in ways.items():
        faults += _check_order(file.path, rows)
        first_line, first = rows[0]
        samples = [
            Sample(row["time"].at_s, row["position_m"], row.get("speed_ms"), row.get("signal")) for _, row in rows
        ]
        if faults:
            continue
        place = f"{file.path}:{first_line}"
        try:
            way = measure_way(samples, free_speed_ms or first.get("free_speed_ms"))
        except ValueError as error:
            notes.append(f"{place}: rider {rider} {error}; left aside")
            continue
        # The cycle is that of the crossing, not of the first position.
        at_line = max((row for _, row in rows if row["time"].at_s <= way.crossed_s), key=lambda row: row["time"].at_s)
        found.append(
            Observation(
                place,
                rider,
                way.crossed_s,
                first["time"].absolute,
                way.stops > 0,
                **_shared(at_line),
                stops=way.stops,
                stopped_s=way.stopped_s,
                delay_s=way.delay_s,
                signal=way.signal,
                red_age_s=way.red_age_s,
                mean_speed_ms=way.mean_speed_ms,
                speed_deviation=way.speed_deviation,
                acceleration_noise=way.acceleration_noise,
            )
        )
    if faults:
        raise InputError("\n".join(faults[:20]))
    return found


def _check_order(path: Path, rows: list[tuple[int, dict[str, Any]]]) -> list[str]:
    faults: list[str] = []
    for (before_line, before), (line, row) in itertools.pairwise(rows):
        if before["time"].absolute != row["time"].absolute:
            faults.append(f"{path}:{line}: column time is of another kind than in line {before_line}; use one of them")
        elif row["time"].at_s <= before["time"].at_s:
            faults.append(
                f"{path}:{line}: column time is not later than in line {before_line}, the position of rider "
                f"{row['rider']} before it; sort the file by time, or give each passage its own name"
            )
    return faults


def add_truth(observations: Sequence[Observation], truth: Truth) -> list[Observation]:
    """Add lamp, age of red and cycle (the greens so far) from a truth file; what was observed itself stays.

    InputError when the times cannot be compared.
    """
    greens = [at_ms for at_ms, colour in zip(truth.starts, truth.colours, strict=True) if colour == GREEN]
    known: list[Observation] = []
    for one in observations:
        if one.at_s is None or not one.absolute:
            raise InputError(f"{one.place}: --truth needs a date and time of every passage, not seconds or counts")
        at_ms = round(one.at_s * 1000)
        index = truth.index_at(at_ms)
        colour = truth.colours[index] if index >= 0 else UNKNOWN
        if colour == UNKNOWN or (index == len(truth.starts) - 1 and at_ms > truth.to_ms):
            known.append(one)
            continue
        age_s = (at_ms - truth.starts[index]) / 1000 if colour == RED else None
        known.append(
            replace(
                one,
                signal=one.signal or colour,
                red_age_s=one.red_age_s if one.signal is not None and one.red_age_s is not None else age_s,
                cycle=one.cycle or str(bisect.bisect_right(greens, at_ms)),
            )
        )
    return known


def add_cycles(observations: Sequence[Observation], length_s: float) -> list[Observation]:
    """Number the cycles of a fixed program by the clock, where none are given."""
    counted: list[Observation] = []
    for one in observations:
        if one.cycle is None and one.at_s is None:
            raise InputError(f"{one.place}: --cycle-length needs a time of every passage")
        counted.append(one if one.cycle is not None else replace(one, cycle=str(int((one.at_s or 0) // length_s))))
    return counted
