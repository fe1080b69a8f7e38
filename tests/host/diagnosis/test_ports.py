# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the doctor says of ports: each case with a port, a folder or a process that really is so."""

import json
import os
import pty
import string
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from esp_rom import EspRom
from serial_peer import SerialPeer, UnitPeer
from waiting import wait_until

from leezenflow_host import cli
from leezenflow_host.boards import board_link, port_trouble
from leezenflow_host.commands import doctor as command
from leezenflow_host.diagnosis import board_check, port_check, texts_de, texts_en
from leezenflow_host.diagnosis import doctor as doctor_module
from leezenflow_host.diagnosis.doctor import Doctor
from leezenflow_host.diagnosis.finding import LANGUAGES, Finding, default_language
from leezenflow_host.diagnosis.port_check import Sighting, look_around, wait_for_board
from leezenflow_host.errors import BoardError
from leezenflow_host.flashing import detect

NOTHING = Sighting([], [], [])


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of this computer's own boards; nobody waits long for what will not answer."""
    monkeypatch.setenv("LEEZENFLOW_VOLUMES", str(tmp_path / "volumes"))
    monkeypatch.setenv("LEEZENFLOW_PORTS", str(tmp_path / "ports"))
    (tmp_path / "ports").mkdir()
    monkeypatch.setattr(port_check, "_USB_DEVICES", tmp_path / "usb")
    monkeypatch.setattr(look_around, "__defaults__", (tmp_path / "usb",))
    defaults = {**(Doctor.__init__.__kwdefaults__ or {}), "answer_s": 0.3}
    monkeypatch.setattr(Doctor.__init__, "__kwdefaults__", defaults)
    monkeypatch.setattr(doctor_module, "_ASK_S", 0.2)
    monkeypatch.setattr(board_check, "_ANSWER_S", 0.3)
    monkeypatch.setattr(board_link, "_ATTEMPT_S", 0.2)
    monkeypatch.setattr(board_link, "_READ_S", 0.2)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    """The command's exit code and its finding."""
    code = cli.run(["doctor", "--json", *arguments])
    captured = capsys.readouterr()
    assert captured.err == ""
    return code, json.loads(captured.out)


