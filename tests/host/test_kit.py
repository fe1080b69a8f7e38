# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Offline kits: gathered with checks, the same bytes every time, and refused by file name when anything is wrong."""

import hashlib
import os
import shutil
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from leezenflow_host.board_config import read_board
from leezenflow_host.errors import InputError
from leezenflow_host.image import Image, build_image
from leezenflow_host.kit import Kit, contents, plan_kit, write_kit
from leezenflow_host.kit.manifest import MANIFEST, encode_manifest
from leezenflow_host.site_config import read_site

SITE = """\
[unit]
name = "{unit}"
[signal]
intersection = 7
signal_group = 3
adapter = "spatem_uper"
source = "udp://0.0.0.0:4711"
[rider]
distance_m = 60
"""


def uf2(fill: int = 0, blocks: int = 2) -> bytes:
    """An image for an RP2040, as far as its container says."""
    head = (0x0A324655, 0x9E5D5157, 0x2000)
    return b"".join(
        struct.pack("<8I", *head, 0x10000000 + 256 * number, 256, number, blocks, 0xE48BFF56)
        + bytes([fill]) * 476
        + struct.pack("<I", 0x0AB16F30)
        for number in range(blocks)
    )


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images that lie on the developer's machine are none of a test's business."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def real_images() -> None:
    """Asked for by tests in which the firmware counts."""


