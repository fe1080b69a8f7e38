# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the learned forecast on real signals: hours of Hamburg's primary_signal, one code a second per cycle.

    python tools/learned_forecast.py FOLDER [--travel 10 22] [--heartbeat 2] [--traces FOLDER]

FOLDER holds cycles_*.json as PrioBike's predictability study published them (MIT): `Cycles` is a list of hours, each a
list of cycles with `Start` (Unix s) and `Results` (codes, one a second). Each hour becomes a recording as the adapter
`sensorthings` reads it (a message a change, and a sign of life every few seconds) and is replayed through the whole
core; truth is the codes themselves. The first hour of a signal is judged cold, the others with the memory of those
before.
With --traces the recordings are written as well, to be replayed with `leezenflow replay`.
"""

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leezenflow.board import Site
from leezenflow_adapters.sensorthings import OPTIONS
from leezenflow_host.evaluation.report import Recording, judge
from leezenflow_host.evaluation.truth import AMBER, GREEN, NONE, RED, Truth
from leezenflow_host.trace import TraceHeader, TraceMessage, TraceWriter

COLOURS = {1: RED, 2: AMBER, 3: GREEN, 4: RED, 6: GREEN}
STREAM, HEARTBEATS = 1, 2
# From the lamp to the platform, and from there to us: what the feed itself shows is one to two seconds in all.
TOLD_MS, DELAY_MS = 900, 200
SITE_OPTIONS = {
    **{name: option["default"] for name, option in OPTIONS.items()},
    "datastream": STREAM,
    "controller": [HEARTBEATS],
}


def read_hours(path: Path) -> Iterator[tuple[int, list[int]]]:
    """Each hour of a file: the Unix second it begins at, and its codes, one a second."""
    for cycles in json.loads(path.read_text())["Cycles"]:
        codes: list[int] = []
        for cycle in cycles:
            assert cycle["Start"] == cycles[0]["Start"] + len(codes), f"{path}: a gap before {cycle['Start']}"
            codes += [int(code) for code in cycle["Results"].strip("[]").split()]
        yield cycles[0]["Start"], codes


def make_messages(start_s: int, codes: list[int], heartbeat_s: int) -> list[TraceMessage]:
    """What a subscriber would have got."""
    messages = []
    shown = None
    for second, code in enumerate(codes):
        at_ms = (start_s + second) * 1000
        if code != shown:
            shown = code
            messages.append(_message(at_ms, at_ms + TOLD_MS, STREAM, code))
        elif second % heartbeat_s == 0:
            messages.append(_message(at_ms, at_ms + TOLD_MS, HEARTBEATS, second % 256))
    return messages


def _message(changed_ms: int, told_ms: int, stream: int, result: int) -> TraceMessage:
    observation = {
        "phenomenonTime": _iso(changed_ms),
        "resultTime": _iso(told_ms),
        "result": result,
        "Datastream": {"@iot.id": stream},
    }
    return TraceMessage(
        told_ms + DELAY_MS, f"v1.1/Datastreams({stream})/Observations", json.dumps(observation).encode()
    )


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def make_truth(start_s: int, codes: list[int]) -> Truth:
    """The lamp, second by second."""
    truth = Truth(from_ms=start_s * 1000, to_ms=(start_s + len(codes)) * 1000)
    for second, code in enumerate(codes):
        truth.append((start_s + second) * 1000, COLOURS.get(code, NONE))
    return truth


def judge_hours(path: Path, travel_s: int, heartbeat_s: int, traces: Path | None) -> Iterator[dict[str, Any]]:
    """The figures of each hour of a file."""
    memory = None
    for number, (start_s, codes) in enumerate(read_hours(path)):
        messages = make_messages(start_s, codes, heartbeat_s)
        if traces is not None:
            note = "made by tools/learned_forecast.py from data of PrioBike's predictability study (MIT)"
            header = TraceHeader(adapter="sensorthings", source=path.name, note=note)
            with TraceWriter(traces / f"{path.stem}_{number}.jsonl.gz", header) as trace:
                for message in messages:
                    trace.write(message.at_ms, message.topic, message.payload)
        site = Site(1, 1, cruise_ms=travel_s * 1000, adapter="sensorthings", adapter_options=SITE_OPTIONS)
        figures = judge(Recording(path, messages, []), site, make_truth(start_s, codes), memory=memory)
        memory = figures["memory"]
        yield figures


def main() -> None:
    """Print a table of wrong, wrong green, answered and flicker."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--travel", type=int, nargs="+", default=[10, 22], metavar="SECONDS")
    parser.add_argument("--heartbeat", type=int, default=2, metavar="SECONDS")
    parser.add_argument("--traces", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    for path in sorted(arguments.folder.glob("cycles_*.json")):
        for travel_s in arguments.travel:
            for number, figures in enumerate(judge_hours(path, travel_s, arguments.heartbeat, arguments.traces)):
                print(
                    f"{path.stem[7:]:14} {travel_s:3} s  {'warm' if number else 'cold'}"
                    f"  wrong {figures['wrong_colour_share']:7.2%}  wrong green {figures['wrong_green_share']:6.2%}"
                    f"  answered {figures['answered_share']:6.1%}  flicker {figures['flicker_ratio']:.2f}"
                    f"  {figures['reason_shares']}"
                )


if __name__ == "__main__":
    main()
