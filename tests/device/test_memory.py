# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a unit has learned survives a restart, and keeping it wears no flash and stops nothing. On MicroPython."""

import json
import subprocess
from pathlib import Path

import pytest
from unix_device import UnixDevice, run_script, site

# A file system in memory that counts what is written, a clock in whose hours nothing is waited for, and an engine that
# has watched `cycles`. The real parts are MicroPython's open, rename and asyncio, and the module under test.
SETTING = """
import asyncio, gc, os, sys, vfs
vfs.umount("/")

class Blocks:
    def __init__(self, count):
        self.data = [None] * count
        self.writes = 0
        self.locked = False
    def readblocks(self, block, buf, offset=0):
        data = self.data[block] or bytes(4096)
        for i in range(len(buf)):
            buf[i] = data[offset + i]
    def writeblocks(self, block, buf, offset=None):
        if self.locked:
            return -30
        self.writes += 1
        if offset is None:
            offset = 0
        data = self.data[block] = self.data[block] or bytearray(4096)
        data[offset : offset + len(buf)] = buf
    def ioctl(self, op, arg):
        if op == 4:
            return len(self.data)
        if op == 5:
            return 4096
        if op == 6:
            if self.locked:
                return -30
            self.data[arg] = bytearray(b"\\xff" * 4096)
            return 0

blocks = Blocks(16)
vfs.VfsLfs2.mkfs(blocks, progsize=256)
vfs.mount(vfs.VfsLfs2(blocks, progsize=256), "/")
vfs.mount(vfs.VfsPosix("/"), "/host")
sys.path[:] = ["/host" + path if path[:1] == "/" else path for path in sys.path]

from leezenflow.board import Site
from leezenflow.engine import Engine
from leezenflow_device import memory

here = Site(12, 1090, 49)

class End(Exception):
    pass

def live(unit, hours, cycles_an_hour, each_hour=None):
    # Runs the task for so many hours; returns how often it saved.
    passed = [0]
    async def sleep_ms(ms):
        passed[0] += ms
        if passed[0] % 3600000 == 0:
            calibration = unit._engine.calibration
            calibration.cycles = (calibration.cycles + cycles_an_hour) & 0xFFFF
            if each_hour:
                each_hour(passed[0] // 3600000)
        if passed[0] > hours * 3600000:
            raise End
        await asyncio.sleep_ms(0)
    unit._sleep_ms = sleep_ms
    before = unit.saves
    try:
        asyncio.run(unit.run())
    except End:
        pass
    return unit.saves - before

def boot(site=here):
    return memory.Memory(Engine(site, None), site, None)
"""


def on_device(micropython: str, script: str) -> list[str]:
    """Run a script behind SETTING; the lines it prints."""
    return run_script(micropython, SETTING + script, heap_kb=2048).splitlines()


def test_a_reboot_keeps_what_was_learned(micropython: str) -> None:
    assert on_device(
        micropython,
        """
unit = boot()
print(unit.loaded, unit._engine.calibration.cycles, unit.fault)
print(live(unit, 1, 30))
learned = unit._engine.memory()
unit = boot()
print(unit.loaded, unit._engine.calibration.cycles, unit._engine.memory() == learned)
print(os.listdir("/state"))
""",
    ) == ["False 0 ", "1", "True 30 True", "['memory.bin']"]


