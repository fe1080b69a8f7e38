# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a board's files to an image: only what differs, never a mixture, and going on after any interruption."""

import itertools
from collections.abc import Iterator

import pytest
from waiting import wait_until

from leezenflow_host.board_config import read_board
from leezenflow_host.boards.board_link import BoardLink
from leezenflow_host.boards.serial_board import SerialBoard, plan_deployment
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.errors import BoardError
from leezenflow_host.image import Image, build_image
from leezenflow_host.mpy import Compiler
from leezenflow_host.site_config import example_site

RELEASE = "/a/leezenflow_device/main"

# Stands in for the loader: runs the release if it is there, and tells what it consists of.
LOADER = b"""
import sys
sys.path[:] = ["/a", ".frozen"]
try:
    import leezenflow_device.main as main
except ImportError:
    print("no release")
else:
    with open("/site.json") as file:
        print("release", main.version, main.parts, file.read())
"""


def image(version: int, kind: str = "py", parts: int = 4, loader: bytes = LOADER) -> Image:
    """A small release whose parts all know their version."""
    number = b"version = %d\n" % version
    files = {"/boot.py": b"# boot %d\n" % version, "/main.py": loader, "/a/leezenflow_device/__init__.py": b""}
    names = [f"part{part}" for part in range(parts)]
    for name in names:
        files[f"/a/leezenflow/{name}.py"] = number + b"#" * 700
    files["/a/leezenflow/__init__.py"] = b""
    main = number + b"parts = []\n"
    for name in names:
        main += f"from leezenflow import {name}\nparts.append({name}.version)\n".encode()
    files[f"{RELEASE}.{kind}"] = main if kind == "py" else Compiler("").compile(main, "main.py")
    files["/a/manifest.json"] = b"{}"
    files["/board.json"] = b'{"board":%d}' % version
    files["/site.json"] = b'{"site":%d}' % version
    return Image(files)


def deploy(board: VirtualBoard, wanted: Image):
    """Deploy and restart; return what was done and what the loader then says."""
    with SerialBoard(board.port) as connection:
        done = connection.deploy(wanted)
    return done, said_after_reset(board)


def said_after_reset(board: VirtualBoard) -> str:
    wait_until(lambda: board.log.endswith(">>> "), "the prompt before the reset")
    since = len(board.log)
    board.hard_reset()
    wait_until(lambda: ">>> " in board.log[since:], "the prompt")
    return board.log[since:].splitlines()[0]


def sound(version: int, parts: int = 4) -> str:
    return f'release {version} {[version] * parts} {{"site":{version}}}'


@pytest.fixture
def board(micropython) -> Iterator[VirtualBoard]:
    with VirtualBoard() as board:
        yield board


def test_a_first_installation_runs(board):
    done, said = deploy(board, image(1))
    assert said == sound(1)
    assert sorted(done.written) == sorted(image(1).files)
    assert done.written[-2:] == [f"{RELEASE}.py", "/main.py"]
    assert (done.removed, done.unchanged) == ([], 0)


def test_the_same_again_writes_nothing(board):
    deploy(board, image(1))
    done, said = deploy(board, image(1))
    assert said == sound(1)
    assert (done.written, done.removed, done.unchanged) == ([], [], len(image(1).files))


def test_only_what_differs_is_written(board):
    deploy(board, image(1))
    wanted = image(1)
    wanted.files["/a/leezenflow/part2.py"] += b"# new\n"
    wanted.files["/a/manifest.json"] = b'{"new":1}'
    done, said = deploy(board, wanted)
    assert said == sound(1)
    assert done.written == ["/a/leezenflow/part2.py", "/a/manifest.json"]


def test_what_is_spoilt_on_the_board_is_repaired(board):
    deploy(board, image(1))
    link = BoardLink(board.port, "the board", 20)
    link.write_file("/a/leezenflow/part1.py", b"version = 7\n", lambda count: None)
    link.close()
    done, said = deploy(board, image(1))
    assert done.written == ["/a/leezenflow/part1.py"]
    assert said == sound(1)


def test_what_no_image_has_leaves_the_slot_but_nothing_else_does(board):
    deploy(board, image(1, parts=6))
    with SerialBoard(board.port) as connection:
        link = connection._link
        link.execute("import os\nos.mkdir('/state')\nos.mkdir('/a/old')\nos.mkdir('/a/old/deep')")
        for path in ("/state/learned.json", "/secrets.json", "/a/old/deep/x.py", "/site.json.new", "/note.txt"):
            link.write_file(path, b"{}", lambda count: None)
    done, said = deploy(board, image(2, parts=3))
    assert said == sound(2, parts=3)
    assert set(done.removed) == {
        *(f"/a/leezenflow/part{part}.py" for part in (3, 4, 5)),
        *("/a/old", "/a/old/deep", "/a/old/deep/x.py", "/site.json.new"),
    }
    with SerialBoard(board.port) as connection:
        assert connection.read_file("/state/learned.json") == b"{}"
        assert connection.read_file("/secrets.json") == b"{}"
        assert connection.read_file("/note.txt") == b"{}"
        assert connection.read_file("/a/old/deep/x.py") is None


def test_from_source_to_compiled_and_back(board):
    deploy(board, image(1))
    done, said = deploy(board, image(2, "mpy"))
    assert said == sound(2)
    assert done.removed == [f"{RELEASE}.py"]
    assert deploy(board, image(3))[1] == sound(3)


