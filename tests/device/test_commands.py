# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands to the running unit on its serial line, on a virtual board; and the HMAC gate for those from the network."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from board_flash import write_flash
from serial_line import SerialLine
from unix_device import UnixDevice, board, run_script, site
from waiting import wait_until

from leezenflow_host.boards.frames import FrameReceiver
from leezenflow_host.boards.virtual import VirtualBoard

Running = tuple[VirtualBoard, FrameReceiver, SerialLine]


@pytest.fixture
def tree(micropython: str, tmp_path: Path) -> UnixDevice:
    """A device tree that shows the test pattern."""
    made = UnixDevice(micropython, tmp_path / "device")
    values = site("", name="test_pattern")
    values["signal"].update(source=None)
    made.configure(values, board(health_s=3600))
    return made


@pytest.fixture
def running(tree: UnixDevice, tmp_path: Path) -> Iterator[Running]:
    """The unit at work, its panel and its serial line."""
    write_flash(tmp_path / "flash", tree.folder)
    with (
        FrameReceiver() as receiver,
        VirtualBoard(tmp_path / "flash", environment={"LEEZENFLOW_FRAMES": receiver.url}) as unit,
        SerialLine(unit.port) as line,
    ):
        receiver.wait_for(lambda frame: frame.number > 2, 60)
        yield unit, receiver, line


def test_identity_names_the_unit_and_what_it_runs(running: Running, tree: UnixDevice) -> None:
    _, _, line = running
    answer = line.ask("identity")
    configuration = (tree.folder / "board.json").read_bytes() + (tree.folder / "site.json").read_bytes()
    assert answer.pop("ok") is True
    assert len(answer.pop("chip_id")) == 16
    assert answer.pop("version")
    assert answer.pop("release") is None, "its manifest names none"
    assert answer == {
        "id": 1,
        "unit": "test",
        "board": "unix",
        "slot": "a",
        "config_hash": hashlib.sha256(configuration).hexdigest()[:16],
    }


def test_health_on_demand(running: Running) -> None:
    _, _, line = running
    report = line.ask("health")["health"]
    assert report["unit"] == "test"
    assert report["frames"] > 0


def test_the_picture_is_what_the_panel_shows(running: Running) -> None:
    _, receiver, line = running
    answer = line.ask("picture")
    frame = receiver.wait_for(lambda frame: True, 60)
    assert base64.b64decode(answer["pixels"]) == frame.pixels
    assert base64.b64decode(answer["palette"]) == frame.palette
    assert (answer["width"], answer["height"]) == (32, 96)


def test_watching_tells_the_advice_until_it_is_off(running: Running) -> None:
    _, receiver, line = running
    assert line.ask("watch", on=True, every_ms=1)["every_ms"] == 40
    told = [json.loads(line.wait_for(lambda text: text.startswith("advice "), "advice")[7:]) for _ in range(3)]
    assert set(told[0]) == {"at", "kind", "remaining_ms", "certainty", "reason", "message_age_ms", "latency_ms"}
    assert told[0]["at"] < told[1]["at"] < told[2]["at"]
    assert told[0]["kind"] == "dark"
    assert line.ask("watch", on=True, every_ms=50)["on"] is True
    assert line.ask("watch", on=False)["on"] is False
    line.ask("identity")
    del line.lines[:]
    number = receiver.wait_for(lambda frame: True, 60).number
    receiver.wait_for(lambda frame: frame.number > number + 25, 60)
    line.ask("identity")
    assert not [text for text in line.lines if text.startswith("advice ")]
    assert line.ask("watch", on=True, every_ms="often")["error"] == "every_ms is no whole number of milliseconds"


def test_restart_answers_first_and_is_dark_between(running: Running) -> None:
    unit, receiver, line = running
    lives = unit.lives
    assert line.ask("restart")["ok"] is True
    wait_until(lambda: unit.lives > lives, "the unit starts again")
    receiver.wait_for(lambda frame: frame.number > 2, 60)


@pytest.mark.parametrize(
    ("sent", "number", "said"),
    [
        (b'{"do": "dance", "id": 4}\n', 4, "knows no command 'dance'"),
        (b'{"do": "../main", "id": 4}\n', 4, "names no verb"),
        (b'{"do": ["health"], "id": 4}\n', 4, "names no verb"),
        (b'{"id": 4}\n', 4, "names no verb"),
        (b'{"do": "health", "id": 4\n', None, "not a json object"),
        (b"{\n", None, "not a json object"),
        (b"{\xff\xfe}\n", None, "not a json object"),
        (b"{" + b"[" * 15_000 + b"\n", None, "not a json object"),
        (b"{" + b"x" * 20_000 + b"\n", None, "too long"),
    ],
)
def test_what_is_no_command_is_answered_with_a_sentence(
    running: Running, sent: bytes, number: int | None, said: str
) -> None:
    _, _, line = running
    line.write(sent)
    answer = line.answer(number)
    assert answer["ok"] is False
    assert said in answer["error"]
    assert line.ask("identity")["ok"] is True


