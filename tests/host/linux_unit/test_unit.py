# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop of a Linux unit under a clock of the test's own: what `replay` computes, and a dark panel in the end."""

import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import free_port
from linux_units import Panel, RunningUnit, ScriptedFeed, make_linux_unit, make_site
from recordings import write_recording
from waiting import wait_until

from leezenflow.canvas import Canvas
from leezenflow.engine import Engine
from leezenflow.renderings.green_wave import Look
from leezenflow_host.capture.arrivals import Arrival, SourceLostError
from leezenflow_host.demo import data_file
from leezenflow_host.errors import LeezenflowError
from leezenflow_host.linux_unit.memory import UnitMemory
from leezenflow_host.linux_unit.receiver import RECONNECTED, Receiver, Reconnected
from leezenflow_host.linux_unit.unit import Guard, LinuxUnit
from leezenflow_host.replay import TICKS_MASK, build_decoder, replay_frames
from leezenflow_host.site_config import example_site
from leezenflow_host.trace import TraceMessage, TraceReader


class VirtualReceiver:
    """In the receiver's place: a recording under the clock that it moves itself."""

    listening = True
    fault = ""
    progress_at_ms = 1 << 62

    def __init__(self, messages: list[TraceMessage], stop: threading.Event) -> None:
        self.now_ms = messages[0].at_ms
        self._messages: Iterator[TraceMessage | None] = itertools.chain(messages, itertools.repeat(None))
        self._next = next(self._messages)
        self._stop = stop
        self._ended = False

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to stop."""

    def take(self, timeout_s: float) -> Arrival | None:
        """The next message, if it comes before the frame that is due; the clock goes on to it."""
        due_ms = self.now_ms + round(timeout_s * 1000)
        message = self._next
        if message is None:
            # One more frame shows what the last message did.
            if self._ended:
                self._stop.set()
            self._ended = True
        if message is None or message.at_ms > due_ms:
            self.now_ms = due_ms
            return None
        self.now_ms = message.at_ms
        self._next = next(self._messages)
        return Arrival(message.at_ms, message.topic, message.payload)


class Notebook:
    """A display that notes each frame: ticks, advice and pixels."""

    def __init__(self) -> None:
        self.frames: list[tuple[Any, ...]] = []
        self._noted: tuple[Any, ...] = ()

    def note_frame(self, ticks: int, advice: Any, listening: bool, draw_us: int) -> None:
        self._noted = (ticks, advice.kind, advice.remaining_ms, advice.span_ms, advice.certainty, advice.reason)

    def show(self, canvas: Canvas) -> None:
        self.frames.append((*self._noted, hash(bytes(canvas.pixels))))

    def deinit(self) -> None:
        self._noted = ()


@pytest.mark.parametrize("recording", ["demo", "made"])
def test_a_replayed_recording_gives_the_frames_that_replay_computes(tmp_path: Path, recording: str) -> None:
    if recording == "demo":
        trace, site = data_file("demo.jsonl.gz"), example_site().site()
    else:
        trace, site = tmp_path / "made.jsonl", make_site().site()
        write_recording(trace, 200, skip=(60, 75))
    with TraceReader(trace, strict=True) as reader:
        messages = list(reader)[:600]

    def make_engine() -> tuple[Engine, Canvas]:
        canvas = Canvas(32, 96)
        return Engine(site, build_decoder(site), canvas, Look(canvas)), canvas

    expected = Notebook()
    engine, canvas = make_engine()
    for at_ms, advice in replay_frames(messages, engine):
        expected.note_frame(at_ms & TICKS_MASK, advice, True, 0)
        expected.show(canvas)
    shown = Notebook()
    engine, canvas = make_engine()
    stop = threading.Event()
    receiver: Any = VirtualReceiver(messages, stop)
    now = lambda: receiver.now_ms  # noqa: E731
    LinuxUnit(engine, canvas, shown, receiver, fps=10, clock=now, wall_ms=now, is_synchronised=lambda: True).run(stop)
    assert {frame[1] for frame in shown.frames} >= {"green", "red", "dark"}
    # The unit's very first frame is drawn at the instant of the first message, before it is taken.
    assert shown.frames[1 : len(expected.frames)] == expected.frames[1:]
    assert len(shown.frames) >= len(expected.frames)


def test_the_clock_is_told_only_when_a_time_server_sets_it(tmp_path: Path) -> None:
    trace = tmp_path / "made.jsonl"
    write_recording(trace, 5)
    with TraceReader(trace) as reader:
        messages = list(reader)
    told: dict[bool, list[tuple[int, int]]] = {}
    for synchronised in (True, False):
        site = make_site().site()
        engine = Engine(site, build_decoder(site))
        calls = told.setdefault(synchronised, [])
        engine.set_utc = lambda ticks, ms, calls=calls: calls.append((ticks, ms))  # type: ignore[method-assign]
        stop = threading.Event()
        receiver: Any = VirtualReceiver(messages, stop)
        LinuxUnit(
            engine,
            Canvas(32, 96),
            Notebook(),
            receiver,
            clock=lambda receiver=receiver: receiver.now_ms,
            wall_ms=lambda receiver=receiver: receiver.now_ms + 7,
            is_synchronised=lambda synchronised=synchronised: synchronised,
        ).run(stop)
    assert told[False] == []
    assert told[True] == [(m.at_ms & TICKS_MASK, (m.at_ms + 7) % 3_600_000) for m in messages]


def test_a_display_that_fails_ends_the_unit_and_is_dark() -> None:
    panel = Panel()
    said: list[str] = []
    with RunningUnit(make_linux_unit(f"udp://127.0.0.1:{free_port()}", panel, said)) as running:
        wait_until(lambda: len(panel.shown) > 3, "frames")
        assert not panel.dark
        panel.fault = OSError("the strand is gone")
        wait_until(lambda: running.ended, "the end of the unit")
    assert running.error is panel.fault
    assert panel.dark


def planted_unit(feed: ScriptedFeed, panel: Panel, said: list[str], engine: Any = None) -> LinuxUnit:
    """A unit whose feed is the test's."""
    site = make_site().site()
    canvas = Canvas(32, 96)
    engine = engine or Engine(site, build_decoder(site), canvas, Look(canvas))
    return LinuxUnit(engine, canvas, panel, Receiver(feed, said.append), fps=50, say=said.append)


