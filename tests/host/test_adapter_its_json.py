# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPATEM as JSON: the dialects, and what is odd in them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from leezenflow.errors import SignalError
from leezenflow_adapters import its_json
from leezenflow_host.decoding import its_json as full

SAMPLES = Path(__file__).parents[1] / "samples"


def decode(document: Any, region: int | None = None, intersection_id: int = 1, signal_group: int = 2) -> Any:
    payload = json.dumps(document).encode()
    decoder = its_json.Decoder(region, intersection_id, signal_group)
    return decoder.decode(payload, 0, len(payload)), decoder.state


def jer(**more: Any) -> dict[str, Any]:
    """A MessageFrame as the ODE's schema 9 and pcap decoders write it."""
    event = {"eventState": "protected-Movement-Allowed", "timing": {"minEndTime": 10514, "maxEndTime": 10600}}
    intersection: dict[str, Any] = {"name": "Crossing", "id": {"id": 1}, "revision": 1, "status": "0400"}
    intersection |= {"moy": 493457, "timeStamp": 21479}
    intersection["states"] = [
        {"signalGroup": 1, "state-time-speed": [{"eventState": "dark"}]},
        {"signalGroup": 2, "state-time-speed": [event]},
    ]
    return {"messageId": 19, "value": {"SPAT": {"intersections": [intersection | more]}}}