def test_progress_counts_bytes_up_to_the_end(board):
    seen: list[tuple[int, int, str]] = []
    with SerialBoard(board.port) as connection:
        connection.deploy(image(1), lambda *progress: seen.append(progress))
    total = image(1).size
    assert [count for count, _, _ in seen] == sorted(count for count, _, _ in seen)
    assert seen[-1] == (total, total, "/main.py")
    assert {path for _, _, path in seen} <= set(image(1).files)


def _cut_points() -> Iterator[int]:
    """Flash operations at which the power goes: close together at the beginning, then ever further apart."""
    return itertools.accumulate(itertools.chain([1, 2, 3, 4, 5], itertools.count(7, 2)))


def test_a_cut_at_any_moment_leaves_one_release_or_none_and_the_next_installation_goes_on(micropython, tmp_path):
    flash = tmp_path / "unit.flash"
    with VirtualBoard(flash) as board:
        deploy(board, image(1))
    outcomes = set()
    version = 1
    for cut in _cut_points():
        # Compiled and source in turn, and another loader each time: the most that can change at once.
        wanted = image(version + 1, "mpy" if version % 2 else "py", loader=LOADER + b"#%d\n" % version)
        with VirtualBoard(flash, cut_power_after=cut) as board:
            try:
                with SerialBoard(board.port) as connection:
                    connection.deploy(wanted)
            except BoardError as error:
                assert "vanished" in str(error)
            cut_short = board.power_was_cut
        with VirtualBoard(flash) as board:
            said = said_after_reset(board)
            assert said in (sound(version), sound(version + 1), "no release")
            outcomes.add("none" if said == "no release" else "old" if said == sound(version) else "new")
            version += 1
            assert deploy(board, wanted)[1] == sound(version)
        if not cut_short:
            break
    assert {"none", "new"} <= outcomes


def test_a_file_that_arrives_damaged_is_sent_again(board, monkeypatch):
    send = BoardLink.write_file
    damaged: list[str] = []

    def write_file(self, path, content, progress):
        if path == "/site.json.new" and len(damaged) < limit:
            damaged.append(path)
            content = content[:-1] + b"?"
        send(self, path, content, progress)

    monkeypatch.setattr(BoardLink, "write_file", write_file)
    limit = 1
    assert deploy(board, image(1))[1] == sound(1)
    assert damaged == ["/site.json.new"]
    damaged.clear()
    limit = 9
    with SerialBoard(board.port) as connection, pytest.raises(BoardError, match=r"arrived damaged twice\. Use another"):
        connection.deploy(image(2))
    with SerialBoard(board.port) as connection:
        assert connection.read_file("/site.json") == b'{"site":1}'


def test_a_full_file_system_is_said_before_anything_is_written(micropython):
    with VirtualBoard(flash_kb=128) as board:
        wanted = image(1)
        wanted.files["/a/large.bin"] = bytes(200_000)
        with SerialBoard(board.port) as connection:
            with pytest.raises(BoardError, match=r"too full: .* kB are needed, .* kB are free"):
                connection.deploy(wanted)
            assert connection.read_file("/boot.py") is None


def test_a_board_with_a_watchdog_is_reset_before_the_copy(board):
    link = BoardLink(board.port, "the board", 20)
    link.write_file("/board.json", b'{"device":{"watchdog_ms":2000}}', lambda count: None)
    link.execute("import machine\nmachine.WDT(timeout=2000)")
    link.close()
    before = board.log.count("MPY: soft reboot")
    lives = board.lives
    assert deploy(board, image(1))[1] == sound(1)
    assert board.log.count("MPY: soft reboot") == before + 1
    assert board.lives == lives + 3, "one hard reset against the watchdog, the soft one, and the test's own"


def test_the_real_firmware_comes_up_on_a_virtual_board(board):
    with SerialBoard(board.port) as connection:
        connection.deploy(build_image(read_board("virtual"), example_site()))
        connection.reset()
        said = ""
        for _ in range(200):
            said += connection.watch_start(0.1)
            assert "Traceback" not in said
            if "mqtt: 127.0.0.1:1883" in said:
                return
    pytest.fail(f"the firmware does not look for its broker: {said!r}")


@pytest.mark.parametrize(
    ("present", "changed", "stale", "held"),
    [
        ({}, 12, 0, None),
        ({"/a/leezenflow_device/main.py": "old"}, 12, 0, "/a/leezenflow_device/main.py"),
        # An interrupted installation had put the release out of service.
        ({"/a/leezenflow_device/main.py.held": "x"}, 12, 1, None),
        ({"/a/leezenflow_device/main.py.held": "x", "/a/leezenflow_device/main.py": "x"}, 12, 0, RELEASE + ".py"),
        ({"/a/leezenflow_device/main.mpy": "x", "/a/x.py": "x"}, 12, 2, None),
        ({"/readme.txt": "x", "/lib.new": "x", "/a/leezenflow": None, "/a/leezenflow_device": None}, 12, 1, None),
    ],
)
def test_plans(present, changed, stale, held):
    work = plan_deployment(image(1), present)
    assert (len(work.changed), len(work.stale), work.held) == (changed, stale, held)
    if stale > 1:
        assert work.stale[0] == RELEASE + ".mpy", "an old release first, so that it cannot run while its parts go"
