# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a place on the map to a signal group: which lanes of a MAP pass a display, and what each of them obeys.

Lane geometry as in SAE J2735 (DF_NodeListXY): the first node is at the stop line, offset from the reference point;
every further node is an offset from the one before, running upstream. x is east, y is north, in cm.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

# Good to centimetres over 300 m.
_M_PER_DEGREE_NORTH = 111_132.0
_M_PER_DEGREE_EAST = 111_320.0

# A display stands 50-200 m before its signal, but many MAPs draw bicycle lanes only for the last 30: the lane is taken
# to go on straight for as long as this.
MAX_EXTENSION_M = 250.0

# What weighs as much as a metre beside the lane: degrees of heading, and kinds of lane and manoeuvre less likely meant.
_DEGREES_PER_M = 4.0
_OTHER_MANEUVER_M = 3.0
_KIND_M = {"bikeLane": 0.0, "crosswalk": 2.0, "shared": 2.0, "vehicle": 6.0}
_EXTENDED_M = 2.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One lane with one connection that a signal group controls, seen from the display.

    `beside_m` is the distance of the display from the lane, `stop_line_m` that along the lane to its stop line;
    `heading` the riding direction there (degrees from north), `turn` its difference from the one asked for.
    `extended_m` says how far beyond the lane's last node the display is; `score` ranks, in metres, less is better.
    """

    signal_group: int
    lane_id: int
    lane_name: str | None
    kind: str
    maneuvers: tuple[str, ...]
    egress_lane: int
    beside_m: float
    stop_line_m: float
    heading: float
    turn: float | None
    extended_m: float
    score: float


def bicycle_kind(lane: dict[str, Any]) -> str | None:
    """ "bikeLane", "crosswalk" (bicycles allowed) or "shared" (cyclists named as sharing it); None for other lanes."""
    if lane["lane_type"] == "bikeLane":
        return "bikeLane"
    # LaneAttributes-Crosswalk bit 1: bicycleUseAllowed.
    if lane["lane_type"] == "crosswalk" and lane["lane_attributes"] & 0x4000:
        return "crosswalk"
    if "cyclistVehicleTraffic" in lane["shared_with"]:
        return "shared"
    return None


def find_candidates(
    intersection: dict[str, Any], lat: float, long: float, heading: float | None = None, every_lane: bool = False
) -> list[Candidate]:
    """The candidates of one intersection of a MAP for a display at `lat`, `long` (degrees), the best first.

    `heading` is the riding direction (degrees from north) where it is known; `every_lane` takes the lanes of motor
    traffic, too.
    """
    display = place(intersection, lat, long)
    found = []
    for lane in intersection["lanes"]:
        kind = bicycle_kind(lane) or ("vehicle" if every_lane and lane["lane_type"] == "vehicle" else None)
        if kind is None:
            continue
        for line in _ridden_lines(intersection, lane):
            found.extend(_of_line(lane, kind, line, display, heading))
    return sorted(found, key=lambda candidate: candidate.score)


def place(intersection: dict[str, Any], lat: float, long: float) -> Point:
    """Metres east and north of the intersection's reference point."""
    reference_lat = intersection["lat"] / 1e7
    return (
        (long - intersection["long"] / 1e7) * _M_PER_DEGREE_EAST * math.cos(math.radians(reference_lat)),
        (lat - reference_lat) * _M_PER_DEGREE_NORTH,
    )


def lane_line(intersection: dict[str, Any], lane: dict[str, Any]) -> list[Point]:
    """The lane's nodes in metres east and north of the reference point; empty where it cannot be drawn."""
    if lane["computed"] is not None:
        return _computed_line(intersection, lane["computed"])
    points: list[Point] = []
    x = y = 0.0
    for node in lane["nodes"]:
        if "x" in node:
            x += node["x"] / 100
            y += node["y"] / 100
        elif "lat" in node:
            x, y = place(intersection, node["lat"] / 1e7, node["long"] / 1e7)
        else:
            continue
        points.append((x, y))
    return points


