# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes messages in the form of Münster's receivers: XML with numbers, indented, 14 status elements."""

import datetime
from collections.abc import Mapping, Sequence

from leezenflow.spatem import STATUS_BITS
from leezenflow_host.simulation.forecasts import Event
from leezenflow_host.simulation.scenario import IntersectionTable

_UNKNOWN_MARK = 36001

Node = tuple[str, "str | int | list[Node] | None"]


def format_spatem(
    table: IntersectionTable, status: int, at_ms: int, start_ms: int, groups: Mapping[int, Sequence[Event]]
) -> str:
    """One message: `status` are the 16 bits, `at_ms` its instant and `start_ms` what events count from (Unix ms)."""
    at = datetime.datetime.fromtimestamp(at_ms // 1000, datetime.UTC)
    minutes = int((at - at.replace(month=1, day=1, hour=0, minute=0, second=0)).total_seconds()) // 60
    states: list[Node] = [
        _movement(number, [_event(event, start_ms, first=place == 0) for place, event in enumerate(events)])
        for number, events in groups.items()
    ]
    intersection: list[Node] = [
        ("name", table.name),
        ("id", [("region", table.region), ("id", table.id)]),
        ("revision", 1),
        (
            "status",
            [
                (f"IntersectionStatusObject.{name}", int(bool(status & 0x8000 >> bit)))
                for bit, name in enumerate(STATUS_BITS)
            ],
        ),
        ("moy", minutes),
        ("timeStamp", at.second * 1000 + at_ms % 1000),
        ("states", states),
    ]
    header: list[Node] = [("protocolVersion", 2), ("messageID", 4), ("stationID", table.id)]
    spat: list[Node] = [("name", "2.3.0"), ("intersections", [("IntersectionState", intersection)])]
    lines = ['<?xml version="1.0"?>']
    _write(lines, 0, ("DATA", [("ItsPduHeader", header), ("SPAT", spat)]))
    return "\n".join(lines) + "\n"


def _movement(number: int, events: list[Node]) -> Node:
    return ("MovementState", [("movementName", number), ("signalGroup", number), ("state_time_speed", events)])


def _event(event: Event, start_ms: int, first: bool) -> Node:
    content: list[Node] = [("eventState", event.state)]
    if event.max_end_s is not None:
        timing: list[Node] = [
            ("minEndTime", _mark(event.min_end_s, start_ms)),
            ("maxEndTime", _mark(event.max_end_s, start_ms)),
        ]
        if event.likely_end_s is not None:
            timing.append(("likelyTime", _mark(event.likely_end_s, start_ms)))
            timing.append(("confidence", event.confidence))
        content.append(("timing", timing))
        if first:
            # Münster's receivers add this, empty, to the first event of every group with times.
            content.append(("regional", [("RegionalExtension", [("regionId", 3), ("regExtValue", None)])]))
    return ("MovementEvent", content)


def _mark(end_s: int | None, start_ms: int) -> int:
    """Seconds from the beginning as TimeMark: tenths of a second in the hour (J2735 DE_TimeMark)."""
    return _UNKNOWN_MARK if end_s is None else (start_ms // 100 + end_s * 10) % 36000


def _write(lines: list[str], depth: int, node: Node) -> None:
    name, content = node
    indent = "  " * depth
    if isinstance(content, list):
        lines.append(f"{indent}<{name}>")
        for child in content:
            _write(lines, depth + 1, child)
        lines.append(f"{indent}</{name}>")
    elif content is None:
        lines.append(f"{indent}<{name}/>")
    else:
        lines.append(f"{indent}<{name}>{content}</{name}>")
