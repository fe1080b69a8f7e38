# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop of a recording under an invented clock: what it keeps, leaves out, survives, and says."""

import io
import threading
from pathlib import Path
from typing import Any

import pytest
from capturing import XML, ScriptedSource, gone, payloads
from rich.console import Console

from leezenflow_host.capture.arrivals import Arrival, SourceLostError
from leezenflow_host.capture.output import Output
from leezenflow_host.capture.recorder import Recorder, Summary
from leezenflow_host.capture.status import Status, format_bytes
from leezenflow_host.errors import LeezenflowError
from leezenflow_host.trace import TraceHeader, TraceReader

CAM = bytes.fromhex("0202000004d2") + b"about a vehicle"
SPATEM = bytes.fromhex("0204000004d2") + b"about a signal"


class World:
    """A clock that goes on by itself, a little with each look at it."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        self.now_s += 0.01
        return self.now_s

    def pause(self, wait_s: float) -> None:
        self.pauses.append(wait_s)
        self.now_s += wait_s


def record(
    source: ScriptedSource, out: Path, adapter: str | None = None, max_bytes: int | None = None, **limits: Any
) -> tuple[Summary, str, World]:
    log = io.StringIO()
    world = World()
    status = Status(Console(file=log, width=200))
    output = Output(str(out), TraceHeader(adapter, "s"), max_bytes=max_bytes, say=status.say)
    limits.setdefault("seconds", 60.0)
    recorder = Recorder(
        source, output, status, threading.Event(), monotonic=world.monotonic, pause=world.pause, **limits
    )
    return recorder.run(), log.getvalue(), world


def arrivals(*contents: bytes, retained: bool = False) -> list[Arrival]:
    return [Arrival(number, "t", content, retained) for number, content in enumerate(contents)]


def header_adapter(path: Path) -> str | None:
    with TraceReader(path) as reader:
        return reader.header.adapter


def test_what_is_recorded_and_what_is_not(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    source = ScriptedSource(arrivals(SPATEM, retained=True), arrivals(CAM, SPATEM, CAM), arrivals(b"anything"))
    summary, log, _ = record(source, out)
    assert payloads(out) == [SPATEM, b"anything"]
    assert summary.left_out == {"retained": 1, "CAM": 2}
    assert (summary.messages, summary.payload_bytes) == (2, len(SPATEM) + 8)
    assert header_adapter(out) == "spatem_uper"
    assert "the adapter is spatem_uper" in log
    assert summary.ended == "60 s are over"
    assert source.closed >= 1


def test_no_byte_of_a_cam_reaches_the_disk(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    summary, _, _ = record(ScriptedSource(arrivals(CAM, CAM)), out)
    assert not out.exists()
    assert summary.messages == 0


@pytest.mark.parametrize("count", [1, 3, 5])
def test_exactly_as_many_as_asked_for(tmp_path: Path, count: int):
    out = tmp_path / "a.jsonl"
    source = ScriptedSource(arrivals(XML, b"2", CAM), arrivals(b"3", b"4", b"5", b"6"))
    summary, _, _ = record(source, out, count=count)
    assert payloads(out) == [XML, b"2", b"3", b"4", b"5", b"6"][:count]
    assert summary.ended == f"{count} messages are recorded"


def test_what_is_on_its_way_at_the_end_is_taken_along(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    source = ScriptedSource(*(arrivals(b"%d" % number) for number in range(10)))
    log = Console(file=io.StringIO())
    stop = threading.Event()
    stop.set()
    summary = Recorder(source, Output(str(out), TraceHeader(source="s")), Status(log), stop).run()
    assert payloads(out) == [b"%d" % number for number in range(10)]
    assert summary.ended == "asked to end"


def test_a_busy_source_does_not_keep_us(tmp_path: Path):
    class Busy(ScriptedSource):
        def receive(self, timeout_s: float) -> list[Arrival]:
            return arrivals(b"more")

    stop = threading.Event()
    stop.set()
    output = Output(str(tmp_path / "a.jsonl"), TraceHeader(source="s"))
    assert Recorder(Busy(), output, Status(Console(file=io.StringIO())), stop).run().messages < 100


def test_a_source_that_comes_and_goes(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    source = ScriptedSource(
        arrivals(XML),
        gone(),
        arrivals(b"2"),
        gone(),
        arrivals(b"3"),
        openings=(None, gone(), gone(), gone(), None, None),
    )
    summary, log, world = record(source, out)
    assert payloads(out) == [XML, b"2", b"3"]
    assert summary.losses == 2
    assert log.count("it went away; trying to get back") == 2
    assert log.count("back after") == 2
    # Longer and longer, and short again after it was back.
    waits = [round(pause, 1) for pause in world.pauses]
    assert waits == [0.5, 1.0, 2.0, 4.0, 0.5]


def test_pauses_do_not_grow_for_ever(tmp_path: Path):
    source = ScriptedSource(gone(), openings=(None, *(gone() for _ in range(100))))
    summary, log, world = record(source, tmp_path / "a.jsonl", seconds=600.0)
    assert max(world.pauses) <= 30
    assert summary.ended == "600 s are over"
    assert log.count("trying to get back") == 1


def test_a_refusal_after_a_loss_is_told_once_and_survived(tmp_path: Path):
    no = LeezenflowError("not authorised")
    source = ScriptedSource(gone(), arrivals(XML), openings=(None, no, no, None))
    summary, log, _ = record(source, tmp_path / "a.jsonl")
    assert log.count("not authorised") == 1
    assert summary.messages == 1


def test_a_source_that_was_never_there_is_an_error(tmp_path: Path):
    with pytest.raises(SourceLostError):
        record(ScriptedSource(openings=(gone(),)), tmp_path / "a.jsonl")
    assert not (tmp_path / "a.jsonl").exists()


def test_messages_nobody_knows_are_recorded_without_an_adapter(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    _, log, _ = record(ScriptedSource(arrivals(b"\xee\xff", b"\xee\xfe")), out)
    assert payloads(out) == [b"\xee\xff", b"\xee\xfe"]
    assert header_adapter(out) is None
    assert log.count("no adapter knows") == 1


def test_a_named_adapter_stands_in_the_header(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    record(ScriptedSource(arrivals(b"\xee\xff")), out, adapter="tscbm")
    assert header_adapter(out) == "tscbm"


def test_a_map_first_does_not_make_it_a_recording_of_maps(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    mapem = bytes.fromhex("0205000004d2") + b"lanes"
    record(ScriptedSource(arrivals(mapem, SPATEM)), out)
    assert header_adapter(out) == "spatem_uper"


def test_the_disk_budget_ends_it_in_order(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    source = ScriptedSource(*(arrivals(b"x" * 100) for _ in range(100)))
    summary, _, _ = record(source, out, max_bytes=2000)
    assert summary.ended == "the budget of 0.002 MB is used up"
    assert len(payloads(out)) == summary.messages < 30


def test_silence_from_the_start_is_told_with_a_hint(tmp_path: Path):
    _, log, _ = record(ScriptedSource(), tmp_path / "a.jsonl")
    assert log.count("nothing has arrived for 15 s. Check the script.") == 1


def test_plain_lines_once_a_minute(tmp_path: Path):
    log = io.StringIO()
    status = Status(Console(file=log, width=200))
    summary = Summary()
    with status:
        for second in range(181):
            summary.messages += 10
            summary.last_at_s = float(second)
            status.show(summary, 1_234_567, second + 0.5)
    lines = log.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("Z 610 messages, 10.0/s, file 1.2 MB, last 0.5 s ago")


def test_one_line_that_is_renewed_on_a_terminal():
    log = io.StringIO()
    summary = Summary(messages=7)
    summary.left_out["CAM"] = 2
    with Status(Console(file=log, width=200, force_terminal=True)) as status:
        for step in range(20):
            status.show(summary, 999, step / 4)
        status.say("something happened")
    text = log.getvalue()
    assert "7 messages, 0.0/s, file 999 bytes, nothing yet; left out: 2 CAM" in text
    assert "something happened" in text


def test_sizes_for_people():
    sizes = {0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 10**9: "1.0 GB"}
    assert {number: format_bytes(number) for number in sizes} == sizes