def test_noise_on_the_line_does_not_disturb(running: Running) -> None:
    _, _, line = running
    noise = random.Random(7)
    for _ in range(50):
        # Ctrl-C is the only byte that means something by itself.
        line.write(noise.randbytes(noise.randrange(200)).replace(b"\x03", b"").replace(b"{", b"") + b"\r\n")
    line.write(b"\n\r\n  \n")
    assert line.ask("identity")["ok"] is True
    line.write(b'print("x")\r{"do":"identity","id":90}\r\n')
    assert line.answer(90)["ok"] is True


def test_a_verb_that_fails_is_an_answer_and_the_picture_goes_on(tree: UnixDevice, tmp_path: Path) -> None:
    head = "def answer(app, command):\n"
    tree.write("a/leezenflow_device/verbs/planted.py", head + "    return {}['nothing']\n")
    tree.write("a/leezenflow_device/verbs/greedy.py", head + "    return {'x': bytearray(1 << 28)}\n")
    tree.write("a/leezenflow_device/verbs/odd.py", head + "    return {'x': object()}\n")
    tree.write(
        "a/leezenflow_device/verbs/slow.py",
        "import asyncio\nasync " + head + "    await asyncio.sleep_ms(5)\n    return {'done': 1}\n",
    )
    write_flash(tmp_path / "flash", tree.folder)
    with (
        FrameReceiver() as receiver,
        VirtualBoard(tmp_path / "flash", environment={"LEEZENFLOW_FRAMES": receiver.url}) as unit,
        SerialLine(unit.port) as line,
    ):
        number = receiver.wait_for(lambda frame: frame.number > 2, 60).number
        assert line.ask("planted")["error"].startswith("planted failed: KeyError")
        assert line.ask("greedy")["error"].startswith("greedy failed: MemoryError")
        assert line.ask("slow") == {"id": 3, "ok": True, "done": 1}
        receiver.wait_for(lambda frame: frame.number > number + 5, 60)
        assert unit.lives == 1


def test_ctrl_c_still_stops_the_unit(running: Running) -> None:
    unit, receiver, line = running
    line.write(b'{"do": "iden')
    wait_until(lambda: bool(line.write(b"\x03") or "Stopped; the panel is dark" in unit.log), "it stops")
    wait_until(lambda: receiver.latest is None, "the panel is dark")


# The gate, on the unix MicroPython with a flash in memory for its state.

_GATE = """
import asyncio, json, os, vfs
from leezenflow_device import remote
class Flash:
    def __init__(self):
        self.data = bytearray(64 * 4096)
        self.operations = 0
    def readblocks(self, block, buffer, offset=0):
        at = block * 4096 + offset
        buffer[:] = self.data[at : at + len(buffer)]
    def writeblocks(self, block, buffer, offset=0):
        self.operations += 1
        at = block * 4096 + offset
        self.data[at : at + len(buffer)] = buffer
    def ioctl(self, operation, argument):
        return 64 if operation == 4 else 4096 if operation == 5 else 0
class Commands:
    async def execute(self, command):
        return {"id": command.get("id"), "ok": True, "did": command.get("do")}
flash = Flash()
vfs.VfsLfs2.mkfs(flash)
vfs.umount("/")
vfs.mount(vfs.VfsLfs2(flash), "/")
flash.operations = 0
gate = None
for step in asked:
    if gate is None or step is None:
        gate = remote.Gate(Commands(), secrets, "north")
    if step is not None:
        print(asyncio.run(gate.handle(step.encode())).decode())
kept = None
if "state" in os.listdir("/"):
    with open("/state/commands.json") as file:
        kept = json.load(file)["n"]
print(json.dumps([gate.refused, kept, flash.operations]))
"""
KEY = bytes(range(32))


def sign(key: bytes = KEY, **command: Any) -> str:
    """A command as the host sends it."""
    body = json.dumps(command)
    return json.dumps({"body": body, "mac": hmac.new(key, body.encode(), "sha256").hexdigest()})


def pass_gate(
    micropython: str, *asked: str | None, secrets: dict[str, Any] | None = None
) -> tuple[list[dict[str, Any]], int, int | None, int]:
    """The answers to messages (None: the unit restarts); how many were refused; what was kept; writes to the flash."""
    secrets = {"command_key": KEY.hex()} if secrets is None else secrets
    script = f"asked = {list(asked)!r}\nsecrets = {secrets!r}\n{_GATE}"
    lines = run_script(micropython, script, heap_kb=2048).splitlines()
    refused, kept, writes = json.loads(lines[-1])
    return [json.loads(line) for line in lines[:-1] if line.startswith("{")], refused, kept, writes


