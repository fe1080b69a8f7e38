# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is stuck is ended, every failure counts, and a unit that keeps failing stays dark but can be asked, really."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from board_flash import read_flash, write_flash
from brokers import AmqttBroker, free_port, publish
from serial_line import SerialLine
from unix_device import UnixDevice, board, site
from waiting import wait_until as wait_for_it

from leezenflow_host.boards.frames import Frame, FrameReceiver
from leezenflow_host.boards.virtual import VirtualBoard

# Several starts in a row, on a machine that has other things to do.
PATIENCE_S = 120

# A transport that works until a datagram-free command tells one part of the unit to hang.
TRANSPORT = """
OPTIONS = {}
class Transport:
    def __init__(self, source, secrets, clock, unit_name=""):
        self.beats = 0
        self.listening = True
        self.counters = {}
        self.fault = ""
        self.hangs = False
        self.clock = clock
    async def run(self, sink):
        while True:
            await self.clock.network.sleep_ms(250)
            if not self.hangs:
                self.beats += 1
    async def publish(self, word, payload, retain=False):
        while self.hangs_publishing:
            await self.clock.network.sleep_ms(250)
        return False
    hangs_publishing = False
"""
LOOK = """
OPTIONS = {}
hangs = False
class Look:
    def __init__(self, canvas, options=None): pass
    def draw(self, advice, canvas, now_ms):
        while hangs: pass
"""
# The command `stick` makes one part of the unit hang, for ever or in a way that blocks everything.
STICK = """
def answer(app, command):
    what = command["what"]
    if what == "receive":
        app.transport.hangs = True
    elif what == "render":
        app.render = lambda ticks: None
    elif what == "publish":
        app.transport.hangs_publishing = True
    elif what == "look":
        import leezenflow.renderings.planted as look
        look.hangs = True
    return {}
"""


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Wait with the patience that several starts need."""
    wait_for_it(happened, what, PATIENCE_S)


@pytest.fixture
def tree(micropython: str, tmp_path: Path) -> UnixDevice:
    """A device tree with a transport, a look and a command that hang on demand."""
    made = UnixDevice(micropython, tmp_path / "device")
    made.write("a/leezenflow_device/transports/planted.py", TRANSPORT)
    made.write("a/leezenflow/renderings/planted.py", LOOK)
    made.write("a/leezenflow_device/verbs/stick.py", STICK)
    return made


@contextmanager
def power_up(tree: UnixDevice, flash: Path) -> Iterator[tuple[VirtualBoard, FrameReceiver, SerialLine]]:
    """A board with this tree."""
    write_flash(flash, tree.folder)
    with (
        FrameReceiver() as receiver,
        VirtualBoard(flash, environment={"LEEZENFLOW_FRAMES": receiver.url}) as unit,
        SerialLine(unit.port) as line,
    ):
        yield unit, receiver, line


def planted_site() -> dict[str, Any]:
    """A site with the planted transport and look."""
    return site("planted://x", name="planted")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("receive", "the transport did nothing for 4000 ms"),
        ("render", "no frame was drawn for 4000 ms"),
        ("health", "health did nothing for 12000 ms"),
    ],
)
def test_each_part_that_is_stuck_ends_the_unit_dark(tree: UnixDevice, tmp_path: Path, what: str, said: str) -> None:
    if what == "health":
        # Its clock stops for it alone: health sleeps for ever in its first second.
        text = (tree.folder / "a/leezenflow_device/health.py").read_text()
        hook = "            await sleep_ms(1000)\n"
        assert hook in text
        tree.write("a/leezenflow_device/health.py", text.replace(hook, f"{hook}            await sleep_ms(1 << 28)\n"))
    tree.configure(planted_site(), board(health_s=1))
    with power_up(tree, tmp_path / "flash") as (unit, receiver, line):
        receiver.wait_for(lambda frame: frame.number > 2, PATIENCE_S)
        if what != "health":
            assert line.ask("stick", what=what)["ok"] is True
        wait_until(lambda: said in unit.log, f"{said}; it said {unit.log[-500:]}")
        wait_until(lambda: receiver.latest is None, "the panel is dark")
        wait_until(lambda: "starting again in 10 s" in unit.log, "the pause")


def test_a_stuck_network_keeps_health_and_picture_going(tree: UnixDevice, tmp_path: Path) -> None:
    tree.configure(planted_site(), board(health_s=1))
    with power_up(tree, tmp_path / "flash") as (unit, receiver, line):
        receiver.wait_for(lambda frame: frame.number > 2, PATIENCE_S)
        line.ask("stick", what="publish")
        wait_until(lambda: line.ask("health")["health"]["unsent"] >= 3, "reports that nobody takes")
        assert unit.lives == 1
        assert receiver.latest is not None


@pytest.mark.parametrize("what", ["look"])
def test_what_blocks_everything_is_ended_by_the_chip(tree: UnixDevice, tmp_path: Path, what: str) -> None:
    tree.configure(planted_site(), board(watchdog_ms=4000, watchdog_grace_s=10))
    with power_up(tree, tmp_path / "flash") as (unit, receiver, line):
        receiver.wait_for(lambda frame: frame.ticks > 11_000, PATIENCE_S)
        lives = unit.lives
        line.ask("stick", what=what)
        wait_until(lambda: unit.lives > lives, "the watchdog bites")
        report = line.ask("health")["health"]
        assert report["reset_cause"] == "watchdog"
        assert report["failures"] == 1
        assert report["safe_mode"] is False


def test_a_commanded_restart_is_told_from_a_failure(tree: UnixDevice, tmp_path: Path) -> None:
    tree.configure(planted_site())
    with power_up(tree, tmp_path / "flash") as (unit, _, line):
        assert line.ask("health")["health"]["reset_cause"] == "power"
        line.ask("restart")
        wait_until(lambda: unit.lives > 1, "the restart")
        report = line.ask("health")["health"]
        assert (report["reset_cause"], report["failures"]) == ("command", 0)
    assert read_flash(tmp_path / "flash", "/state/restart") is None


CRASHING = "import nothing_of_that_name\n"


def shorten_pauses(tree: UnixDevice) -> None:
    """Let failures follow one another at once."""
    loader = (tree.folder / "main.py").read_text()
    shorter = re.sub(r"_FIRST_PAUSE_S = 10\b", "_FIRST_PAUSE_S = 0", loader)
    assert shorter != loader
    tree.write("main.py", shorter)


@pytest.mark.parametrize("broken", ["look", "board.json", "site.json"])
def test_repeated_failures_lead_to_safe_mode_and_back(tree: UnixDevice, tmp_path: Path, broken: str) -> None:
    shorten_pauses(tree)
    tree.configure(planted_site())
    if broken == "look":
        tree.write("a/leezenflow/renderings/planted.py", CRASHING)
    else:
        tree.write(broken, b"{")
    with power_up(tree, tmp_path / "flash") as (unit, receiver, line):
        wait_until(lambda: "SAFE MODE after 5 failures in a row" in unit.log, f"safe mode; it said {unit.log[-800:]}")
        report = line.ask("health")["health"]
        assert report["safe_mode"] is True
        assert report["failures"] == 5
        assert report["advice"] == "dark"
        assert [record for record in receiver.records(0.3) if isinstance(record, Frame)] == []
        assert line.ask("identity")["ok"] is True
        assert "in safe mode: its panel is dark" in line.ask("picture")["error"]
        crashes = line.ask("crashes")["crashes"]
        assert crashes.startswith("failure 5 after ")
        if broken == "board.json":
            assert "/board.json: damaged" in report["fault"]
        lives = unit.lives
        # A command makes it try again; the fault is still there, and five more failures lead back.
        line.ask("restart")
        wait_until(lambda: unit.lives >= lives + 6, "it works, fails, and gives up again")
        wait_until(lambda: unit.log.count("SAFE MODE") >= 2, "safe mode again")
    failures = read_flash(tmp_path / "flash", "/state/failures")
    assert failures is not None and failures.startswith("5 ")


def test_a_new_configuration_leaves_safe_mode(tree: UnixDevice, tmp_path: Path) -> None:
    tree.configure(planted_site())
    tree.write("state/failures", "7 0123456789abcdef-0123456789abcdef")
    with power_up(tree, tmp_path / "flash") as (_, receiver, line):
        receiver.wait_for(lambda frame: frame.number > 2, PATIENCE_S)
        assert line.ask("health")["health"]["failures"] == 0


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x y", b"7", b"99999999999999999999 a-b", b"7 a b"])
def test_a_damaged_count_counts_nothing(tree: UnixDevice, tmp_path: Path, content: bytes) -> None:
    tree.configure(planted_site())
    tree.write("state/failures", content)
    tree.write("state/restart", content[:3])
    with power_up(tree, tmp_path / "flash") as (_, receiver, line):
        receiver.wait_for(lambda frame: frame.number > 2, PATIENCE_S)
        assert line.ask("health")["health"]["safe_mode"] is False


def test_safe_mode_works_over_the_network(micropython: str, tmp_path: Path) -> None:
    tree = UnixDevice(micropython, tmp_path / "device")
    shorten_pauses(tree)
    broker = AmqttBroker(free_port(), tmp_path)
    broker.start()
    tree.write("a/leezenflow/renderings/planted.py", CRASHING)
    tree.configure(site(f"mqtt://127.0.0.1:{broker.port}/spat?unit_topic=north", name="planted"), board(health_s=1))
    try:
        with power_up(tree, tmp_path / "flash") as (unit, _, line):
            wait_until(lambda: "SAFE MODE" in unit.log, "safe mode")
            wait_until(lambda: line.ask("health")["health"].get("listening") is True, "it listens to the broker")
            publish(broker.port, "spat", b"<anything>")
            wait_until(lambda: line.ask("health")["health"]["transport"]["messages"] >= 1, "messages are taken")
            assert line.ask("health")["health"]["safe_mode"] is True
    finally:
        broker.stop()
