# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image is installed, what is checked before, and how an RP2040 or RP2350 gets it through its volume."""

import hashlib
from pathlib import Path

import pytest
from esp_rom import application_image
from rp2_boot import Rp2InLoader, uf2_image
from waiting import wait_until

from leezenflow_host.board_config import BoardConfig, read_board
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.errors import BoardError, InputError
from leezenflow_host.flashing import interpreter, interpreter_image, uf2_install
from leezenflow_host.flashing.detect import ESP_ROM, MICROPYTHON, UF2_VOLUME, UNKNOWN, FoundBoard
from leezenflow_host.flashing.interpreter import install_interpreter, needs_interpreter
from leezenflow_host.flashing.interpreter_image import cache_folder, check_image, find_image
from leezenflow_host.flashing.volumes import find_volumes, read_volume

NAME = "RPI_PICO-20260101-v1.28.0.uf2"


@pytest.fixture
def pico(tmp_path: Path) -> BoardConfig:
    return make_board(tmp_path)


def make_board(folder: Path, chip: str = "RP2040", *pins: str, file: str = "RPI_PICO-[0-9]*-v*.uf2") -> BoardConfig:
    target = folder / "bench.toml"
    target.write_text(
        f'[board]\ntitle = "Bench"\nchip = "{chip}"\nmicropython = ["RPI_PICO"]\n[display]\ndriver = "virtual"\n'
        f'[interpreter]\nfile = "{file}"\nsha256 = {list(pins)!r}\n[source]\nverified = "none"\n'
    )
    return read_board(str(target))


def complaint(board: BoardConfig, path: Path, **options) -> str:
    with pytest.raises(InputError) as error:
        check_image(board, path, **options)
    return str(error.value)


# Images


def test_a_pinned_image_needs_no_word(tmp_path):
    file = tmp_path / NAME
    file.write_bytes(uf2_image())
    digest = hashlib.sha256(uf2_image()).hexdigest()
    board = make_board(tmp_path, "RP2040", "0" * 64, digest)
    image = find_image(board, file)
    assert (image.path, image.sha256, image.pinned, image.content) == (file, digest, True, uf2_image())


def test_an_image_that_nobody_pinned_is_installed_only_when_asked_for(tmp_path, pico):
    file = tmp_path / NAME
    file.write_bytes(uf2_image())
    digest = hashlib.sha256(uf2_image()).hexdigest()
    said = complaint(pico, file)
    assert said.startswith(f"{file}: no image was pinned yet for bench. Compare its SHA-256 {digest} with that of")
    assert said.endswith("write it into [interpreter] sha256 of bench.toml, or give --allow-unpinned.")
    assert check_image(pico, file, allow_unpinned=True).pinned is False
    said = complaint(make_board(tmp_path, "RP2040", "0" * 64), file)
    assert f"its SHA-256 {digest} is none of the 1 pinned for bench" in said and "--allow-unpinned" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (uf2_image()[:-512], "1 of 300 blocks are missing; fetch the file again"),
        (uf2_image()[:-100], "bytes are no whole blocks of UF2"),
        (b"", "0 bytes are no whole blocks"),
        (uf2_image()[:1024] + bytes(512) + uf2_image()[1536:], "block 2 is not UF2"),
        (uf2_image() + uf2_image("RP2350"), "for several chips or for none"),
        (
            uf2_image().replace((0xE48BFF56).to_bytes(4, "little"), (0xE48BFF5A).to_bytes(4, "little")),
            "for RP2350_RISCV,",
        ),
        (
            uf2_image().replace((0xE48BFF56).to_bytes(4, "little"), bytes(4)),
            "is an image for family 00000000, but bench",
        ),
        (uf2_image("RP2350"), "is an image for RP2350, but bench has RP2040; fetch RPI_PICO-[0-9]*-v*.uf2"),
    ],
)
def test_a_damaged_or_wrong_uf2_image_is_refused(tmp_path, pico, content, words):
    file = tmp_path / NAME
    file.write_bytes(content)
    assert words in complaint(pico, file, allow_unpinned=True)


def test_images_for_the_rp2350_begin_with_a_block_of_their_own(tmp_path):
    file = tmp_path / "RPI_PICO2-20260101-v1.28.0.uf2"
    file.write_bytes(uf2_image("RP2350", absolute=True))
    assert check_image(make_board(tmp_path, "RP2350"), file, allow_unpinned=True).content == file.read_bytes()


def test_images_for_esp32_tell_their_chip(tmp_path):
    board = make_board(tmp_path, "ESP32", file="ESP32_GENERIC-[0-9]*.bin")
    file = tmp_path / "ESP32_GENERIC-20260101-v1.28.0.bin"
    file.write_bytes(application_image())
    assert check_image(board, file, allow_unpinned=True).content == application_image()
    file.write_bytes(application_image("ESP32S3"))
    assert "is an image for ESP32S3, but bench has ESP32" in complaint(board, file, allow_unpinned=True)
    file.write_bytes(b"<html>" + bytes(2000))
    assert "does not begin like an image for an ESP32" in complaint(board, file, allow_unpinned=True)
    assert "ends in .bin; fetch ESP32_GENERIC" in complaint(board, tmp_path / "bench.toml")


