# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawn lanes with known distances: which one a display stands beside, and how they rank."""

import math
from typing import Any

import pytest

from leezenflow_host.lane_candidates import bicycle_kind, find_candidates, lane_line, place

LAT, LONG = 40.2735708, -111.7000255


def at(east_m: float, north_m: float) -> str:
    """A place so far from the reference point of intersection 6320."""
    return f"{LAT + north_m / 111_132:.8f},{LONG + east_m / (111_320 * math.cos(math.radians(LAT))):.8f}"


def lane(lane_id: int, nodes: list[tuple[float, float]], groups: list[int], **more: Any) -> dict[str, Any]:
    """A lane as `decode_map` gives it; nodes in metres from the reference point."""
    offsets = [(x - px, y - py) for (px, py), (x, y) in zip([(0.0, 0.0), *nodes], nodes, strict=False)]
    made = {
        "lane_id": lane_id,
        "name": None,
        "directional_use": ["ingress"],
        "shared_with": [],
        "lane_type": "bikeLane",
        "lane_attributes": 0,
        "nodes": [{"x": round(x * 100), "y": round(y * 100)} for x, y in offsets],
        "computed": None,
        "connects_to": [{"lane": 99, "maneuvers": ["straight"], "signal_group": group} for group in groups],
    }
    return made | more


def crossing(*lanes: dict[str, Any]) -> dict[str, Any]:
    return {"lat": round(LAT * 1e7), "long": round(LONG * 1e7), "lanes": list(lanes)}


def find(geometry: dict[str, Any], east_m: float, north_m: float, heading: float | None = None, **more: Any) -> Any:
    lat, long = map(float, at(east_m, north_m).split(","))
    return find_candidates(geometry, lat, long, heading, **more)


def test_which_lanes_are_for_bicycles():
    assert bicycle_kind(lane(1, [], [])) == "bikeLane"
    assert bicycle_kind(lane(1, [], [], lane_type="crosswalk", lane_attributes=0x4000)) == "crosswalk"
    assert bicycle_kind(lane(1, [], [], lane_type="crosswalk", lane_attributes=0x2000)) is None
    assert bicycle_kind(lane(1, [], [], lane_type="vehicle", shared_with=["cyclistVehicleTraffic"])) == "shared"
    assert bicycle_kind(lane(1, [], [], lane_type="vehicle")) is None


def test_distance_and_heading_along_a_bent_lane():
    # From the stop line 20 m east, then 40 m north: riders go south, then west.
    geometry = crossing(lane(1, [(10, 0), (30, 0), (30, 40)], [12]))
    (candidate,) = find(geometry, 32, 25, 180)
    assert candidate.signal_group == 12
    assert candidate.stop_line_m == pytest.approx(45, abs=0.1)
    assert candidate.beside_m == pytest.approx(2, abs=0.1)
    assert candidate.heading == pytest.approx(180)
    assert candidate.turn == pytest.approx(0)
    assert candidate.extended_m == 0


def test_a_lane_drawn_too_short_goes_on_straight():
    geometry = crossing(lane(1, [(10, 0), (30, 0)], [12]))
    (candidate,) = find(geometry, 110, 1)
    assert candidate.stop_line_m == pytest.approx(100, abs=0.1)
    assert candidate.extended_m == pytest.approx(80, abs=0.1)
    assert candidate.turn is None


def test_the_rank():
    beside = lane(1, [(10, 0), (100, 0)], [1])
    wrong_way = lane(2, [(100, 1), (10, 1)], [2])
    turning = lane(3, [(10, 0), (100, 0)], [3])
    turning["connects_to"][0]["maneuvers"] = ["left"]
    cars = lane(4, [(10, 0), (100, 0)], [4], lane_type="vehicle")
    far = lane(5, [(10, 30), (100, 30)], [5])
    outgoing = lane(6, [(10, 0), (100, 0)], [6], directional_use=["egress"])
    geometry = crossing(far, wrong_way, cars, turning, beside, outgoing)
    assert [candidate.signal_group for candidate in find(geometry, 50, 0, 270)] == [1, 3, 5, 2]
    assert [candidate.signal_group for candidate in find(geometry, 50, 0, 270, every_lane=True)] == [1, 3, 4, 5, 2]
    assert find(geometry, 50, 0, 90)[0].signal_group == 2


def test_connections_without_a_usable_group_are_no_candidates():
    unused = lane(1, [(10, 0), (100, 0)], [0, 255])
    unused["connects_to"].append({"lane": 3, "maneuvers": [], "signal_group": None})
    assert find(crossing(unused), 50, 0) == []


def test_a_crossing_is_ridden_both_ways():
    both = lane(1, [(0, 10), (0, 30)], [7], lane_type="crosswalk", lane_attributes=0x4000)
    both["directional_use"] = ["ingress", "egress"]
    candidates = find(crossing(both), 0, 60, 180)
    assert sorted(round(candidate.heading) % 360 for candidate in candidates) == [0, 180]
    # A rider from the north, going south, comes to the end at 30 m.
    best = candidates[0]
    assert round(best.heading) == 180


def test_a_computed_lane_is_another_one_moved():
    computed = {"reference_lane_id": 1, "x": 0, "y": 300, "rotate": None, "scale_x": None, "scale_y": None}
    copy = lane(2, [], [5], computed=computed)
    geometry = crossing(lane(1, [(10, 0), (100, 0)], [4]), copy)
    assert lane_line(geometry, copy) == [(10, 3), (100, 3)]
    turned = lane(3, [], [5], computed=computed | {"rotate": 90 * 80, "scale_x": 1000})
    assert lane_line(geometry, turned) == [(10, 3), pytest.approx((10, 138))]
    assert lane_line(geometry, lane(4, [], [5], computed=computed | {"reference_lane_id": 9})) == []


def test_nodes_given_as_places():
    lat, long = map(float, at(20, 10).split(","))
    absolute = {"lat": round(lat * 1e7), "long": round(long * 1e7)}
    made = lane(1, [], [1]) | {"nodes": [{"x": 100, "y": 0}, {}, absolute, {"x": 500, "y": 0}]}
    assert lane_line(crossing(), made) == [(1, 0), pytest.approx((20, 10), abs=0.02), pytest.approx((25, 10), abs=0.02)]
    assert place(crossing(), LAT, LONG) == pytest.approx((0, 0), abs=0.02)
