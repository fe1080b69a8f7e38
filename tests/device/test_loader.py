# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""boot.py and the loader on a virtual board: dark first, the right slot, Ctrl-C to the prompt, failures noted."""

import ast
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from board_flash import read_flash, write_flash
from brokers import wait_until
from unix_device import ROOT, UnixDevice, board, run_script, site

from leezenflow_host.boards.frames import FrameReceiver
from leezenflow_host.boards.virtual import VirtualBoard

# A release that tells which slot it is, and then does as told.
RELEASE = """
import sys

def run():
    print("slot", __file__.split("/")[1], sys.path)
    {act}
"""


@pytest.fixture
def tree(micropython: str, tmp_path: Path) -> UnixDevice:
    """A device tree whose release in /a is replaced by what a test wants."""
    return UnixDevice(micropython, tmp_path / "device")


def plant(tree: UnixDevice, slot: str, act: str) -> None:
    """Make a release in a slot that does `act`."""
    tree.write(f"{slot}/manifest.json", "{}")
    tree.write(f"{slot}/leezenflow_device/__init__.py", "")
    tree.write(f"{slot}/leezenflow_device/main.py", RELEASE.format(act=act))


@pytest.fixture
def flash(tmp_path: Path) -> Path:
    """The file of a virtual board's flash."""
    return tmp_path / "flash"


def power_up(flash: Path, tree: UnixDevice, **environment: str) -> VirtualBoard:
    """A board with this tree in its flash."""
    write_flash(flash, tree.folder)
    return VirtualBoard(flash, environment=environment)


def await_log(board_: VirtualBoard, words: str) -> str:
    """Wait until the board has printed `words`."""
    wait_until(lambda: words in board_.log, f"the board says {words!r}; it said {board_.log}")
    return board_.log


def test_only_the_slot_and_the_frozen_modules_are_on_the_path(tree: UnixDevice, flash: Path) -> None:
    plant(tree, "a", "raise KeyboardInterrupt")
    with power_up(flash, tree) as unit:
        log = await_log(unit, "Stopped")
    assert "slot a ['/a', '.frozen']" in log


@pytest.mark.parametrize(
    ("boot", "releases", "chosen"),
    [
        (None, "a", "a"),
        (None, "b", "b"),
        (None, "ab", "a"),
        ('{"active": "b"}', "ab", "b"),
        ('{"active": "b"}', "a", "a"),
        ('{"active": "c"}', "b", "b"),
        ('{"active": ["b"]}', "ab", "a"),
        ('{"active": "b", "try": {}, "left": "2", "bad": 7, "config": 7}', "ab", "b"),
        ('{"active": "b", "try": "c", "left": 2}', "ab", "b"),
        ('{"active": "a", "try": "b", "left": 2}', "a", "a"),
        ('{"active": "a", "try": "b", "left": 2}', "ab", "b"),
        ('{"active": "a", "try": "b", "left": 0}', "ab", "a"),
        ('{"active": "a", "try": "b", "left": -1, "bad": {}}', "ab", "a"),
        ('{"active": "a", "try": "b", "left": "2"}', "ab", "a"),
        ('{"active": "a", "try": "b"}', "ab", "a"),
        ('{"active": "b", "config": ["/site.json", 7, null, "/none"]}', "ab", "b"),
        ("[]", "a", "a"),
        ("", "b", "b"),
        ('{"active": "b"', "ab", "a"),
        ("\xff", "a", "a"),
    ],
)
def test_the_slot(tree: UnixDevice, flash: Path, boot: str | None, releases: str, chosen: str) -> None:
    (tree.folder / "a/leezenflow_device/main.py").unlink()
    for slot in releases:
        plant(tree, slot, "raise KeyboardInterrupt")
    if boot is not None:
        tree.write("boot.json", boot.encode("latin-1"))
    with power_up(flash, tree) as unit:
        assert f"slot {chosen} " in await_log(unit, "Stopped")


def test_a_slot_without_its_manifest_is_no_release(tree: UnixDevice, flash: Path) -> None:
    plant(tree, "a", "raise KeyboardInterrupt")
    plant(tree, "b", "raise KeyboardInterrupt")
    (tree.folder / "a/manifest.json").unlink()
    with power_up(flash, tree) as unit:
        assert "slot b " in await_log(unit, "Stopped")


