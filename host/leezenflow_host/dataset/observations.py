# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one message said about one intersection, whatever the wire format: a dataset before it is tables."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from leezenflow.spatem import IntersectionState, MovementState
from leezenflow.timemark import FIRST_UNUSABLE_MARK
from leezenflow_host.dataset.instants import message_instant
from leezenflow_host.dataset.schema import intersection_name
from leezenflow_host.decoding.normal_form import Message
from leezenflow_host.decoding.spatem_uper import STATE_CHANGE_REASONS

# event_state, start, min_end, likely, max_end (TimeMarks; None: none usable), confidence, state_change_reason
Event = tuple[int, int | None, int | None, int | None, int | None, int | None, int | None]
Events = tuple[Event, ...]


@dataclass(slots=True)
class Observation:
    """One message about one intersection: its arrival (Unix ms), its own time, and the events of its signal groups."""

    at_ms: int
    intersection: str
    message_at_ms: int | None
    clock: int
    status: int = 0
    revision: int | None = None
    program: int | None = None
    on_change: bool = False
    heartbeat: bool = False
    movements: list[tuple[int, Events]] = field(default_factory=list)


@dataclass(slots=True)
class Problem:
    """Something in a source that was not as it should be, where and when; `kind` is one word of the documentation."""

    kind: str
    text: str
    line: int | None = None
    intersection: str | None = None
    signal_group: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    count: int = 1


def observations_of(message: Message, at_ms: int, fallback: str | None) -> Iterable[Observation]:
    """The intersections of a message in the normalised form; `fallback` names one whose feed gives no id.

    ValueError when there is no name for it at all.
    """
    for told in message["intersections"]:
        movements = told["movements"]
        if told["id"] is None:
            if fallback is None:
                raise ValueError("the messages name no intersection; name it with --intersection")
            name = fallback
        else:
            name = intersection_name(told["region"], told["id"])
        moy = told["moy"] if told["moy"] is not None else message["spat_time_stamp_moy"]
        message_at_ms, clock = message_instant(moy, told["time_stamp_ms"], at_ms)
        yield Observation(
            at_ms,
            name,
            message_at_ms,
            clock,
            told["status_value"],
            told["revision"],
            movements=[
                (movement["signal_group"], tuple(_told_event(event) for event in movement["events"]))
                for movement in movements
            ],
        )


def observation_of_state(state: IntersectionState, at_ms: int, intersection: str) -> Observation:
    """What a decoder of one signal group has just read."""
    message_at_ms, clock = message_instant(state.moy, state.time_stamp, at_ms)
    observation = Observation(
        at_ms, intersection, message_at_ms, clock, state.status, state.revision, state.program, state.on_change
    )
    observation.heartbeat = state.heartbeat
    if not state.heartbeat:
        observation.movements.append((state.movement.signal_group, state_events(state.movement)))
    return observation


def state_events(movement: MovementState) -> Events:
    """The events of a decoded signal group."""
    return tuple(
        (
            event.event_state,
            _usable(event.start_time),
            _usable(event.min_end_time),
            _usable(event.likely_time),
            _usable(event.max_end_time),
            event.confidence,
            event.state_change_reason,
        )
        for event in movement.events[: movement.event_count]
    )


def _told_event(event: dict[str, Any]) -> Event:
    return (
        event["state"],
        _usable(event["start"]),
        _usable(event["min_end"]),
        _usable(event["likely"]),
        _usable(event["max_end"]),
        event["confidence"],
        _reason(event["regional"]) if event["regional"] else None,
    )


def _usable(mark: int | None) -> int | None:
    return mark if mark is not None and mark < FIRST_UNUSABLE_MARK else None


def _reason(regional: list[dict[str, Any]]) -> int | None:
    for entry in regional:
        value = entry.get("value")
        name = value.get("stateChangeReason") if isinstance(value, dict) else None
        if name in STATE_CHANGE_REASONS:
            return STATE_CHANGE_REASONS.index(name)
    return None
