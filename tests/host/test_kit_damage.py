# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged kits: refused by file name, whatever is wrong with them."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from leezenflow_host.board_config import read_board
from leezenflow_host.errors import InputError
from leezenflow_host.image import Image
from leezenflow_host.kit import Kit, contents, plan_kit, storage, write_kit
from leezenflow_host.kit.manifest import MANIFEST, decode_manifest, encode_manifest


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """A small kit: one board, no site, and firmware of two files."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(
            contents, "build_image", lambda board, site: Image({"/boot.py": b"#", "/a/x.mpy": b"x" * 99})
        )
        return plan_kit([read_board("virtual")]).files


@pytest.fixture
def folder(tmp_path: Path, files: dict[str, bytes]) -> Path:
    """That kit in a folder."""
    write_kit(tmp_path / "kit", files)
    return tmp_path / "kit"


def test_one_wrong_byte_in_any_file_is_found_and_the_file_named(folder: Path, files: dict[str, bytes]):
    for path, content in files.items():
        if not content:
            continue
        spoilt = bytearray(content)
        spoilt[len(content) // 2] ^= 1
        (folder / path).write_bytes(spoilt)
        with pytest.raises(InputError) as caught:
            Kit.open(folder)
        assert path in str(caught.value) and str(folder) in str(caught.value), path
        (folder / path).write_bytes(content)
    Kit.open(folder)


def test_any_wrong_byte_in_the_manifest_is_found(files: dict[str, bytes]):
    content = files[MANIFEST]
    decode_manifest(content, "kit")
    for at in range(0, len(content), max(1, len(content) // 500)):
        spoilt = bytearray(content)
        spoilt[at] ^= 1
        with pytest.raises(InputError):
            decode_manifest(bytes(spoilt), "kit")


def test_a_missing_a_longer_and_a_foreign_file_are_named(folder: Path):
    (folder / "README.txt").rename(folder / "READ.txt")
    with pytest.raises(InputError, match=r"README\.txt is missing"):
        Kit.open(folder)
    shutil.copy(folder / "READ.txt", folder / "README.txt")
    with pytest.raises(InputError, match=r"READ\.txt does not belong to the kit; delete it"):
        Kit.open(folder)
    (folder / "READ.txt").unlink()
    (folder / "README.txt").write_bytes(b"short")
    with pytest.raises(InputError, match=r"README\.txt is damaged: it has another length"):
        Kit.open(folder)
    (folder / "README.txt").unlink()
    (folder / "README.txt").symlink_to(folder / MANIFEST)
    with pytest.raises(InputError, match=r"README\.txt is damaged"):
        Kit.open(folder)


def test_a_damaged_zip_is_refused_by_file_name(tmp_path: Path, files: dict[str, bytes]):
    kit = tmp_path / "kit.zip"
    write_kit(kit, files)
    content = kit.read_bytes()
    with zipfile.ZipFile(kit) as packed:
        entry = packed.getinfo("boards/virtual.toml")
    at = entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2
    kit.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
    with pytest.raises(InputError, match=r"boards/virtual\.toml is damaged"):
        Kit.open(kit)
    for cut in (len(content) // 2, len(content) - 1, 100, 0):
        kit.write_bytes(content[:cut])
        with pytest.raises(InputError, match=r"kit\.zip is no kit"):
            Kit.open(kit)


def test_a_zip_with_a_file_twice_is_refused(tmp_path: Path, files: dict[str, bytes]):
    kit = tmp_path / "kit.zip"
    write_kit(kit, files)
    with zipfile.ZipFile(kit, "a") as packed, pytest.warns(UserWarning, match="Duplicate"):
        packed.writestr("README.txt", files["README.txt"])
    with pytest.raises(InputError, match=r"README\.txt is damaged"):
        Kit.open(kit)


def test_a_manifest_that_points_outside_is_refused(folder: Path, files: dict[str, bytes]):
    facts = {key: value for key, value in json.loads(files[MANIFEST]).items() if key not in ("files", "seal")}
    for path in ("../evil", "/etc/passwd", "a//b", "a/../b", ".hidden", "a\\b", "x/"):
        (folder / MANIFEST).write_bytes(encode_manifest(facts, {path: b"x"}))
        with pytest.raises(InputError, match="does not belong into a kit"):
            Kit.open(folder)


def test_what_is_no_kit_or_of_another_age_is_told(tmp_path: Path, folder: Path, files: dict[str, bytes]):
    with pytest.raises(InputError, match="there is no such kit"):
        Kit.open(tmp_path / "nowhere")
    (folder / MANIFEST).write_bytes(encode_manifest({}, {}).replace(b'"leezenflow_kit": 1', b'"leezenflow_kit": 2'))
    with pytest.raises(InputError, match="a kit of format 2; this Leezenflow reads 1"):
        Kit.open(folder)
    (folder / MANIFEST).write_bytes(b" " * (2 << 20))
    with pytest.raises(InputError, match=r"kit\.json is longer than any"):
        Kit.open(folder)
    (folder / MANIFEST).write_bytes(b"[]")
    with pytest.raises(InputError, match="or this is no kit"):
        Kit.open(folder)
    (folder / MANIFEST).unlink()
    with pytest.raises(InputError, match=r"there is no kit\.json in it"):
        Kit.open(folder)


def test_a_file_that_cannot_be_read_or_is_too_long_is_named(
    folder: Path, tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
):
    write_kit(tmp_path / "kit.zip", files)
    with monkeypatch.context() as patched:
        patched.setattr(storage, "MAX_FILE_BYTES", 100)
        with pytest.raises(InputError, match="is longer than any file of a kit"):
            Kit.open(tmp_path / "kit.zip")

    def gone(path: Path) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", gone)
        with pytest.raises(InputError, match=r"kit\.json cannot be read \(Input/output error\)"):
            Kit.open(folder)
        with pytest.raises(InputError, match=r"virtual\.toml: cannot be read \(Input/output error\)"):
            plan_kit([read_board("virtual")])


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(folder: Path, files: dict[str, bytes], monkeypatch):
    real = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.name.endswith(".part"):
            raise OSError(13, "Permission denied")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="Permission denied"):
        write_kit(folder, files, replace=True)
    monkeypatch.undo()
    assert [entry.name for entry in folder.parent.iterdir()] == ["kit"]
    Kit.open(folder)
