# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Updates of the real firmware on a virtual board, by its serial line: a good one stays, bad ones are taken back."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cut_power import key
from serial_line import SerialLine

from leezenflow_host.board_config import BoardConfig, read_board
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.image import build_image
from leezenflow_host.release import Release, build_release
from leezenflow_host.signing import KeyList, PublicKey
from leezenflow_host.signing.key_lists import write_root_keys
from leezenflow_host.site_config import SiteConfig, example_site

PATIENCE_S = 90


def board() -> BoardConfig:
    """A virtual board on which a minute is over in a second; more frames would leave it no time for anything else."""
    build = read_board("virtual")
    build.values["device"] = {"ticks_speed": 60, "fps": 1, "health_s": 1}
    return build


def site() -> SiteConfig:
    """A place that needs neither messages nor network."""
    place = example_site()
    place.values["look"]["name"] = "test_pattern"
    return place


def signed(release: Release) -> Release:
    """The release with the signatures that the unit's root keys ask for."""
    keys = KeyList(1, (PublicKey(key("release").modulus),)).text()
    return replace(
        release,
        signature=key("release").sign(release.manifest_text.encode()),
        keys_text=keys,
        keys_signature=key("root").sign(keys.encode()),
    )


def changed(release: Release, path: str, content: bytes) -> Release:
    """The release with another content of one file, unsigned."""
    manifest = release.manifest
    entry = next(entry for entry in manifest["files"] if entry[0] == path)
    entry[1:] = [len(content), hashlib.sha256(content).hexdigest()]
    return replace(release, manifest_text=json.dumps(manifest), files={**release.files, path: content})


# Most of the new release lies in slot b from before: test_update_session.py sends whole ones.
COPY = """
import os
def copy(source, target):
    os.mkdir(target)
    for entry in os.ilistdir(source):
        name = "/" + entry[0]
        if entry[1] & 0x4000:
            copy(source + name, target + name)
        elif name not in ("/manifest.json", "/session.mpy", "/engine.mpy", "/self_test.bin"):
            with open(source + name, "rb") as file:
                content = file.read()
            with open(target + name, "wb") as file:
                file.write(content)
copy("/a", "/b")
"""


@pytest.fixture
def unit(micropython: str, tmp_path: Path) -> Iterator[VirtualBoard]:
    """A unit with root keys that runs release 100 from slot a; its loader does not pause."""
    roots = write_root_keys([PublicKey(key("root").modulus)]).encode()
    image = build_image(board(), site(), root_keys=roots)
    loader = image.files["/main.py"]
    assert loader.count(b"_FIRST_PAUSE_S = 10\n") == 1
    image.files["/main.py"] = loader.replace(b"_FIRST_PAUSE_S = 10\n", b"_FIRST_PAUSE_S = 0\n")
    with VirtualBoard(tmp_path / "unit.flash") as unit:
        with SerialBoard(unit.port) as connection:
            connection.deploy(image)
            connection.run_code(COPY)
            connection.reset()
        yield unit


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def ask_all(line: SerialLine, steps: list[dict[str, object]]) -> None:
    """Take many steps, a few at a time without waiting for each answer; all must be right."""
    for first in range(0, len(steps), 8):
        some = steps[first : first + 8]
        numbers = range(10_000 + first, 10_000 + first + len(some))
        for number, step in zip(numbers, some, strict=True):
            line.write(json.dumps({"do": "update", "id": number, **step}).encode() + b"\n")
        for number in numbers:
            answer = line.answer(number, PATIENCE_S)
            assert answer["ok"], answer


def chunks(path: str, content: bytes) -> list[dict[str, object]]:
    """The steps that bring one file."""
    return [
        {"step": "chunk", "path": path, "offset": offset, "data": text(content[offset : offset + 1024])}
        for offset in range(0, len(content), 1024)
    ]


def push(line: SerialLine, release: Release) -> int:
    """Bring a release to the unit behind `line`; returns the number of files that were sent."""
    ask_all(line, chunks("manifest.json", release.manifest_text.encode()))
    begun = line.ask(
        "update",
        step="begin",
        signature=text(release.signature),
        keys=release.keys_text,
        keys_signature=text(release.keys_signature),
    )
    assert begun["ok"], begun
    missing = [path for path in release.files if begun["have"].get(path) != len(release.files[path])]
    ask_all(line, [step for path in missing for step in chunks(path, release.files[path])])
    assert line.ask("update", step="finish")["restart"] is True
    return len(missing)


def test_a_good_release_proves_itself_and_two_bad_ones_are_taken_back(unit: VirtualBoard) -> None:
    good = signed(build_release(board(), [site()], number=101))
    with SerialLine(unit.port) as line:
        line.wait_for(lambda said: said.startswith("health "), "the unit's first report", PATIENCE_S)
        assert line.ask("update", step="status")["slot"] == "a"
        assert 0 < push(line, good) < 10
        line.wait_for(lambda said: "The release in /b is on trial." in said, "the trial", PATIENCE_S)
        line.wait_for(lambda said: "The release in /b has proven itself." in said, "the proof", PATIENCE_S)
        answer = line.ask("update", step="status")
        assert (answer["active"], answer["try"], answer["floor"], answer["release"]) == ("b", None, 101, 101)
        assert answer["manifest"] == good.digest

        # It starts, but its decoder does not read the message that it carries.
        message = good.files["self_test.bin"]
        stored = json.loads(message.split(b"\n")[0])
        stored["expected"][0] = 7
        wrong = json.dumps(stored).encode() + message[message.index(b"\n") :]
        forgetful = signed(changed(build_release(board(), [site()], number=102), "self_test.bin", wrong))
        # What slot a still has of release 100 need not be sent.
        assert push(line, forgetful) == 1
        line.wait_for(lambda said: "fails its self-test: decoder" in said, "the first failure", PATIENCE_S)
        line.wait_for(lambda said: "fails its self-test: decoder" in said, "the second failure", PATIENCE_S)
        line.wait_for(lambda said: "did not prove itself: back to the one before" in said, "the way back", PATIENCE_S)
        line.wait_for(lambda said: said.startswith("health "), "the report of the old release", PATIENCE_S)
        answer = line.ask("update", step="status")
        assert (answer["slot"], answer["active"], answer["try"], answer["floor"]) == ("b", "b", None, 101)
        assert answer["bad"] == [forgetful.digest]

        # It does not even start.
        broken = signed(changed(good, "leezenflow_device/main.mpy", b"M\x06 nothing"))
        broken = signed(replace(broken, manifest_text=broken.manifest_text.replace('"release": 101', '"release": 103')))
        push(line, broken)
        line.wait_for(lambda said: "did not prove itself: back to the one before" in said, "the way back", PATIENCE_S)
        line.wait_for(lambda said: said.startswith("health "), "the report of the old release", PATIENCE_S)
        assert line.ask("update", step="status")["bad"] == [forgetful.digest, broken.digest]
