# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running unit on the unix MicroPython: what its panel shows, and that every failure ends in a dark panel."""

import itertools
import json
import random
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from brokers import free_port
from unix_device import BOARD, ROOT, SITE, UnixDevice, board, recorded_messages, site

from leezenflow.canvas import Canvas
from leezenflow.renderings import test_pattern as pattern
from leezenflow_host.boards.frames import Blanked, Frame, FrameReceiver, Health, Message, MessageDone, Record

# Planted beside the real adapters: what the first byte of a message makes it do.
ADAPTER = """
import time
OPTIONS = {}
RUNTIMES = ("device",)

class Decoder:
    def __init__(self, region, intersection_id, signal_group, options=None):
        self.state = None
    def begin(self, buffer, start, end):
        self.order = buffer[start]
        self.left = 50
    def step(self):
        if self.order == 33:
            raise ValueError("planted fault")
        if self.order == 46 or self.left == 0:
            return False
        time.sleep_ms(5)
        self.left -= 1
"""

TRANSPORT = """
import asyncio
OPTIONS = {}

class Transport:
    def __init__(self, source, secrets, clock, unit_name=""):
        self.beats = 0
        self.listening = True
        self.counters = {}
        self.fault = ""
        self.kind = source.host
        self.clock = clock
    async def run(self, sink):
        if self.kind == "ends":
            return
        while True:
            await self.clock.network.sleep_ms(500)
            if self.kind == "lives":
                self.beats += 1
    async def publish(self, word, payload, retain=False):
        return False
"""


@pytest.fixture
def device(micropython: str, tmp_path: Path) -> UnixDevice:
    """A device tree without configuration, with an adapter and a transport that misbehave on demand."""
    made = UnixDevice(micropython, tmp_path / "device")
    made.write("a/leezenflow_adapters/planted.py", ADAPTER)
    made.write("a/leezenflow_device/transports/planted.py", TRANSPORT)
    return made


def planted_site(source: str, **look: Any) -> dict[str, Any]:
    """A site with the planted adapter."""
    values = site(source, **look)
    values["signal"]["adapter"] = "planted"
    return values


def collect(receiver: FrameReceiver, *, until: type[Record], timeout_s: float = 20) -> list[Record]:
    """All records up to the first of a kind."""
    records = []
    deadline = time.monotonic() + timeout_s
    for record in receiver.records(timeout_s):
        records.append(record)
        if isinstance(record, until):
            return records
        if time.monotonic() > deadline:
            break
    raise AssertionError(f"no {until.__name__} came; the last records are {records[-3:]}")


