# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the recordings of the adapters that no field recording exists for: tests/traces/<adapter>.jsonl.

    python tools/make_adapter_recordings.py [FOLDER]

One invented signal, three minutes around a full hour, told in every wire format with the same truth (`signal_state`):
a cycle of 60 s with red 30 s, red-amber 1 s, green 24 s, amber 2 s, red 3 s. Signal group 12 (phase 2 of TSCBM), and
group 14 (phase 4) 20 s later.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("firmware", "signal_adapters", "host", "tests/core")]

from bit_writer import spatem  # noqa: E402  # pyright: ignore[reportMissingImports]
from leezenflow.spatem import STATUS_BITS  # noqa: E402
from leezenflow_adapters import udap  # noqa: E402
from leezenflow_host.trace import TraceHeader, TraceWriter  # noqa: E402

START_MS = int(datetime(2023, 4, 6, 7, 58, 30, tzinfo=UTC).timestamp() * 1000)
SECONDS = 180
DELAY_MS = 80
NOTE = "invented signal, 60 s cycle; made by tools/make_adapter_recordings.py"

CYCLE_S = 60
# (event state, second of the cycle at which it ends)
PHASES = ((3, 30), (4, 31), (5, 55), (7, 57), (3, 60))
GROUPS = {12: 0, 14: 20}


def signal_state(signal_group: int, second: float) -> tuple[int, float]:
    """Event state of a group and the second at which it ends, both at `second` since START_MS."""
    here = (second - GROUPS[signal_group]) % CYCLE_S
    for event_state, end in PHASES:
        if here < end:
            # The red at the end of the cycle goes on into the next one.
            end += PHASES[0][1] if event_state == 3 and end == CYCLE_S else 0
            return event_state, second - here + end
    raise AssertionError(second)


def coming_events(signal_group: int, second: float) -> list[tuple[int, float]]:
    """The present state and the four that follow, each with the second it ends at."""
    events = []
    for _ in range(5):
        event_state, end = signal_state(signal_group, second)
        events.append((event_state, end))
        second = end
    return events


def mark(second: float) -> int:
    """TimeMark of a second since START_MS."""
    return int((START_MS / 1000 % 3600 + second) * 10) % 36_000


def moment(second: float) -> tuple[int, int]:
    """moy and time stamp of a second since START_MS."""
    year_ms = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp() * 1000)
    since_ms = START_MS + round(second * 1000) - year_ms
    return since_ms // 60_000, since_ms % 60_000


