# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the doctor says of boards: each case on a virtual board with a real MicroPython, made as it happens."""

import ast
import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import AmqttBroker, free_port
from linux_units import make_site
from recordings import ORIGIN_MS, message
from sending import sending
from waiting import wait_until

from leezenflow_host.board_config import read_board
from leezenflow_host.boards.board_link import BoardLink
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.boards.virtual import BLOCK_BYTES, VirtualBoard
from leezenflow_host.diagnosis import board_check
from leezenflow_host.diagnosis.doctor import Doctor, Examination
from leezenflow_host.diagnosis.finding import Finding
from leezenflow_host.diagnosis.unit_check import last_error
from leezenflow_host.image import build_image
from signals import Program

TOPIC = "/spat/1090"
# Long enough for a loaded machine; what is well ends early.
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def broker_port() -> int:
    """Where the unit looks for its broker."""
    return free_port()


@pytest.fixture(scope="module")
def installed(micropython: str, tmp_path_factory: pytest.TempPathFactory, broker_port: int) -> Path:
    """The flash of a unit on which everything is right."""
    flash = tmp_path_factory.mktemp("unit") / "virtual.flash"
    image = build_image(read_board("virtual"), make_site(f"mqtt://127.0.0.1:{broker_port}/{TOPIC}"))
    with VirtualBoard(flash) as board, SerialBoard(board.port) as connection:
        connection.deploy(image)
    return flash


@pytest.fixture
def flash(installed: Path, tmp_path: Path) -> Path:
    """A copy, to be damaged."""
    return Path(shutil.copy(installed, tmp_path / "virtual.flash"))


def change(flash: Path, code: str) -> str:
    """Do something to the files of a board that is not at work; returns what it printed."""
    with VirtualBoard(flash) as board:
        link = BoardLink(board.port, "The board", 30)
        printed = link.execute("import os, json\n" + code)
        link.close()
        return printed


def examine(flash: Path, seconds: float = 1.0, answer_s: float = 30.0) -> Examination:
    """What the doctor says of a board that is plugged in."""
    with VirtualBoard(flash) as board:
        return Doctor(board.port, seconds=seconds, start_s=PATIENCE_S, answer_s=answer_s, called="P").examine()


def case_of(flash: Path, **more: float) -> tuple[str, dict[str, object]]:
    """Case and values, without the port."""
    examination = examine(flash, **more)
    values = {name: value for name, value in examination.finding.values.items() if name != "port"}
    return examination.finding.case, values


def test_a_board_without_firmware(micropython: str, tmp_path: Path) -> None:
    examination = examine(tmp_path / "new.flash")
    assert examination.finding.case == "no_firmware"
    assert "leezenflow install --board BOARD --site FILE.toml --port P" in examination.finding.next_step("de")
    assert examination.facts["interpreter"]["chip"] == "virtual"


def test_an_old_micropython(micropython: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_check, "OLDEST_MICROPYTHON", (9, 7))
    case, values = case_of(tmp_path / "new.flash")
    assert (case, values["oldest"]) == ("old_micropython", "9.7")


def test_the_firmware_of_another_board(flash: Path) -> None:
    change(
        flash,
        "b = json.load(open('/board.json'))\nb['name'] = 'pico_w_hub75'\nb['chip'] = 'RP2040'\n"
        "f = open('/board.json', 'w')\njson.dump(b, f)\nf.close()\nos.remove('/main.py')",
    )
    case, values = case_of(flash)
    assert case == "wrong_chip"
    assert values == {"board": "pico_w_hub75", "chip": "virtual", "expected": "RP2040"}


def test_an_installation_that_was_interrupted(flash: Path) -> None:
    change(flash, "for s in 'ab':\n try:\n  os.remove('/%s/manifest.json' % s)\n except OSError:\n  pass")
    assert case_of(flash) == ("release_missing", {"board": "virtual"})


def test_a_release_that_was_changed(flash: Path) -> None:
    slot = change(flash, "print([s for s in ('a', 'b') if s in os.listdir('/')][0])").strip()
    change(
        flash,
        f"f = open('/{slot}/leezenflow/engine.mpy', 'ab')\nf.write(b'x')\nf.close()\n"
        f"os.remove('/{slot}/leezenflow/gate.mpy')\nos.remove('/main.py')",
    )
    case, values = case_of(flash)
    assert (case, values["count"]) == ("release_damaged", 2)
    assert values["file"] == f"/{slot}/leezenflow/engine.mpy"


@pytest.mark.parametrize(
    ("code", "file", "detail"),
    [
        ("os.remove('/board.json')", "/board.json", "missing"),
        ("f = open('/board.json', 'w')\nf.write('{\"name\": ')\nf.close()", "/board.json", "no json"),
        ("f = open('/site.json', 'w')\nf.write('7')\nf.close()", "/site.json", "no json object"),
    ],
)
def test_a_configuration_that_is_damaged(flash: Path, code: str, file: str, detail: str) -> None:
    change(flash, code + "\nos.remove('/main.py')")
    case, values = case_of(flash)
    assert (case, values["file"], values["detail"]) == ("configuration_damaged", file, detail)


def test_a_unit_without_a_site(flash: Path) -> None:
    change(flash, "os.remove('/site.json')\nos.remove('/main.py')")
    assert case_of(flash) == ("no_site", {"board": "virtual"})


def test_a_file_system_that_is_damaged(flash: Path) -> None:
    """A worn-out cell where LittleFS keeps which block of a file comes before: the file cannot be read any more."""
    slot = change(flash, "print([s for s in ('a', 'b') if s in os.listdir('/')][0])").strip()
    path = f"/{slot}/manifest.json"
    change(flash, "os.remove('/main.py')")
    file = ast.literal_eval(change(flash, f"print(repr(open({path!r}, 'rb').read()))"))
    assert len(file) > BLOCK_BYTES
    content = bytearray(flash.read_bytes())
    ends = [place for place in _places(content, file[-64:]) if content[place - 64 : place] == file[-128:-64]]
    assert ends
    for place in ends:
        start = place // BLOCK_BYTES * BLOCK_BYTES
        content[start : start + 4] = bytes([0x5A]) * 4
    flash.write_bytes(content)
    examination = examine(flash, answer_s=5)
    assert examination.finding.case == "file_system_damaged", examination.facts
    assert "OSError" in examination.finding.diagnosis("en") and path in examination.finding.diagnosis("de")


def _places(content: bytearray, mark: bytes) -> Iterator[int]:
    place = content.find(mark)
    while place >= 0:
        yield place
        place = content.find(mark, place + 1)


def test_a_unit_that_fails_again_and_again(flash: Path) -> None:
    change(
        flash,
        "s = json.load(open('/site.json'))\ns['look']['name'] = 'sunset'\n"
        "f = open('/site.json', 'w')\njson.dump(s, f)\nf.close()",
    )
    with VirtualBoard(flash) as board:
        # Its first failure; the loader now waits.
        wait_until(lambda: "starting again in" in board.log, "the failure")
        finding = Doctor(board.port, start_s=PATIENCE_S, answer_s=5, called="P").examine().finding
    assert finding.case == "crash_loop"
    assert finding.values["count"] == 2
    assert "sunset" in finding.values["error"]
    assert "sunset" in finding.diagnosis("de")


def test_a_unit_in_safe_mode(flash: Path) -> None:
    code = (
        "slot = [s for s in ('a', 'b') if s in os.listdir('/')][0]\n"
        "print(repr((open('/%s/manifest.json' % slot, 'rb').read(), open('/board.json', 'rb').read(), "
        "open('/site.json', 'rb').read())))"
    )
    manifest, board, site = ast.literal_eval(change(flash, code))
    tag = f"{hashlib.sha256(manifest).hexdigest()[:16]}-{hashlib.sha256(board + site).hexdigest()[:16]}"
    crash = "failure 5 after 3 s\nTraceback\nOSError: the panel does not answer\n\nfailure 4 after 2 s\nKeyError: x\n"
    change(
        flash,
        f"try:\n os.mkdir('/state')\nexcept OSError:\n pass\nf = open('/state/failures', 'w')\n"
        f"f.write('5 {tag}')\nf.close()\nf = open('/state/crash.txt', 'w')\nf.write({crash!r})\nf.close()",
    )
    examination = examine(flash)
    assert examination.finding.case == "safe_mode", examination.log
    assert examination.finding.values == {"unit": "test", "count": 5, "error": "OSError: the panel does not answer"}