def test_a_trial_that_fails_twice_leads_back_and_is_remembered(tree: UnixDevice, flash: Path) -> None:
    plant(tree, "a", "raise KeyboardInterrupt")
    plant(tree, "b", "raise ValueError('planted')")
    tree.write("boot.json", '{"active": "a", "try": "b", "left": 2, "floor": 7}')
    loader = (tree.folder / "main.py").read_text()
    tree.write("main.py", re.sub(r"_FIRST_PAUSE_S = 10\b", "_FIRST_PAUSE_S = 0", loader))
    with power_up(flash, tree) as unit:
        log = await_log(unit, "Stopped")
        assert unit.lives == 3
    assert log.count("The release in /b is on trial.") == 2
    assert "The release in /b did not prove itself: back to the one before." in log
    boot = json.loads(read_flash(flash, "/boot.json") or "")
    assert boot == {
        "active": "a",
        "try": None,
        "left": 0,
        "floor": 7,
        "bad": [hashlib.sha256(b"{}").hexdigest()],
    }
    assert read_flash(flash, "/state/restart") == "failure 2"


TRIAL_TIMER = """
sys.path.insert(0, sys.argv[1])
import loader
boots = []
loader.read_boot = lambda: {"try": boots[-1]}
calls = []
class Timer:
    ONE_SHOT = 0
    def __init__(self, number, mode, period, callback):
        if number not in known:
            raise ValueError("no such timer")
        calls.append((number, period))
        self.callback = callback
class machine:
    reset = lambda: calls.append("reset")
machine.Timer = Timer
for known in ((-1,), (0, 1), ()):
    timer = loader.limit_trial(machine)
    for slot in ("b", None):
        boots.append(slot)
        if timer:
            timer.callback(timer)
class bare:
    pass
print(calls, loader.limit_trial(bare))
"""


def test_a_trial_that_hangs_is_reset_and_a_confirmed_one_is_not(micropython: str) -> None:
    said = run_script(micropython, TRIAL_TIMER, str(ROOT / "firmware/leezenflow_device"))
    assert said == "[(-1, 300000), 'reset', (0, 300000), 'reset'] None\n"


UNREADABLE = """
sys.path.insert(0, sys.argv[1])
import json
import loader
boot = {"active": "a", "try": "b", "left": 0, "bad": ["x"]}
written = []
loader.read_boot = lambda: dict(boot)
loader.write_boot = lambda boot: written.append(boot) or True
loader.holds_release = lambda slot: True
def fail(*_):
    raise OSError(84)  # what LittleFS says of a damaged block
loader.open = fail
chosen = loader.choose_slot()
print(json.dumps([chosen, written]))
"""


def test_a_trial_whose_manifest_cannot_be_read_leads_back_too(micropython: str) -> None:
    said = run_script(micropython, UNREADABLE, str(ROOT / "firmware/leezenflow_device"))
    chosen, written = json.loads(said.splitlines()[-1])
    assert chosen == ["a", False]
    assert written == [{"active": "a", "try": None, "left": 0, "bad": ["x", ""]}]


def test_without_a_release_it_says_so_and_stays_at_the_prompt(tree: UnixDevice, flash: Path) -> None:
    (tree.folder / "a/leezenflow_device/main.py").unlink()
    with power_up(flash, tree) as unit:
        await_log(unit, "There is no release in /a or /b: install the firmware.")
        await_log(unit, ">>> ")


def test_a_failure_is_noted_and_the_unit_starts_again(tree: UnixDevice, flash: Path) -> None:
    plant(tree, "a", "raise ValueError('planted')")
    # The pauses are shortened here, nothing else.
    loader = (tree.folder / "main.py").read_text()
    tree.write("main.py", re.sub(r"_FIRST_PAUSE_S = 10\b", "_FIRST_PAUSE_S = 0", loader))
    with power_up(flash, tree) as unit:
        wait_until(lambda: unit.lives >= 5, "it has started five times")
        log = unit.log
    crashes = read_flash(flash, "/state/crash.txt")
    assert "ValueError: planted" in log
    assert crashes is not None
    assert len(crashes) <= 3800
    counts = [int(count) for count in re.findall(r"^failure (\d+) after \d+ s$", crashes, re.M)]
    assert counts[0] >= 4
    assert counts == list(range(counts[0], counts[0] - len(counts), -1)), "the newest is on top"
    assert crashes.count("ValueError: planted") >= 2


