# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is plugged in: units that run are not disturbed, everything else is told apart, and nothing is written."""

import json
import os
import pty
import re
import threading
import tty
from collections.abc import Callable, Iterator

import pytest
from esp_rom import EspRom
from rp2_boot import Rp2InLoader
from waiting import wait_until

from leezenflow_host.boards import port_trouble
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.errors import BoardError
from leezenflow_host.flashing import detect, serial_ports
from leezenflow_host.flashing.detect import find_boards, probe_port
from leezenflow_host.flashing.serial_ports import SerialPort, list_serial_ports


@pytest.fixture
def impatience(monkeypatch):
    """Nothing here answers anyway."""
    monkeypatch.setattr(detect, "_ASK_S", 0.2)
    monkeypatch.setattr(detect, "_INTERRUPT_S", 0.1)


class Device:
    """The far end of a port; `answer(data)` returns what it says to what arrives."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self.heard = b""
        self._answer = answer
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            while data := os.read(self.master, 1024):
                self.heard += data
                os.write(self.master, self._answer(data))
        except OSError:
            pass

    def close(self) -> None:
        os.close(self._slave)
        os.close(self.master)


@pytest.fixture
def device() -> Iterator[Callable[[Callable[[bytes], bytes]], Device]]:
    made: list[Device] = []

    def make(answer: Callable[[bytes], bytes]) -> Device:
        made.append(Device(answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_unit_that_runs_is_asked_and_not_disturbed(device, monkeypatch):
    monkeypatch.setattr(detect, "_ASK_S", 30.0)

    def answer(data: bytes) -> bytes:
        found = re.search(rb'"id":(\d+)', data)
        assert found is not None
        said = {"id": int(found[1]), "ok": True, "unit": "north-1", "board": "interstate75", "version": "0.1.0"}
        return b'health {"frames": 3}\r\nanswer ' + json.dumps({**said, "chip_id": "e661"}).encode() + b"\r\n"

    unit = device(answer)
    found = probe_port(unit.port)
    assert (found.kind, found.chip, found.unique_id, found.unit) == ("leezenflow", "RP2040", "e661", "north-1")
    assert (found.board, found.version) == ("interstate75", "0.1.0")
    assert found.words == f"{unit.port}: unit north-1 on interstate75, Leezenflow 0.1.0, running"
    assert b"\x03" not in unit.heard, "Ctrl-C"


def test_a_prompt_tells_what_it_is(micropython):
    with VirtualBoard() as board:
        found = probe_port(board.port)
        assert (found.kind, found.chip, found.unit, found.board) == ("micropython", "virtual", None, None)
        with SerialBoard(board.port) as connection:
            identity = connection.identify()
        assert found.unique_id == identity.unique_id.hex()
        assert found.micropython == ".".join(map(str, identity.version))
        assert found.detail == f"virtual with MicroPython {found.micropython}"


def test_a_program_that_had_to_be_interrupted_goes_on(micropython):
    with VirtualBoard() as board:
        files = {
            "/board.json": b'{"name": "virtual"}',
            "/site.json": b'{"unit": {"name": "south"}}',
            "/main.py": b"import time\nprint('at work')\ntime.sleep(1000)\n",
        }
        with SerialBoard(board.port) as connection:
            for path, content in files.items():
                connection._link.write_file(path, content, lambda count: None)
        board.hard_reset()
        wait_until(lambda: board.log.count("at work") == 1, "the program")
        found = probe_port(board.port)
        assert (found.kind, found.unit, found.board, found.version) == ("leezenflow", "south", "virtual", None)
        assert found.detail.startswith("unit south on virtual, Leezenflow of an unknown version, MicroPython")
        wait_until(lambda: board.log.count("at work") == 2, "the program again")
        with SerialBoard(board.port) as connection:
            assert {path: connection.read_file(path) for path in files} == files
        lives = board.lives
        board.hard_reset()
        wait_until(lambda: board.lives > lives and board.log.rstrip().endswith("at work"), "the program")
        assert probe_port(board.port, resume=False).unit == "south"
        wait_until(lambda: board.log.rstrip().endswith(">>>"), "the prompt")


@pytest.mark.parametrize("over_socket", [False, True])
def test_chips_in_their_loader_are_told(impatience, over_socket):
    with EspRom("ESP32S3", over_socket=over_socket) as rom:
        (found,) = find_boards([rom.port])
        assert (found.kind, found.chip, found.unique_id) == ("esp_rom", "ESP32S3", "240ac4000102")
        assert "waits in its loader" in found.detail
        assert rom.packets == 0


def test_an_empty_chip_that_starts_over_and_over_is_told(impatience):
    with EspRom(boot_loop=True, ignore={0x08: 999}) as rom:
        found = probe_port(rom.port)
    assert (found.kind, found.chip, found.detail) == ("esp_rom", None, "an ESP32 without a program that runs")


def test_volumes_are_found_beside_ports(places, impatience, device):
    silent = device(lambda data: b"")
    (places / "ports" / "serial").symlink_to(silent.port)
    with Rp2InLoader(places / "volumes", places / "ports") as board:
        volume, port = find_boards()
    assert (volume.port, volume.kind, volume.chip) == (str(board.volume), "uf2_volume", "RP2040")
    assert volume.detail == "Raspberry Pi RP2 (RP2040) waits for an interpreter"
    assert (port.port, port.kind) == (str(places / "ports" / "serial"), "unknown")
    assert port.detail == "silent: no MicroPython, or a cable that carries only power"


def test_only_the_named_ones_are_asked(places):
    with Rp2InLoader(places / "volumes", places / "ports") as board:
        assert [found.kind for found in find_boards([str(board.volume)])] == ["uf2_volume"]
    assert [found.chip for found in find_boards(["virtual", "virtual:two"])] == ["virtual", "virtual"]
    assert find_boards() == []


def test_a_stranger_is_quoted(device, impatience):
    stranger = device(lambda data: b"\r\nlogin: ")
    found = probe_port(stranger.port)
    assert (found.kind, found.chip) == ("unknown", None)
    assert re.fullmatch(r"something that is no MicroPython; it says '.*login:'", found.detail)


def test_another_interpreter_is_told(device, impatience, monkeypatch):

    class Link:
        def __init__(self, *_) -> None:
            self._answers = iter([[("circuitpython", (9, 1, 0), "rp2", "Pico with RP2040", 0, b"\1")], [(None,) * 3]])

        def evaluate(self, code: str):
            return next(self._answers)

        def resume(self) -> None: ...
        def close(self) -> None: ...

    monkeypatch.setattr(detect, "BoardLink", Link)
    found = probe_port(device(lambda data: b"").port)
    assert (found.kind, found.chip) == ("unknown", "RP2040")
    assert found.detail == "RP2040 with circuitpython 9.1.0, not MicroPython"


def test_ports_that_cannot_be_used_say_why(device, monkeypatch):
    port = device(lambda data: b"").port
    monkeypatch.setattr(port_trouble, "find_holders", lambda path: ["screen (process 7)"])
    found = probe_port(port)
    assert (found.kind, found.detail) == (
        "busy",
        f"{port} is in use by screen (process 7). End that program, then try again.",
    )
    monkeypatch.setattr(port_trouble.os, "access", lambda path, mode: False)
    assert probe_port(port).kind == "no_permission"
    with pytest.raises(BoardError, match="There is no port /dev/ttyNONE"):
        find_boards(["/dev/ttyNONE"])
    assert probe_port("/dev/ttyNONE").kind == "unknown"


def test_a_port_that_another_program_locked_is_busy(device, micropython):
    with VirtualBoard() as board, SerialBoard(board.port):
        found = probe_port(board.port)
    assert found.kind == "busy"


def test_nobody_waits_longer_than_the_deadline(device, monkeypatch):
    forever = threading.Event()
    monkeypatch.setattr(detect, "_ask", lambda device: (None, bytes(forever.wait())))
    found = probe_port(device(lambda data: b"").port, patience_s=0.1)
    forever.set()
    assert (found.kind, found.detail) == ("unknown", "gave no answer in 0.1 s; unplug it and plug it in again")


@pytest.mark.parametrize(
    ("vendor", "product", "words", "may_be_esp"),
    [
        (0x2E8A, 0x0005, "MicroPython on an RP2040 or RP2350", False),
        (0x2E8A, 0x9999, "Raspberry Pi chip", False),
        (0x303A, 0x1001, "USB port of an ESP32-S3 or C3", True),
        (0x1A86, 0x7523, "USB to serial bridge (CH340 or CH9102)", True),
        (0x1234, 0x0001, "USB device 1234:0001", True),
        (None, None, "", True),
    ],
)
def test_usb_numbers_say_what_may_be_there(vendor, product, words, may_be_esp):
    port = SerialPort("P", vendor, product)
    assert (port.words, port.may_be_esp) == (words, may_be_esp)


def test_ports_without_usb_are_not_asked(monkeypatch):
    class Port:
        def __init__(self, device: str, vid: int | None) -> None:
            self.device, self.vid, self.pid = device, vid, vid

    monkeypatch.delenv("LEEZENFLOW_PORTS")
    monkeypatch.setattr(
        serial_ports.serial.tools.list_ports,
        "comports",
        lambda: [Port("/dev/b", 1), Port("/dev/s", None), Port("/dev/a", 2)],
    )
    assert [port.device for port in list_serial_ports()] == ["/dev/a", "/dev/b"]
    assert serial_ports.find_serial_port("/dev/a").vendor == 2
    assert serial_ports.find_serial_port("/dev/s").vendor is None
