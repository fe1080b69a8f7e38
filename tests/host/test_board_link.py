# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that do not work: each kind is told apart, in words, with the next physical step."""

import contextlib
import os
import pty
import re
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from waiting import wait_until

from leezenflow_host.board_config import read_board
from leezenflow_host.boards import board_link, port_trouble, serial_board, virtual_console
from leezenflow_host.boards.identity import BoardIdentity, check_identity
from leezenflow_host.boards.port_trouble import explain_port, find_holders
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.errors import BoardError


@pytest.fixture(autouse=True)
def impatience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here answers anyway, but where a real MicroPython does."""
    if "micropython" in request.fixturenames:
        return
    monkeypatch.setattr(board_link, "_READ_S", 0.05)
    monkeypatch.setattr(board_link, "_ATTEMPT_S", 0.1)
    monkeypatch.setattr(board_link, "_RETURN_S", 0.3)
    monkeypatch.setattr(serial_board, "_ANSWER_S", 0.1)


class FarEnd:
    """The other end of a serial port; `answer(data)` returns what it sends when something arrives."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._answer = answer
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while data := os.read(self.master, 1024):
                os.write(self.master, self._answer(data))
        except OSError:
            pass

    def vanish(self) -> None:
        os.close(self._slave)
        os.close(self.master)


@pytest.fixture
def far_end() -> Iterator[Callable[[Callable[[bytes], bytes]], FarEnd]]:
    """Return a function that opens ports; they are closed afterwards."""
    ends: list[FarEnd] = []

    def make(answer: Callable[[bytes], bytes]) -> FarEnd:
        ends.append(FarEnd(answer))
        return ends[-1]

    yield make
    for end in ends:
        with contextlib.suppress(OSError):
            end.vanish()


def complaint(port: str) -> str:
    with pytest.raises(BoardError) as error:
        SerialBoard(port, name="The board at P")
    return str(error.value)


def test_a_port_that_is_not_there(monkeypatch):
    monkeypatch.setattr(port_trouble, "ports", lambda: ["/dev/ttyACM0", "/dev/ttyACM1"])
    assert complaint("/dev/ttyACM9") == (
        "There is no port /dev/ttyACM9. Ports with a device: /dev/ttyACM0, /dev/ttyACM1."
    )
    monkeypatch.setattr(port_trouble, "ports", list)
    assert complaint("/dev/ttyACM9").endswith("plug the board in with a cable that carries data, not only power.")


def test_a_port_that_is_something_else(tmp_path):
    file = tmp_path / "port"
    file.write_text("")
    assert f"{file} is not a serial port." in complaint(str(file))


def test_a_port_one_may_not_use(far_end, monkeypatch):
    port = far_end(lambda data: b"").port
    monkeypatch.setattr(port_trouble.os, "access", lambda path, mode: False)
    group = Path(port).group()
    assert f"You may not use {port}. Run: sudo usermod -aG {group} $USER, then log out and in again." == complaint(port)
    monkeypatch.setattr(port_trouble.Path, "group", lambda path: (_ for _ in ()).throw(KeyError("no such group")))
    assert "usermod -aG dialout" in complaint(port)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells who has a port open")
def test_a_port_that_another_program_uses_names_it(far_end):
    port = far_end(lambda data: b"").port
    code = "import sys, time; port = open(sys.argv[1], 'rb'); print('open', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, port], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"open\n"
        said = complaint(port)
        other.kill()
    assert re.fullmatch(rf"{port} is in use by \S+ \(process {other.pid}\)\. End that program, then try again\.", said)
    assert explain_port(port) is None


def test_who_holds_a_port_that_is_gone():
    assert find_holders(Path("/dev/nothing")) == []


def test_a_port_that_this_program_uses_already(micropython):
    with VirtualBoard() as board, SerialBoard(board.port):
        assert "cannot be opened" in complaint(board.port)


@pytest.mark.parametrize(
    ("answers", "answer"),
    [
        ([b'health {"x": 1}\r\nanswer {"id":1,"ok":true}\r\n'], {"id": 1, "ok": True}),
        ([b'{"do":"identity","id":1}\r\nanswer {"id": 9}\nanswer {"id":', b"1}\n"], {"id": 1}),
        ([b'the answer {"id":1}\nanswer {oh\nanswer {"id": 1, "ok": false}\n'], {"id": 1, "ok": False}),
    ],
)
def test_a_unit_that_runs_answers_between_its_other_lines(far_end, answers, answer):
    heard: list[bytes] = []

    def reply(data: bytes) -> bytes:
        heard.append(data)
        return b"" if len(heard) > 1 else b"".join(answers)

    with SerialBoard(far_end(reply).port, interrupt=False) as connection:
        assert connection.ask({"do": "identity"}) == answer
    assert b"".join(heard) == b'\n{"do":"identity","id":1}\n'


def test_a_unit_that_does_not_answer(far_end):
    with (
        SerialBoard(far_end(lambda data: b">>> ").port, name="The board at P", interrupt=False) as connection,
        pytest.raises(
            BoardError, match=r"The board at P does not answer the command 'health'\. Press its reset button"
        ),
    ):
        connection.ask({"do": "health"}, 0.1)


def test_an_uninterrupted_board_can_be_interrupted_later(micropython):
    with VirtualBoard() as board, SerialBoard(board.port, interrupt=False) as connection:
        connection.interrupt()
        assert connection.identify().interpreter == "micropython"


def test_urls_are_left_to_pyserial():
    assert explain_port("rfc2217://host:1") is None


def test_a_silent_port(far_end):
    said = complaint(far_end(lambda data: b"").port)
    assert said.startswith("The board at P is silent. Unplug the board, plug it in again")
    assert "it has no MicroPython yet, or the cable carries only power" in said