@pytest.fixture(autouse=True)
def small_images(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packing the firmware takes a second each time; most tests are about something else."""
    if "real_images" not in request.fixturenames:
        monkeypatch.setattr(contents, "build_image", lambda board, site: Image({"/boot.py": b"#", "/a/x.mpy": b"x"}))


@pytest.fixture
def north(tmp_path: Path) -> Path:
    """A site file."""
    file = tmp_path / "north.toml"
    file.write_text(SITE.format(unit="north-1"))
    return file


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """A small kit: one board, no site."""
    return plan_kit([read_board("virtual")]).files


@pytest.fixture
def folder(tmp_path: Path, files: dict[str, bytes]) -> Path:
    """That kit in a folder."""
    write_kit(tmp_path / "kit", files)
    return tmp_path / "kit"


@pytest.fixture
def pinned(tmp_path: Path) -> tuple[Path, Path]:
    """A board file that pins an image, and that image."""
    image = tmp_path / "RPI_PICO_W-20260406-v1.28.0.uf2"
    image.write_bytes(uf2(1))
    digest = hashlib.sha256(uf2(1)).hexdigest()
    board = tmp_path / "pico_pinned.toml"
    text = read_board("pico_w_hub75").file.read_text()
    head, _, rest = text.partition("sha256 = []")
    board.write_text(f'{head}sha256 = ["{digest}"]{rest}')
    return board, image


# What is in a kit


def test_firmware_is_in_it_exactly_as_install_stages_it(real_images, tmp_path: Path, north: Path):
    write_kit(tmp_path / "kit", plan_kit([read_board("virtual")], sites=[north]).files)
    staged, wanted = (
        Kit.open(tmp_path / "kit").image("virtual", "north"),
        build_image(read_board("virtual"), read_site(north)),
    )
    assert staged is not None and list(staged.files.items()) == list(wanted.files.items())


def test_a_kit_gives_back_what_went_in(tmp_path: Path, north: Path, pinned: tuple[Path, Path]):
    secrets = tmp_path / "secrets.json"
    secrets.write_text('{"wifi": {"ssid": "net", "password": "hunter2"}}')
    board = read_board(str(pinned[0]))
    plan = plan_kit([board, read_board("virtual")], sites=[north], interpreters=[pinned[1]], secrets={"a": secrets})
    for target in (tmp_path / "kit", tmp_path / "kit.zip"):
        write_kit(target, plan.files)
        kit = Kit.open(target)
        assert kit.boards == ["pico_pinned", "virtual"] and kit.sites == ["north"]
        image = kit.interpreter(board)
        assert image is not None and (image.name, image.read_bytes()) == (pinned[1].name, uf2(1))
        assert kit.interpreter("virtual") is None
        assert kit.board("pico_pinned").values == board.values
        for name in ("north", "north.toml", "north-1"):
            assert kit.site(name).values == read_site(north).values
        assert kit.secrets("a") == secrets.read_bytes()
        assert kit.secrets("north-1") is None
        assert kit.image("virtual", None) is None
        assert (kit.release, kit.root_keys) == (None, None)


def test_a_kit_without_sites_holds_firmware_alone(folder: Path):
    staged = Kit.open(folder).image("virtual", None)
    assert staged is not None and "/a/manifest.json" in staged.files and "/site.json" not in staged.files


def test_the_same_content_makes_the_same_bytes(tmp_path: Path, north: Path):
    packed = []
    for name in ("one.zip", "two.zip"):
        write_kit(tmp_path / name, plan_kit([read_board("virtual")], sites=[north]).files)
        packed.append((tmp_path / name).read_bytes())
        os.utime(north, (0, 0))
    assert packed[0] == packed[1]


def test_an_image_may_come_from_the_cache(no_cache: Path, pinned: tuple[Path, Path]):
    folder = no_cache / "leezenflow/interpreters"
    folder.mkdir(parents=True)
    shutil.copy(pinned[1], folder)
    plan = plan_kit([read_board(str(pinned[0]))])
    assert plan.files[f"interpreters/{pinned[1].name}"] == uf2(1)
    assert plan.remarks == []


def test_public_keys_go_in_and_private_ones_stay(tmp_path: Path, files: dict[str, bytes]):
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "root_keys.json").write_text('{"keys": []}')
    (keys / "root-1.pem").write_text("-----BEGIN " + "PRIVATE KEY-----\nhunter2\n")
    (keys / "notes.txt").write_text("hunter2")
    plan = plan_kit([read_board("virtual")], keys=keys)
    assert sorted(path for path in plan.files if path.startswith("keys/")) == ["keys/root_keys.json"]
    assert b"hunter2" not in b"".join(plan.files.values())
    assert plan.remarks == [f"1 private key in {keys} stayed there."]
    write_kit(tmp_path / "kit.zip", plan.files)
    assert Kit.open(tmp_path / "kit.zip").root_keys == b'{"keys": []}'


def test_nothing_that_only_looks_like_a_key_goes_in(tmp_path: Path):
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "north-1.json").write_text('{"wifi": {"ssid": "city", "password": "hunter2"}}')
    with pytest.raises(InputError, match="there is no public key in it"):
        plan_kit([read_board("virtual")], keys=keys)
    (keys / "root_keys.json").write_text('{"keys": []}')
    plan = plan_kit([read_board("virtual")], keys=keys)
    assert sorted(path for path in plan.files if path.startswith("keys/")) == ["keys/root_keys.json"]


def test_wheels_go_in_for_a_laptop_without_anything(tmp_path: Path):
    (tmp_path / "leezenflow-1-py3-none-any.whl").write_bytes(b"wheel")
    plan = plan_kit([read_board("virtual")], wheels=tmp_path)
    assert plan.files["tool/leezenflow-1-py3-none-any.whl"] == b"wheel"


def test_secrets_are_for_their_owner_only_and_said(tmp_path: Path):
    secrets = tmp_path / "s.json"
    secrets.write_text("{}")
    plan = plan_kit([read_board("virtual")], secrets={"north-1": secrets})
    assert "holds the secrets of 1 unit" in plan.remarks[-1]
    write_kit(tmp_path / "kit", plan.files)
    write_kit(tmp_path / "kit.zip", plan.files)
    assert stat.S_IMODE((tmp_path / "kit/secrets/north-1.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "kit/secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "kit.zip").stat().st_mode) == 0o600
    with zipfile.ZipFile(tmp_path / "kit.zip") as packed:
        assert stat.S_IMODE(packed.getinfo("secrets/north-1.json").external_attr >> 16) == 0o600
    Kit.open(tmp_path / "kit")


# What may not go in


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("RPI_PICO_W-20260406-v1.28.0.uf2", uf2(2), "none of the 1 pinned for pico_pinned"),
        ("RPI_PICO_W-20260406-v1.28.0.uf2", uf2(1)[:-1], "no whole blocks of UF2"),
        ("RPI_PICO_W.bin", uf2(1), "ends in .uf2"),
    ],
)
def test_an_image_that_is_not_the_pinned_one_is_refused(tmp_path: Path, pinned, name: str, content: bytes, message):
    (tmp_path / "other").mkdir()
    image = tmp_path / "other" / name
    image.write_bytes(content)
    with pytest.raises(InputError, match=message):
        plan_kit([read_board(str(pinned[0]))], interpreters=[image])


def test_an_unpinned_image_needs_a_word_and_leaves_a_remark(tmp_path: Path):
    image = tmp_path / "RPI_PICO_W-20260406-v1.28.0.uf2"
    image.write_bytes(uf2())
    board = read_board("pico_w_hub75")
    with pytest.raises(InputError, match="no image was pinned yet for pico_w_hub75"):
        plan_kit([board], interpreters=[image])
    plan = plan_kit([board], interpreters=[image], allow_unpinned=True)
    assert "is not pinned for pico_w_hub75: nobody vouches" in plan.remarks[0]


def test_a_board_without_an_image_is_a_remark():
    plan = plan_kit([read_board("pico_w_hub75")])
    assert plan.remarks[0].startswith("No image of MicroPython for pico_w_hub75, so its boards must have it.")


def test_an_image_for_nobody_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no board of this kit gets an interpreter"):
        plan_kit([read_board("virtual")], interpreters=[tmp_path / "x.uf2"])


def test_two_images_of_one_name_are_refused(tmp_path: Path, pinned: tuple[Path, Path]):
    text = pinned[0].read_text().replace(hashlib.sha256(uf2(1)).hexdigest(), hashlib.sha256(uf2(2)).hexdigest())
    (tmp_path / "pico_second.toml").write_text(text)
    (tmp_path / "second").mkdir()
    second = tmp_path / "second" / pinned[1].name
    second.write_bytes(uf2(2))
    boards = [read_board(str(pinned[0])), read_board(str(tmp_path / "pico_second.toml"))]
    with pytest.raises(InputError, match="another image of that name"):
        plan_kit(boards, interpreters=[pinned[1], second])


def test_every_bad_site_is_told_at_once(tmp_path: Path, north: Path):
    (tmp_path / "other").mkdir()
    same_stem = tmp_path / "other/north.toml"
    same_stem.write_text(SITE.format(unit="south"))
    same_unit = tmp_path / "twin.toml"
    same_unit.write_text(SITE.format(unit="north-1"))
    broken = tmp_path / "broken.toml"
    broken.write_text(SITE.format(unit="x").replace("distance_m", "distance"))
    with pytest.raises(InputError) as caught:
        plan_kit([read_board("virtual")], sites=[north, same_stem, same_unit, broken])
    assert "another site file of that name" in str(caught.value)
    assert "give each unit a name of its own" in str(caught.value)
    assert "broken.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("prepare", "arguments", "message"),
    [
        (lambda folder: None, {"keys": "nowhere"}, "there is no such folder"),
        (lambda folder: (folder / "empty").mkdir(), {"keys": "empty"}, "no public key in it"),
        (lambda folder: None, {"wheels": "nowhere"}, "no wheel of Leezenflow"),
        (lambda folder: None, {"secrets": {"a": "nowhere.json"}}, "there is no such file"),
        (lambda folder: (folder / "s.json").write_text("[]"), {"secrets": {"a": "s.json"}}, "not a json object"),
        (lambda folder: (folder / "s.json").write_text("{}"), {"secrets": {"../a": "s.json"}}, "cannot hold a file"),
        (lambda folder: (folder / "x.lzf").write_text("no"), {"release": "x.lzf"}, "x.lzf"),
    ],
)
def test_what_does_not_belong_in_is_refused(tmp_path: Path, prepare, arguments, message: str):
    prepare(tmp_path)
    given: dict[str, Any] = {
        key: {unit: tmp_path / file for unit, file in value.items()} if isinstance(value, dict) else tmp_path / value
        for key, value in arguments.items()
    }
    with pytest.raises(InputError, match=message):
        plan_kit([read_board("virtual")], **given)


# Where it goes


def test_a_kit_never_overwrites_anything_by_accident(tmp_path: Path, files: dict[str, bytes]):
    for name in ("kit", "kit.zip"):
        write_kit(tmp_path / name, files)
        with pytest.raises(InputError, match="Give --yes to replace"):
            write_kit(tmp_path / name, files)
        write_kit(tmp_path / name, {**files, MANIFEST: encode_manifest({}, files)}, replace=True)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/love.txt").write_text("dear")
    (tmp_path / "note.zip").write_text("dear")
    for name in ("letters", "note.zip"):
        with pytest.raises(InputError, match="holds other things"):
            write_kit(tmp_path / name, files, replace=True)
    assert (tmp_path / "letters/love.txt").read_text() == (tmp_path / "note.zip").read_text() == "dear"


def test_a_kit_is_there_whole_or_not_at_all(tmp_path: Path, files: dict[str, bytes], monkeypatch):
    for name in ("kit", "kit.zip"):
        write_kit(tmp_path / name, files)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for name in ("kit", "kit.zip", "new", "new.zip"):
        with pytest.raises(OSError, match="No space left"):
            write_kit(tmp_path / name, files, replace=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["kit", "kit.zip"]
    assert Kit.open(tmp_path / "kit").facts == Kit.open(tmp_path / "kit.zip").facts


def test_what_a_kit_has_not_is_told_with_a_guess(tmp_path: Path, north: Path):
    write_kit(tmp_path / "kit", plan_kit([read_board("virtual")], sites=[north]).files)
    kit = Kit.open(tmp_path / "kit")
    with pytest.raises(InputError, match="has no site 'nort'; did you mean 'north'"):
        kit.site("nort")
    with pytest.raises(InputError, match="has no board 'virtul'; did you mean 'virtual'"):
        kit.board("virtul")