def test_a_fault_of_the_engine_ends_in_a_dark_panel() -> None:
    panel, feed = Panel(), ScriptedFeed()
    unit = planted_unit(feed, panel, [])
    with RunningUnit(unit) as running:
        wait_until(lambda: len(panel.shown) > 3, "frames")
        unit.engine.decoder.begin = None
        feed.waiting.append(Arrival(0, "", b"x"))
        wait_until(lambda: running.ended, "the end of the unit")
    assert isinstance(running.error, TypeError)
    assert panel.dark
    assert feed.closed


def test_a_fault_of_the_receiving_thread_ends_in_a_dark_panel() -> None:
    panel, feed = Panel(), ScriptedFeed()
    with RunningUnit(planted_unit(feed, panel, [])) as running:
        wait_until(lambda: len(panel.shown) > 3, "frames")
        feed.waiting.append(ZeroDivisionError("planted"))
        wait_until(lambda: running.ended, "the end of the unit")
    assert isinstance(running.error, ZeroDivisionError)
    assert panel.dark


def test_a_receiver_that_stands_still_is_no_life() -> None:
    panel, feed = Panel(), ScriptedFeed()
    unit = planted_unit(feed, panel, [])
    assert unit.receiver is not None
    receiver: Any = unit.receiver
    with RunningUnit(unit) as running:
        wait_until(lambda: len(panel.shown) > 3, "frames")
        # As if the thread had hung for an hour: its marks lie so far back.
        type(receiver).progress_at_ms = property(lambda self: -3_600_000, lambda self, value: None)
        try:
            wait_until(lambda: running.ended, "the end of the unit")
        finally:
            del type(receiver).progress_at_ms
    assert isinstance(running.error, LeezenflowError)
    assert "receiver did nothing" in str(running.error)
    assert panel.dark


def test_losses_are_told_once_and_looked_after_for_ever() -> None:
    feed = ScriptedFeed()
    said: list[str] = []
    feed.openings.extend([SourceLostError("nobody"), SourceLostError("nobody"), LeezenflowError("refused")])
    receiver = Receiver(feed, said.append)
    receiver.start()
    assert isinstance(receiver.take(30), Reconnected)
    assert feed.opened == 4
    assert said == ["nobody; trying again", "refused; trying again"]
    wait_until(lambda: receiver.listening, "listening")
    feed.waiting.append(Arrival(5, "t", b"m"))
    assert receiver.take(30) == Arrival(5, "t", b"m")
    feed.waiting.append(SourceLostError("gone"))
    # The evidence starts anew with each connection (F9).
    assert isinstance(receiver.take(30), Reconnected)
    assert feed.counters["losses"] == 1
    receiver.stop()
    assert not receiver.listening


