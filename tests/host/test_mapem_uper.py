# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MAP messages: field messages, everything a lane may have, and damage."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bit_writer import BitWriter
from leezenflow.errors import SignalError
from leezenflow_adapters.mapem_uper import bit_names, decode_map
from leezenflow_host.lane_candidates import find_candidates, lane_line

SAMPLES = Path(__file__).parents[1] / "samples"
MAPS = sorted((SAMPLES / "map_uper").glob("*.hex"))
LAT, LONG = 40.2735708, -111.7000255


def octets(path: Path) -> bytes:
    return bytes.fromhex(path.read_text().strip())


def geometry_of(name: str) -> dict[str, Any]:
    return decode_map(octets(SAMPLES / f"map_uper/map_{name}.hex"))["map"]["intersections"][0]


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
