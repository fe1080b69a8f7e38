# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MAP messages: decoded, drawn, and asked which signal group a display stands before."""

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bit_writer import BitWriter
from leezenflow.errors import SignalError
from leezenflow_adapters.mapem_uper import bit_names, decode_map
from leezenflow_host.cli import run
from leezenflow_host.lane_candidates import bicycle_kind, find_candidates, lane_line, place

SAMPLES = Path(__file__).parents[1] / "samples"
MAPS = sorted((SAMPLES / "map_uper").glob("*.hex"))
LAT, LONG = 40.2735708, -111.7000255


def octets(path: Path) -> bytes:
    return bytes.fromhex(path.read_text().strip())


def geometry_of(name: str) -> dict[str, Any]:
    return decode_map(octets(SAMPLES / f"map_uper/map_{name}.hex"))["map"]["intersections"][0]


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


def test_a_field_map():
    geometry = geometry_of("6320_04")
    assert (geometry["region"], geometry["id"], geometry["name"]) == (None, 6320, "UnivParkway200West")
    assert (geometry["lat"], geometry["long"]) == (402735708, -1117000255)
    assert len(geometry["lanes"]) == 27
    first = geometry["lanes"][0]
    assert (first["lane_id"], first["name"], first["lane_type"]) == (1, "1.1", "vehicle")
    assert first["directional_use"] == ["ingress"]
    assert [connection["signal_group"] for connection in first["connects_to"]] == [2]
    line = lane_line(geometry, first)
    assert [(round(x, 1), round(y, 1)) for x, y in line] == [(19.6, 17.3), (64.6, 16.9), (103.5, 16.3)]


def test_etsi_counts_longitude_from_another_end():
    frame = octets(SAMPLES / "map_uper/map_6320_04.hex")
    assert frame[2] >= 128  # a length of two octets
    decoded = decode_map(b"\x02\x05\x00\x00\x10\x00" + frame[4:])
    assert (decoded["message_id"], decoded["station_id"]) == (5, 4096)
    assert decoded["map"]["intersections"][0]["long"] == -1117000256


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.stem)
def test_every_truncation_of_a_map(path: Path):
    payload = octets(path)
    declared = payload[2] if payload[2] < 128 else (payload[2] & 63) << 8 | payload[3]
    end = declared + (3 if payload[2] < 128 else 4)
    assert decode_map(payload[:end])["map"]["intersections"][0]["lanes"]
    for cut in range(end):
        with pytest.raises(SignalError):
            decode_map(payload[:cut])