def test_health_and_identity_are_for_everybody(micropython: str) -> None:
    answers, refused, _, _ = pass_gate(micropython, '{"do": "health", "id": 1}', '{"do": "identity"}', secrets={})
    assert [answer["ok"] for answer in answers] == [True, True]
    assert refused == 0


def test_a_signed_command_passes_once(micropython: str) -> None:
    message = sign(do="restart", id=5, n=1, unit="north")
    later = sign(do="restart", id=6, n=2)
    answers, refused, _, _ = pass_gate(micropython, message, message, later, message)
    assert [answer["ok"] for answer in answers] == [True, False, True, False]
    assert answers[0] == {"id": 5, "ok": True, "did": "restart", "n": 1}
    assert "n must be a number greater than 1" in answers[1]["error"]
    assert answers[3]["n"] == 2
    assert refused == 2


def test_an_old_command_stays_old_after_a_restart(micropython: str) -> None:
    messages = [sign(do="restart", n=n) for n in (1, 2, 3)]
    answers, _, kept, _ = pass_gate(micropython, *messages, None, *messages, sign(do="restart", n=1000))
    assert [answer["ok"] for answer in answers] == [True] * 3 + [False] * 3 + [True]
    assert kept is not None and kept >= 1000


def test_the_flash_is_written_once_in_many_commands(micropython: str) -> None:
    _, _, one, writes = pass_gate(micropython, sign(do="restart", n=1))
    assert writes
    _, _, many, writes_of_many = pass_gate(micropython, *[sign(do="restart", n=n) for n in range(1, 60)])
    assert (many, writes_of_many) == (one, writes)
    _, _, more, writes_of_more = pass_gate(micropython, *[sign(do="restart", n=n) for n in range(1, 99)])
    assert more is not None and more > 98
    assert writes_of_more > writes


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ('{"do": "restart"}', "needs a body and a mac"),
        ('{"do": "health", "x": "' + "y" * 300 + '"}', "needs a body and a mac"),
        ("[]", "not a json object"),
        ("nonsense", "not a json object"),
        ("", "not a json object"),
        ('{"mac": 1, "body": 2}', "body and mac must be texts"),
        ('{"mac": "00", "body": "{}"', "not a json object"),
        (sign(bytes(32), do="restart", n=1), "the mac is not of this body"),
        (sign(do="restart", n=1)[:-3] + '"}', "the mac is not of this body"),
        (sign(do="restart", n=1).replace("restart", "restarT"), "the mac is not of this body"),
        (sign(do="restart"), "n must be a number greater than 0"),
        (sign(do="restart", n=0), "n must be a number greater than 0"),
        (sign(do="restart", n=True), "n must be a number"),
        (sign(do="restart", n="7"), "n must be a number"),
        (sign(do="restart", n=1.5), "n must be a number"),
        (sign(do="restart", n=1 << 60), "n must be a number"),
        (sign(do="restart", n=1, unit="south"), "another unit"),
        ('{"mac": "' + "0" * 20_000 + '"}', "longer than 16384 bytes"),
    ],
)
def test_what_does_not_pass(micropython: str, message: str, said: str) -> None:
    answers, refused, _, writes = pass_gate(micropython, message)
    assert answers[0]["ok"] is False
    assert said in answers[0]["error"]
    assert (refused, writes) == (1, 0)


def test_every_digit_of_the_mac_counts(micropython: str) -> None:
    message = sign(do="restart", n=1)
    start = message.index('"mac": "') + 8
    spoilt = [
        message[:at] + ("0" if message[at] != "0" else "1") + message[at + 1 :] for at in range(start, start + 64)
    ]
    answers, refused, _, _ = pass_gate(micropython, *spoilt, message)
    assert refused == 64
    assert answers[-1]["ok"] is True


@pytest.mark.parametrize("key", [None, "", "00", "zz" * 32, KEY.hex()[:-2], 7])
def test_without_a_good_key_nothing_signed_passes(micropython: str, key: Any) -> None:
    secrets = {} if key is None else {"command_key": key}
    answers, _, _, _ = pass_gate(micropython, sign(do="restart", n=1), secrets=secrets)
    assert 'has no "command_key"' in answers[0]["error"]


def test_the_mac_is_hmac_sha256(micropython: str) -> None:
    script = """
import binascii
from leezenflow_device.remote import hmac_sha256
for length in (0, 1, 31, 32, 64):
    for size in (0, 1, 63, 64, 65, 500):
        key = bytes((7 * i + length) & 255 for i in range(length))
        print(binascii.hexlify(hmac_sha256(key, bytes(i & 255 for i in range(size)))).decode())
"""
    said = run_script(micropython, script).split()
    wanted = []
    for length in (0, 1, 31, 32, 64):
        for size in (0, 1, 63, 64, 65, 500):
            key = bytes((7 * i + length) & 255 for i in range(length))
            wanted.append(hmac.new(key, bytes(i & 255 for i in range(size)), "sha256").hexdigest())
    assert said == wanted
