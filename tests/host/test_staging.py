# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`--stage` and `kit build` where the disk is full or the work is stopped: whole or not there, and told by name."""

import errno
from pathlib import Path

import pytest

from leezenflow_host import cli
from leezenflow_host.image import Image
from leezenflow_host.kit import storage
from leezenflow_host.kit.storage import write_kit
from leezenflow_host.staging import stage_image

TREE = Image({"/boot.py": b"boot", "/a/manifest.json": b"{}", "/a/leezenflow/late.py": b"late"})


@pytest.fixture(params=[OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["full", "stopped"])
def stopped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> BaseException:
    """Have the last file of the tree fail."""
    write = Path.write_bytes

    def write_bytes(file: Path, content: bytes) -> int:
        if file.name == "late.py":
            raise request.param
        return write(file, content)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    return request.param


@pytest.mark.parametrize("folder", ["new", "empty"])
def test_a_tree_that_cannot_be_completed_goes(tmp_path: Path, stopped: BaseException, folder: str):
    (tmp_path / "empty").mkdir()
    with pytest.raises(type(stopped)):
        stage_image(TREE, tmp_path / folder)
    assert list(tmp_path.rglob("*")) == [tmp_path / "empty"]


def test_an_earlier_tree_is_no_new_one(tmp_path: Path, stopped: BaseException):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/manifest.json").write_text("{}")
    with pytest.raises(type(stopped)):
        stage_image(TREE, tmp_path)
    assert (tmp_path / "a/manifest.json").is_file()


@pytest.mark.parametrize("command", ["install", "flash"])
def test_the_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, command: str):
    def no_room(image: Image, folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image, "write_to", no_room)
    assert cli.run([command, "--board", "virtual", "--stage", str(tmp_path / "tree")]) == 1
    said = f"Error: {tmp_path}/tree: No space left on device. Make room there, or name another place.\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("name", ["kit", "kit.zip"])
def test_a_kit_that_finds_no_room_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    def no_room(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage.os, "fsync", no_room)
    with pytest.raises(OSError) as caught:
        write_kit(tmp_path / name, {"kit.json": b"{}"})
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []
