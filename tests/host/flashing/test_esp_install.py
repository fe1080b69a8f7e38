# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MicroPython onto an ESP32: through an emulated ROM on a pty and a socket, and every way in which that goes wrong."""

import threading

import esptool.cmds
import esptool.loader
import pytest
from esp_rom import EspRom, application_image

from leezenflow_host.errors import BoardError
from leezenflow_host.flashing import esp_install, esp_loader
from leezenflow_host.flashing.esp_install import install_on_esp

IMAGE = application_image()
SYNC, FLASH_DEFL_DATA, FLASH_DATA, MEM_BEGIN = 0x08, 0x11, 0x03, 0x05


@pytest.fixture
def impatience(monkeypatch):
    """Answers that never come need not be waited for that long."""
    monkeypatch.setattr(esptool.loader, "MAX_TIMEOUT", 1.0)
    monkeypatch.setattr(esptool.cmds, "DEFAULT_CONNECT_ATTEMPTS", 1)
    monkeypatch.setattr(esp_install, "_CALLS", 2)


def complaint(port: str, chip: str = "ESP32", image: bytes = IMAGE, *, waits: bool = True) -> str:
    with pytest.raises(BoardError) as error:
        install_on_esp(port, chip, image, lambda done, total: None, waits=waits)
    return str(error.value)


@pytest.mark.parametrize(("chip", "name", "offset"), [("ESP32", "ESP32", 0x1000), ("ESP32S3", "ESP32S3", 0)])
@pytest.mark.parametrize("over_socket", [False, True])
def test_an_image_is_written_where_the_chip_starts_from(chip, name, offset, over_socket):
    image = application_image(chip)
    seen: list[tuple[int, int]] = []
    with EspRom(chip, over_socket=over_socket) as rom:
        number = install_on_esp(rom.port, name, image, lambda *progress: seen.append(progress), waits=True)
        assert rom.flash[offset : offset + len(image)] == image
        assert rom.flash[offset + len(image) :].count(0xFF) == len(rom.flash) - offset - len(image)
        assert rom.erased_all and rom.stub, "written by the stub, after everything old was erased"
    assert number == "240ac4000102"
    assert seen == sorted(seen) and seen[-1][0] == seen[-1][1]


def test_a_chip_that_is_not_known_to_wait_is_reset_into_its_loader():
    with EspRom() as rom:
        install_on_esp(rom.port, "ESP32", IMAGE, lambda done, total: None)
        assert rom.flash[0x1000 : 0x1000 + len(IMAGE)] == IMAGE


def test_a_newer_interpreter_leaves_the_files_of_the_older_one():
    with EspRom() as rom:
        rom.flash[0x200000:0x200004] = b"file"
        install_on_esp(rom.port, "ESP32", IMAGE, lambda done, total: None, erase=False)
        assert rom.flash[0x1000 : 0x1000 + len(IMAGE)] == IMAGE
        assert rom.flash[0x200000:0x200004] == b"file" and not rom.erased_all


def test_four_boards_at_once_have_their_own_progress():
    done: dict[int, list[tuple[int, int]]] = {number: [] for number in range(4)}
    roms = [EspRom(mac=bytes([2, 0, 0, 0, 0, number])) for number in range(4)]
    numbers: dict[int, str | None] = {}

    def work(number: int) -> None:
        size = 20_000 + 10_000 * number
        image = application_image(size=size)
        numbers[number] = install_on_esp(
            roms[number].port, "ESP32", image, lambda *progress: done[number].append(progress), waits=True
        )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for rom in roms:
        rom.unplug()
    assert numbers == {number: f"02000000000{number}" for number in range(4)}
    for number, progress in done.items():
        assert progress == sorted(progress)
        # What goes over the line is packed; an image of this kind does not shrink much.
        assert 0.9 < progress[-1][1] / (20_000 + 10_000 * number) < 1.1, "nobody else's progress"


def test_esptool_prints_nothing(capfd):
    with EspRom() as rom:
        install_on_esp(rom.port, "ESP32", IMAGE, lambda done, total: None, waits=True)
    assert capfd.readouterr() == ("", "")


