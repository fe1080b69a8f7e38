# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole unit keeps to its budget of heap (docs/memory.md)."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from brokers import AmqttBroker, free_port, publisher
from unix_device import UnixDevice, recorded_messages, site

from leezenflow_host.board_config import read_board
from leezenflow_host.boards.frames import FrameReceiver, Health
from leezenflow_host.image import build_image, installed_names
from leezenflow_host.short_names import replace_names
from leezenflow_host.site_config import example_site

# By kind of board: a stock MicroPython.
IMAGES = {"pico": os.environ.get("LEEZENFLOW_UF2"), "pico_w": os.environ.get("LEEZENFLOW_UF2_W")}

# The unix MicroPython has larger objects, but no HUB75 panel and no Wi-Fi.
UNIX_HEAP_KB = 272

# What the whole unit may take of an RP2040's heap when messages have come (docs/memory.md). A Pico W has 199 kB, a Pico
# 237 kB; a connection takes 4 kB of it, a message some 2 kB until the next collection.
BUDGET_BYTES = 184_000

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


LEFT_OVER = """
import sys, vfs
vfs.umount("/")
vfs.mount(vfs.VfsPosix({folder!r}), "/")
sys.path[:] = ["/a", ".frozen"]
from leezenflow_device import app, main
async def tell(unit):
    print(unit.transport is not None, app.OPTIONS, *sorted(sys.modules))
app.App.run = tell
main.run()
"""


def test_what_only_a_start_needs_is_let_go(micropython: str, tmp_path: Path) -> None:
    device = UnixDevice(micropython, tmp_path / "device")
    device.configure(site("udp://127.0.0.1:9"))
    script = tmp_path / "script.py"
    script.write_text(LEFT_OVER.format(folder=str(device.folder)))
    done = subprocess.run([micropython, str(script)], capture_output=True, text=True, check=True, timeout=120)
    *_, said = done.stdout.splitlines()
    fed, options, *modules = said.split()
    assert (fed, options) == ("True", "None")
    assert "leezenflow.engine" in modules
    parts = ("board", "source_url", "palettes")
    gone = {*(f"leezenflow.{part}" for part in parts), "leezenflow_device.assembly", "leezenflow_device.feeds"}
    assert not gone & set(modules)


PAYLOAD = """
import gc, sys
sys.path[:] = ["/a", ".frozen"]
gc.collect()
begin = gc.mem_alloc()
try:
    import network
except ImportError:
    # A Pico has none; what it takes in a Pico W is its firmware's.
    class Stand:
        IF_STA = 0
        def __init__(self, *arguments):
            pass
    Stand.WLAN = Stand
    Stand.country = Stand
    sys.modules["network"] = sys.modules["socket"] = Stand
from leezenflow_device import main
import leezenflow_device.app

def largest():
    found, step = 0, 1 << 17
    while step >= 256:
        try:
            bytearray(found + step)
            found += step
        except MemoryError:
            pass
        step >>= 1
    return found

async def run(app):
    gc.collect()
    print("started: used", gc.mem_alloc() - begin, "free", gc.mem_free(), "largest", largest())
    # Messages lie in the transport's buffer.
    buffer = [part.buffer for part in app.transport.__dict__.values() if hasattr(part, "buffer")][0]
    for number in range(3):
        with open("/message%d" % number, "rb") as file:
            size = file.readinto(buffer)
        print("news", app.engine.message(buffer, 0, size, 1000 * number))
        app.engine.frame(1000 * number + 500)
        app.display.show(app.canvas)
        gc.collect()
    print("used", gc.mem_alloc() - begin)
    print("THE-END")
    raise SystemExit

leezenflow_device.app.App.run = run
try:
    main.run()
except SystemExit:
    pass
"""


@pytest.mark.parametrize("kind", ["pico", "pico_w"])
def test_the_unit_leaves_room_on_a_pico_w(tmp_path: Path, kind: str) -> None:
    """A whole start, as installed for a Pico W: MQTT, Wi-Fi, XML, HUB75; only `App.run` is ours."""
    uf2 = IMAGES[kind]
    if uf2 is None:
        pytest.skip(
            "set LEEZENFLOW_UF2=/path/to/RPI_PICO.uf2, or LEEZENFLOW_UF2_W for RPI_PICO_W.uf2, to run this test"
        )
    from emulated_board import EmulatedBoard, read_tree

    board, unit = read_board("pico_w_hub75"), example_site()
    build_image(board, unit).write_to(tmp_path / "tree")
    files = read_tree(tmp_path / "tree")
    files["/main.py"] = replace_names(PAYLOAD, installed_names(board, unit)).encode()
    files["/secrets.json"] = b'{"wifi": {"ssid": "none", "password": "nothing at all"}}'
    del files["/boot.py"]
    for number, (_, payload) in enumerate(recorded_messages(3)):
        files[f"/message{number}"] = payload
    chip = EmulatedBoard(Path(uf2), files, kind)
    chip.run(60_000, until=lambda: b"THE-END" in chip.console or b"Traceback" in chip.console, patience_s=1800)
    chip.run(200)  # the rest of a traceback
    said = chip.console.decode()
    print(said)
    assert "THE-END" in said, said
    assert said.count("news True") >= 1
    assert int(said.rpartition("used ")[2].split()[0]) <= BUDGET_BYTES
