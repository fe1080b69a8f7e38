# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow flash` with one board: from whatever it is to a unit that says who it is, and what stands in the way."""

import contextlib
import json
import os
import pty
import select
import socket
import threading
from pathlib import Path

import pytest
from esp_rom import EspRom, application_image
from fake_unit import fake_board
from rp2_boot import Rp2InLoader, uf2_image

import leezenflow
from leezenflow_host.boards import port_trouble
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.flashing import read_back
from leezenflow_host.flashing.registry import Registry
from leezenflow_host.setup_label import setup_label
from leezenflow_host.site_config import example_site


class NetworkPort:
    """What makes a serial port reachable over the network, for one connection after the other."""

    def __init__(self, port: str) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._port = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        self._end, self._ended = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"socket://127.0.0.1:{self._server.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        os.write(self._ended, b"!")
        self._thread.join()
        self._server.close()
        for descriptor in (self._port, self._end, self._ended):
            os.close(descriptor)

    def _run(self) -> None:
        client: socket.socket | None = None
        while True:
            ready, _, _ = select.select([self._end, self._port, client or self._server], [], [])
            if self._end in ready:
                break
            if self._server in ready:
                client = self._server.accept()[0]
            if self._port in ready:
                said = os.read(self._port, 4096)
                if client is not None:
                    # The host may hang up in the middle of a sentence.
                    with contextlib.suppress(OSError):
                        client.sendall(said)
            if client is not None and client in ready:
                heard = b""
                with contextlib.suppress(OSError):
                    heard = client.recv(4096)
                os.write(self._port, heard)
                if not heard:
                    client.close()
                    client = None
        if client is not None:
            client.close()


def report(folder: Path, unit: str = "example") -> dict:
    assert (folder / f"commissioning-{unit}.html").is_file()
    return json.loads((folder / f"commissioning-{unit}.json").read_text())


def test_a_blank_esp32_becomes_a_unit(places, flash, firmware, chip, micropython):
    chip("ESP32")
    board = fake_board(places, "ESP32")
    image = places / "X-20260101-v1.28.0.bin"
    image.write_bytes(application_image())
    with EspRom(application=lambda: VirtualBoard(places / "esp.flash")) as rom:
        arguments = ("--board", board.file, "--site", "example", "--port", rom.port, "--interpreter", image)
        code, out, err = flash(*arguments)
        assert (code, out) == (2, "") and "no image was pinned yet for bench" in err
        assert rom.packets == 0
        code, out, err = flash(*arguments, "--allow-unpinned", "--out", places / "reports", "--operator", "A. Tester")
        assert code == 0, err
        stages = [
            "1/6 look",
            "2/6 install MicroPython",
            "3/6 copy the firmware",
            "4/6 restart",
            "5/6 self-test",
            "6/6 report",
        ]
        assert err.splitlines()[:7] == [f"{rom.port}: {stage}" for stage in stages] + [f"{rom.port}: done: example"]
        assert out.startswith(f"example on {rom.port} runs Leezenflow {leezenflow.__version__} (6 files written)")
        written = report(places / "reports")
        assert written["interpreter"]["method"] == "esptool" and written["interpreter"]["file"] == image.name
        assert (written["chip"], written["board"], written["operator"]) == ("ESP32", "bench", "A. Tester")
        assert written["warnings"] == [f"{image.name} was installed although nobody pinned its hash."]
        assert written["passed"] is True and written["self_test"]["how"] == "running"
        assert err.splitlines()[7] == f"example: {written['warnings'][0]}"


def test_a_blank_rp2040_becomes_a_unit_and_need_not_be_named(places, flash, firmware, chip, micropython):
    chip("RP2040")
    board = fake_board(places, "RP2040")
    (places / "cache/leezenflow/interpreters").mkdir(parents=True)
    (places / "cache/leezenflow/interpreters/X-1.uf2").write_bytes(uf2_image())
    with Rp2InLoader(places / "volumes", places / "ports") as rp2:
        code, out, err = flash("--board", board.file, "--site", "example", "--unit", "north.1", "--allow-unpinned")
        assert code == 0, err
        assert out.startswith(f"north.1 on {rp2.volume} runs")
        assert report(places, "north.1")["interpreter"]["method"] == "uf2"
        assert rp2.board is not None
        with SerialBoard(rp2.board.port) as connection:
            site = connection.read_file("/site.json")
            identity = connection.identify()
        assert site is not None and json.loads(site)["unit"]["name"] == "north.1"
        assert Registry().unit_of(identity.unique_id.hex()) == "north.1"
        # The same board again, now as a unit: found at its port, nothing is written anew.
        rp2.board.hard_reset()
        code, out, err = flash("--board", board.file, "--site", "example", "--unit", "north.1")
        assert (code, "(0 files written)" in out) == (0, True), err


