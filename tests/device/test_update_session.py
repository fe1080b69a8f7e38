# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session of an update on MicroPython and real LittleFS: what it takes, what it refuses, and how it goes on."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cut_power import BOARD, Rig, begin_command, configuration, key, manifest, release_files, unit_files, update

from leezenflow_host.signing import KeyList, PublicKey

PATH = "leezenflow/part3.py"


@pytest.fixture
def rig(micropython: str) -> Iterator[Rig]:
    """A unit that runs release 5 from slot a, and a session on it."""
    with Rig(micropython) as rig:
        rig.make_flash(unit_files(5))
        rig.run(
            "session = Session()\nsys.path[0] = '/a'\n"
            "def answer(command):\n"
            " try:\n  return do(session, command)\n"
            " except Exception as error:\n"
            "  return type(error).__name__ + ': ' + str(error)\n"
        )
        yield rig


def step(rig: Rig, name: str, **command: Any) -> Any:
    """The answer to one step, or the refusal as text."""
    rig.define("command", {"step": name, **command})
    return rig.evaluate("answer(command)")


def begin(rig: Rig, command: dict[str, Any], **changes: Any) -> Any:
    """The answer to `begin`."""
    return step(rig, "begin", **{**command, **changes})


def chunk(rig: Rig, path: str, offset: int, data: bytes) -> Any:
    """The answer to `chunk`."""
    return step(rig, "chunk", path=path, offset=offset, data=base64.b64encode(data).decode())


def send_all(rig: Rig, files: dict[str, bytes], have: dict[str, int]) -> None:
    """Send what is not there."""
    for path, content in files.items():
        for offset in range(have.get(path, 0), len(content), 1024):
            assert chunk(rig, path, offset, content[offset : offset + 1024])["done"] > offset


def commands(version: int = 6, **changes: Any) -> dict[str, str]:
    """`begin` for the files of `update(version)`, with changes to the manifest."""
    return begin_command(manifest(version, update(version)["files"], **changes))


