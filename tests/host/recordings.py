# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small recordings of a fixed-time signal, made for a test, in the form of Münster's receivers, and their truth."""

import json
from pathlib import Path
from typing import Any

from leezenflow_host.trace import TraceHeader, TraceWriter
from signals import Program

# A UTC minute boundary, and the minute of the year that belongs to it.
ORIGIN_MS = 1_680_768_300_000
ORIGIN_MOY = 137_285


def message(program: Program, at_ms: int, signal_group: int = 12) -> bytes:
    """The message that the controller of `program` (whose origin is ORIGIN_MS = 0) makes at `at_ms` (Unix ms)."""
    since = at_ms - ORIGIN_MS
    hour = ORIGIN_MOY % 60 * 60_000
    events = "".join(
        f"<MovementEvent><eventState>{state}</eventState><timing>"
        + "".join(
            f"<{name}>{(hour + end) // 100 % 36_000}</{name}>" for name in ("minEndTime", "maxEndTime", "likelyTime")
        )
        + "<confidence>15</confidence></timing></MovementEvent>"
        for state, end, _, _ in program.events_at(since)
    )
    return (
        '<?xml version="1.0"?><DATA><ItsPduHeader><protocolVersion>2</protocolVersion><messageID>4</messageID>'
        "<stationID>1090</stationID></ItsPduHeader><SPAT><intersections><IntersectionState><id><region>49</region>"
        "<id>1090</id></id><revision>1</revision><status></status>"
        f"<moy>{ORIGIN_MOY + since // 60_000}</moy><timeStamp>{since % 60_000}</timeStamp><states><MovementState>"
        f"<signalGroup>{signal_group}</signalGroup><state_time_speed>{events}</state_time_speed></MovementState>"
        "</states></IntersectionState></intersections></SPAT></DATA>"
    ).encode()


def write_recording(path: Path, seconds: int, skip: tuple[int, int] = (0, 0)) -> Program:
    """Write `seconds` of messages, one a second, 100 ms late, without those from skip[0] to skip[1] seconds."""
    program = Program(0)
    with TraceWriter(path, TraceHeader("spatem_xml", "made for a test", "fixed-time signal")) as writer:
        for second in range(seconds):
            if not skip[0] <= second < skip[1]:
                at_ms = ORIGIN_MS + second * 1_000
                writer.write(at_ms + 100, "/spat/1090", message(program, at_ms))
    return program


def write_truth(path: Path, program: Program, seconds: int) -> dict[str, Any]:
    """Write the truth of `seconds` of a program and some minutes more; returns what was written."""
    switches: list[list[int]] = []
    at_ms = 0
    while at_ms < (seconds + 200) * 1_000:
        state, end = program.state_at(at_ms)
        switches.append([ORIGIN_MS + at_ms, state])
        at_ms = end
    truth = {
        "from_ms": ORIGIN_MS,
        "to_ms": ORIGIN_MS + seconds * 1_000,
        "rx_offset_ms": 0,
        "signal_groups": {"12": switches},
    }
    path.write_text(json.dumps(truth))
    return truth