def test_nothing_is_plugged_in(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = run(capsys, "--lang", "en")
    assert (code, found["case"], found["port"]) == (1, "no_port", None)
    assert "No board is visible" in str(found["diagnosis"]) and "carries data" in str(found["next_step"])


def test_plugged_in_before_our_eyes_and_nothing_appears() -> None:
    asked: list[bool] = []

    def replug() -> Sighting:
        asked.append(True)
        return wait_for_board(0.3, lambda: NOTHING)

    assert Doctor(look=lambda: NOTHING, replug=replug).examine().finding.case == "charge_only_cable"
    assert asked == [True]


def test_plugged_in_before_our_eyes_and_it_appears(places: Path) -> None:
    with SerialPeer(lambda data: b"") as peer:
        timer = threading.Timer(0.3, lambda: (places / "ports" / "usb0").symlink_to(peer.port))
        timer.start()
        examination = Doctor(replug=lambda: wait_for_board(30)).examine()
        timer.join()
    assert examination.finding.case == "silent_port"
    assert examination.port == str(places / "ports" / "usb0")


def test_a_person_is_asked_only_at_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    assert command._ask_to_plug_in("de") is None
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(command, "_REPLUG_S", 0.01)
    assert command._ask_to_plug_in("de") == NOTHING
    assert "jetzt anstecken" in capsys.readouterr().err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux shows its USB devices as files")
def test_a_usb_device_without_a_port(capsys: pytest.CaptureFixture[str], places: Path) -> None:
    for name, vendor, words in (("1-1", "2e8a", "Board in FS mode"), ("1-2", "046d", "Mouse"), ("usb1", "", "")):
        (places / "usb" / name).mkdir(parents=True)
        if vendor:
            (places / "usb" / name / "idVendor").write_text(vendor + "\n")
            (places / "usb" / name / "idProduct").write_text("0005\n")
            (places / "usb" / name / "product").write_text(words + "\n")
    code, found = run(capsys)
    assert (code, found["case"], found["values"]) == (1, "no_driver", {"device": "Board in FS mode 2e8a:0005"})


def test_a_port_that_is_not_there(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_check, "ports", lambda: ["/dev/ttyACM0", "/dev/ttyACM1"])
    code, found = run(capsys, "--port", "/dev/ttyACM9", "--lang", "en")
    assert (code, found["case"]) == (1, "port_missing")
    assert "no port /dev/ttyACM9. Ports with a device: /dev/ttyACM0, /dev/ttyACM1." in str(found["diagnosis"])


def test_a_port_that_is_a_file(capsys: pytest.CaptureFixture[str], places: Path) -> None:
    (places / "file").touch()
    assert run(capsys, "--port", str(places / "file"))[1]["case"] == "not_serial"


def test_a_port_that_we_may_not_use(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with SerialPeer(lambda data: b"") as peer:
        monkeypatch.setattr(port_trouble.os, "access", lambda path, mode: False)
        code, found = run(capsys, "--port", peer.port, "--lang", "de")
    assert (code, found["case"]) == (1, "no_permission")
    assert "sudo usermod -aG " in str(found["next_step"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells who has a port open")
def test_a_port_that_another_program_uses(capsys: pytest.CaptureFixture[str]) -> None:
    with SerialPeer(lambda data: b"") as peer:
        holder = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import sys; f = open({peer.port!r}, 'rb'); print(1, flush=True); sys.stdin.read()",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert holder.stdout is not None and holder.stdout.readline()
            code, found = run(capsys, "--port", peer.port)
        finally:
            holder.communicate()
    assert (code, found["case"]) == (1, "port_busy")
    assert f"(process {holder.pid})" in str(found["diagnosis"])


def test_several_boards(capsys: pytest.CaptureFixture[str], places: Path) -> None:
    with SerialPeer(lambda data: b"") as one, SerialPeer(lambda data: b"") as two:
        (places / "ports" / "usb0").symlink_to(one.port)
        (places / "ports" / "usb1").symlink_to(two.port)
        code, found = run(capsys)
        assert one.heard + two.heard == b""
    assert (code, found["case"]) == (1, "several_boards")
    assert "usb0" in str(found["diagnosis"]) and "usb1" in str(found["diagnosis"])


@pytest.mark.parametrize("named", [True, False])
def test_a_board_in_its_boot_mode(capsys: pytest.CaptureFixture[str], places: Path, named: bool) -> None:
    volume = places / "volumes" / "RPI-RP2"
    volume.mkdir(parents=True)
    (volume / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n")
    code, found = run(capsys, "--lang", "en", *(("--port", str(volume)) if named else ()))
    assert (code, found["case"]) == (1, "uf2_boot_mode")
    assert "Raspberry Pi RP2 RP2040" in str(found["diagnosis"]) and "leezenflow flash" in str(found["next_step"])


def test_an_esp32_in_its_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "_ASK_S", 0.2)
    monkeypatch.setattr(detect, "_INTERRUPT_S", 0.1)
    with EspRom("ESP32S3") as rom:
        examination = Doctor(rom.port).examine()
    assert examination.finding.case == "esp_boot_mode", examination.facts
    assert "ESP32-S3" in examination.finding.diagnosis("en")


def test_a_silent_board(capsys: pytest.CaptureFixture[str]) -> None:
    with SerialPeer(lambda data: b"") as peer:
        code, found = run(capsys, "--port", peer.port)
    assert (code, found["case"]) == (1, "silent_port")


def test_a_device_that_is_something_else(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_link, "_ATTEMPT_S", 2)
    with SerialPeer(lambda data: b"+CME ERROR: 3\r\n") as peer:
        code, found = run(capsys, "--port", peer.port)
    assert (code, found["case"]) == (1, "not_micropython")
    assert "+CME ERROR" in str(found["diagnosis"])


def test_words_for_people(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert cli.run(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Befund: An diesem Rechner") and lines[1].startswith("Nächster Schritt: Die Platine")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert cli.run(["doctor"]) == 1
    assert capsys.readouterr().out.startswith("Diagnosis: No board is visible")


def test_the_language_of_the_system() -> None:
    assert default_language({"LANG": "de_AT.UTF-8"}) == "de"
    assert default_language({"LANG": "de_DE", "LC_ALL": "en_GB"}) == "en"
    assert default_language({}) == "en"


def names_in(text: str) -> set[str]:
    """The {names} of a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_are_complete_and_say_the_same() -> None:
    assert set(texts_de.TEXTS) == set(texts_en.TEXTS)
    for case, english in texts_en.TEXTS.items():
        for part, text in enumerate(texts_de.TEXTS[case]):
            assert names_in(text) == names_in(english[part]), case
            assert (text and english[part] and text != english[part]) or case.startswith("healthy") or part == 0, case
            assert text.rstrip()[-1] in ".…}", (case, text)
        # A command is the same in every language.
        for word in ("leezenflow flash", "leezenflow install", "sudo usermod"):
            assert (word in texts_de.TEXTS[case][1]) == (word in english[1]), case
    for table in ("REASONS", "ADVICE", "LABELS"):
        assert set(getattr(texts_de, table)) == set(getattr(texts_en, table))


def test_every_reason_of_the_core_has_words() -> None:
    from leezenflow import advice, tracker

    words = ["NO_DATA", "STARTING", "STALE", "SIGNAL_OFF", "FLASHING", "FAILURE", "MANUAL", "STOPPED", "IMPLAUSIBLE"]
    reasons = {getattr(tracker, word) for word in words}
    reasons |= {advice.BEYOND_FORECAST, advice.OVERDUE, advice.DOUBTFUL, advice.LEARNING}
    assert reasons <= set(texts_en.REASONS)
    assert set(advice.KINDS) == set(texts_en.ADVICE)


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_values_that_are_missing_leave_whole_sentences(language: str) -> None:
    assert "{" not in Finding("no_messages", {"where": ""}).diagnosis(language)
    assert "()" not in Finding("no_messages", {"where": ""}).diagnosis(language)
    assert "(spat/1)" in Finding("no_messages", {"where": "spat/1"}).diagnosis(language)
    text = Finding("port_missing", {"port": "P", "ports": []}).diagnosis(language)
    assert LANGUAGES[language].LABELS["none"] in text
    foreign = Finding("foreign_messages", {"wanted": "49:1 group 2", "heard": ["49:7 (1, 2)"]}).diagnosis(language)
    assert "49:7 (1, 2)" in foreign
    assert os.linesep not in foreign


def test_the_port_goes_away_while_we_look(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    port = os.ttyname(theirs)
    os.close(theirs)
    os.close(ours)
    wait_until(lambda: not Path(port).exists(), "the port is gone")
    assert Doctor(port).examine().finding.case == "port_missing"


def test_a_unit_without_a_network() -> None:
    """Virtual boards have no Wi-Fi: here a line says what the firmware says."""
    report = {"unit": "north", "network_fault": "wrong password", "transport": {}, "listening": False}
    with UnitPeer({"health": lambda command: {"health": report}}) as peer:
        examination = Doctor(peer.port, answer_s=30).examine()
    assert examination.finding == Finding("no_network", {"unit": "north", "fault": "wrong password"})
    assert "hat kein Netz: wrong password." in examination.finding.diagnosis("de")


def test_a_unit_that_cannot_report() -> None:
    verbs = {"health": lambda command: {"ok": False, "error": "health failed: MemoryError"}}
    with UnitPeer(verbs) as peer, pytest.raises(BoardError, match="cannot report: health failed: MemoryError"):
        Doctor(peer.port, answer_s=30).examine()


def test_every_case_is_made_somewhere_in_these_tests() -> None:
    tests = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert [case for case in texts_en.TEXTS if f'"{case}"' not in tests] == []