def send(port: int, *payloads: bytes) -> None:
    """Send datagrams to the device."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for payload in payloads:
            sender.sendto(payload, ("127.0.0.1", port))


def test_a_stored_picture_is_shown_exactly_without_site_or_network(device: UnixDevice) -> None:
    picture = random.Random(1).randbytes(32 * 96 + 768)
    device.configure(None)
    device.write("picture.bin", picture)
    with FrameReceiver() as receiver, device.running(receiver.url):
        frame = receiver.wait_for(lambda frame: frame.number > 2, 20)
    assert frame.pixels + frame.palette == picture
    assert not frame.listening


@pytest.mark.parametrize("size", [0, 100, 32 * 96 + 767, 32 * 96 + 769, 100_000])
def test_a_picture_of_another_size_is_refused(device: UnixDevice, size: int) -> None:
    device.configure(None)
    device.write("picture.bin", bytes(size))
    with FrameReceiver() as receiver, device.running(receiver.url) as process:
        collect(receiver, until=Blanked)
        assert process.stdout is not None
        assert any("picture" in line and "3840 bytes" in line for line in process.stdout)
    assert receiver.latest is None


def test_the_test_pattern_needs_no_messages(device: UnixDevice) -> None:
    values = site("", name="test_pattern")
    values["signal"].update(source=None, adapter=None)
    device.configure(values)
    with FrameReceiver() as receiver, device.running(receiver.url):
        frame = receiver.wait_for(lambda frame: frame.number > 2, 20)
    canvas = Canvas()
    pattern.Look(canvas).draw(None, canvas, 0)
    assert frame.pixels == bytes(canvas.pixels)
    assert frame.palette == bytes(canvas.palette)


def test_frames_go_on_while_a_long_message_is_worked_through(device: UnixDevice) -> None:
    port = free_port()
    device.configure(planted_site(f"udp://127.0.0.1:{port}"))
    with FrameReceiver(record=True) as receiver, device.running(receiver.url):
        receiver.wait_for(lambda frame: frame.listening, 20)
        send(port, b"~long")
        records = collect(receiver, until=MessageDone)
    began = next(index for index, record in enumerate(records) if isinstance(record, Message))
    frames = [record for record in records[began:] if isinstance(record, Frame)]
    # 50 steps of 5 ms are the time of six frames; the steps themselves must have let most of them through.
    assert len(frames) >= 4
    assert [frame.number for frame in frames] == list(range(frames[0].number, frames[0].number + len(frames)))


def test_messages_that_are_not_ours_are_counted_and_reported(device: UnixDevice) -> None:
    port = free_port()
    device.configure(planted_site(f"udp://127.0.0.1:{port}"), board(health_s=1))
    with FrameReceiver() as receiver, device.running(receiver.url) as process:
        receiver.wait_for(lambda frame: frame.listening, 20)
        send(port, b".", b".", b".")
        # Reports from before they arrived come first.
        report = next(
            record
            for record in receiver.records(20)
            if isinstance(record, Health) and record.report["engine"].get("other_signal", 0) >= 3
        )
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("health {"))
    assert report.report["engine"] == {"other_signal": 3}
    assert report.report["transport"] == {"messages": 3, "strangers": 0, "oversize": 0}
    assert report.report["listening"] is True
    assert report.report["advice"] == "dark"
    assert report.report["unit"] == "test"
    assert json.loads(line.removeprefix("health "))["uptime_s"] >= 1


@pytest.mark.parametrize(
    ("message", "said"),
    [(b"!", "ValueError: planted fault")],
)
def test_a_fault_in_the_decoder_ends_dark(device: UnixDevice, message: bytes, said: str) -> None:
    port = free_port()
    device.configure(planted_site(f"udp://127.0.0.1:{port}"))
    with FrameReceiver() as receiver, device.running(receiver.url) as process:
        receiver.wait_for(lambda frame: frame.listening, 20)
        send(port, message)
        collect(receiver, until=Blanked)
        assert process.stdout is not None
        assert any(said in line for line in process.stdout)
    assert receiver.latest is None


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        pytest.param(
            "a/leezenflow/renderings/planted.py",
            "OPTIONS = {}\n"
            "class Look:\n"
            "    def __init__(self, canvas, options=None): self.left = 5\n"
            "    def draw(self, advice, canvas, now_ms):\n"
            "        self.left -= 1\n"
            "        self.left // self.left\n",
            id="the look",
        ),
        pytest.param(
            "a/leezenflow/renderings/planted.py",
            "OPTIONS = {}\n"
            "class Look:\n"
            "    def __init__(self, canvas, options=None): self.hoard = []\n"
            "    def draw(self, advice, canvas, now_ms): self.hoard.append(bytes(20000))\n",
            id="memory",
        ),
    ],
)
def test_a_fault_while_drawing_ends_dark(device: UnixDevice, file: str, planted: str) -> None:
    device.write(file, planted)
    device.configure(planted_site("planted://lives", name="planted"))
    with FrameReceiver() as receiver, device.running(receiver.url):
        records = collect(receiver, until=Blanked)
    assert len(records) == 5 or "hoard" in planted
    assert receiver.latest is None


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("planted://hangs", "the transport did nothing for 4000 ms"),
        ("planted://ends", "the transport came to an end"),
    ],
)
def test_a_transport_that_stops_ends_dark(device: UnixDevice, source: str, said: str) -> None:
    device.configure(planted_site(source))
    with FrameReceiver() as receiver, device.running(receiver.url) as process:
        collect(receiver, until=Blanked)
        assert process.stdout is not None
        assert any(said in line for line in process.stdout)


def test_a_broker_that_never_answers_is_waited_for_and_does_not_end_the_unit(device: UnixDevice) -> None:
    # Its kernel accepts the connection, and then nothing comes: longer than the unit's own patience with its tasks.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        device.configure(planted_site(f"mqtt://127.0.0.1:{silent.getsockname()[1]}/t"))
        with device.running() as process:
            assert process.stdout is not None
            said = next(line for line in process.stdout if "trying again" in line or "did nothing" in line)
    assert "no answer in time" in said


def test_ticks_wrap_without_a_gap_in_the_frames(device: UnixDevice) -> None:
    device.configure(planted_site("planted://lives"), board(ticks_start=(1 << 30) - 40_000, ticks_speed=10))
    with FrameReceiver() as receiver, device.running(receiver.url):
        receiver.wait_for(lambda frame: 1000 < frame.ticks < 1 << 29, 20)
    frames = [record for record in receiver.records(0.1) if isinstance(record, Frame)]
    assert frames[0].ticks > 1 << 29
    steps = [(later.ticks - earlier.ticks) % (1 << 30) for earlier, later in itertools.pairwise(frames)]
    assert min(steps) > 0
    assert sum(steps) < 1 << 20


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("board.json", None, "/board.json: missing"),
        ("board.json", b"", "/board.json: damaged"),
        ("board.json", b"[1, 2]", "/board.json: damaged"),
        ("board.json", b"{" + b" " * 20_000, "/board.json: longer than"),
        ("board.json", b"\xff\xfe{}", "/board.json: damaged"),
        ("board.json", {**BOARD, "leezenflow_board": 2}, "/board.json: leezenflow_board is 2"),
        ("board.json", {**BOARD, "display": {**BOARD["display"], "driver": "nixie"}}, "display driver is 'nixie'"),
        ("board.json", {**BOARD, "display": {**BOARD["display"], "driver": "../x"}}, "display driver is '../x'"),
        ("board.json", {**BOARD, "device": {"fps": 0}}, "fps is 0"),
        ("board.json", {**BOARD, "device": {"fsp": 25}}, "no option 'fsp'"),
        ("site.json", None, "/site.json: missing"),
        ("site.json", planted_site("planted://lives", name="rainbow"), "look is 'rainbow'"),
        ("site.json", {**SITE, "signal": {**SITE["signal"], "source": "udp://:1", "adapter": None}}, "adapter is ''"),
        ("site.json", SITE, "signal source None"),
        ("site.json", planted_site("pigeon://coop"), "source is 'pigeon'"),
        ("site.json", planted_site("mqtt://broker"), "topic '' is empty"),
    ],
)
def test_a_wrong_configuration_is_named_and_the_panel_stays_dark(
    device: UnixDevice, name: str, content: dict[str, Any] | bytes | None, said: str
) -> None:
    device.configure(planted_site("planted://lives"))
    if content is None:
        (device.folder / name).unlink()
    else:
        device.write(name, content)
    with FrameReceiver() as receiver, device.running(receiver.url) as process:
        assert process.stdout is not None
        assert any(said in line for line in process.stdout)
        assert [record for record in receiver.records(0.3) if isinstance(record, Frame)] == []


_COUNT_FRAMES = """
import gc, json
from leezenflow.board import Site
from leezenflow.canvas import Canvas
from leezenflow.engine import Engine
from leezenflow.renderings.green_wave import Look
from leezenflow_adapters.spatem_xml import Decoder
from leezenflow_device import app, ticks
from leezenflow_device.displays.virtual import Display

