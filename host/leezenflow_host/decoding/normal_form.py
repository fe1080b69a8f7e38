# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The normalised form of one decoded message: what `leezenflow decode --json` prints, whatever the wire format.

Numbers are raw as on the wire (TimeMarks, moy, DSecond), an absent field is None, an absent list is []. `movements`,
`intersection`, `moy`, `time_stamp_ms`, `revision` and `status` at the top repeat the first intersection in short.
"""

from collections.abc import Iterable
from typing import Any

from leezenflow.errors import SignalError
from leezenflow.spatem import MOVEMENT_PHASE_STATES, STATUS_BITS, IntersectionState

Message = dict[str, Any]
EventDict = dict[str, Any]

STATE_NAMES = MOVEMENT_PHASE_STATES


def status_names(status: int) -> list[str]:
    """Names of the bits set in an IntersectionStatusObject (bit 0 is 0x8000); the two reserved ones have none."""
    if not status:
        return []
    return [name for bit, name in enumerate(STATUS_BITS) if status & 0x8000 >> bit]


def event(state: int, **fields: Any) -> EventDict:
    """One MovementEvent: `start`, `min_end`, `max_end`, `likely`, `confidence`, `next`, `speeds`, `regional`."""
    timing = fields.get("timing")
    if timing is None:
        timing = fields.get("min_end") is not None
    return {
        "state": state,
        "state_name": STATE_NAMES[state],
        "timing": timing,
        "start": fields.get("start"),
        "min_end": fields.get("min_end"),
        "max_end": fields.get("max_end"),
        "likely": fields.get("likely"),
        "confidence": fields.get("confidence"),
        "next": fields.get("next"),
        "speeds": fields.get("speeds") or [],
        "regional": fields.get("regional") or [],
    }


def movement(signal_group: int, events: list[EventDict], **fields: Any) -> dict[str, Any]:
    """One MovementState: `name`, `maneuver_assist`, `regional` may be given."""
    return {
        "name": fields.get("name"),
        "signal_group": signal_group,
        "events": events,
        "maneuver_assist": fields.get("maneuver_assist") or [],
        "regional": fields.get("regional") or [],
    }


def intersection(intersection_id: int | None, movements: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """One IntersectionState: `name`, `region`, `revision`, `status_value`, `moy`, `time_stamp_ms`, lists."""
    status = fields.get("status_value") or 0
    return {
        "name": fields.get("name"),
        "region": fields.get("region"),
        "id": intersection_id,
        "revision": fields.get("revision"),
        "status": status_names(status),
        "status_value": status,
        "moy": fields.get("moy"),
        "time_stamp_ms": fields.get("time_stamp_ms"),
        "enabled_lanes": fields.get("enabled_lanes") or [],
        "movements": movements,
        "maneuver_assist": fields.get("maneuver_assist") or [],
        "regional": fields.get("regional") or [],
    }


def finish(
    message_id: int | None,
    protocol_version: int | None,
    station_id: int | None,
    spat_name: str | None,
    minute: int | None,
    intersections: list[dict[str, Any]],
    regional: list[dict[str, Any]],
) -> Message:
    """The whole message around its intersections (at least one), with the short form of the first."""
    first = intersections[0]
    return {
        "message_id": message_id,
        "protocol_version": protocol_version,
        "station_id": station_id,
        "spat_name": spat_name,
        "spat_time_stamp_moy": minute,
        "spat_regional": regional,
        "intersection": {"id": first["id"], "region": first["region"]},
        "revision": first["revision"],
        "status": first["status"],
        "moy": first["moy"],
        "time_stamp_ms": first["time_stamp_ms"],
        "movements": [
            {
                "signal_group": movement["signal_group"],
                "events": [
                    {
                        "state": event["state"],
                        "start": event["start"],
                        "min_end": event["min_end"],
                        "max_end": event["max_end"],
                        "likely": event["likely"],
                        "confidence": event["confidence"],
                        "next": event["next"],
                    }
                    for event in movement["events"]
                ],
            }
            for movement in first["movements"]
        ],
        "intersections": intersections,
    }


def from_states(states: Iterable[IntersectionState], names: Iterable[str | None]) -> Message:
    """One message out of what a decoder of single groups said (one state a group, all of one intersection).

    `names` are what the feed calls the groups. For feeds that are no SPATEM: there is no header, and no revision.
    """
    movements = []
    state = None
    for state, name in zip(states, names, strict=True):
        group = state.movement
        movements.append(
            movement(
                group.signal_group,
                [
                    event(
                        told.event_state,
                        timing=told.min_end_time is not None or told.start_time is not None,
                        start=told.start_time,
                        min_end=told.min_end_time,
                        max_end=told.max_end_time,
                        likely=told.likely_time,
                        confidence=told.confidence,
                        next=told.next_time,
                    )
                    for told in group.events[: group.event_count]
                ],
                name=name,
            )
        )
    if state is None:
        raise SignalError("foreign", "no signal group in it")
    found = intersection(None, movements, status_value=state.status, moy=state.moy, time_stamp_ms=state.time_stamp)
    return finish(None, None, None, None, None, [found], [])