def _computed_line(intersection: dict[str, Any], computed: dict[str, Any]) -> list[Point]:
    """A computed lane: another lane's line, moved, turned and scaled (DF_ComputedLane)."""
    original = next(
        (
            lane
            for lane in intersection["lanes"]
            if lane["lane_id"] == computed["reference_lane_id"] and lane["computed"] is None
        ),
        None,
    )
    points = lane_line(intersection, original) if original else []
    if not points:
        return []
    angle = math.radians((computed["rotate"] or 0) * 0.0125)
    scale_x = 1 + (computed["scale_x"] or 0) * 0.0005
    scale_y = 1 + (computed["scale_y"] or 0) * 0.0005
    first_x, first_y = points[0]
    line = []
    for point_x, point_y in points:
        x, y = (point_x - first_x) * scale_x, (point_y - first_y) * scale_y
        line.append(
            (
                first_x + computed["x"] / 100 + x * math.cos(angle) - y * math.sin(angle),
                first_y + computed["y"] / 100 + x * math.sin(angle) + y * math.cos(angle),
            )
        )
    return line


def _ridden_lines(intersection: dict[str, Any], lane: dict[str, Any]) -> Iterator[list[Point]]:
    """The lane's line from the stop line upstream: once, or from both ends for a crossing ridden both ways."""
    line = lane_line(intersection, lane)
    if len(line) < 2 or "ingress" not in lane["directional_use"]:
        return
    yield line
    if "egress" in lane["directional_use"] and lane["lane_type"] == "crosswalk":
        yield line[::-1]


def _of_line(
    lane: dict[str, Any], kind: str, line: list[Point], display: Point, heading: float | None
) -> Iterator[Candidate]:
    nearest = _nearest(line, display)
    if nearest is None:
        return
    beside_m, along_m, lane_heading, extended_m = nearest
    turn = None if heading is None else abs((lane_heading - heading + 180) % 360 - 180)
    for connection in lane["connects_to"]:
        group = connection["signal_group"]
        # 0 is "unknown", 255 is "always green".
        if group is None or not 1 <= group <= 254:
            continue
        maneuvers = tuple(connection["maneuvers"])
        score = beside_m + _KIND_M[kind] + (turn or 0) / _DEGREES_PER_M
        # Some senders set other bits than these: that says nothing about the direction.
        turns = "straight" not in maneuvers and any(turn in maneuvers for turn in ("left", "right", "uTurn"))
        score += _OTHER_MANEUVER_M if turns else 0
        score += _EXTENDED_M if extended_m > 0 else 0
        yield Candidate(
            signal_group=group,
            lane_id=lane["lane_id"],
            lane_name=lane["name"],
            kind=kind,
            maneuvers=maneuvers,
            egress_lane=connection["lane"],
            beside_m=beside_m,
            stop_line_m=along_m,
            heading=lane_heading,
            turn=turn,
            extended_m=extended_m,
            score=score,
        )


def _nearest(line: list[Point], display: Point) -> tuple[float, float, float, float] | None:
    """(distance beside, distance along from the first node, riding direction, how far past the last node)."""
    best: tuple[float, float, float, float] | None = None
    along = 0.0
    segments = [(a, b) for a, b in pairwise(line) if a != b]
    for index, ((ax, ay), (bx, by)) in enumerate(segments):
        dx, dy = bx - ax, by - ay
        length = math.hypot(dx, dy)
        reach = ((display[0] - ax) * dx + (display[1] - ay) * dy) / length
        last = index == len(segments) - 1
        reach = min(max(reach, 0.0), length + MAX_EXTENSION_M if last else length)
        beside = math.hypot(ax + dx / length * reach - display[0], ay + dy / length * reach - display[1])
        if best is None or beside < best[0]:
            # Nodes run away from the stop line, riders towards it.
            best = (beside, along + reach, math.degrees(math.atan2(-dx, -dy)) % 360, max(0.0, reach - length))
        along += length
    return best