def test_an_image_that_is_not_there_is_told(tmp_path, pico):
    assert "there is no such file; an image of MicroPython was expected" in complaint(pico, tmp_path / "x.uf2")
    assert "is a folder; name the image itself" in complaint(pico, tmp_path)
    with pytest.raises(
        InputError, match=r"no image of it is here. Fetch RPI_PICO-.* for RPI_PICO from micropython.org"
    ):
        find_image(pico)
    with pytest.raises(InputError, match="virtual gets no interpreter from us"):
        find_image(read_board("virtual"))


def test_kit_and_cache_are_looked_into_in_that_order(tmp_path, pico):
    cache_folder().mkdir(parents=True)
    older, newer = cache_folder() / NAME, cache_folder() / NAME.replace("v1.28", "v1.29")
    for file, blocks in ((older, 100), (newer, 200)):
        file.write_bytes(uf2_image(blocks=blocks))
    (cache_folder() / "RPI_PICO_W-20260101-v1.28.0.uf2").write_bytes(b"another build")
    assert find_image(pico, allow_unpinned=True).path == newer
    pinned = make_board(tmp_path, "RP2040", hashlib.sha256(older.read_bytes()).hexdigest())
    assert find_image(pinned).path == older, "rather a pinned one than a newer one"

    class Kit:
        def interpreter(self, board: BoardConfig) -> Path | None:
            return tmp_path / "kit.uf2" if board.name == "bench" else None

    (tmp_path / "kit.uf2").write_bytes(uf2_image(blocks=50))
    assert find_image(pico, kit=Kit(), allow_unpinned=True).path == tmp_path / "kit.uf2"


# Whether one is needed


@pytest.mark.parametrize(
    ("kind", "micropython", "chip", "needed"),
    [
        (ESP_ROM, None, "ESP32", True),
        (UF2_VOLUME, None, "RP2040", True),
        (UNKNOWN, None, "ESP32", True),
        (UNKNOWN, None, "RP2040", False),
        (MICROPYTHON, "1.23.0", "RP2040", True),
        (MICROPYTHON, "1.24.0", "RP2040", False),
        (MICROPYTHON, None, "RP2040", False),
    ],
)
def test_an_interpreter_is_installed_where_there_is_none_or_an_old_one(tmp_path, kind, micropython, chip, needed):
    file = "X-*.bin" if chip == "ESP32" else "X-*.uf2"
    found = FoundBoard("P", kind, chip, micropython=micropython)
    assert needs_interpreter(found, make_board(tmp_path, chip, file=file)) is needed


# Volumes


def image_for(board: BoardConfig, folder: Path, chip: str = "RP2040"):
    file = folder / NAME
    file.write_bytes(uf2_image(chip))
    return check_image(board, file, allow_unpinned=True)


def test_volumes_tell_their_chip(places):
    with (
        Rp2InLoader(places / "volumes", places / "ports", "a"),
        Rp2InLoader(places / "volumes", places / "ports", "b", "RP2350"),
    ):
        (places / "volumes" / "photos").mkdir()
        assert [(volume.path.name, volume.model, volume.chip) for volume in find_volumes()] == [
            ("a", "Raspberry Pi RP2", "RP2040"),
            ("b", "Raspberry Pi RP2350", "RP2350"),
        ]
    (places / "volumes" / "photos" / "INFO_UF2.TXT").write_text("Board-ID: ESP32S3-MatrixPortal\n")
    stranger = read_volume(places / "volumes" / "photos")
    assert stranger is not None and (stranger.chip, stranger.model) == ("ESP32S3", "ESP32S3-MatrixPortal")


def test_an_image_copied_to_a_volume_comes_back_as_a_port(places, pico, micropython):
    seen = []
    with Rp2InLoader(places / "volumes", places / "ports") as board:
        found = FoundBoard(str(board.volume), UF2_VOLUME, "RP2040")
        installed = install_interpreter(found, pico, image_for(pico, places), seen.append)
        assert (installed.port, installed.method) == (str(board.port), "uf2")
        assert board.image == uf2_image()
        with SerialBoard(installed.port) as connection:
            assert connection.identify().interpreter == "micropython"
    counts = [step.done for step in seen if step.total]
    assert counts == sorted(counts) and counts[-1] == len(uf2_image())
    assert seen[-1].words == "first start"


def test_a_board_with_an_old_interpreter_goes_into_its_loader_by_itself(places, pico, micropython, monkeypatch):
    with VirtualBoard() as old:
        loaders: list[Rp2InLoader] = []

        def start_loader(connection: SerialBoard) -> None:
            loaders.append(Rp2InLoader(places / "volumes", places / "ports"))

        monkeypatch.setattr(SerialBoard, "start_loader", start_loader)
        found = FoundBoard(old.port, MICROPYTHON, "RP2040", micropython="1.20.0")
        installed = install_interpreter(found, pico, image_for(pico, places), lambda step: None)
        assert installed.port == str(loaders[0].port)
        loaders[0].__exit__()