def test_a_port_with_something_else_that_talks(far_end):
    said = complaint(far_end(lambda data: b"login: ").port)
    assert "talks, but it is not a MicroPython that takes commands" in said
    assert "'login:" in said and "Press its reset button" in said


def test_a_port_that_vanishes_while_it_is_asked(far_end):
    end = far_end(lambda data: b"")

    def vanish(data: bytes) -> bytes:
        end.vanish()
        return b""

    end._answer = vanish
    said = complaint(end.port)
    assert "The board at P vanished while talking to it" in said and "plug it in again" in said


def test_a_board_that_falls_silent_amid_an_answer(far_end, monkeypatch):
    # It does answer at first, however busy this computer is.
    monkeypatch.setattr(board_link, "_ATTEMPT_S", 2)
    monkeypatch.setattr(serial_board, "_ANSWER_S", 20)

    def answer(data: bytes) -> bytes:
        return b"R\x01" if b"\x05" in data else b"raw REPL; CTRL-B to exit\r\n>" if b"\x01" in data else b""

    with (
        pytest.raises(BoardError, match="The board at P fell silent while talking to it"),
        SerialBoard(far_end(answer).port, name="The board at P") as board,
    ):
        board.identify()


def test_a_board_that_is_unplugged_during_a_copy(micropython):
    with VirtualBoard() as plugged:
        board = SerialBoard(plugged.port, name="The board at P")
        plugged.power_off()
        with pytest.raises(BoardError, match=r"vanished while writing to it\. .* goes on where this one ended"):
            board._link.write_file("/x", b"x" * 5000, lambda count: None)
        board.close()
        with pytest.raises(BoardError, match="The connection to The board at P is closed"):
            board.identify()


def test_a_board_that_does_not_come_back_after_a_reset(micropython, monkeypatch):
    with VirtualBoard() as plugged:
        board = SerialBoard(plugged.port, name="The board at P")
        board.reset()
        said: list[str] = []
        wait_until(lambda: said.append(board.watch_start(0.1)) or "MicroPython" in "".join(said), "its greeting")
        plugged.power_off()
        monkeypatch.setattr(board_link, "_RETURN_S", 0.3)
        with pytest.raises(BoardError, match="The board at P did not come back after its reset"):
            board.watch_start(0.1)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise OSError(28)", "The board at P has no room left for files"),
        ("bytearray(10_000_000)", "The board at P has too little memory left. Press its reset button"),
        ("1/0", "The board at P reports an error: ZeroDivisionError: divide by zero"),
    ],
)
def test_errors_of_the_board_are_told_in_words(micropython, code, words):
    with VirtualBoard() as plugged, SerialBoard(plugged.port, name="The board at P") as board:
        with pytest.raises(BoardError, match=re.escape(words)):
            board._link.execute(code)
        with pytest.raises(BoardError, match="answers nonsense"):
            board._link.evaluate("print('not a literal')")


STUBBORN = b"""
import time
for _ in range(3):
    try:
        print("at work")
        while True:
            time.sleep_ms(5)
    except KeyboardInterrupt:
        print("no")
"""


def test_a_program_that_catches_interrupts_is_asked_again(micropython, monkeypatch):
    monkeypatch.setattr(virtual_console, "_INTERRUPT_PATIENCE_S", 0.05)
    monkeypatch.setattr(serial_board, "_ANSWER_S", 20)
    with VirtualBoard() as plugged:
        with SerialBoard(plugged.port) as board:
            board._link.write_file("/main.py", STUBBORN, lambda count: None)
        since = len(plugged.log)
        plugged.hard_reset()
        wait_until(lambda: "at work" in plugged.log[since:], "the program")
        with SerialBoard(plugged.port) as board:
            assert board.identify().interpreter == "micropython"
            assert board.read_file("/main.py") == STUBBORN
        assert plugged.log.count("no\n") == 3


def test_a_link_prints_nothing(far_end, capsys):
    complaint(far_end(lambda data: b"login: ").port)
    assert capsys.readouterr() == ("", "")


def identity(**changes: object) -> BoardIdentity:
    values = {
        "interpreter": "micropython",
        "version": (1, 24, 0),
        "platform": "rp2",
        "machine": "Raspberry Pi Pico with RP2040",
        "mpy": 4870,
        "unique_id": b"12345678",
    }
    return BoardIdentity(**{**values, **changes})


def test_a_fitting_board_is_taken():
    check_identity(identity(), read_board("interstate75"))
    check_identity(
        identity(machine="Raspberry Pi Pico2 W with RP2350-RISCV", version=(2, 0, 0)), read_board("interstate75_w")
    )
    check_identity(identity(platform="linux", machine="linux [GCC 14.2.1] version"), read_board("virtual"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": (1, 23, 0)}, "The board runs micropython 1.23.0; Leezenflow needs 1.24 or newer. Install a newer"),
        ({"interpreter": "circuitpython", "version": (9, 2, 1)}, "runs circuitpython 9.2.1, not MicroPython. Install"),
        (
            {"machine": "Generic ESP32 module with ESP32", "platform": "esp32"},
            "The board has an ESP32, but interstate75 has an RP2040: nothing was written",
        ),
        ({"machine": "Raspberry Pi Pico 2 with RP2350"}, "The board has an RP2350, but interstate75 has an RP2040"),
        ({"machine": "Sipeed with K210"}, "The board has a K210, but"),
        ({"machine": ""}, "The board has an unknown chip"),
        ({"platform": "linux"}, "The board has no chip (it is a virtual board), but interstate75 has an RP2040"),
    ],
)
def test_a_board_that_does_not_fit_is_refused(changes, words):
    with pytest.raises(BoardError, match=re.escape(words)):
        check_identity(identity(**changes), read_board("interstate75"))
