# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole unit keeps to its budget of heap (docs/memory.md)."""

import os
import time
from pathlib import Path

import pytest
from brokers import AmqttBroker, free_port, publisher
from unix_device import UnixDevice, recorded_messages

from leezenflow_host.board_config import read_board
from leezenflow_host.boards.frames import FrameReceiver, Health
from leezenflow_host.image import build_image
from leezenflow_host.site_config import example_site

UF2 = os.environ.get("LEEZENFLOW_UF2")

# The unix MicroPython has larger objects, but no HUB75 panel and no Wi-Fi.
UNIX_HEAP_KB = 272

# What the whole unit may take of an RP2040's heap, measured 210 kB (docs/memory.md). A Pico has 237 kB.
BUDGET_BYTES = 212_000


ANSWERS = ("green", "sprint", "red", "uncertain")


class StagedDevice(UnixDevice):
    """A device tree as the installer writes it, compiled."""

    def __init__(self, micropython: str, folder: Path) -> None:
        self.micropython = micropython
        self.folder = folder


def test_the_example_runs_in_a_small_heap(micropython: str, tmp_path: Path) -> None:
    broker = AmqttBroker(free_port(), tmp_path)
    broker.start()
    unit = example_site()
    unit.values["signal"]["source"] = f"mqtt://127.0.0.1:{broker.port}//spat"
    build = read_board("virtual")
    build.values["device"] = {"health_s": 1}
    build_image(build, unit).write_to(tmp_path / "tree")
    device = StagedDevice(micropython, tmp_path / "tree")
    with FrameReceiver(record=True) as receiver, device.running(receiver.url, heap_kb=UNIX_HEAP_KB) as process:
        receiver.wait_for(lambda frame: frame.listening, 60)
        with publisher(broker.port) as client:
            for number, (_, payload) in enumerate(recorded_messages(60), 1):
                client.publish("/spat", payload).wait_for_publish(10)
                time.sleep(0.5)
                if number >= 8 and receiver.latest is not None and receiver.latest.kind in ANSWERS:
                    break
            receiver.wait_for(lambda frame: frame.kind in ANSWERS, 20)
        assert any(isinstance(record, Health) for record in receiver.records(20))
        assert process.poll() is None
    broker.stop()


PAYLOAD = """
import gc, json, sys
class Missing:
    pass
for name in ("socket", "network"):  # a Pico has none; what they take in a Pico W is its firmware's
    sys.modules[name] = Missing()
sys.path[:] = ["/a", ".frozen"]
gc.collect()
begin = last = gc.mem_alloc()
def note(what):
    global last
    gc.collect()
    print("part", gc.mem_alloc() - last, what)
    last = gc.mem_alloc()
import asyncio
asyncio.gather, asyncio.StreamReader, asyncio.Lock, asyncio.wait_for_ms
note("asyncio")
import leezenflow_device.main as root
note("core and app")
from leezenflow_device.displays import hub75_rp2
note("panel driver")
from leezenflow_device.transports import mqtt
note("MQTT")
from leezenflow_device.networks import wifi
note("Wi-Fi")
from leezenflow.renderings import green_wave
note("look")
from leezenflow_adapters import spatem_xml
note("decoder")
from leezenflow_device.configuration import read_json
from leezenflow_device import ticks
board = root.Board.from_dict(read_json("/board.json"), "/board.json")
clock = ticks.make_clock({"ticks_start": 0, "ticks_speed": 1})
canvas = root.Canvas(32, 96)
note("Canvas")
display = hub75_rp2.Display(board.display, 32, 96)
note("Display")
for name in ("socket", "network"):
    del sys.modules[name]
held = []
class Keep:
    def __init__(self, clock, engine, *others):
        held.extend((clock, engine, others))
root.app.App = Keep
def load(package, name, what):
    return {"mqtt": mqtt, "green_wave": green_wave, "spatem_xml": spatem_xml, "wifi": Missing}[name]
class Link:
    def __init__(self, *parts):
        pass
Missing.Network = Link
import leezenflow_device.app as app
from leezenflow_device import assembly, feeds, health
assembly.load_driver = feeds.load_driver = load
options = {}
for module in (app, health, ticks):
    for name in module.OPTIONS:
        options[name] = module.OPTIONS[name]["default"]
assembly.assemble({}, board, canvas, display, clock, options, None)
from leezenflow.start_parts import forget
forget(assembly)
del assembly
note("Transport, Look, Decoder, Engine, App")
engine = held[1]
# A message lies in the transport's buffer: here it takes the place of that.
before = gc.mem_alloc()
del held[2:]
gc.collect()
data = bytearray(16384)
freed = before - gc.mem_alloc()
for number in range(3):
    with open("/message%d" % number, "rb") as file:
        size = file.readinto(data)
    print("news", engine.message(data, 0, size, 1000 * number))
    engine.frame(1000 * number + 500)
    display.show(canvas)
    gc.collect()
note("after three messages")
print("total", gc.mem_alloc() - begin + freed)
largest, step = 0, 1 << 17
while step >= 256:
    try:
        bytearray(largest + step)
        largest += step
    except MemoryError:
        pass
    step >>= 1
print("largest", largest, "free", gc.mem_free())
print("THE-END")
"""


@pytest.mark.skipif(UF2 is None, reason="set LEEZENFLOW_UF2=/path/to/RPI_PICO.uf2 to run this test")
def test_the_unit_leaves_room_on_a_pico_w(tmp_path: Path) -> None:
    from emulated_board import EmulatedBoard, read_tree

    build_image(read_board("interstate75_w_rp2040"), example_site()).write_to(tmp_path / "tree")
    files = read_tree(tmp_path / "tree")
    files["/main.py"] = PAYLOAD.encode()
    del files["/boot.py"]
    for number, (_, payload) in enumerate(recorded_messages(3)):
        files[f"/message{number}"] = payload
    assert UF2
    chip = EmulatedBoard(Path(UF2), files)
    chip.run(60_000, until=lambda: b"THE-END" in chip.console or b"Traceback" in chip.console, patience_s=1800)
    chip.run(200)  # the rest of a traceback
    said = chip.console.decode()
    print(said)
    assert "THE-END" in said, said
    assert said.count("news True") >= 1
    total = int(said.split("total ")[1].split()[0])
    assert total <= BUDGET_BYTES