def test_the_ode_of_schema_8_says_what_its_octets_say():
    payload = (SAMPLES / "ode/spat.json").read_bytes()
    with gzip.open(SAMPLES / "spat_uper/field_us.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    assert full.decode(payload) == next(row["expected"] for row in rows if row["name"] == "spat_12111_12")
    decoder = its_json.Decoder(None, 12111, 8)
    assert decoder.decode(payload, 0, len(payload)) is True
    assert decoder.state.time_stamp == 35_176
    assert decoder.state.movement.events[0].event_state == 3


def test_jer():
    found, state = decode(jer())
    assert found is True
    assert (state.region, state.id, state.revision, state.status) == (None, 1, 1, 0x400)
    assert (state.moy, state.time_stamp) == (493457, 21479)
    event = state.movement.events[0]
    assert (event.event_state, event.min_end_time, event.max_end_time, event.likely_time) == (6, 10514, 10600, None)
    message = full.decode(json.dumps(jer()).encode())
    assert message["message_id"] == 19
    assert message["status"] == ["fixedTimeOperation"]
    assert [movement["signal_group"] for movement in message["movements"]] == [1, 2]


def test_lists_that_became_objects():
    states = {
        "MovementState": [
            {
                "signalGroup": "2",
                "state-time-speed": {
                    "MovementEvent": {"eventState": {"permissive-clearance": ""}, "timing": {"minEndTime": "12345"}}
                },
            }
        ]
    }
    found, state = decode(jer(states=states, status="1010000010110000"))
    assert found is True
    assert state.status == 0xA0B0
    assert (state.movement.events[0].event_state, state.movement.events[0].min_end_time) == (7, 12345)


def test_every_optional_field_of_orange():
    event = {
        "event_state": 5,
        "timing": {
            "start_time": 1,
            "min_end_time": 2,
            "max_end_time": 3,
            "likely_time": 4,
            "confidence": 5,
            "next_time": 6,
        },
        "speeds": [{"type": 1, "speed": 100, "confidence": 2, "distance": 50, "class": 7}],
    }
    assist = {
        "connection_id": 1,
        "queue_length": 2,
        "available_storage_length": 3,
        "wait_on_stop": True,
        "ped_bicycle_detect": False,
    }
    intersection = {
        "name": "x",
        "id": {"region": 49, "id": 1},
        "revision": 127,
        "status": ["off", "failureMode", "unheard of"],
        "moy": 527040,
        "timestamp": 59999,
        "enabled_lanes": [3],
        "states": [{"signal_group": 2, "state_time_speed": [event], "maneuver_assist_list": [assist]}],
        "maneuver_assist_list": [assist],
    }
    document = {"message_type": "spatem", "message": {"protocol_version": 1, "station_id": 9, "timestamp": 77}}
    document["message"]["intersections"] = [intersection]
    message = full.decode(json.dumps(document).encode())
    assert (message["message_id"], message["protocol_version"], message["station_id"]) == (4, 1, 9)
    assert message["spat_time_stamp_moy"] == 77
    decoded = message["intersections"][0]
    assert decoded["status_value"] == 0x00C0
    assert decoded["enabled_lanes"] == [3]
    entry = {"connection_id": 1, "queue_length": 2, "available_storage": 3}
    entry |= {"wait_on_stop": True, "ped_bicycle_detect": False}
    assert decoded["maneuver_assist"] == decoded["movements"][0]["maneuver_assist"] == [entry]
    told = decoded["movements"][0]["events"][0]
    assert [told[key] for key in ("start", "min_end", "max_end", "likely", "confidence", "next")] == [1, 2, 3, 4, 5, 6]
    assert told["speeds"] == [{"type": "greenwave", "speed": 100, "confidence": "prec10ms", "distance": 50, "class": 7}]
    found, state = decode(document, region=49)
    assert found is True
    assert state.moy == 527040
    assert state.movement.events[0].next_time == 6


def test_names_numbers_and_booleans_of_every_dialect():
    speeds = {"advisorySpeedList": [{"type": "ECO_DRIVE", "confidence": "PREC_0_1_MS"}, {"type": 0}]}
    regional = [
        {"regionId": 3, "regExtValue": {"stateChangeReason": "weather"}},
        {"region_id": 4, "reg_ext_value": "0A0B"},
        {"regionId": 5},
    ]
    event = {"eventState": "PRE_MOVEMENT", "speeds": speeds, "regional": regional}
    assist = {"connectionManeuverAssistList": [{"connectionID": 1, "waitOnStop": "true", "pedBicycleDetect": "false"}]}
    states = {"movementList": [{"signalGroup": 2, "state_time_speed": {"movementEventList": [event]}}]}
    status = {"off": True, "failureFlash": False, "standbyOperation": 1}
    document = {"SPAT": jer(states=states, status=status, maneuverAssistList=assist)["value"]["SPAT"]}
    decoded = full.decode(json.dumps(document).encode())["intersections"][0]
    assert decoded["status"] == ["standbyOperation", "off"]
    told = decoded["movements"][0]["events"][0]
    assert (told["state"], told["timing"]) == (4, False)
    assert [(speed["type"], speed["confidence"]) for speed in told["speeds"]] == [
        ("ecoDrive", "prec0-1ms"),
        ("none", None),
    ]
    assert told["regional"] == [
        {"region_id": 3, "type": "MovementEvent-addGrpC", "value": {"stateChangeReason": "weather"}},
        {"region_id": 4, "hex": "0a0b"},
        {"region_id": 5, "type": "MovementEvent-addGrpC", "value": {}},
    ]
    entry = decoded["maneuver_assist"][0]
    assert (entry["wait_on_stop"], entry["ped_bicycle_detect"]) == (True, False)


@pytest.mark.parametrize(
    "more",
    [
        {"name": 5},
        {"states": [{"signalGroup": 2}]},
        {"maneuverAssistList": [{"connectionID": 1, "waitOnStop": "perhaps"}]},
        {"states": [{"signalGroup": 2, "events": []}]},
        {"regional": [5]},
    ],
)
def test_full_decodes_that_are_refused(more: dict[str, Any]):
    document = jer(**more)
    with pytest.raises(SignalError, match="malformed"):
        full.decode(json.dumps(document).encode())


def test_a_spat_without_intersections_and_one_that_is_too_long():
    with pytest.raises(SignalError, match=r"foreign|malformed"):
        full.decode(b'{"SPAT": {"intersections": []}}')
    with pytest.raises(SignalError, match="oversized"):
        full.decode(b" " * (its_json.Decoder.MAX_BYTES + 1))
    assert not full.recognises(b"{}")
    assert full.recognises(json.dumps(jer()).encode())


def test_the_minute_of_the_message_stands_in():
    document = jer(moy=None)
    document["value"]["SPAT"]["timeStamp"] = 123
    assert decode(document)[1].moy == 123


def test_region_and_group_decide():
    assert decode(jer(), region=49)[0] is False
    assert decode(jer(), signal_group=3)[0] is False
    assert decode(jer(), intersection_id=2)[0] is False
    assert decode(jer(id=1))[0] is True


def test_one_odd_group_does_not_blind_another():
    document = jer()
    states = document["value"]["SPAT"]["intersections"][0]["states"]
    states[0] = {"signalGroup": "many", "state-time-speed": 5}
    states.insert(0, None)
    assert decode(document)[0] is True
    states[2]["state-time-speed"] = [{"eventState": "purple"}]
    with pytest.raises(SignalError, match="malformed"):
        decode(document)


@pytest.mark.parametrize(
    "document",
    [[], 5, None, {}, {"payload": {"data": 7}}, {"intersections": [{"lanes": []}]}, {"message_type": "mapem"}],
)
def test_what_is_no_spat(document: Any):
    with pytest.raises(SignalError, match="foreign"):
        decode(document)


@pytest.mark.parametrize(
    "more",
    [
        {"status": "12345678901234567"},
        {"status": "01xx01"},
        {"status": 1.5},
        {"revision": 128},
        {"revision": True},
        {"moy": -1},
        {"timeStamp": "12a"},
        {"timeStamp": 65536},
        {"id": {"id": "x"}},
        {"states": 7},
    ],
)
def test_values_out_of_range(more: dict[str, Any]):
    with pytest.raises(SignalError, match="malformed"):
        decode(jer(**more))


def test_seventeen_events_are_too_many():
    states = [{"signalGroup": 2, "state-time-speed": [{"eventState": 3}] * 17}]
    with pytest.raises(SignalError, match="17 events"):
        decode(jer(states=states))


def test_too_long_and_too_deep():
    decoder = its_json.Decoder(None, 1, 2)
    for payload in (b" " * (its_json.Decoder.MAX_BYTES + 1), b"[" * 100_000, b'{"a":' * 50_000):
        with pytest.raises(SignalError, match=r"oversized|malformed"):
            decoder.decode(payload, 0, len(payload))