canvas = Canvas()
display = Display({"frames_to": sys.argv[1]}, 32, 96)
engine = Engine(Site(12, 1090, 49, 22000, 14000), Decoder(49, 1090, 12), canvas, Look(canvas))
unit = app.App(ticks.make_clock({"ticks_start": 0, "ticks_speed": 1}), engine, canvas, display)
messages = []
for name in sys.argv[2:]:
    with open(name, "rb") as file:
        messages.append(file.read())

def measure(ticks, frames):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(frames):
        unit.render(ticks)
        ticks = (ticks + 40) & 0x3FFFFFFF
    after = gc.mem_alloc()
    gc.enable()
    return after - before, ticks

def engine_message(payload, ticks):
    engine.message(payload, 0, len(payload), ticks)

now = 0x3FFFFFFF - 3000
unit.render(now)  # the first frame of a kind may make what later ones use
allocated, now = measure(now, 50)
print("dark", engine.advice.kind, allocated)
for index, payload in enumerate(messages):
    engine_message(payload, now)
    for _ in range(25):
        unit.render(now)
        now = (now + 40) & 0x3FFFFFFF
for payload in messages[-1:]:
    allocated, now = measure(now - 960, 24)
    print("live", engine.advice.kind, allocated)
# So many frames at once may be more than a busy receiver has room for.
import time
while True:
    display.show(canvas)
    time.sleep_ms(50)
"""


def test_a_frame_allocates_nothing(micropython: str, tmp_path: Path) -> None:
    names = []
    for index, (_, payload) in enumerate(recorded_messages(4)):
        file = tmp_path / f"{index}.xml"
        file.write_bytes(payload)
        names.append(str(file))
    head = f"import sys\nsys.path[:0] = [{str(ROOT / 'firmware')!r}, {str(ROOT / 'signal_adapters')!r}]\n"
    with FrameReceiver("udp") as receiver:
        process = subprocess.Popen(
            [micropython, "-X", "heapsize=512k", "-c", head + _COUNT_FRAMES, receiver.url, *names],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                assert process.stdout is not None
                lines = [process.stdout.readline().split() for _ in range(2)]
                assert receiver.wait_for(lambda frame: frame.kind in ("green", "red", "sprint"), 60)
            finally:
                process.kill()
    assert lines[0] == ["dark", "dark", "0"]
    assert lines[1][0] == "live"
    assert lines[1][1] in ("green", "red", "sprint")
    assert lines[1][2] == "0"
