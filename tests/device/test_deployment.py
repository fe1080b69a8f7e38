# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a board's files to an image: only what differs, never a mixture, and going on after any interruption."""

import hashlib
import itertools
import json
from collections.abc import Iterator

import pytest
from waiting import wait_until

from leezenflow_host.board_config import read_board
from leezenflow_host.boards.board_link import BoardLink
from leezenflow_host.boards.deployment import Present, plan_deployment
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.drivers import package_folder
from leezenflow_host.errors import BoardError
from leezenflow_host.image import Image, build_image
from leezenflow_host.mpy import Compiler
from leezenflow_host.site_config import example_site

RELEASE = "leezenflow_device/main"
LOADER = (package_folder("leezenflow_device") / "loader.py").read_bytes()
# Tells what the release consists of, and leaves the prompt.
RUN = b"""
def run():
    with open("/site.json") as file:
        print("release", version, parts, file.read())
    raise KeyboardInterrupt
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
    main += RUN
    files[f"/a/{RELEASE}.{kind}"] = main if kind == "py" else Compiler("").compile(main, "main.py")
    files["/a/manifest.json"] = b'{"release":%d}' % version
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


def boot_of(board: VirtualBoard) -> dict[str, object]:
    with SerialBoard(board.port) as connection:
        return json.loads(connection.read_file("/boot.json") or b"")


def in_slot(wanted: Image) -> list[str]:
    """Paths in the slot, in the order in which they are written."""
    paths = sorted(path[3:] for path in wanted.files if path.startswith("/a/"))
    return sorted(paths, key=lambda path: path == "manifest.json")


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
    assert done.written[-2:] == ["/a/manifest.json", "/main.py"]
    assert (done.removed, done.unchanged) == ([], 0)


def test_the_same_again_writes_nothing(board):
    deploy(board, image(1))
    done, said = deploy(board, image(1))
    assert said == sound(1)
    assert (done.written, done.removed, done.unchanged) == ([], [], len(image(1).files))


def test_only_what_differs_is_written(board):
    deploy(board, image(1))
    assert boot_of(board) == {"active": "a", "try": None, "left": 0, "floor": 1, "bad": [], "keys": 0}
    deploy(board, image(2))
    wanted = image(1)
    wanted.files["/a/leezenflow/part2.py"] += b"# new\n"
    wanted.files["/a/manifest.json"] = b'{"release":3}'
    done, said = deploy(board, wanted)
    assert said == sound(1)
    # What the other slot had from before need not be sent again.
    assert done.written == ["/boot.py", "/board.json", "/site.json", "/a/leezenflow/part2.py", "/a/manifest.json"]
    wanted.files["/site.json"] = b'{"site":7}'
    done, said = deploy(board, wanted)
    assert said == sound(1).replace('site":1', 'site":7')
    assert done.written == ["/site.json"]
    assert boot_of(board) == {"active": "a", "try": None, "left": 0, "floor": 3, "bad": [], "keys": 0}


def test_what_is_spoilt_on_the_board_is_repaired(board):
    deploy(board, image(1))
    link = BoardLink(board.port, "the board", 20)
    link.write_file("/a/leezenflow/part1.py", b"version = 7\n", lambda count: None)
    link.close()
    done, said = deploy(board, image(1))
    # What runs is not repaired under its feet: the whole release goes into the other slot.
    assert done.written == [f"/b/{path}" for path in in_slot(image(1))]
    assert said == sound(1)
    done, said = deploy(board, image(2))
    assert done.written[3:] == [f"/a/{path}" for path in in_slot(image(2)) if "__init__" not in path]
    assert said == sound(2)


def test_what_no_image_has_leaves_the_slot_but_nothing_else_does(board):
    deploy(board, image(1, parts=6))
    deploy(board, image(2, parts=6))
    with SerialBoard(board.port) as connection:
        link = connection._link
        link.execute("import os\nos.mkdir('/state')\nos.mkdir('/a/old')\nos.mkdir('/a/old/deep')")
        for path in ("/state/learned.json", "/secrets.json", "/a/old/deep/x.py", "/site.json.new", "/note.txt"):
            link.write_file(path, b"{}", lambda count: None)
    done, said = deploy(board, image(3, parts=3))
    assert said == sound(3, parts=3)
    assert done.removed[0] == "/a/manifest.json", "first of all, the slot is out of service"
    assert set(done.removed) == {
        *(f"/a/{path}" for path in in_slot(image(1, parts=6)) if "__init__" not in path),
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
    assert f"/b/{RELEASE}.mpy" in done.written
    done, said = deploy(board, image(3))
    assert said == sound(3)
    done, said = deploy(board, image(4))
    assert f"/b/{RELEASE}.mpy" in done.removed
    assert said == sound(4)


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


def test_a_cut_at_any_moment_leaves_one_whole_unit_and_the_next_installation_goes_on(micropython, tmp_path):
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
            assert said in (sound(version), sound(version + 1))
            outcomes.add("old" if said == sound(version) else "new")
            version += 1
            assert deploy(board, wanted)[1] == sound(version)
        if not cut_short:
            break
    assert outcomes == {"old", "new"}


def test_a_file_that_arrives_damaged_is_sent_again(board, monkeypatch):
    send = BoardLink.write_file
    damaged: list[str] = []

    def write_file(self, path, content, progress):
        if path == "/site.json.next.new" and len(damaged) < limit:
            damaged.append(path)
            content = content[:-1] + b"?"
        send(self, path, content, progress)

    monkeypatch.setattr(BoardLink, "write_file", write_file)
    limit = 1
    assert deploy(board, image(1))[1] == sound(1)
    assert damaged == ["/site.json.next.new"]
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


MAIN = f"/a/{RELEASE}.py"
WHOLE = {path: hashlib.sha256(content).hexdigest() for path, content in image(1).files.items()}
ELSEWHERE = {path.replace("/a/", "/b/"): digest for path, digest in WHOLE.items()}


@pytest.mark.parametrize(
    ("present", "boot", "slot", "changed", "stale"),
    [
        ({}, {}, "a", 12, []),
        ({MAIN: "old"}, {}, "a", 12, [MAIN]),
        (WHOLE, {}, "a", 0, []),
        (ELSEWHERE, {}, "b", 0, []),
        # Without its manifest it is no release: the same slot goes on.
        ({**WHOLE, "/a/manifest.json": "old"}, {}, "b", 8, []),
        ({path: WHOLE[path] for path in WHOLE if "manifest" not in path}, {}, "a", 1, []),
        ({**WHOLE, "/a/x.py": "x"}, {}, "b", 8, []),
        ({**WHOLE, **ELSEWHERE}, {"active": "b"}, "b", 0, []),
        ({**WHOLE, "/a/leezenflow": None, "/a/leezenflow_device": None}, {}, "a", 0, []),
        ({**WHOLE, "/readme.txt": "x", "/lib.new": "x", "/x.json.next": "x"}, {}, "a", 0, ["/lib.new", "/x.json.next"]),
    ],
)
def test_plans(present, boot, slot, changed, stale):
    work = plan_deployment(image(1), Present(present, boot))
    assert (work.slot, len(work.changed), work.stale, work.in_place) == (slot, changed, stale, False)
    assert work.boot["active"] == slot
    assert work.before is None or (work.before["active"] != slot and work.changed)


def test_what_is_on_trial_counts_as_not_there():
    work = plan_deployment(image(1), Present({**WHOLE, **ELSEWHERE}, {"active": "a", "try": "b", "left": 1}))
    assert work.slot == "a"
    assert work.before is None, "nothing changes in the other slot"
    work = plan_deployment(image(2), Present({**WHOLE, **ELSEWHERE}, {"active": "a", "try": "b", "left": 1, "keys": 3}))
    assert work.before == {"active": "a", "try": None, "left": 0, "keys": 3}
    assert (work.slot, work.boot["keys"]) == ("b", 3)


def test_other_roots_count_their_lists_anew_and_what_is_installed_is_no_longer_bad():
    wanted = image(1)
    wanted.files["/root_keys.json"] = b"{}"
    digest = hashlib.sha256(wanted.files["/a/manifest.json"]).hexdigest()
    work = plan_deployment(wanted, Present(WHOLE, {"active": "a", "keys": 3, "floor": 9, "bad": ["x", digest]}))
    assert (work.boot["keys"], work.boot["floor"], work.boot["bad"]) == (0, 9, ["x"])
    assert work.boot["config"] == ["/root_keys.json"]


def test_without_room_for_two_releases_the_one_that_runs_gives_way(micropython):
    def large(version: int, count: int) -> Image:
        wanted = image(version)
        wanted.files["/a/large.bin"] = bytes([version]) * count
        return wanted

    with VirtualBoard(flash_kb=512) as board:
        assert deploy(board, large(1, 250_000))[1] == sound(1)
        done, said = deploy(board, large(2, 250_000))
        assert said == sound(2)
        assert done.removed[0] == "/a/manifest.json", "so that no mixture can run"
        assert "/a/large.bin" in done.written
        # A small one has room beside it, and the next one beside that.
        assert deploy(board, image(3))[1] == sound(3)
        done, said = deploy(board, large(4, 250_000))
        assert said == sound(4)
        assert boot_of(board)["active"] == "a"