def test_a_wrong_bit_is_found_and_written_again_slower():
    with EspRom(flip_bits=1) as rom:
        install_on_esp(rom.port, "ESP32", IMAGE, lambda done, total: None, waits=True)
        assert rom.flash[0x1000 : 0x1000 + len(IMAGE)] == IMAGE
        assert rom.baud_changes == [460_800], "the second attempt stays at the first speed"


def test_wrong_bits_every_time_are_told():
    with EspRom(flip_bits=99) as rom:
        said = complaint(rom.port)
    assert said == (
        f"What the board at {rom.port} stored is not what was sent to it. Use another cable or another USB port, "
        "without a hub, and repeat the command."
    )


def test_a_lost_answer_costs_time_and_nothing_else(impatience):
    with EspRom(ignore={FLASH_DEFL_DATA: 1, FLASH_DATA: 1}) as rom:
        install_on_esp(rom.port, "ESP32", IMAGE, lambda done, total: None, waits=True)
        assert rom.flash[0x1000 : 0x1000 + len(IMAGE)] == IMAGE


def test_a_chip_that_falls_silent_is_told(impatience):
    with EspRom(silent_after=2) as rom:
        said = complaint(rom.port)
    assert said.startswith(f"The loader of the board at {rom.port} does not answer. Hold its button BOOT"), (
        "the second attempt finds nobody"
    )


def test_a_stub_that_does_not_start_is_told(impatience):
    with EspRom(ignore={MEM_BEGIN: 99}) as rom:
        said = complaint(rom.port)
    assert said.startswith(f"The board at {rom.port} fell silent while MicroPython was being installed. Use another")


def test_a_cable_that_slips_out_is_told(impatience):
    with EspRom(unplug_after=2) as rom:
        said = complaint(rom.port)
    assert said == (
        f"The board at {rom.port} vanished while MicroPython was being installed. Plug it in again, firmly, and repeat "
        "the command: it begins anew."
    )


def test_a_chip_of_another_kind_is_left_alone():
    with EspRom("ESP32S3") as rom:
        said = complaint(rom.port, "ESP32")
        assert rom.packets == 0 and not rom.erased_all
    assert f"The board at {rom.port} has an ESP32-S3" in said
    assert "but an ESP32 is asked for: nothing was written" in said


def test_nobody_in_the_loader_is_told_which_buttons_to_press(impatience):
    with EspRom(ignore={SYNC: 999}) as rom:
        said = complaint(rom.port)
    assert said == (
        f"The loader of the board at {rom.port} does not answer. Hold its button BOOT (or IO0), press and release "
        "RESET (or EN), release BOOT, and repeat the command."
    )


def test_a_port_that_is_not_there_is_told():
    assert "There is no port /dev/ttyNONE" in complaint("/dev/ttyNONE")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "Failed to connect to ESP32: Wrong boot mode detected (0x13)!",
            "starts its program instead of its loader. Hold",
        ),
        (
            "Download mode successfully detected, but ... TX path seems to be down.",
            "hears nothing of what is sent to it",
        ),
    ],
)
def test_what_the_loader_says_while_connecting_is_translated(monkeypatch, words, said):
    def fail(*_, **__):
        raise esp_loader.FatalError(words)

    monkeypatch.setattr(esp_install, "explain_port", lambda port: None)
    monkeypatch.setattr(esp_install.cmds, "connect_esp", fail)
    assert said in complaint("P")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (esp_loader.FatalError("No more data to read from the serial port."), "answers of the board at P are garbled"),
        (esp_loader.FatalError("Unable to verify flash chip connection (x)."), "does not find its flash memory"),
        (esp_loader.FatalError("Secure Boot V1 detected, writing\nto"), "refuses MicroPython (Secure Boot V1 detected"),
        (OSError(5, "Input/output error"), "vanished while MicroPython was being installed"),
    ],
)
def test_what_the_loader_says_while_writing_is_translated(error, said):
    assert said in str(esp_install._explain("P", error))


def test_a_chip_in_its_loader_is_recognised_without_a_reset(impatience):
    with EspRom("ESP32S3") as rom:
        found = esp_loader.call_rom(rom.port)
        assert found is not None and (found.chip, found.unique_id) == ("ESP32S3", "240ac4000102")
        assert "ESP32-S3" in found.description
    with EspRom(ignore={SYNC: 999}) as rom:
        assert esp_loader.call_rom(rom.port) is None