def iso(second: float) -> str:
    """A second since START_MS as RSMP and SensorThings write it."""
    text = datetime.fromtimestamp(START_MS / 1000 + second, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def spat(second: float) -> dict[str, object]:
    """The SPAT of one second, in the normalised form."""
    moy, time_stamp = moment(second)
    movements: list[dict[str, Any]] = []
    for signal_group in GROUPS:
        events: list[dict[str, Any]] = [
            {"state": state, "min_end": mark(end), "max_end": mark(end), "likely": mark(end), "confidence": 15}
            for state, end in coming_events(signal_group, second)
        ]
        for event in events:
            event["regional"] = [{"region_id": 3, "content": b"\0"}]
        movements.append({"name": str(signal_group), "signal_group": signal_group, "events": events})
    movements.insert(1, {"name": "13", "signal_group": 13, "events": [{"state": 0}]})
    intersection = {
        "name": "Beispielkreuzung",
        "region": 49,
        "id": 1090,
        "revision": 1,
        "status_value": 0x400,
        "moy": moy,
        "time_stamp_ms": time_stamp,
        "movements": movements,
    }
    return {"spat_name": "recording", "intersections": [intersection]}


def spatem_uper_messages() -> Iterator[tuple[float, str, bytes]]:
    for second in range(SECONDS):
        yield second, "spat/1090", spatem(spat(second))


def spatem_xml_messages() -> Iterator[tuple[float, str, bytes]]:
    for second in range(SECONDS):
        document = ElementTree.Element("DATA")
        add_elements(document, {"ItsPduHeader": {"protocolVersion": 2, "messageID": 4, "stationID": 1090}})
        moy, time_stamp = moment(second)
        status = {f"IntersectionStatusObject.{name}": int(name == "fixedTimeOperation") for name in STATUS_BITS}
        states = []
        for signal_group in GROUPS:
            events = []
            for state, end in coming_events(signal_group, second):
                times = dict.fromkeys(("minEndTime", "maxEndTime", "likelyTime"), mark(end))
                regional = {"RegionalExtension": {"regionId": 3, "regExtValue": ""}}
                events.append(("MovementEvent", {"eventState": state, "timing": times | {"confidence": 15}}))
                events[-1][1]["regional"] = regional
            states.append(
                (
                    "MovementState",
                    {"movementName": signal_group, "signalGroup": signal_group, "state_time_speed": events},
                )
            )
        intersection = {
            "name": "Beispielkreuzung",
            "id": {"region": 49, "id": 1090},
            "revision": 1,
            "status": status,
            "moy": moy,
            "timeStamp": time_stamp,
            "states": states,
        }
        add_elements(document, {"SPAT": {"name": "2.3.0", "intersections": {"IntersectionState": intersection}}})
        ElementTree.indent(document)
        yield second, "/spat/1090", b'<?xml version="1.0"?>\n' + ElementTree.tostring(document)


def add_elements(parent: ElementTree.Element, content: dict[str, Any] | list[tuple[str, Any]]) -> None:
    """Put elements into `parent`: name and text, or name and what is inside."""
    for name, value in content.items() if isinstance(content, dict) else content:
        child = ElementTree.SubElement(parent, name)
        if isinstance(value, dict | list):
            add_elements(child, value)
        elif value != "":
            child.text = str(value)


def udap_messages() -> Iterator[tuple[float, str, bytes]]:
    stream = b"\x01" + udap.frame(udap.KEEP_ALIVE)
    for second in range(SECONDS):
        origin = (START_MS + second * 1000).to_bytes(8, "big")
        kind, before = (udap.PAYLOAD_WITH_ID, b"TLC1\0\0\0\0") if second % 2 else (udap.PAYLOAD, b"")
        stream += udap.frame(kind, before + b"\x04" + origin + spatem(spat(second)))
        if second % 10 == 5:
            stream += udap.frame(udap.KEEP_ALIVE) + udap.frame(udap.TIMESTAMP_REQUEST, origin)
        # TCP hands over what it has: now and then half of a frame comes with the next piece.
        cut = len(stream) - 40 if second % 7 == 3 else len(stream)
        yield second, "", stream[:cut]
        stream = stream[cut:]


def its_json_messages() -> Iterator[tuple[float, str, bytes]]:
    for second in range(SECONDS):
        moy, time_stamp = moment(second)
        states = []
        for signal_group in GROUPS:
            events = [
                {
                    "event_state": state,
                    "timing": {
                        "min_end_time": mark(end),
                        "max_end_time": mark(end),
                        "likely_time": mark(end),
                        "confidence": 15,
                    },
                }
                for state, end in coming_events(signal_group, second)
            ]
            states.append(
                {"movement_name": str(signal_group), "signal_group": signal_group, "state_time_speed": events}
            )
        intersection = {
            "name": "Beispielkreuzung",
            "id": {"region": 49, "id": 1090},
            "revision": 1,
            "status": ["fixedTimeOperation"],
            "moy": moy,
            "timestamp": time_stamp,
            "states": states,
        }
        message = {
            "message_type": "spatem",
            "origin": "self",
            "version": "2.0.0",
            "source_uuid": "leezenflow_1090",
            "timestamp": START_MS + second * 1000,
            "message": {"protocol_version": 2, "station_id": 1090, "timestamp": moy, "intersections": [intersection]},
        }
        yield second, "5GCroCo/outQueue/v2x/spatem", json.dumps(message).encode()


def tscbm_messages() -> Iterator[tuple[float, str, bytes]]:
    for step in range(SECONDS * 2):
        second = step / 2
        message = bytearray(245)
        message[0:2] = b"\xcd\x10"
        reds = yellows = greens = 0
        for number in range(1, 17):
            message[2 + 13 * (number - 1)] = number
        for number, signal_group in ((2, 12), (4, 14)):
            # Red and red-amber are one interval to an American controller.
            state, end = signal_state(signal_group, second)
            if state == 3:
                end += 1
            countdown = round((end - second) * 10).to_bytes(2, "big")
            at = 3 + 13 * (number - 1)
            message[at : at + 4] = countdown + countdown
            bit = 1 << (number - 1)
            reds |= bit if state in (3, 4) else 0
            yellows |= bit if state == 7 else 0
            greens |= bit if state == 5 else 0
        message[210:216] = reds.to_bytes(2, "big") + yellows.to_bytes(2, "big") + greens.to_bytes(2, "big")
        message[235] = step % 256
        since_ms = round(START_MS + second * 1000) % 86_400_000
        message[236:239] = (since_ms // 1000).to_bytes(3, "big")
        message[239:241] = (since_ms % 1000).to_bytes(2, "big")
        yield second, "", bytes(message)


def rsmp_messages() -> Iterator[tuple[float, str, bytes]]:
    letters = {3: "B", 4: "0", 5: "1", 7: "N"}
    shown = ""
    number = 0

    def update(component: str, second: float, statuses: dict[str, dict[str, str]]) -> bytes:
        nonlocal number
        number += 1
        message = {
            "mType": "rSMsg",
            "type": "StatusUpdate",
            "mId": f"00000000-0000-4000-8000-{number:012d}",
            "ntsOId": "KK+AG1090=001TC000",
            "xNId": "",
            "cId": component,
            "sTs": iso(second),
            "sS": [
                {"sCI": code, "n": name, "s": value, "q": "recent"}
                for code, values in statuses.items()
                for name, value in values.items()
            ],
        }
        return json.dumps(message).encode() + b"\x0c"

    for second in range(SECONDS):
        stream = b""
        characters = "".join(
            letters[signal_state(group, second)[0]] if group in GROUPS else "-" for group in range(1, 15)
        )
        if characters != shown or second % 10 == 0:
            shown = characters
            colours = {"signalgroupstatus": characters, "cyclecounter": str(second % CYCLE_S), "stage": "1"}
            stream += update("KK+AG1090=001TC000", second, {"S0001": colours})
        for group in GROUPS:
            events = coming_events(group, second)
            green_at = next(end for (_, end), (state, _) in pairwise(events) if state == 5)
            red_at = next(end for state, end in events if state == 5)
            estimates = {}
            for name, at in (("ToG", green_at), ("ToR", red_at)):
                estimates |= {f"{which}{name}Estimate": iso(at) for which in ("min", "max", "likely")}
                estimates[f"{name}Confidence"] = "100"
            stream += update(f"KK+AG1090=001SG{group:03}", second, {"S0025": estimates})
        yield second, "", stream


def sensorthings_messages() -> Iterator[tuple[float, str, bytes]]:
    codes = {3: 1, 4: 4, 5: 3, 7: 2}
    shown = None
    for second in range(SECONDS):
        code = codes[signal_state(12, second)[0]]
        if code != shown:
            shown = code
            observation = {
                "@iot.id": 4_711_000 + second,
                "phenomenonTime": iso(second)[:-5] + "Z",
                "resultTime": iso(second + 0.9),
                "result": code,
            }
            yield second + 1.0, "v1.1/Datastreams(81694)/Observations", json.dumps(observation).encode()


def fixed_time_messages() -> Iterator[tuple[float, str, bytes]]:
    year = datetime.fromtimestamp(START_MS / 1000, UTC).year
    for second in range(SECONDS):
        moy, time_stamp = moment(second)
        yield second, "", f"{year} {moy} {time_stamp} {(second + 40) % 900}".encode()


def lamp_sense_messages() -> Iterator[tuple[float, str, bytes]]:
    lamps = {3: 1, 4: 3, 5: 4, 7: 2}
    interval_ms, samples = 20, 10
    for step in range(SECONDS * 1000 // (interval_ms * samples)):
        first_ms = step * interval_ms * samples
        # One sample in ten meets a zero crossing of the mains.
        masks = [lamps[signal_state(12, (first_ms + i * interval_ms) / 1000)[0]] for i in range(samples)]
        masks[step * 3 % samples] = 0
        # The counter of the unit wraps on the way.
        counter = (first_ms - 100_000) % (1 << 30)
        yield (
            (first_ms + interval_ms * (samples - 1)) / 1000,
            "",
            counter.to_bytes(4, "little") + bytes([interval_ms, *masks]),
        )


MAKERS = {
    "spatem_xml": spatem_xml_messages,
    "spatem_uper": spatem_uper_messages,
    "udap": udap_messages,
    "its_json": its_json_messages,
    "tscbm": tscbm_messages,
    "rsmp": rsmp_messages,
    "sensorthings": sensorthings_messages,
    "fixed_time": fixed_time_messages,
    "lamp_sense": lamp_sense_messages,
}

# The plan of group 12 as a site would have it, for the adapter that has no messages but a clock.
SITE_OPTIONS: dict[str, dict[str, Any]] = {
    "fixed_time": {"plans": ["day offset=27 red=33 red_amber=1 green=24 amber=2"]},
}


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/traces"
    for adapter, make in MAKERS.items():
        header = TraceHeader(adapter=adapter, source=f"generated for {adapter}", note=NOTE)
        path = folder / f"{adapter}.jsonl.gz"
        with TraceWriter(path, header) as trace:
            for second, topic, payload in make():
                trace.write(START_MS + round(second * 1000) + DELAY_MS, topic, payload)
        print(path)


if __name__ == "__main__":
    main()
