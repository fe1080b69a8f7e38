# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests and lists of keys that are signed and still refused: for others, too old, or not what a release may be."""

import binascii
import json

from leezenflow.errors import LeezenflowError
from leezenflow_device.updating import authority, boot_state
from leezenflow_device.updating.manifest import Manifest, is_path
from update_key import MODULUS, STRANGER, to_bytes

DIGEST = "0123456789abcdef" * 4
MAIN = ["leezenflow_device/main.py", 100, DIGEST]
ARMV6M = 6 | 3 << 8 | 4 << 10


def text(**changes):
    values = {"leezenflow_release": 1, "product": "leezenflow", "board": "pico", "release": 7, "version": "0.7.0"}
    values.update({"min_micropython": [1, 24], "mpy": None, "files": [MAIN, ["leezenflow/x.py", 0, DIGEST]]})
    values.update(changes)
    return json.dumps(values).encode()


def refusal(call, *arguments):
    """Return why a call is refused."""
    try:
        call(*arguments)
    except LeezenflowError as error:
        return str(error)
    raise AssertionError("not refused")


def cut_off(text):
    """The text without its last bracket; where that passes for JSON (MicroPython 1.24), it ends within a string."""
    try:
        json.loads(b"{")
    except ValueError:
        return text[:-1]
    return text[:-6]


def check(text, board="pico", floor=0, bad=(), micropython=(1, 29, 0), mpy=ARMV6M):
    Manifest(text).check(board, floor, bad, micropython, mpy)


def test_a_sound_one_is_taken():
    manifest = Manifest(text())
    assert (manifest.release, manifest.version, len(manifest.digest)) == (7, "0.7.0", 64)
    assert manifest.find("leezenflow/x.py") == ["leezenflow/x.py", 0, DIGEST]
    assert manifest.find("leezenflow/y.py") is None
    assert manifest.holds_module("leezenflow_device/main") and not manifest.holds_module("main")
    check(text(), floor=7)
    check(text(mpy=ARMV6M))
    # Bytecode alone runs on every architecture.
    check(text(mpy=6 | 3 << 8))
    check(text(min_micropython=[1, 29]))


def test_what_is_for_others_is_refused():
    assert "is for the board pico, this is pico_w" in refusal(check, text(), "pico_w")
    assert "of the product 'kettle'" in refusal(check, text(product="kettle"))
    assert "none of format 1" in refusal(check, text(leezenflow_release=2))
    assert "needs MicroPython 1.30, this unit has 1.29" in refusal(check, text(min_micropython=[1, 30]))
    assert "needs MicroPython 2.0" in refusal(check, text(min_micropython=[2, 0]))
    for mpy in (ARMV6M + 1024, ARMV6M + 256, 5 | 3 << 8 | 4 << 10, "6.3", -1, True):
        assert "compiled for another MicroPython" in refusal(check, text(mpy=mpy)), mpy


def test_what_was_replayed_or_has_failed_is_refused():
    assert "is release 7, this unit takes 8 or later" in refusal(check, text(), "pico", 8)
    assert "has failed its trial on this unit" in refusal(check, text(), "pico", 0, [Manifest(text()).digest])
    # Another release with the same number is another release.
    check(text(version="0.7.1"), bad=[Manifest(text()).digest])


def test_nonsense_is_refused():
    for nonsense in (b"", b"[]", b"{", b"null", b"\xff", cut_off(text())):
        assert "none of format 1" in refusal(Manifest, nonsense), nonsense
    for release in (None, -1, "7", 1.5, True, 1 << 30, [7]):
        assert "no release number where it belongs" in refusal(Manifest, text(release=release)), release
    # The number must be found without reading the list of files.
    assert "no release number" in refusal(Manifest, b'{"x":"' + b"x" * 500 + b'",' + text()[1:])
    for needed in (None, [1], [1, 24, 0], "1.24", [1, "24"]):
        assert "which MicroPython it needs" in refusal(check, text(min_micropython=needed)), needed


def test_files_that_no_release_may_have_are_refused():
    for files in (None, [], {}, [MAIN] * 2, [[]], ["leezenflow"], [["x.py", 1]], [MAIN, [7, 1, DIGEST]], [MAIN] * 200):
        assert "the manifest" in refusal(Manifest, text(files=files)), files
    for size in (-1, None, "1", 1.0, 300_000, True):
        assert "no sound size" in refusal(Manifest, text(files=[MAIN, ["x.py", size, DIGEST]])), size
    for digest in (None, "", DIGEST[:-1], DIGEST.upper(), DIGEST + "0", 7):
        assert "no sound size and hash" in refusal(Manifest, text(files=[MAIN, ["x.py", 1, digest]])), digest
    assert "a file that is a folder" in refusal(Manifest, text(files=[MAIN, ["leezenflow_device", 1, DIGEST]]))
    assert "lacks leezenflow_device/main" in refusal(Manifest, text(files=[["x.py", 1, DIGEST]]))


def test_paths():
    for path in ("x.py", "leezenflow/x.mpy", "self_test.bin", "a/b/c/d.py", "A-1/x_y.py", "manifest.json.py"):
        assert is_path(path), path
    for path in ("", "/x.py", "../x.py", "a/../x.py", "a//x.py", "a/", ".", "..", ".hidden", "a/.x", "a/x.", "./x.py"):
        assert not is_path(path), path
    for path in ("manifest.json", "x.part", "x.new", "a\\b", "a b", "a\n", "\x00", "ä.py", "x" * 81, None, 7, b"x.py"):
        assert not is_path(path), path


def keys(**changes):
    values = {"leezenflow_keys": 1, "version": 3, "release_keys": [entry(MODULUS)]}
    values.update(changes)
    return json.dumps(values).encode()


def entry(modulus):
    return {"id": "x", "n": binascii.b2a_base64(to_bytes(modulus)).decode().strip()}


def test_lists_of_keys():
    assert authority.read_keys(keys(), 3) == (3, [to_bytes(MODULUS)])
    assert authority.read_keys(keys(release_keys=[entry(MODULUS), entry(STRANGER)]), 0)[1][1] == to_bytes(STRANGER)
    assert "keys.json has version 3, this unit knows 4" in refusal(authority.read_keys, keys(), 4)
    for wrong in (
        b"",
        b"[]",
        b"7",
        b"{}",
        keys(leezenflow_keys=2),
        keys(version=0),
        keys(version="3"),
        cut_off(keys()),
    ):
        assert "it is not a list of release keys" in refusal(authority.read_keys, wrong, 0), wrong
    short = {"n": binascii.b2a_base64(to_bytes(MODULUS)[1:]).decode()}
    for entries in ([], None, {}, [7], [{}], [{"n": 7}], [short], [entry(MODULUS)] * 5, [entry(MODULUS), short]):
        assert "not a list" in refusal(authority.read_keys, keys(release_keys=entries), 0), entries


def test_the_number_of_a_release_is_found_in_its_first_bytes():
    assert boot_state.read_release(text()[: boot_state.HEAD_BYTES]) == 7
    assert boot_state.read_release(b'{"release":123,') == 123
    for head in (b"", b"{}", b'{"release":', b'{"release":"7"', b'{"release":-7', b"\xff"):
        assert boot_state.read_release(head) == 0, head