def test_the_newest_error() -> None:
    assert last_error("") == ""
    assert last_error("failure 1 after 2 s\n") == ""
    assert last_error("failure 2 after 2 s\na\n b\n\nfailure 1 after 2 s\nc\n") == "b"


def test_a_unit_that_somebody_stopped_is_started_again(flash: Path, broker_port: int) -> None:
    with VirtualBoard(flash) as board:
        wait_until(lambda: "mqtt:" in board.log, "the unit at work")
        with SerialBoard(board.port):
            pass  # as mpremote leaves it
        finding = Doctor(board.port, start_s=PATIENCE_S, answer_s=5).examine().finding
        assert finding.case == "stopped"
        assert Doctor(board.port, seconds=1, answer_s=30).examine().finding.case == "broker_unreachable"


def test_a_unit_without_its_broker(flash: Path, broker_port: int) -> None:
    examination = examine(flash)
    assert examination.finding.case == "broker_unreachable"
    assert examination.facts["health"][0]["unit"] == "test"
    # The unit was only asked.
    assert not any("Stopped" in line for line in examination.log)


def test_a_unit_that_shows_a_still_picture(flash: Path) -> None:
    change(flash, "f = open('/picture.bin', 'wb')\nf.write(bytes(768 + 3072))\nf.close()")
    assert case_of(flash)[0] == "still_picture"


def controller_ms() -> int:
    """The time of a controller whose clock goes on whether it speaks or not."""
    return ORIGIN_MS + time.monotonic_ns() // 1_000_000 % 1_000_000_000


def speaking(
    port: int, group: int = 12, intersection: int = 1090, frozen: bool = False, text: bytes | None = None
) -> contextlib.AbstractContextManager[None]:
    """A controller that speaks five times a second, as long as the context; `frozen`: its clock stands still."""
    program, began_ms = Program(0), controller_ms()

    def say(ms: int) -> bytes:
        said = message(program, began_ms if frozen else controller_ms(), group)
        return text or said.replace(b"<id>1090<", b"<id>%d<" % intersection)

    return sending(port, TOPIC, say)


def test_units_and_what_they_hear(flash: Path, broker_port: int, tmp_path: Path) -> None:
    """One board through the cases of a signal, from the unit's own reports."""
    site = make_site(f"mqtt://127.0.0.1:{broker_port}/{TOPIC}")
    broker = AmqttBroker(broker_port, tmp_path)
    broker.start()
    try:
        with VirtualBoard(flash) as board:

            def examined(seconds: float, **more: object) -> str:
                doctor = Doctor(board.port, seconds=seconds, answer_s=60, **more)  # type: ignore[arg-type]
                examination = doctor.examine()
                seen.append(examination.finding)
                facts.append(examination.facts)
                return examination.finding.case

            seen: list[Finding] = []
            facts: list[object] = []

            def until(case: str, seconds: float = 3, **more: object) -> None:
                try:
                    wait_until(lambda: examined(seconds, **more) == case, case, 120)
                except AssertionError:
                    pytest.fail(f"{case}: the last was {seen[-1]} {facts[-1]}")

            until("no_messages", 1)
            with speaking(broker_port, group=7):
                until("wrong_signal_group")
                assert seen[-1].values == {"wanted": "12", "groups": []}
                # What this computer hears says more.
                until("wrong_signal_group", site=site)
                assert seen[-1].values == {"wanted": "12", "groups": [7]}
            with speaking(broker_port, intersection=1091):
                until("foreign_messages")
            with speaking(broker_port):
                until("healthy", 20)
            until("messages_stopped", 2)
            with speaking(broker_port, frozen=True):
                until("clock_frozen")
            with speaking(broker_port, text=b"<SPAT><broken"):
                until("unreadable_messages")
    finally:
        broker.stop()


def test_the_answer_names_what_people_call_the_port(flash: Path) -> None:
    change(flash, "os.remove('/site.json')\nos.remove('/main.py')")
    examination = examine(flash)
    assert examination.port == "P"
    assert "at P " in examination.finding.diagnosis("en")
    assert json.dumps(examination.finding.as_dict("en"))