def test_a_year_has_at_most_nine_thousand_writes(micropython: str) -> None:
    hours = 200
    lines = on_device(
        micropython,
        f"""
unit = boot()
print(live(unit, {hours}, 60))
before = blocks.writes
print(live(unit, {hours}, 0), blocks.writes - before)
print(live(unit, {hours}, 1))
""",
    )
    assert lines[0] == str(hours)
    assert hours * 365 * 24 // hours <= 9000
    # Nothing was learned, nothing is written; one cycle an hour is worth a write every twenty hours.
    assert lines[1] == "0 0"
    assert lines[2] == str(hours // 20)


def test_restarts_write_no_more(micropython: str) -> None:
    assert on_device(
        micropython,
        """
before = blocks.writes
print(sum([live(boot(), 0.9, 60) for _ in range(20)]), blocks.writes - before)
""",
    ) == ["0 0"]


def test_the_count_of_cycles_may_wrap(micropython: str) -> None:
    script = "unit = boot()\nunit._engine.calibration.cycles = unit._kept_cycles = 65530\nprint(live(unit, 2, 19))"
    assert on_device(micropython, script) == ["1"]


@pytest.mark.parametrize(
    "damage",
    [
        "data = b''",
        "data = data[:20]",
        "data = data[:-1]",
        "data = bytes([data[0] ^ 1]) + data[1:]",
        "data = data[:-3] + bytes([data[-3] ^ 64]) + data[-2:]",
        "data = data.replace(b'49:1090:12', b'49:1090:13')",
        "data = bytes(range(256)) * 40",
    ],
)
def test_a_damaged_file_or_one_of_another_signal_is_ignored_and_noted(micropython: str, damage: str) -> None:
    lines = on_device(
        micropython,
        f"""
live(boot(), 1, 30)
with open(memory.FILE, "rb") as file:
    data = file.read()
{damage}
with open(memory.FILE, "wb") as file:
    file.write(data)
unit = boot()
print(unit.loaded, unit._engine.calibration.cycles, unit.fault != "")
print(live(unit, 1, 30), unit.fault == "", boot().loaded)
""",
    )
    assert lines[0].startswith("/state/memory.bin: ")
    assert lines[1:] == ["False 0 True", "1 True True"]


def test_another_site_begins_anew(micropython: str) -> None:
    lines = on_device(
        micropython,
        """
live(boot(), 1, 30)
print(boot(Site(13, 1090, 49)).loaded, boot(Site(12, 1090, None)).loaded, boot().loaded)
""",
    )
    assert lines[-1] == "False False True"


def test_a_flash_that_cannot_be_written_stops_nothing_and_is_tried_once_an_hour(micropython: str) -> None:
    lines = on_device(
        micropython,
        """
unit = boot()
live(unit, 1, 30)
old = unit._engine.memory()
blocks.locked = True
print(live(unit, 5, 30), "not saved" in unit.fault)
blocks.locked = False
print(live(unit, 1, 30), unit.fault == "")
print(boot()._engine.calibration.cycles == unit._engine.calibration.cycles)
""",
    )
    # Told once, not every hour.
    assert len([line for line in lines if line.startswith("/state/memory.bin")]) == 1
    assert lines[1:] == ["0 True", "1 True", "True"]


def test_a_full_flash_keeps_the_old_memory(micropython: str) -> None:
    lines = on_device(
        micropython,
        """
unit = boot()
live(unit, 1, 30)
unit._engine.calibration.rows[:] = bytes([1]) * len(unit._engine.calibration.rows)
fills = []
for size in (4096, 600, 600, 600):
    try:
        while True:
            fills.append("/fill%d" % len(fills))
            with open(fills[-1], "wb") as file:
                file.write(bytes(size))
    except OSError:
        pass
print(live(unit, 1, 30), "not saved" in unit.fault, os.listdir("/state"))
print(boot()._engine.calibration.cycles)
for name in fills[:-4]:
    os.remove(name)
print(live(unit, 1, 30), boot()._engine.calibration.cycles)
""",
    )
    assert lines[1:] == ["0 True ['memory.bin']", "30", "1 90"]


def test_a_unit_starts_with_what_it_has_kept(micropython: str, tmp_path: Path) -> None:
    device = UnixDevice(micropython, tmp_path / "device")
    device.configure(site("udp://127.0.0.1:9"))
    device.write("state/memory.bin", b"nothing of ours")
    script = tmp_path / "boot.py"
    script.write_text(
        "import sys, vfs, json\n"
        "vfs.umount('/')\n"
        f"vfs.mount(vfs.VfsPosix({str(device.folder)!r}), '/')\n"
        "sys.path[:] = ['/a', '.frozen']\n"
        "from leezenflow_device import app, main\n"
        "app.App.run = lambda self: one(self)\n"
        "async def one(self):\n"
        "    from leezenflow_device.health import Health\n"
        "    print(json.dumps(Health().report(self)))\n"
        "main.run()\n"
    )
    done = subprocess.run([micropython, str(script)], capture_output=True, text=True, check=True, timeout=60)
    said, report = done.stdout.splitlines()
    assert said == "/state/memory.bin: of another signal, or damaged; begun anew"
    assert json.loads(report)["learned_cycles"] == 0
    assert json.loads(report)["memory_fault"] == "of another signal, or damaged; begun anew"