def test_what_an_operator_must_do_is_said_without_a_traceback(tree: UnixDevice, flash: Path) -> None:
    with power_up(flash, tree) as unit:
        log = await_log(unit, "starting again")
    assert "/board.json: missing; install firmware and configuration" in log
    assert "Traceback" not in log
    crashes = read_flash(flash, "/state/crash.txt")
    assert crashes is not None and "Traceback" in crashes


def test_a_full_heap_is_noted_too(tree: UnixDevice, flash: Path) -> None:
    hoard = "import leezenflow_device as here; here.hoard = [bytearray(300)]"
    hoard += "\n    while True: here.hoard.append(bytearray(300))"
    plant(tree, "a", hoard)
    with power_up(flash, tree) as unit:
        await_log(unit, "starting again in 10 s")
    crashes = read_flash(flash, "/state/crash.txt")
    assert crashes is not None and "MemoryError" in crashes


def test_a_release_that_cannot_be_imported_is_a_failure_too(tree: UnixDevice, flash: Path) -> None:
    tree.write("a/leezenflow_device/main.py", "def run(:\n")
    with power_up(flash, tree) as unit:
        await_log(unit, "SyntaxError")
        await_log(unit, "starting again in 10 s")


@pytest.mark.parametrize(
    ("crashes", "pause_s"),
    [
        (None, 10),
        ("failure 1 after 3 s\n...", 20),
        ("failure 4 after 3 s\n...", 160),
        ("failure 999 after 3 s\n...", 640),
        ("failure 99999999999 after 3 s\n...", 640),
        ("failure x after 3 s\n...", 10),
        ("failure", 10),
        ("", 10),
        ("\xff\xfe", 10),
    ],
)
def test_pauses_grow_with_failures_in_a_row(tree: UnixDevice, flash: Path, crashes: str | None, pause_s: int) -> None:
    plant(tree, "a", "raise ValueError('planted')")
    if crashes is not None:
        tree.write("state/crash.txt", crashes.encode("latin-1"))
    with power_up(flash, tree) as unit:
        await_log(unit, f"starting again in {pause_s} s")


@pytest.mark.parametrize(("ran_ms", "count"), [(0, 8), (599_999, 8), (600_000, 1), (500_000_000, 1), (-5, 1)])
def test_after_a_long_run_counting_begins_anew(micropython: str, tmp_path: Path, ran_ms: int, count: int) -> None:
    # Milliseconds wrap: a run of more than six days may seem to have ended before it began.
    (tmp_path / "state").mkdir()
    (tmp_path / "state/crash.txt").write_text("failure 7 after 3 s\nearlier\n")
    script = f"""
sys.path.insert(0, {str(ROOT / "firmware/leezenflow_device")!r})
import loader
loader.CRASH_FILE = {str(tmp_path / "state/crash.txt")!r}
loader.os = type("os", (), {{"listdir": lambda path: ["state"], "rename": __import__("os").rename}})
print("count", loader.note_crash(ValueError("planted"), {ran_ms}))
"""
    assert f"count {count}\n" in run_script(micropython, script)
    assert (tmp_path / "state/crash.txt").read_text().startswith(f"failure {count} after ")


@pytest.fixture
def running(tree: UnixDevice, flash: Path) -> Iterator[tuple[VirtualBoard, FrameReceiver]]:
    """A board that shows the test pattern, and its panel."""
    values = site("", name="test_pattern")
    values["signal"].update(source=None)
    tree.configure(values, board(watchdog_ms=5000, watchdog_grace_s=10))
    with FrameReceiver() as receiver, power_up(flash, tree, LEEZENFLOW_FRAMES=receiver.url) as unit:
        receiver.wait_for(lambda frame: frame.number > 5, 20)
        yield unit, receiver