def test_messages_that_nobody_takes_do_not_pile_up() -> None:
    feed = ScriptedFeed()
    receiver = Receiver(feed, print)
    feed.waiting.extend(Arrival(number, "", b"") for number in range(1000))
    receiver.start()
    wait_until(lambda: not feed.waiting, "the feed to be empty")
    receiver.stop()
    items = []
    while (item := receiver.take(0)) is not None:
        items.append(item)
    assert items[0] is RECONNECTED
    assert len(items) <= 257
    assert items[-1] == Arrival(999, "", b"")


def test_a_hanging_display_ends_the_process() -> None:
    release = threading.Event()
    ended = threading.Event()
    said: list[str] = []

    class Hanging(Panel):
        def show(self, canvas: Canvas) -> None:
            super().show(canvas)
            if len(self.shown) > 3:
                release.wait()

    panel = Hanging()
    unit = planted_unit(ScriptedFeed(), panel, [])
    with RunningUnit(unit):
        wait_until(lambda: len(panel.shown) > 3, "the frame that hangs")
        with Guard(unit, 0.5, ended.set, said.append):
            assert ended.wait(30)
            assert panel.dark
            release.set()
    assert said == ["no frame was drawn for 0.5 s: ending"]


def test_health_says_the_same_words_as_a_board() -> None:
    panel, feed = Panel(), ScriptedFeed()
    said: list[str] = []
    source = f"udp://127.0.0.1:{free_port()}"
    site = make_site(source)
    unit = make_linux_unit(source, panel, said, health_s=1)

    def reports() -> list[dict[str, Any]]:
        found = [json.loads(line[7:]) for line in said if line.startswith("health ")]
        return [report for report in found if report["frames"] > 3 and report["listening"]]

    with RunningUnit(unit):
        wait_until(reports, "a report of a unit at work")
    report = reports()[0]
    assert report["unit"] == "test" and report["advice"] == "dark" and report["reason"] == "no_data"
    assert report["board"] == "virtual" and report["frames"] > 3 and report["listening"] is True
    assert report["transport"] == {"messages": 0, "oversize": 0} and report["engine"] == {}
    assert report["message_age_ms"] is None and report["latency_ms"] is None and report["shares"]["dark"] == 1000
    assert report["brightness"] == 255 and report["memory_used"] > 1_000_000
    assert not any(word in json.dumps(report) for word in (site.values["signal"]["source"], "password"))
    assert feed.opened == 0


def test_memory_is_kept_and_damage_survived(tmp_path: Path) -> None:
    site = make_site().site()
    trace = tmp_path / "made.jsonl"
    write_recording(trace, 400)
    engine = Engine(site, build_decoder(site))
    said: list[str] = []
    memory = UnitMemory(engine, tmp_path / "memory.bin", said.append, 0)
    memory.save()
    assert not (tmp_path / "memory.bin").exists()  # nothing learned, nothing written
    with TraceReader(trace) as reader:
        for _ in replay_frames(reader, engine):
            pass
    memory.save_if_due(3_599_999)
    assert not (tmp_path / "memory.bin").exists()
    memory.save_if_due(3_600_000)
    learned = (tmp_path / "memory.bin").read_bytes()
    assert learned == engine.memory()
    again = Engine(site, build_decoder(site))
    UnitMemory(again, tmp_path / "memory.bin", said.append, 0)
    assert again.memory() == learned and said == []
    (tmp_path / "memory.bin").write_bytes(learned[:-1])
    fresh = Engine(site, build_decoder(site))
    damaged = UnitMemory(fresh, tmp_path / "memory.bin", said.append, 0)
    assert fresh.calibration.cycles == 0
    assert "is damaged, the unit learns anew" in said[0] and damaged.fault
    nowhere = UnitMemory(fresh, tmp_path / "missing" / "memory.bin", said.append, 0)
    fresh.load_memory(learned)
    nowhere.save()
    assert "cannot be written" in said[-1]
