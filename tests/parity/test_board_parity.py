# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the board showed, byte for byte, from the instants it logged: same code, two interpreters.

The unit runs on the unix MicroPython, fed over a real broker with a recording at scaled time. It logs each message
with its arrival and each frame with its instant, advice and picture; the same engine on CPython, driven by exactly
these instants, must give the same.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from board_flash import write_flash
from brokers import AmqttBroker, free_port, publisher
from unix_device import HEAP_KB, UnixDevice, board, recorded_messages, site

from leezenflow.board import Site
from leezenflow.canvas import Canvas
from leezenflow.engine import Engine
from leezenflow.renderings import green_wave
from leezenflow_adapters import spatem_xml
from leezenflow_host.board_config import read_board
from leezenflow_host.boards.frames import Frame, FrameReceiver, Health, Message, MessageDone, Reconnected, Record
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.image import build_image
from leezenflow_host.site_config import read_site

TOPIC = "/spat/1090"
# Ten times as fast: at more, what a busy computer delays by a blink is late by seconds, and not news.
SPEED = 10
WRAP = 1 << 30

MESSAGES = recorded_messages(130)


@pytest.fixture
def broker(tmp_path: Path):
    """A broker on a free port."""
    made = AmqttBroker(free_port(), tmp_path)
    made.start()
    yield made
    made.stop()


@dataclass
class Seen:
    """What a comparison came across, so that a test can tell that it compared something."""

    frames: int = 0
    news: int = 0
    reconnects: int = 0
    kinds: set[str] | None = None
    wrapped: bool = False


def feed(port: int, receiver: FrameReceiver) -> list[Record]:
    """Publish the recording at scaled time and return everything the board logged."""
    receiver.wait_for(lambda frame: frame.listening, 60)
    began = time.monotonic()
    with publisher(port) as client:
        for at_ms, payload in MESSAGES:
            pause_s = (at_ms - MESSAGES[0][0]) / 1000 / SPEED - (time.monotonic() - began)
            time.sleep(max(0.0, pause_s))
            client.publish(TOPIC, payload).wait_for_publish(10)
        records = log_until(receiver, lambda record: _is_message(record, MESSAGES[-1][1]))
        done = log_until(receiver, lambda record: isinstance(record, MessageDone))
        ends = done[-1].ticks
        frames = log_until(receiver, lambda record: isinstance(record, Frame) and (record.ticks - ends) % WRAP > 2000)
    return records + done + frames


def log_until(receiver: FrameReceiver, is_last: Callable[[Record], bool]) -> list[Any]:
    """What the board logs up to the record that `is_last`."""
    records: list[Record] = []
    for record in receiver.records(60):
        records.append(record)
        if is_last(record):
            return records
    raise AssertionError(f"the board's log broke off; the last records are {records[-3:]}")


def _is_message(record: Record, payload: bytes) -> bool:
    return isinstance(record, Message) and record.payload == payload


def compare(records: list[Record], values: dict[str, Any]) -> Seen:
    """Drive the engine of this interpreter with the board's instants; every advice and picture must be equal."""
    canvas = Canvas()
    unit = Site.from_dict(values)
    decoder = spatem_xml.Decoder(unit.region, unit.intersection_id, unit.signal_group, unit.adapter_options)
    engine = Engine(unit, decoder, canvas, green_wave.Look(canvas, unit.look_options))
    seen = Seen(kinds=set())
    before: Frame | None = None
    for record in records:
        if isinstance(record, Message):
            engine.begin_message(record.payload, 0, len(record.payload), record.ticks)
        elif isinstance(record, MessageDone):
            news = engine.step_message()
            while news is None:
                news = engine.step_message()
            assert news == record.news
            seen.news += news
        elif isinstance(record, Reconnected):
            engine.reconnected()
            seen.reconnects += 1
        elif isinstance(record, Frame):
            _compare_frame(engine, canvas, record)
            seen.frames += 1
            assert seen.kinds is not None
            seen.kinds.add(record.kind)
            assert before is None or record.number == before.number + 1, "no frame was lost"
            seen.wrapped |= before is not None and record.ticks < before.ticks
            before = record
    return seen


def _compare_frame(engine: Engine, canvas: Canvas, frame: Frame) -> None:
    advice = engine.frame(frame.ticks)
    shown = {name: getattr(advice, name) for name in frame.advice}
    assert shown == frame.advice, f"at {frame.ticks}"
    assert bytes(canvas.palette) == frame.palette, f"at {frame.ticks}"
    assert bytes(canvas.pixels) == frame.pixels, f"at {frame.ticks}"


@pytest.mark.parametrize("start", [0, WRAP - 60_000], ids=["from zero", "across the wrap"])
def test_the_board_shows_what_the_host_computes(
    micropython: str, tmp_path: Path, broker: AmqttBroker, start: int
) -> None:
    device = UnixDevice(micropython, tmp_path / "device")
    values = site(f"mqtt://127.0.0.1:{broker.port}/{TOPIC}")
    device.configure(values, board(ticks_start=start, ticks_speed=SPEED, health_s=1))
    with FrameReceiver(record=True) as receiver, device.running(receiver.url):
        records = feed(broker.port, receiver)
    seen = compare(records, values)
    assert seen.news >= len(MESSAGES) - 10
    assert seen.frames > 500
    assert seen.kinds is not None
    assert seen.kinds >= {"dark", "green", "red"}
    assert seen.wrapped == bool(start)
    used = [record.report["memory_used"] for record in records if isinstance(record, Health)]
    assert len(used) >= 3
    assert max(used[1:]) - min(used[1:]) < 2048, "memory grows with messages"
    with pytest.raises(AssertionError):
        compare(records, {**values, "rider": {**values["rider"], "cruise_ms": 22_001}})


def test_a_broker_restart_changes_nothing_about_that(micropython: str, tmp_path: Path, broker: AmqttBroker) -> None:
    device = UnixDevice(micropython, tmp_path / "device")
    values = site(f"mqtt://127.0.0.1:{broker.port}/{TOPIC}")
    device.configure(values, board(ticks_speed=SPEED))
    with FrameReceiver(record=True) as receiver, device.running(receiver.url):
        records = feed(broker.port, receiver)
        broker.stop()
        receiver.wait_for(lambda frame: not frame.listening and frame.kind == "dark", 20)
        broker.start()
        records += feed(broker.port, receiver)
    seen = compare(records, values)
    assert seen.reconnects == 2


def test_the_virtual_board_shows_what_the_host_computes(tmp_path: Path, broker: AmqttBroker) -> None:
    file = tmp_path / "site.toml"
    file.write_text(
        '[signal]\nintersection = "49:1090"\nsignal_group = 12\nadapter = "spatem_xml"\n'
        f'source = "mqtt://127.0.0.1:{broker.port}/{TOPIC}"\n'
        "[rider]\ndistance_m = 110\nsprint_kmh = 27\n"
    )
    unit = read_site(file)
    build = read_board("virtual")
    build.values["device"].update(ticks_start=WRAP - 60_000, ticks_speed=SPEED)
    build_image(build, unit).write_to(tmp_path / "tree")
    write_flash(tmp_path / "flash", tmp_path / "tree")
    with (
        FrameReceiver(record=True) as receiver,
        VirtualBoard(tmp_path / "flash", heap_kb=HEAP_KB, environment={"LEEZENFLOW_FRAMES": receiver.url}),
    ):
        records = feed(broker.port, receiver)
    seen = compare(records, unit.values)
    assert seen.news >= len(MESSAGES) - 10
    assert seen.kinds is not None
    assert seen.kinds >= {"dark", "green", "red"}
    assert seen.wrapped