def test_ctrl_c_leads_to_the_prompt_with_the_panel_dark(running: tuple[VirtualBoard, FrameReceiver]) -> None:
    unit, receiver = running
    with serial.Serial(unit.port, timeout=1) as port:
        wait_until(lambda: bool(port.write(b"\x03")) and "Stopped; the panel is dark" in unit.log, "it stops")
        wait_until(lambda: receiver.latest is None, "the panel is dark")
        port.write(b"print(6*7)\r")
        wait_until(lambda: "42" in unit.log, "the prompt answers")


def test_mpremote_gets_in_while_the_unit_runs(running: tuple[VirtualBoard, FrameReceiver]) -> None:
    unit, receiver = running
    command = [sys.executable, "-m", "mpremote", "connect", unit.port, "exec", "import os; print(os.listdir('/'))"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "main.py" in done.stdout
    wait_until(lambda: receiver.latest is None, "the panel is dark")


def test_the_watchdog_waits_for_its_grace_and_is_fed_by_progress(
    running: tuple[VirtualBoard, FrameReceiver],
) -> None:
    unit, receiver = running
    lives = unit.lives
    # Past grace (10 s) and timeout (5 s), the board is alive because it is fed.
    receiver.wait_for(lambda frame: frame.ticks > 17_000, 40)
    assert unit.lives == lives
    # Ctrl-C ends the feeding: the armed watchdog resets the board, and the unit runs again.
    with serial.Serial(unit.port, timeout=1) as port:
        port.write(b"\x03")
        wait_until(lambda: "Stopped" in unit.log, "it stops")
        wait_until(lambda: unit.lives > lives, "the watchdog bites")
    receiver.wait_for(lambda frame: frame.number > 5, 20)


def test_a_frozen_picture_is_ended_by_the_watchdog(tree: UnixDevice, flash: Path) -> None:
    tree.write(
        "a/leezenflow/renderings/test_pattern.py",
        "import os\nOPTIONS = {}\nclass Look:\n"
        "    def __init__(self, canvas, options=None): self.seen = 'state' in os.listdir('/')\n"
        "    def draw(self, advice, canvas, now_ms):\n"
        "        if not self.seen and now_ms > 12_000:\n"
        "            os.mkdir('/state')\n"
        "            while True: pass\n",
    )
    values = site("", name="test_pattern")
    values["signal"].update(source=None)
    tree.configure(values, board(watchdog_ms=1000, watchdog_grace_s=10))
    with FrameReceiver() as receiver, power_up(flash, tree, LEEZENFLOW_FRAMES=receiver.url) as unit:
        shown = receiver.wait_for(lambda frame: frame.ticks > 11_900, 40).number
        lives = unit.lives
        wait_until(lambda: unit.lives > lives, "the watchdog bites")
        receiver.wait_for(lambda frame: frame.number < shown, 20)


BOOT_TWIN = """
done = []
class Pin:
    OUT = 1
    def __init__(self, name, mode, value=None):
        self.name = name
        done.append(("pin", name, value))
class machine:
    pass
machine.Pin = Pin
machine.bitstream = lambda pin, encoding, timing, data: done.append(("strand", pin.name, len(data), sum(data)))
sys.modules["machine"] = machine
with open(sys.argv[1]) as file:
    text = file.read()
text = text.replace("DARK_PINS = ()", "DARK_PINS = " + sys.argv[2])
text = text.replace("DARK_STRANDS = ()", "DARK_STRANDS = " + sys.argv[3])
exec(text, {})
print(done)
"""


def test_boot_darkens_from_its_own_literals_alone(micropython: str) -> None:
    boot = str(ROOT / "firmware/leezenflow_device/boot.py")
    assert run_script(micropython, BOOT_TWIN, boot, "()", "()") == "[]\n"
    said = run_script(micropython, BOOT_TWIN, boot, "((13, 1), (7, 0))", "((4, 576),)")
    assert said == "[('pin', 13, 1), ('pin', 7, 0), ('pin', 4, 0), ('strand', 4, 576, 0)]\n"


def test_the_loader_needs_nothing_of_a_release_but_its_entry() -> None:
    tree = ast.parse((ROOT / "firmware/leezenflow_device/loader.py").read_text())
    named = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            named.add(node.module or "")
    assert {name for name in named if name.startswith("leezenflow")} == {"leezenflow_device.main"}