@pytest.fixture
def impatience(monkeypatch):
    for name in ("_VANISH_S", "_RETURN_S"):
        monkeypatch.setattr(uf2_install, name, 0.3)
    monkeypatch.setattr(interpreter, "_FIRST_START_S", 0.0)


def failure(places: Path, board: BoardConfig, found: FoundBoard) -> str:
    with pytest.raises(BoardError) as error:
        install_interpreter(found, board, image_for(board, places), lambda step: None)
    return str(error.value)


def test_a_volume_of_another_chip_is_left_alone(places, pico):
    with Rp2InLoader(places / "volumes", places / "ports", chip="RP2350") as board:
        said = failure(places, pico, FoundBoard(str(board.volume), UF2_VOLUME, "RP2350"))
        assert not list(board.volume.glob("*.uf2"))
    assert "is Raspberry Pi RP2350, but an RP2040 is asked for: nothing was written" in said


def test_a_volume_that_does_not_take_the_image_is_told(places, pico, impatience):
    with Rp2InLoader(places / "volumes", places / "ports", takes=False) as board:
        said = failure(places, pico, FoundBoard(str(board.volume), UF2_VOLUME, "RP2040"))
    assert said == (
        f"The board at {board.volume} does not take the image. Unplug the board, hold its button BOOTSEL (or BOOT) "
        "while you plug it in again, and repeat the command."
    )


def test_a_board_that_does_not_come_back_is_told(places, pico, impatience):
    with Rp2InLoader(places / "volumes", places / "ports", comes_back=False) as board:
        said = failure(places, pico, FoundBoard(str(board.volume), UF2_VOLUME, "RP2040"))
    assert said.startswith("The board has taken MicroPython, but its serial port does not appear. Unplug the board")


def test_ports_that_appear_together_are_not_guessed_between(places, pico, micropython):
    with Rp2InLoader(places / "volumes", places / "ports") as board:
        plug_in = board._plug_in

        def plug_in_two() -> VirtualBoard:
            (places / "hidden" / "other").symlink_to("/dev/null")
            return plug_in()

        board._plug_in = plug_in_two
        (places / "ports").rename(places / "hidden")
        board.port = places / "hidden" / "rp2"
        (places / "ports").symlink_to(places / "nowhere")

        def notice(step) -> None:
            if step.done == step.total and step.total:
                wait_until(lambda: board.board is not None and board.port.is_symlink(), "the board")
                (places / "ports").unlink()
                (places / "hidden").rename(places / "ports")

        found = FoundBoard(str(board.volume), UF2_VOLUME, "RP2040")
        with pytest.raises(BoardError, match=r"several ports appeared at once \(.*/other, .*/rp2\). Name its port"):
            install_interpreter(found, pico, image_for(pico, places), notice)


def test_a_volume_that_is_pulled_out_is_told(places, pico, monkeypatch):
    with Rp2InLoader(places / "volumes", places / "ports") as board:
        found = FoundBoard(str(board.volume), UF2_VOLUME, "RP2040")
        monkeypatch.setattr(uf2_install.os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(5, "I/O error")))
        said = failure(places, pico, found)
        assert f"The copy to {board.volume} broke off (I/O error). Unplug the board, hold its button BOOTSEL" in said
        monkeypatch.setattr(
            uf2_install.os, "fsync", lambda descriptor: (_ for _ in ()).throw(PermissionError(13, "no"))
        )
        assert f"You may not write to {board.volume}. Mount the volume as yourself" in failure(places, pico, found)
    assert "has gone. Hold its button BOOTSEL while you plug it in again" in failure(places, pico, found)


def test_a_board_that_shows_no_volume_is_told(places, pico, micropython, impatience, monkeypatch):
    monkeypatch.setattr(SerialBoard, "start_loader", lambda connection: None)
    with VirtualBoard() as old:
        said = failure(places, pico, FoundBoard(old.port, MICROPYTHON, "RP2040", micropython="1.20.0"))
    assert said.startswith("The board does not show its volume. Unplug the board, hold its button BOOTSEL")


def test_an_interpreter_that_does_not_start_is_told(impatience):
    with pytest.raises(
        BoardError, match=r"MicroPython was installed, but the board at /dev/ttyNONE does not start it."
    ):
        interpreter.await_micropython("/dev/ttyNONE")


def test_what_gets_no_interpreter_is_told(places, pico):
    image = image_for(pico, places)
    with pytest.raises(BoardError, match="brings its interpreter with it"):
        install_interpreter(FoundBoard("P", MICROPYTHON), read_board("virtual"), image, lambda step: None)
    esp = make_board(places, "ESP32", file="X-*.bin")
    with pytest.raises(
        BoardError, match=r"is the drive of a UF2 loader on an ESP32, which we do not use. Press its reset"
    ):
        install_interpreter(FoundBoard("P", UF2_VOLUME), esp, image, lambda step: None)
    assert interpreter_image.cache_folder().parent.name == "leezenflow"