def test_a_unit_keeps_its_site_when_none_is_named(places, flash, firmware, chip, plug_in):
    chip("RP2040")
    board = fake_board(places, "RP2040")
    plug_in("a")
    assert flash("--board", board.file, "--site", "example", "--unit", "east")[0] == 0
    code, out, err = flash("--board", board.file)
    assert (code, out.startswith("east on ")) == (0, True), err
    code, out, err = flash("--board", board.file, "--site", "example")
    assert code == 0
    assert "example: This board was the unit east before." in err
    assert report(places)["warnings"] == ["This board was the unit east before."]


def test_without_any_site_the_firmware_is_installed_and_says_so(places, flash, firmware, chip, plug_in):
    chip("RP2040")
    board = fake_board(places, "RP2040")
    plug_in("a")
    code, out, err = flash("--board", board.file)
    assert code == 0, err
    unit = out.split(" on ")[0]
    assert unit.startswith("bench-") and "There is no site: the panel stays dark" in err
    written = report(places, unit)
    assert (written["site"], written["self_test"], written["passed"]) == (None, None, None)
    assert written["setup_label"] is None and "label" not in out


def test_the_label_of_the_first_time_setup_is_printed_and_reported(places, flash, firmware, chip, plug_in):
    chip("RP2040")
    board = fake_board(places, "RP2040")
    file = places / "bench.toml"
    file.write_text(file.read_text() + '[network]\nkind = "wifi"\n[setup]\nbutton = 14\n')
    plug_in("a")
    code, out, err = flash("--board", board.file)
    assert code == 0, err
    written = report(places, out.split(" on ")[0])
    name, password = setup_label(bytes.fromhex(written["chip_id"]))
    assert written["setup_label"] == {"network": name, "password": password}
    assert out.endswith(f": for the label inside the housing: Wi-Fi {name}, password {password}.\n")


def test_the_board_of_a_unit_is_known(places, flash, firmware, plug_in):
    with VirtualBoard(places / "v.flash") as board:
        (places / "ports" / "v").symlink_to(board.port)
        assert flash("--board", "virtual")[0] == 0
        code, out, err = flash()
        assert (code, out.startswith("example on ")) == (0, True), err


def test_a_board_behind_a_network_port_becomes_a_unit(places, flash, firmware, plug_in):
    board = plug_in("a")
    with NetworkPort(board.port) as url:
        code, out, err = flash("--board", "virtual", "--port", url)
    assert (code, out.startswith(f"example on {url} runs")) == (0, True), err


def test_virtual_boards_need_no_more_than_their_name(places, flash, firmware, micropython):
    code, _, err = flash("--port", "virtual", "--yes", "--out", "reports", "--lang", "de")
    assert (code, err.splitlines()[-1]) == (0, "virtual: done: example")
    assert '<html lang="de"' in (places / "reports/commissioning-example.html").read_text()
    assert report(places / "reports")["port"] == "virtual"


# What stands in the way


def failed(result: tuple[int, str, str], expected: int) -> str:
    code, out, err = result
    assert (code, out) == (expected, "")
    return f"\n{err}".partition("\nError: ")[2]


def test_no_image_of_the_interpreter_is_told(places, flash, firmware, chip):
    board = fake_board(places, "RP2040")
    with Rp2InLoader(places / "volumes", places / "ports"):
        said = failed(flash("--board", board.file, "--site", "example"), 2)
    assert said.startswith("The board has no MicroPython, and no image of it is here. Fetch X-*.uf2 for X from")


def test_another_chip_is_left_alone(places, flash, firmware, plug_in):
    plug_in("a")
    said = failed(flash("--board", "interstate75", "--port", places / "ports/a"), 1)
    assert "has another chip (virtual) than interstate75 (RP2040): nothing was written." in said


def test_an_empty_esp32_is_no_rp2040(places, flash, firmware):
    with EspRom(boot_loop=True, ignore={0x08: 999}) as rom:
        said = failed(flash("--board", "interstate75", "--port", rom.port), 1)
        assert rom.packets == 0
    assert "has another chip (an ESP32) than interstate75 (RP2040): nothing was written." in said


def test_another_program_is_replaced_only_when_asked_for(places, flash, firmware, plug_in):
    board = plug_in("a")
    with SerialBoard(board.port) as connection:
        connection._link.write_file("/main.py", b"print('mine')", lambda count: None)
    arguments = ("--board", "virtual", "--port", places / "ports/a")
    said = failed(flash(*arguments), 2)
    assert said == f"The board at {places}/ports/a has another program (/main.py). Give --yes to replace it.\n"
    assert flash(*arguments, "--yes")[0] == 0