@given(st.sampled_from(MAPS), st.data())
def test_damaged_maps_are_read_or_refused(path: Path, data: st.DataObject):
    payload = bytearray(octets(path))
    for _ in range(data.draw(st.integers(1, 6))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode_map(bytes(payload))
    except SignalError as error:
        assert error.kind in ("foreign", "truncated", "malformed")
        return
    for geometry in decoded["map"]["intersections"]:
        for candidate in find_candidates(geometry, LAT, LONG, 90, every_lane=True):
            assert candidate.beside_m >= 0


@given(st.binary(max_size=300))
def test_noise_is_no_map(noise: bytes):
    for payload in (b"\x02\x05\0\0\0\1" + noise, b"\x00\x12" + noise, noise):
        try:
            decode_map(payload)
        except SignalError as error:
            assert error.kind in ("foreign", "truncated", "malformed")


def test_everything_a_lane_may_have():
    out = BitWriter()
    out.put(0b0_11110000, 9)  # time, layer type, layer id, intersections
    for value, width in ((527_040, 20), (5, 7), (0b0_011, 4), (9, 7), (0, 5)):
        out.put(value, width)
    out.put(0b0_11110, 6)  # name, width, speed limits, preemption
    out.text("X")
    out.put(1 << 32 | 49 << 16 | 7, 33)
    out.put(3, 7)
    out.put(0b0_10, 3)
    for value, width in ((900_000_001, 31), (1_799_999_989, 32), (4_106, 16), (350, 15)):
        out.put(value, width)
    out.put(1, 4)  # two speed limits, one of a kind we do not know
    out.put(0b0_0011, 5)
    out.put(694, 13)
    out.put(0b1_0_000001, 8)
    out.put(100, 13)
    out.put(2, 8)  # three lanes
    # The first: every option, two nodes of which one has every attribute.
    out.put(0b0_1111111, 8)
    out.put(1, 8)
    out.text("lane one")
    out.put(3 << 4 | 4, 8)
    out.put(0b1_11_0000000100, 13)
    out.put(0b0_010, 4)
    out.put(0x8000, 16)
    out.put(3, 8)
    out.open_type(b"abc")
    out.put(0b100000000001, 12)
    out.put(0b0_0, 2)
    out.put(2, 6)  # four nodes
    for delta, width in ((0, 10), (5, 16)):
        out.put(0b0_0, 2)
        out.put(delta, 3)
        out.put((1 << (width - 1)) + 100, width)
        out.put((1 << (width - 1)) - 100, width)
    out.put(0b0_1, 2)
    out.put(6, 3)
    out.put(1_799_999_999, 32)
    out.put(900_000_000, 31)
    out.put(0b0_1111111, 8)
    out.put(0, 3)
    out.put(0b0_0011, 5)
    for _ in range(2):
        out.put(0, 3)
        out.put(0b1_0_000010, 8)
    out.put(3, 3)  # lane data: an angle, a crown, speed limits, regional
    out.put(0b0_000 << 9, 13)
    out.put(0b0_001 << 8, 12)
    out.put(0b0_101 << 4, 8)
    out.put(0b0_0001 << 13, 18)
    out.put(0b0_110, 4)
    out.put(0, 2)
    out.put(1, 8)
    out.open_type(b"r")
    out.put(512 + 20, 10)
    out.put(512 - 30, 10)
    out.put(0, 2)
    out.put(1, 8)
    out.open_type(b"r")
    out.put(0b0_0, 2)
    out.put(7, 3)
    out.put(128, 8)
    out.open_type(b"node")
    out.put(0, 4)  # one connection
    out.put(0b1111, 4)
    out.put(0b1_00000010_100000000000, 21)
    out.put(1 << 32 | 49 << 16 | 8, 33)
    out.put(12 << 16 | 1 << 8 | 2, 24)
    out.put(0, 3)  # one overlay
    out.put(77, 8)
    out.put(0, 2)
    out.put(9, 8)
    out.open_type(b"lane")
    # The second: a vehicle lane computed from the first, its attributes longer than the standard's.
    out.put(0, 8)
    out.put(2, 8)
    out.put(0b0_10_0000000000, 13)
    out.put(0b0_000, 4)
    out.put(1, 1)
    out.put(9, 8)
    out.put(0b100000001, 9)
    out.put(0b0_1, 2)
    out.put(0b0_1110, 5)
    out.put(1, 8)
    out.put(0b0 << 12 | 2_047 + 300, 13)
    out.put(1 << 16 | 32_767 - 12_005, 17)
    out.put(80, 15)
    out.put(2_048 + 10, 12)
    out.put(2_048 - 10, 12)
    # The third: a kind of lane and an extension that are not known yet.
    out.put(0b1_0000000, 8)
    out.put(3, 8)
    out.put(0b0_01_0000000000, 13)
    out.put(0b1_0_000000, 8)
    out.open_type(b"new")
    out.put(0b0_0, 2)
    out.put(0, 6)
    for _ in range(2):
        out.put(0, 5)
        out.put(512 << 10 | 512, 20)
    out.additions([b"x"])
    # Preemption data of the intersection.
    out.put(0, 5)
    out.put(0, 1)
    out.put(1, 8)
    out.open_type(b"zone")
    decoded = decode_map(b"\x02\x05\0\0\0\1" + out.to_bytes())
    assert decoded["map"]["layer_type"] == "intersectionData"
    assert (decoded["map"]["time_stamp_moy"], decoded["map"]["layer_id"]) == (527_040, 9)
    (geometry,) = decoded["map"]["intersections"]
    assert (geometry["name"], geometry["region"], geometry["id"], geometry["revision"]) == ("X", 49, 7, 3)
    assert (geometry["lat"], geometry["long"], geometry["elevation"], geometry["lane_width"]) == (1, -11, 10, 350)
    assert geometry["speed_limits"] == [{"type": 3, "speed": 694}, {"type": None, "speed": 100}]
    first, second, third = geometry["lanes"]
    assert (first["name"], first["ingress_approach"], first["egress_approach"]) == ("lane one", 3, 4)
    assert first["directional_use"] == ["ingress", "egress"]
    assert first["shared_with"] == ["cyclistVehicleTraffic"]
    assert (first["lane_type"], first["lane_attributes"]) == ("bikeLane", 0x8000)
    assert first["maneuvers"] == ["straight", "reserved"]
    assert first["nodes"] == [
        {"x": 100, "y": -100},
        {"x": 100, "y": -100},
        {"long": -1, "lat": 0, "d_width": 20, "d_elevation": -30},
        {},
    ]
    assert first["connects_to"] == [
        {
            "lane": 2,
            "maneuvers": ["straight"],
            "remote_intersection": {"region": 49, "id": 8},
            "signal_group": 12,
            "user_class": 1,
            "connection_id": 2,
        }
    ]
    assert first["overlays"] == [77]
    assert (second["lane_type"], second["nodes"]) == ("vehicle", [])
    assert second["computed"] == {
        "reference_lane_id": 1,
        "x": 300,
        "y": -12_005,
        "rotate": 80,
        "scale_x": 10,
        "scale_y": -10,
    }
    assert (third["lane_type"], third["directional_use"]) == (None, ["egress"])
    assert third["nodes"] == [{"x": 0, "y": 0}] * 2


def test_bit_names_begin_with_the_most_significant():
    assert bit_names(0b1000_0000_0100, 12, ("a", "b", *"cdefghijkl")) == ["a", "j"]


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


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    path = str(SAMPLES / "map_uper/map_6320_04.hex")
    assert run(["map", path, "--at", at(95, 13), "--heading", "270"]) == 0
    out = capsys.readouterr().out
    assert "Intersection 6320" in out
    assert "no lane for bicycles" in out
    assert 'intersection = "6320", signal_group = 2, distance_m = 75' in out
    assert run(["map", path, "--at", at(95, 13), "--json", "--intersection", "6320"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (records[0]["lane_id"], records[0]["signal_group"], records[0]["stop_line_m"]) == (2, 2, 75.5)
    assert records[0]["event_state"] is None


def test_what_the_groups_show(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    with gzip.open(SAMPLES / "spat_uper/field_us.jsonl.gz", "rt") as lines:
        spat = next(json.loads(line)["hex"] for line in lines if "spat_6320" in line)
    states = tmp_path / "spat.hex"
    states.write_text(spat)
    path = str(SAMPLES / "map_uper/map_6320_04.hex")
    assert run(["map", path, "--at", at(95, 13), "--spat", str(states)]) == 0
    out = capsys.readouterr().out
    assert "shows" in out
    assert "green (give way)" in out
    assert "MAP is revision 0, the signal messages are of revision 1" in " ".join(out.split())
    assert run(["map", path, "--at", at(95, 13), "--spat", str(states), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["event_state"] == 5
    assert run(["map", path, "--at", at(95, 13), "--spat", path]) == 0
    assert "says nothing about intersection 6320" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--at", "51.9"], "write latitude and longitude"),
        (["--at", "91,0"], "write latitude and longitude"),
        (["--at", "51.96,7.62"], "passes within 50 m"),
        (["--at", at(95, 13), "--intersection", "49:1090"], "It holds 6320"),
        ([], "Missing option"),
    ],
)
def test_wrong_input(arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]):
    assert run(["map", str(SAMPLES / "map_uper/map_6320_04.hex"), *arguments]) == 2
    assert expected in " ".join(capsys.readouterr().err.split())


def test_a_file_without_map_and_one_with_several(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    path = tmp_path / "several.hex"
    path.write_text("\n".join(file.read_text().strip() for file in MAPS))
    assert run(["map", str(path), "--at", at(95, 13)]) == 2
    assert "Choose one with --intersection: 33467:36540, 6320" in " ".join(capsys.readouterr().err.split())
    assert run(["map", str(path), "--at", at(95, 13), "--intersection", "6320"]) == 0
    path.write_text("00")
    assert run(["map", str(path), "--at", at(95, 13)]) == 2
    assert "no MAPEM or MAP in it" in " ".join(capsys.readouterr().err.split())
