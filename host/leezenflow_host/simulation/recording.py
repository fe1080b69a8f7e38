# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a scenario to the recording a receiver would have made of it, and to the truth beside it."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from leezenflow.spatem import (
    CAUTION_CONFLICTING_TRAFFIC,
    STATUS_FIXED_TIME_OPERATION,
    STATUS_SIGNAL_PRIORITY_IS_ACTIVE,
    STATUS_STANDBY_OPERATION,
    STATUS_TRAFFIC_DEPENDENT_OPERATION,
    STOP_AND_REMAIN,
    UNAVAILABLE,
)
from leezenflow_host.simulation.controller import LEAD_S, TAIL_S
from leezenflow_host.simulation.forecasts import Event, simulate_controller
from leezenflow_host.simulation.muenster_xml import format_spatem
from leezenflow_host.simulation.scenario import Scenario
from leezenflow_host.trace import TraceHeader, TraceMessage


@dataclass(frozen=True, slots=True)
class Recording:
    """A simulated recording: `messages` in the order of arrival, `truth` as docs/reference/trace-format.md has it."""

    header: TraceHeader
    messages: list[TraceMessage]
    truth: dict[str, Any]


def simulate(name: str, scenario: Scenario, seed: int, duration_s: int | None = None) -> Recording:
    """Simulate `duration_s` of a scenario (by default its own); the same arguments give the same recording."""
    if duration_s is None:
        duration_s = scenario.duration_s
    history, forecaster = simulate_controller(scenario, seed, duration_s)
    start_ms = scenario.start_ms
    groups = {int(number): table for number, table in scenario.group.items()}
    truth: dict[str, Any] = {
        "scenario": name,
        "seed": seed,
        "intersection": {"region": scenario.intersection.region, "id": scenario.intersection.id},
        "from_ms": start_ms,
        "to_ms": start_ms + duration_s * 1000,
        "rx_offset_ms": scenario.messages.receiver_offset_ms,
        "signal_groups": {
            str(number): _clip(forecaster.switches(table), start_ms, duration_s) for number, table in groups.items()
        },
    }

    def message(at_ms: int) -> str:
        at_s = (at_ms - start_ms) // 1000
        status = STATUS_FIXED_TIME_OPERATION if scenario.program.fixed_time else STATUS_TRAFFIC_DEPENDENT_OPERATION
        if forecaster.is_flashing(at_s):
            status = STATUS_STANDBY_OPERATION
            events = {number: [Event(CAUTION_CONFLICTING_TRAFFIC)] for number in groups}
        else:
            if history.moment(at_s).bus:
                status |= STATUS_SIGNAL_PRIORITY_IS_ACTIVE
            plan = forecaster.plan(at_s)
            events = {number: forecaster.events(table, at_s, plan) for number, table in groups.items()}
        for number in scenario.intersection.idle_groups:
            events[number] = [Event(UNAVAILABLE)]
        told_ms, step_ms = _controller_clock(scenario, at_ms - start_ms)
        return format_spatem(scenario.intersection, status, start_ms + told_ms, start_ms + step_ms, events)

    texts = _sent(scenario, duration_s, message)
    messages = _arrived(scenario, Random(f"network {seed}"), texts)
    header = TraceHeader(
        "spatem_xml",
        f"generated: leezenflow simulate {name} --seed {seed} --duration {duration_s}",
        f"{scenario.title}. A simulated intersection; no real signal behaved like this.",
    )
    return Recording(header, messages, truth)


def _controller_clock(scenario: Scenario, since_ms: int) -> tuple[int, int]:
    """What the controller's clock shows `since_ms` after the beginning, and how far ahead the times it tells are."""
    step_ms = 0
    for fault in sorted(scenario.clock, key=lambda fault: fault.at_s):
        begin_ms = fault.at_s * 1000
        if since_ms < begin_ms:
            break
        if since_ms < begin_ms + fault.stands_s * 1000:
            return begin_ms + step_ms, step_ms
        step_ms += fault.step_ms
    return since_ms + step_ms, step_ms


def _clip(switches: list[tuple[int, int]], start_ms: int, duration_s: int) -> list[list[int]]:
    """The switches from LEAD_S before the beginning on, the state at that instant first, in Unix ms."""
    first_s = -LEAD_S
    state = STOP_AND_REMAIN
    for at_s, following in switches:
        if at_s <= first_s:
            state = following
    later = [(at_s, following) for at_s, following in switches if first_s < at_s < duration_s + TAIL_S]
    return [[start_ms + at_s * 1000, following] for at_s, following in [(first_s, state), *later]]


def _sent(scenario: Scenario, duration_s: int, message: Any) -> Iterator[tuple[int, str]]:
    """(instant, text) of every message the controller sends, in Unix ms of the true time."""
    start_ms = scenario.start_ms
    for offset_ms in range(0, duration_s * 1000, scenario.messages.period_ms):
        if any(one.at_s * 1000 <= offset_ms < (one.at_s + one.length_s) * 1000 for one in scenario.silence):
            continue
        yield start_ms + offset_ms, message(start_ms + offset_ms)


def _arrived(scenario: Scenario, random: Random, sent: Iterator[tuple[int, str]]) -> list[TraceMessage]:
    """What becomes of the messages on their way."""
    table = scenario.messages
    topic = f"/spat/{scenario.intersection.id}"
    arrivals: list[tuple[int, int, bytes]] = []
    lost = 0
    for number, (sent_ms, text) in enumerate(sent):
        # Delays have a floor and a tail.
        delay_ms = table.latency_ms + round(table.jitter_ms * random.gammavariate(1.0, 1.0))
        chances = [random.random() for _ in range(4)]
        payload = text.encode()
        if lost > 0:
            lost -= 1
            continue
        if chances[0] < table.lost / table.burst:
            lost = random.randrange(2 * table.burst - 1)
            continue
        if chances[1] < table.late:
            delay_ms += random.randrange(table.period_ms, 4 * table.period_ms)
        if chances[2] < table.cut:
            payload = payload[: random.randrange(len(payload))]
        at_ms = sent_ms + delay_ms + table.receiver_offset_ms
        heapq.heappush(arrivals, (at_ms, number, payload))
        if chances[3] < table.doubled:
            heapq.heappush(arrivals, (at_ms + random.randrange(2 * table.period_ms), number, payload))
    return [
        TraceMessage(at_ms, topic, payload, line)
        for line, (at_ms, _, payload) in enumerate(iter(lambda: heapq.heappop(arrivals) if arrivals else None, None), 2)
    ]