def test_a_busy_port_is_told(places, flash, firmware, plug_in, monkeypatch):
    plug_in("a")
    monkeypatch.setattr(port_trouble, "find_holders", lambda path: ["screen (process 7)"])
    said = failed(flash("--board", "virtual", "--port", places / "ports/a"), 1)
    assert "is in use by screen (process 7). End that program, then try again." in said


def test_a_silent_port_is_told(places, flash, firmware):
    far, near = pty.openpty()
    try:
        said = failed(flash("--board", "interstate75", "--port", os.ttyname(near)), 1)
    finally:
        os.close(far)
        os.close(near)
    assert said.startswith("There is no board to work with at /dev/")
    assert "a new board is plugged in with its button BOOTSEL (or BOOT) held." in said


def test_a_unit_that_is_not_what_was_written_is_told(places, flash, firmware, micropython):
    firmware(identity={"version": "0.0.9", "unit": "other"})
    said = failed(flash("--port", "virtual"), 1)
    assert said.startswith("Everything was written, but after its restart the board says: version '0.0.9' instead of")
    assert "unit 'other' instead of 'example'. Repeat the command" in said
    assert not list(places.glob("commissioning-*"))


def test_a_unit_that_does_not_start_its_work_is_told(places, flash, firmware, micropython, monkeypatch):
    # Until then it has failed and noted why, however busy this computer is.
    monkeypatch.setattr(read_back, "_PATIENCE_S", 5.0)
    monkeypatch.setattr(read_back, "_ASK_S", 3.0)
    firmware(fails=True)
    said = failed(flash("--port", "virtual"), 1)
    assert said == (
        "Everything was written, but the unit does not start its work: KeyError: pin. Correct what it names, and "
        "repeat the command.\n"
    )


def test_a_self_test_that_fails_is_told_and_reported(places, flash, firmware, micropython):
    bad = {"memory": {"ok": False, "fault": "9000 bytes are free"}, "light": {"ok": None}}
    firmware(self_test={"ok": False, "checks": bad})
    said = failed(flash("--port", "virtual"), 1)
    assert said.startswith(
        "The unit runs, but it does not pass its self-test: failed: memory (9000 bytes are free). See "
    )
    written = report(places)
    assert written["passed"] is False
    assert Registry().unit_of(written["chip_id"]) is None


def test_a_cable_that_slips_out_is_told_and_the_same_command_goes_on(places, flash, firmware, plug_in, monkeypatch):
    board = plug_in("a")
    monkeypatch.setattr(board, "_cut_power_after", 6)
    board.power_off()
    board.power_on()
    port = places / "ports/a"
    port.unlink()
    port.symlink_to(board.port)
    said = failed(flash("--board", "virtual", "--port", port), 1)
    assert "vanished while" in said and "the same command goes on where this one ended" in said
    board.close()
    plug_in("a")
    assert flash("--board", "virtual", "--port", port)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--board", "virtul", "--port", "virtual"), 2, "did you mean 'virtual'"),
        (("--board", "virtual", "--port", "/dev/ttyNONE"), 1, "There is no port /dev/ttyNONE"),
        (("--board", "virtual", "--port", "virtual", "--all"), 2, "Give --port or --all, not both."),
        (("--board", "virtual", "--port", "virtual", "--unit", "a b"), 2, "'a b' cannot name a unit"),
        (("--board", "virtual", "--all", "--unit", "a"), 2, "--unit is for one board"),
        (("--board", "raspberrypi_neopixel", "--port", "virtual"), 2, "is a Linux unit"),
        (
            ("--board", "interstate75"),
            1,
            "No board for interstate75 (RP2040) is plugged in. There is no serial port with",
        ),
        ((), 2, "Which board is it? Give --board, one of: esp32_neopixel"),
        (("--kit", "nowhere"), 2, "nowhere"),
    ],
)
def test_what_is_wrong_with_the_command(flash, firmware, arguments, code, words):
    assert words in failed(flash(*arguments), code)


def test_stage_and_dry_run_touch_no_port(places, flash, firmware, monkeypatch):
    monkeypatch.setattr("leezenflow_host.commands.flash.find_boards", None)
    tree = places / "tree"
    code, out, err = flash("--board", "virtual", "--port", "virtual", "--stage", tree, "--unit", "west", "--dry-run")
    assert (code, err, tree.exists()) == (0, "", False)
    assert "  /boot.py\n" in out and out.splitlines()[-1].startswith("Would install Leezenflow ")
    code, out, err = flash("--board", "virtual", "--port", "virtual", "--stage", tree, "--unit", "west")
    assert (code, out.startswith(f"Wrote the files of virtual to {tree}: 6 files")) == (0, True)
    assert json.loads((tree / "site.json").read_text())["unit"]["name"] == "west"
    assert example_site().values["unit"]["name"] == "example"
