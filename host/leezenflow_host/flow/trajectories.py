# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One rider's way to the line and over it: stops, delays, how unsteady it was, and the light at the line."""

import math
from dataclasses import dataclass

import numpy as np

STOP_MS = 0.3
"""Slower than this (m/s) is a stop."""
MOVING_MS = 1.0
"""A stop is over when the rider is faster than this (m/s): who creeps up in the queue has not stopped twice."""
FREE_PERCENTILE = 85
"""A rider's own free speed, where nothing else says it: faster than in this share (%) of the time in motion."""
MAX_GAP_S = 5.0
"""Between two positions further apart in time nobody knows whether the rider stopped."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A position: instant in s, metres from the line (negative before it), and what else was observed there."""

    at_s: float
    position_m: float
    speed_ms: float | None = None
    signal: str | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """What a trajectory shows (speeds in m/s, times in s); None where it does not.

    `acceleration_noise` is the standard deviation of the acceleration (m/s²), `speed_deviation` that of the speed,
    both weighted by time. `signal` is the lamp at the line, `red_age_s` how long it had been red.
    """

    crossed_s: float
    stops: int
    stopped_s: float
    delay_s: float | None
    mean_speed_ms: float
    speed_deviation: float
    acceleration_noise: float | None
    signal: str | None
    red_age_s: float | None


def measure_way(samples: list[Sample], free_speed_ms: float | None = None) -> Way:
    """Measure a trajectory whose instants ascend. ValueError says in words why it cannot be.

    Control delay is the time observed less the time for the same way at the rider's free speed (FHWA-RD-98-108,
    chapter 3); without `free_speed_ms` that is the rider's own FREE_PERCENTILE.
    """
    if len(samples) < 3:
        raise ValueError("has fewer than three positions")
    at = np.array([sample.at_s for sample in samples])
    position = np.array([sample.position_m for sample in samples])
    lengths = np.diff(at)
    if lengths.max() > MAX_GAP_S:
        raise ValueError(f"was not seen for {lengths.max():.1f} s")
    crossing = _crossing(at, position)
    if crossing is None:
        raise ValueError("was not seen crossing the stop line")
    given = [sample.speed_ms for sample in samples]
    if any(speed is None for speed in given):
        speeds = np.diff(position) / lengths
    else:
        ends = np.array(given, dtype=float)
        speeds = (ends[1:] + ends[:-1]) / 2
    stops, stopped_s = _count_stops(speeds, lengths)
    mean = float(np.average(speeds, weights=lengths))
    signal, red_age_s = _light(samples, crossing)
    return Way(
        crossed_s=crossing,
        stops=stops,
        stopped_s=stopped_s,
        delay_s=_delay(at, position, speeds, lengths, free_speed_ms),
        mean_speed_ms=mean,
        speed_deviation=math.sqrt(float(np.average((speeds - mean) ** 2, weights=lengths))),
        acceleration_noise=_acceleration_noise(speeds, lengths),
        signal=signal,
        red_age_s=red_age_s,
    )


def _crossing(at: np.ndarray, position: np.ndarray) -> float | None:
    """The instant of the first passage of the line, between two positions."""
    steps = np.flatnonzero((position[:-1] < 0) & (position[1:] >= 0))
    if not len(steps):
        return None
    i = int(steps[0])
    part = -position[i] / (position[i + 1] - position[i])
    return float(at[i] + part * (at[i + 1] - at[i]))


def _count_stops(speeds: np.ndarray, lengths: np.ndarray) -> tuple[int, float]:
    stops, standing = 0, False
    for speed in speeds:
        if speed < STOP_MS and not standing:
            stops += 1
            standing = True
        elif speed > MOVING_MS:
            standing = False
    return stops, float(lengths[speeds < STOP_MS].sum())


def _delay(
    at: np.ndarray, position: np.ndarray, speeds: np.ndarray, lengths: np.ndarray, free_speed_ms: float | None
) -> float | None:
    if free_speed_ms is None:
        moving = speeds >= MOVING_MS
        if not moving.any():
            return None
        order = np.argsort(speeds[moving])
        weights = np.cumsum(lengths[moving][order])
        place = int(np.searchsorted(weights, weights[-1] * FREE_PERCENTILE / 100))
        free_speed_ms = float(speeds[moving][order][min(place, len(order) - 1)])
    return float(at[-1] - at[0] - (position[-1] - position[0]) / free_speed_ms)


def _acceleration_noise(speeds: np.ndarray, lengths: np.ndarray) -> float | None:
    if len(speeds) < 2:
        return None
    between = (lengths[1:] + lengths[:-1]) / 2
    accelerations = np.diff(speeds) / between
    mean = np.average(accelerations, weights=between)
    return math.sqrt(float(np.average((accelerations - mean) ** 2, weights=between)))


def _light(samples: list[Sample], crossing_s: float) -> tuple[str | None, float | None]:
    """The lamp at the last position before the line, and since when the rider's own positions know it red."""
    before = [sample for sample in samples if sample.at_s <= crossing_s and sample.signal is not None]
    if not before:
        return None, None
    signal = before[-1].signal
    if signal != "red":
        return signal, None
    since_s = None
    for sample in reversed(before):
        if sample.signal != "red":
            return signal, crossing_s - since_s if since_s is not None else None
        since_s = sample.at_s
    # Red all the way: at least that old.
    age_s = crossing_s - before[0].at_s
    return signal, age_s if age_s >= 1 else None
