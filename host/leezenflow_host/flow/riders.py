# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who rides in a simulation, and what a rider does who looks at the display.

Everything a rider brings along is drawn before the simulation and the same with and without a display: when they come,
how fast they like to ride, whether they would follow advice, and what a red light means to them.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from leezenflow.advice import GREEN, RED, SPRINT

# A rider brakes no later than this before a forecast green: nobody aims at the very instant of the switch.
ARRIVAL_MARGIN_S = 1.0
# Riders of one group follow each other at this distance in time.
GROUP_HEADWAY_S = 1.2


@dataclass(frozen=True)
class RiderModel:
    """What is assumed of riders; every number is printed beside the result.

    Speeds in m/s and shares from 0 to 1. `speed_spread` is the standard deviation of riders' own speeds, relative to
    the mean. A rider who follows advice rides no slower than `slowest_ms` and no faster than `fastest_factor` times
    the own speed. `early_red_share` of the riders cross during the first second of red, `any_red_share` at any time
    of red, slowly (`red_speed_ms`). From `sight_m` before the line on, who sees green rides the own speed or faster.
    Within `coast_m` of the line a rider who sees no green coasts at `coast_factor` times the own speed (0: nobody
    coasts, all ride up to the line and brake).
    """

    flow_per_hour: float = 200.0
    group_size: float = 1.0
    speed_ms: float = 5.0
    speed_spread: float = 0.12
    compliance: float = 0.5
    slowest_ms: float = 2.5
    fastest_factor: float = 1.2
    early_red_share: float = 0.3
    any_red_share: float = 0.06
    red_speed_ms: float = 2.5
    sight_m: float = 25.0
    coast_m: float = 0.0
    coast_factor: float = 0.6
    acceleration_ms2: float = 0.8
    deceleration_ms2: float = 1.8


@dataclass(frozen=True, slots=True)
class Rider:
    """One rider of one simulated day: enters at `enters_s`, likes to ride `speed_ms`.

    `reluctance` (0 to 1) is what the compliance must exceed for this rider to follow the display. `red_tolerance_s` is
    how old a red may be that the rider still crosses; -1 when red is red.
    """

    name: str
    enters_s: float
    speed_ms: float
    reluctance: float
    red_tolerance_s: float


def draw_riders(model: RiderModel, seed: int, from_s: float, to_s: float) -> list[Rider]:
    """Return the riders who enter between two instants, in their order; the same arguments give the same riders.

    Groups come at random (Poisson), `flow_per_hour / group_size` of them an hour. What differs between conditions and
    compliances is never drawn here, so two of them share every rider.
    """
    random = Random(f"riders {seed}")
    entries: list[float] = []
    groups_per_s = model.flow_per_hour / model.group_size / 3600
    at_s = from_s
    while True:
        at_s += random.expovariate(groups_per_s)
        if at_s >= to_s:
            break
        entries += [at_s + place * GROUP_HEADWAY_S for place in range(_draw_group(random, model.group_size))]
    riders: list[Rider] = []
    for number, enters_s in enumerate(sorted(entries)):
        # Nobody likes to ride much slower or faster than the rest: two standard deviations.
        deviation = min(max(random.gauss(0, 1), -2.0), 2.0)
        speed_ms = model.speed_ms * (1 + model.speed_spread * deviation)
        reluctance, temper = random.random(), random.random()
        riders.append(Rider(f"r{number}", round(enters_s, 2), speed_ms, reluctance, _tolerance(model, temper)))
    return riders


def _draw_group(random: Random, mean: float) -> int:
    """A geometric number of riders, at least one, `mean` on average."""
    size = 1
    while mean > 1 and random.random() < 1 - 1 / mean:
        size += 1
    return size


def _tolerance(model: RiderModel, temper: float) -> float:
    if temper < model.any_red_share:
        return 10_000.0
    return 1.0 if temper < model.any_red_share + model.early_red_share else -1.0


def choose_speed(
    rider: Rider, model: RiderModel, kind: str, remaining_s: float | None, distance_m: float, sprint_s: float | None
) -> float | None:
    """Return the speed (m/s) at which a rider goes on who has just read the display; None: at the own speed, as before.

    `distance_m` is the way to the stop line, `sprint_s` the time for it at the site's sprint speed. The rider takes
    the display at its word, for themselves: "red for 5 s more" means to come 5 s later, "green for 3 s more" needs no
    change, "sprint" is tried by those who can ride that fast. What the rider cannot do in comfort is not begun: who
    would have to crawl rides on and waits at the line, as today.
    """
    if rider.reluctance >= model.compliance or remaining_s is None:
        return None
    own_s = distance_m / rider.speed_ms
    if kind == RED:
        speed_ms = distance_m / (own_s + remaining_s + ARRIVAL_MARGIN_S)
        return speed_ms if speed_ms >= model.slowest_ms else None
    if kind == SPRINT and sprint_s is not None:
        speed_ms = distance_m / sprint_s
        return speed_ms if rider.speed_ms < speed_ms <= rider.speed_ms * model.fastest_factor else None
    if kind == GREEN and remaining_s < ARRIVAL_MARGIN_S:
        # The green is about to end for them: a little faster, to be sure.
        speed_ms = distance_m / max(own_s + remaining_s - ARRIVAL_MARGIN_S, 1.0)
        return min(speed_ms, rider.speed_ms * model.fastest_factor)
    return None


def pedalling_energy(speeds_ms: Sequence[float], step_s: float) -> float:
    """Return the energy (J) at the wheel of a passage with these speeds, one each `step_s`; braking gives none back.

    Rolling, air and inertia of 90 kg: E = sum of max(0, (m·a + c_r·m·g + ½·ρ·c_dA·v²)·v)·dt, with c_r 0.006,
    c_dA 0.55 m² and ρ 1.2 kg/m³ (an upright rider on a city bicycle on asphalt, no wind, no slope).
    """
    energy_j = 0.0
    for before, after in itertools.pairwise(speeds_ms):
        speed = (before + after) / 2
        force_n = 90 * (after - before) / step_s + 0.006 * 90 * 9.81 + 0.5 * 1.2 * 0.55 * speed * speed
        energy_j += max(0.0, force_n * speed) * step_s
    return energy_j