def flip(text: str, at: int) -> str:
    """Base64 with one bit of its bytes changed."""
    data = bytearray(base64.b64decode(text))
    data[at // 8] ^= 1 << at % 8
    return base64.b64encode(data).decode()


def test_a_whole_update_step_by_step(rig: Rig) -> None:
    files = update(6)["files"]
    status = step(rig, "status")
    assert status == {
        "slot": "a",
        "active": "a",
        "try": None,
        "left": 0,
        "floor": 5,
        "bad": [],
        "keys": 0,
        "release": 5,
        "manifest": hashlib.sha256(manifest(5, release_files(5)).encode()).hexdigest(),
        "update": None,
    }
    assert begin(rig, commands()) == {"slot": "b", "have": {}}
    send_all(rig, files, {})
    assert step(rig, "status")["update"] == {
        "slot": "b",
        "release": 6,
        "manifest": hashlib.sha256(manifest(6, files).encode()).hexdigest(),
        "done": sum(map(len, files.values())),
        "total": sum(map(len, files.values())),
    }
    assert step(rig, "finish") == {"slot": "b", "restart": True}
    status = step(rig, "status")
    assert (status["active"], status["try"], status["left"], status["keys"]) == ("a", "b", 2, 1)
    assert rig.evaluate("start_unit()") == ("b", True, (6, 1))
    # The trial's release does not let itself be replaced.
    rig.run("sys.path[0] = '/b'")
    assert "still on trial" in begin(rig, commands(7))
    rig.run("boot_state.confirm('b')")
    status = step(rig, "status")
    assert (status["slot"], status["active"], status["try"], status["floor"], status["release"]) == (
        "b",
        "b",
        None,
        6,
        6,
    )
    assert begin(rig, commands(7))["slot"] == "a"


def test_nothing_unsigned_gets_in(rig: Rig) -> None:
    good = commands()
    stranger = base64.b64encode(key("stranger").sign(good["manifest"].encode())).decode()
    assert "not signed by a release key" in begin(rig, good, signature=stranger)
    root = base64.b64encode(key("root").sign(good["manifest"].encode())).decode()
    assert "not signed by a release key" in begin(rig, good, signature=root), "a root signs keys, not releases"
    assert "not signed by a release key" in begin(rig, good, manifest=good["manifest"].replace("0.6", "0.7"))
    assert "not signed by a release key" in begin(rig, good, manifest=good["manifest"] + " ")
    assert "not signed by a release key" in begin(rig, good, signature=good["signature"][:-8])
    assert "not signed by a release key" in begin(rig, good, signature="")
    for at in range(0, 3072, 701):
        assert "not signed by a release key" in begin(rig, good, signature=flip(good["signature"], at)), at
    text = good["manifest"]
    for at in range(0, len(text), 97):
        changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        assert "not signed by a release key" in begin(rig, good, manifest=changed), at
    for at in range(1, 3072, 1013):
        assert "not signed by a root key" in begin(rig, good, keys_signature=flip(good["keys_signature"], at)), at
    listed = KeyList(1, (PublicKey(key("stranger").modulus),)).text()
    signed = base64.b64encode(key("stranger").sign(listed.encode())).decode()
    assert "not signed by a root key" in begin(rig, good, keys=listed, keys_signature=signed, signature=stranger)
    assert step(rig, "status")["update"] is None
    assert rig.evaluate("os.listdir('/')") == rig.evaluate("[n for n in os.listdir('/') if n != 'b']")


def test_withdrawn_keys_and_old_releases_stay_out(rig: Rig) -> None:
    old, new = PublicKey(key("release").modulus), PublicKey(key("stranger").modulus)
    text = manifest(6, update(6)["files"])
    by_new = base64.b64encode(key("stranger").sign(text.encode())).decode()
    assert begin(rig, begin_command(text, KeyList(2, (new, old))))["slot"] == "b"
    # The next list withdraws the old key, even if that update is refused.
    third = begin_command(text, KeyList(3, (new,)))
    assert "not signed by a release key of keys.json version 3" in begin(rig, third)
    assert step(rig, "status")["keys"] == 3
    assert "has version 2, this unit knows 3" in begin(rig, begin_command(text, KeyList(2, (new, old))))
    assert begin(rig, third, signature=by_new)["slot"] == "b"
    assert "release 4, this unit takes 5 or later" in begin(
        rig,
        begin_command(manifest(4, update(4)["files"])),
        **{name: third[name] for name in ("keys", "keys_signature")},
        signature=base64.b64encode(key("stranger").sign(manifest(4, update(4)["files"]).encode())).decode(),
    )


def test_the_floor_survives_a_lost_boot_file(rig: Rig) -> None:
    rig.run("os.remove('/boot.json')")
    assert "release 4, this unit takes 5 or later" in begin(rig, commands(4))
    assert begin(rig, commands(6))["slot"] == "b"
    assert rig.evaluate("boot_state.read()['active']") == "a", "what runs is named before the other slot changes"


def test_what_is_not_for_this_unit_is_refused(rig: Rig) -> None:
    assert f"is for the board other, this is {BOARD}" in begin(rig, commands(board="other"))
    assert "needs MicroPython 9.0" in begin(rig, commands(min_micropython=[9, 0]))
    assert "compiled for another MicroPython" in begin(rig, commands(mpy=6 | 3 << 8 | 7 << 10))
    assert "the update lacks leezenflow_device/displays/x" in begin(rig, begin_command(manifest(6, release_files(6))))
    files = {**update(6)["files"], "../main.py": b"x"}
    assert "a path that no release may have" in begin(rig, begin_command(manifest(6, files)))
    large = {**update(6)["files"], **{f"large{number}.py": bytes(100_000) for number in range(4)}}
    assert "the flash has no room" in begin(rig, begin_command(manifest(6, large)))
    running = release_files(5)
    running["leezenflow_device/displays/x.py"] = b"#\n"
    rig.define("content", manifest(5, running).encode())
    rig.run("write_plain('/a/manifest.json', content)")
    assert "release 5 runs already" in begin(rig, begin_command(manifest(5, running)))


@pytest.mark.parametrize(
    ("site", "part"),
    [
        ({"signal": {"adapter": "udap"}}, "leezenflow_adapters/udap"),
        ({"look": {"name": "wait_ring"}}, "leezenflow/renderings/wait_ring"),
        ({"signal": {"source": "udp://0.0.0.0:1"}}, "leezenflow_device/transports/udp"),
        ({"signal": {"source": None, "more_sources": ["uart://0"]}}, "leezenflow_device/transports/uart"),
        ({"signal": {"source": None, "more_sources": [None]}}, "leezenflow_device/transports/failover"),
        ({"look": {"name": "status"}}, "leezenflow_device/status_lines"),
        ({"light": {"night": None}}, "leezenflow_device/light"),
    ],
)
def test_what_the_site_names_must_be_in_it(rig: Rig, site: dict[str, Any], part: str) -> None:
    rig.define("content", json.dumps(site).encode())
    rig.run("write_plain('/site.json', content)")
    assert f"the update lacks {part}, which this unit's configuration names" in begin(rig, commands())


@pytest.mark.parametrize(
    ("board", "part"),
    [
        ({"sensors": {"sht3x": {}}}, "leezenflow_device/sensing"),
        ({"setup": {"button": 14}}, "leezenflow_device/setup_button"),
        ({"device": {"time_server": "ntp.example"}}, "leezenflow_device/timekeeping"),
    ],
)
def test_what_the_board_names_must_be_in_it(rig: Rig, board: dict[str, Any], part: str) -> None:
    rig.define("content", json.dumps(board).encode())
    rig.run("import json; settings = json.load(open('/board.json')); settings.update(json.loads(content))")
    rig.run("write_plain('/board.json', json.dumps(settings).encode())")
    assert f"the update lacks {part}, which this unit's configuration names" in begin(rig, commands())


def test_without_root_keys_there_are_no_updates(rig: Rig) -> None:
    for content in (None, b"{}", b'{"leezenflow_root_keys":1,"roots":[]}', b'{"leezenflow_root_keys":1,"roots":[{}]}'):
        rig.run("os.remove('/root_keys.json')")
        rig.define("content", content)
        rig.run("content is None or write_plain('/root_keys.json', content)")
        assert "no root keys are on this unit" in begin(rig, commands())
        rig.run("write_plain('/root_keys.json', b'')")


def test_the_second_root_will_do(rig: Rig) -> None:
    roots = json.loads(configuration(1)["/root_keys.json"])
    roots["roots"].insert(0, PublicKey(key("stranger").modulus).entry())
    rig.define("content", json.dumps(roots).encode())
    rig.run("write_plain('/root_keys.json', content)")
    assert begin(rig, commands())["slot"] == "b"


def test_a_manifest_in_pieces(rig: Rig) -> None:
    good = commands()
    text = good.pop("manifest").encode()
    assert chunk(rig, "manifest.json", 0, b"something longer that somebody else began " * 20) == {"done": 840}
    for offset in range(0, len(text), 300):
        piece = text[offset : offset + 300]
        assert chunk(rig, "manifest.json", offset, piece) == {"done": offset + len(piece)}
    assert chunk(rig, "manifest.json", 300, text[300:600]) == {"done": 600}, "again from here"
    for offset in range(600, len(text), 300):
        chunk(rig, "manifest.json", offset, text[offset : offset + 300])
    assert f"go on at byte {len(text)}" in chunk(rig, "manifest.json", len(text) + 1, b"x")
    assert begin(rig, good) == {"slot": "b", "have": {}}
    assert "not signed" in begin(rig, good), "it is used once"


def test_chunks_that_come_twice_out_of_order_or_damaged(rig: Rig) -> None:
    content = update(6)["files"][PATH]
    assert "no update is under way" in chunk(rig, PATH, 0, b"x")
    begin(rig, commands())
    assert chunk(rig, PATH, 0, content[:1000]) == {"done": 1000}
    assert chunk(rig, PATH, 0, content[:1000]) == {"done": 1000}, "its answer was lost"
    assert "go on at byte 1000" in chunk(rig, PATH, 2000, content[2000:2100])
    assert "not in the manifest" in chunk(rig, "leezenflow/other.py", 0, b"x")
    assert "not in the manifest" in chunk(rig, "../main.py", 0, b"x")
    assert "at most 1024 bytes" in chunk(rig, PATH, 1000, content[1000:2025])
    assert "go on at byte 1000" in chunk(rig, PATH, len(content), b"x")
    assert "is base64" in step(rig, "chunk", path=PATH, offset=1000, data=7)
    for wrong in ({"path": 7, "offset": 0}, {"path": PATH}, {"path": PATH, "offset": -1}, {"offset": 0}):
        assert "needs a path and an offset" in step(rig, "chunk", **wrong, data="")
    # Another file begins: what was half there is begun anew.
    small = "leezenflow/part0.py"
    assert chunk(rig, small, 0, update(6)["files"][small])["done"] == len(update(6)["files"][small])
    assert chunk(rig, small, 0, update(6)["files"][small])["done"] == len(update(6)["files"][small])
    assert "go on at byte 0" in chunk(rig, PATH, 1000, content[1000:2000])
    for offset in range(0, len(content) - 1000, 1000):
        chunk(rig, PATH, offset, content[offset : offset + 1000])
    rest = len(content) - len(content) % 1000
    assert "arrived damaged: send it again from its begin" in chunk(rig, PATH, rest, b"?" * (len(content) % 1000))
    send_all(rig, {PATH: content}, {})
    assert rig.evaluate(f"read('/b/{PATH}')") == content
    assert rig.evaluate("[name for name in os.listdir('/b/leezenflow') if name[-5:] == '.part']") == []


def test_finish_needs_everything_and_reads_it_back(rig: Rig) -> None:
    files = update(6)["files"]
    assert "no update is under way" in step(rig, "finish")
    begin(rig, commands())
    send_all(rig, {path: content for path, content in files.items() if path != PATH}, {})
    assert f"1 files are missing or damaged: begin again and send what is not there ({PATH} ...)" in step(rig, "finish")
    chunk(rig, PATH, 0, files[PATH][:500])
    assert "1 files are missing" in step(rig, "finish"), "half of one is none"
    send_all(rig, {PATH: files[PATH]}, {})
    rig.run("write_plain('/b/leezenflow/same.py', b'spoilt on the flash')")
    assert "(leezenflow/same.py ...)" in step(rig, "finish")
    have = begin(rig, commands())["have"]
    assert set(files) - set(have) == {"leezenflow/same.py"}
    send_all(rig, files, have)
    assert step(rig, "finish")["restart"] is True


def test_an_update_goes_on_in_another_session_and_takes_what_an_older_release_left(rig: Rig) -> None:
    files = update(6)["files"]
    begin(rig, commands())
    some = dict(list(files.items())[:4])
    send_all(rig, some, {})
    chunk(rig, PATH, 0, files[PATH][:500])
    rig.run("session = Session()\nwrite_plain('/b/stale/x.py', b'x')\nwrite_plain('/b/leezenflow/part1.mpy', b'old')")
    have = begin(rig, commands())["have"]
    assert have == {path: len(content) for path, content in some.items()}
    assert rig.evaluate("sorted(os.listdir('/b'))") == ["leezenflow", "leezenflow_device"], "and nothing else is left"
    assert rig.evaluate("[n for n in os.listdir('/b/leezenflow') if n[-3:] != '.py']") == []
    send_all(rig, files, have)
    step(rig, "finish")
    rig.run("boot_state.confirm('b')\nsys.path[0] = '/b'")
    # The next release finds in the other slot what has not changed since the one before.
    assert set(begin(rig, commands(7))["have"]) >= {"leezenflow/same.py", "leezenflow/__init__.py"}


def test_abort_and_wrong_steps(rig: Rig) -> None:
    begin(rig, commands())
    chunk(rig, PATH, 0, b"x" * 100)
    assert step(rig, "abort") == {}
    assert "no update is under way" in chunk(rig, PATH, 100, b"x")
    assert "no update is under way" in step(rig, "finish")
    assert step(rig, "abort") == {}
    for wrong in ("hurry", "", None, 7, ["begin"]):
        assert "an update has no step" in step(rig, wrong)  # pyright: ignore[reportArgumentType]
    for missing in ("keys", "keys_signature", "manifest", "signature"):
        command = dict(commands())
        command[missing] = 7  # pyright: ignore[reportArgumentType]
        assert f"`{missing}` is missing" in begin(rig, command)
    rig.run("sys.path[0] = '/lib'")
    assert "does not run from a slot" in begin(rig, commands())
    assert step(rig, "status")["slot"] is None


def test_one_step_at_a_time(rig: Rig) -> None:
    rig.define("first", {"step": "begin", **commands()})
    rig.run(
        "said = []\n"
        "async def take(command):\n"
        " try:\n  said.append('slot' in await session.handle(command))\n"
        " except Exception as error:\n  said.append(str(error))\n"
        "async def both():\n await asyncio.gather(take(first), take({'step': 'status'}))\n"
        "asyncio.run(both())"
    )
    assert rig.evaluate("said") == ["the step before is still at work: ask again", True]


def test_a_flash_that_cannot_be_written_changes_nothing(rig: Rig) -> None:
    begin(rig, commands())
    rig.run("def full(start, data):\n raise OSError(28)\nkept = flash._apply\nflash._apply = full")
    answers = [chunk(rig, PATH, 0, update(6)["files"][PATH][:1024])]
    answers += [chunk(rig, PATH, 1024, update(6)["files"][PATH][1024:2048])]
    rig.run("flash._apply = kept\nmount(flash)")
    assert any("the flash cannot be written" in str(answer) for answer in answers)
    assert rig.evaluate("start_unit()") == ("a", False, (5, 1))


def test_the_last_eight_failed_releases_are_remembered(rig: Rig) -> None:
    begin(rig, commands())
    send_all(rig, update(6)["files"], {})
    step(rig, "finish")
    rig.run(
        "boot = boot_state.read()\nboot['left'] = 0\nboot['bad'] = [str(n) for n in range(8)]\nboot_state.write(boot)"
    )
    assert rig.evaluate("loader.choose_slot()") == ("a", False)
    bad = rig.evaluate("boot_state.read()['bad']")
    assert bad == [*map(str, range(1, 8)), hashlib.sha256(manifest(6, update(6)["files"]).encode()).hexdigest()]


def test_a_start_that_cannot_be_counted_is_no_trial(rig: Rig) -> None:
    begin(rig, commands())
    send_all(rig, update(6)["files"], {})
    step(rig, "finish")
    rig.run("write = loader.write_boot\nloader.write_boot = lambda boot: False")
    assert rig.evaluate("loader.choose_slot()") == ("a", False), "it might fail for ever"
    rig.run("loader.write_boot = write")
    assert rig.evaluate("loader.choose_slot()") == ("b", True)
