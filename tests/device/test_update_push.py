# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow update push|status` against real virtual boards: over the serial line, and over MQTT with a broker."""

import contextlib
import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from board_flash import write_flash
from brokers import AmqttBroker, free_port
from waiting import wait_until

sys.path.append(str(Path(__file__).parents[1] / "host"))
from city_keys import city, signing_key  # pyright: ignore[reportMissingImports]

from leezenflow_host.board_config import read_board
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.cli import main
from leezenflow_host.errors import BoardError
from leezenflow_host.image import build_image
from leezenflow_host.mqtt_client import Broker
from leezenflow_host.release import Release, build_release, pack_release, sign_release
from leezenflow_host.signing import KeyFolder, load_key
from leezenflow_host.site_config import example_site
from leezenflow_host.updating import MqttLink, SerialLink, push_release, read_state

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city's keys."""
    return city(tmp_path_factory.mktemp("keys"))


def sign(release: Release, keys: Path) -> Release:
    """The release as the city signs it."""
    return sign_release(release, load_key(next(keys.glob("release*.pem"))), KeyFolder(keys))


@pytest.fixture(scope="module")
def release(keys: Path) -> Release:
    """A signed release, newer than what `install` puts on a board."""
    return sign(build_release(read_board("virtual"), [example_site()], number=90_001), keys)


def stage(folder: Path, keys: Path, source: str, name: str) -> None:
    """The device tree of an installed unit."""
    unit = example_site()
    unit.values["signal"]["source"] = source
    unit.values["unit"]["name"] = name
    secrets = json.dumps({"command_key": KEY.hex()}).encode()
    root_keys = (keys / "root_keys.json").read_bytes()
    build_image(read_board("virtual"), unit, secrets=secrets, root_keys=root_keys).write_to(folder)


@contextlib.contextmanager
def installed(
    folder: Path, keys: Path, source: str = "mqtt://127.0.0.1:9/spat", name: str = "north"
) -> Iterator[VirtualBoard]:
    """A virtual board with an installed unit."""
    stage(folder / "tree", keys, source, name)
    write_flash(folder / "flash", folder / "tree")
    with VirtualBoard(folder / "flash") as unit:
        yield unit


def run(*arguments: str) -> int:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_over_the_serial_line(
    keys: Path, release: Release, tmp_path: Path, micropython: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new.lzf"
    file.write_bytes(pack_release(release))
    with installed(tmp_path, keys) as unit:
        assert run("update", "push", str(file), "--port", unit.port, "--dry-run") == 0
        assert "would get release 90001" in capsys.readouterr().out
        assert run("update", "push", str(file), "--port", unit.port) == 0
        said = capsys.readouterr().out
        assert "runs release 90001" in said
        assert "on trial" in said
        assert run("update", "push", str(file), "--port", unit.port) == 0
        assert "runs release 90001 already" in capsys.readouterr().out
        assert run("update", "status", "--port", unit.port, "--json") == 0
        state = json.loads(capsys.readouterr().out)
        assert (state["release"], state["slot"], state["trial"]) == (90_001, "b", True)
        assert (state["unit"], state["board"], state["update"]) == ("north", "virtual", None)


def test_an_interrupted_push_goes_on(keys: Path, release: Release, tmp_path: Path, micropython: str) -> None:
    class TornError(Exception):
        pass

    sent: list[int] = []

    def tear(done: int, total: int) -> None:
        sent.append(done)
        if done > total // 3:
            raise TornError

    with installed(tmp_path, keys) as unit:
        with SerialLink(unit.port) as link, pytest.raises(TornError):
            push_release(link, release, tear)
        with SerialLink(unit.port) as link:
            half = read_state(link).update
            assert half is not None and half["release"] == 90_001
            again: list[int] = []
            state = push_release(link, release, lambda done, total: again.append(done))
            assert state.release == 90_001
    # Whole files of the first attempt were not sent again; at most the one that was torn was.
    assert again[0] > release.size // 3 - 2 * max(map(len, release.files.values()))


def test_a_restart_in_the_middle_is_survived(keys: Path, release: Release, tmp_path: Path, micropython: str) -> None:
    with installed(tmp_path, keys) as unit, SerialLink(unit.port) as link:
        restarted: list[int] = []

        def restart(done: int, total: int) -> None:
            if done > total // 2 and not restarted:
                restarted.append(done)
                lives = unit.lives
                link.ask({"do": "restart"})
                wait_until(lambda: unit.lives > lives, "the restart", 120)

        assert push_release(link, release, restart).release == 90_001
        assert restarted


def test_what_is_refused(
    keys: Path, release: Release, tmp_path: Path, micropython: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # The host refuses politely; the unit refuses what a host sends nevertheless.
    old = sign(build_release(read_board("virtual"), [example_site()], number=1), keys)
    other = sign(dataclasses.replace(release, manifest_text=release.manifest_text.replace('"virtual"', '"pico"')), keys)
    forged = dataclasses.replace(release, signature=signing_key("stranger").sign(release.manifest_text.encode()))
    for name, content in (("old", old), ("other", other), ("forged", forged)):
        (tmp_path / f"{name}.lzf").write_bytes(pack_release(content))
    with installed(tmp_path, keys) as unit:
        assert run("update", "push", str(tmp_path / "old.lzf"), "--port", unit.port) == 1
        assert "release 1 is not newer, and units never go back" in capsys.readouterr().out.replace("\n", " ")
        with SerialLink(unit.port) as link:
            before = read_state(link)
            with pytest.raises(BoardError, match=r"refuses: .*release"):
                push_release(link, old)
            with pytest.raises(BoardError, match="this update is for pico"):
                push_release(link, other)
            with pytest.raises(BoardError, match="refuses: the manifest is not signed by a release key"):
                push_release(link, forged)
            assert read_state(link) == before


def test_a_release_that_fails_its_trial_is_said_to_have_gone(
    keys: Path, release: Release, tmp_path: Path, micropython: str
) -> None:
    broken = next(path for path in release.files if path.startswith("leezenflow_device/main."))
    files = {**release.files, broken: b"no code"}
    manifest = release.manifest
    for entry in manifest["files"]:
        if entry[0] == broken:
            entry[1:] = [len(files[broken]), hashlib.sha256(files[broken]).hexdigest()]
    text = json.dumps(manifest, separators=(",", ":"))
    spoilt = sign(dataclasses.replace(release, manifest_text=text, files=files), keys)
    with installed(tmp_path, keys) as unit, SerialLink(unit.port) as link:
        before = read_state(link)
        with pytest.raises(BoardError, match="has gone back to release"):
            push_release(link, spoilt)
        after = read_state(link)
        assert (after.release, after.slot, after.trial) == (before.release, before.slot, False)
        # And it is not taken again.
        with pytest.raises(BoardError, match="has failed its trial on this unit"):
            push_release(link, spoilt)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Give either --port PORT"),
        (("--port", "x", "--fleet", "y.toml"), "Give either --port PORT"),
        (("--port", "x", "--label", "north"), "--unit and --label choose from a fleet"),
        (("--fleet", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_which_units(
    arguments: tuple[str, ...],
    said: str,
    release: Release,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("new.lzf").write_bytes(pack_release(release))
    for command in (("status",), ("push", "new.lzf")):
        assert run("update", *command, *arguments) == 2
        assert said in capsys.readouterr().err


def test_unsigned_and_double_files_are_refused(
    release: Release, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unsigned = dataclasses.replace(release, signature=b"", keys_text="", keys_signature=b"")
    (tmp_path / "unsigned.lzf").write_bytes(pack_release(unsigned))
    (tmp_path / "new.lzf").write_bytes(pack_release(release))
    new = str(tmp_path / "new.lzf")
    assert run("update", "push", str(tmp_path / "unsigned.lzf"), "--port", "x") == 2
    assert "not signed" in capsys.readouterr().err
    assert run("update", "push", new, new, "--port", "x") == 2
    assert "second update for virtual" in capsys.readouterr().err


def write_fleet(folder: Path, port: int, units: dict[str, list[str]], more: str = "") -> str:
    """A fleet file of units on the broker."""
    text = f'[broker]\nurl = "mqtt://127.0.0.1:{port}"\n'
    for name, labels in units.items():
        text += f'[units.{name}]\ntopic = "lz/{name}"\nsecrets = "secrets.json"\nlabels = {json.dumps(labels)}\n'
    (folder / "secrets.json").write_text(json.dumps({"command_key": KEY.hex()}))
    (folder / "fleet.toml").write_text(text + more)
    return str(folder / "fleet.toml")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[AmqttBroker]:
    """A broker that runs."""
    made = AmqttBroker(free_port(), tmp_path)
    made.start()
    yield made
    made.stop()


def on_broker(broker: AmqttBroker, name: str) -> str:
    return f"mqtt://127.0.0.1:{broker.port}/spat?unit_topic=lz/{name}"


def test_a_fleet_over_mqtt(
    keys: Path,
    release: Release,
    broker: AmqttBroker,
    tmp_path: Path,
    micropython: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "new.lzf").write_bytes(pack_release(release))
    fleet = write_fleet(tmp_path, broker.port, {"north": ["centre"], "south": []})
    with (
        installed(tmp_path / "n", keys, on_broker(broker, "north"), "north") as north,
        installed(tmp_path / "s", keys, on_broker(broker, "south"), "south") as south,
    ):
        for name in ("north", "south"):
            wait_until(lambda name=name: answers(broker, name), f"{name} is on the broker", 120)
        assert run("update", "push", str(tmp_path / "new.lzf"), "--fleet", fleet, "--label", "centre") == 0
        assert "north runs release 90001" in capsys.readouterr().out
        assert north.lives >= 2
        assert south.lives == 1
        assert run("update", "status", "--fleet", fleet) == 0
        said = capsys.readouterr().out
        assert "north: north, virtual, release 90001" in said and "on trial" in said
        assert "south: south, virtual, release" in said
        south.power_off()
        assert run("update", "status", "--fleet", fleet, "--json") == 1
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert lines[0]["release"] == 90_001
        assert "does not answer" in lines[1]["error"]


def answers(broker: AmqttBroker, name: str) -> bool:
    """Whether a unit answers on its topic."""
    try:
        with MqttLink(Broker("127.0.0.1", broker.port), f"lz/{name}", None, name) as link:
            return bool(link.ask({"do": "identity"}, 2)["ok"])
    except BoardError:
        return False


def test_only_who_has_the_key_commands(keys: Path, broker: AmqttBroker, tmp_path: Path, micropython: str) -> None:
    access = Broker("127.0.0.1", broker.port)
    with installed(tmp_path, keys, on_broker(broker, "north")):
        wait_until(lambda: answers(broker, "north"), "it is on the broker", 120)
        status: dict[str, Any] = {"do": "update", "step": "status"}
        with MqttLink(access, "lz/north", bytes(32), "north") as link:
            assert "the mac is not of this body" in link.ask(status)["error"]
        with MqttLink(access, "lz/north", None, "north") as link:
            assert link.ask({"do": "health"})["health"]["unit"] == "north"
            with pytest.raises(BoardError, match="need the unit's command_key"):
                link.ask(status)
        # Two people with the key do not get into each other's way.
        with (
            MqttLink(access, "lz/north", KEY, "north") as first,
            MqttLink(access, "lz/north", KEY, "north") as second,
        ):
            for link in (first, second, first, first, second):
                assert link.ask(status)["ok"] is True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "units"),
        ("[units.a]\n", "needs either a port or a topic"),
        ('[units.a]\nport = "x"\ntopic = "y"\n', "needs either a port or a topic"),
        ('[units.a]\ntopic = "y"\n', "needs a table [broker]"),
        ('[units.a]\nprot = "y"\n', "prot"),
        ('[broker]\nurl = "http://x"\n[units.a]\ntopic = "y"\n', "must begin with mqtt://"),
        ('[broker]\nurl = "mqtts://x"\n[units.a]\ntopic = "y"\n', "ca is missing"),
        ('[broker]\nurl = "mqtts://x"\nca = "none.pem"\n[units.a]\ntopic = "y"\n', "none.pem does not exist"),
        ('[broker]\nurl = "mqtt://x"\n[units.a]\ntopic = "y"\nsecrets = "empty.json"\n', "must be 64 hexadecimal"),
        ('[broker]\nurl = "mqtt://x"\n[units.a]\ntopic = "y"\nsecrets = "list.json"\n', "must hold a json object"),
        ('[broker]\nurl = "mqtt://x"\n[units.a]\ntopic = "y"\nsecrets = "torn.json"\n', "cannot be read as json"),
    ],
)
def test_what_is_wrong_with_a_fleet_file(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "torn.json").write_text("{")
    (tmp_path / "fleet.toml").write_text(text)
    assert run("update", "status", "--fleet", str(tmp_path / "fleet.toml")) == 2
    assert said in capsys.readouterr().err


def test_units_that_a_fleet_does_not_have(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fleet = write_fleet(tmp_path, 1, {"north": ["centre"]})
    assert run("update", "status", "--fleet", fleet, "--unit", "norht") == 2
    assert "did you mean" in capsys.readouterr().err
    assert run("update", "status", "--fleet", fleet, "--label", "center") == 2
    assert "did you mean" in capsys.readouterr().err


def test_a_broker_that_is_not_there_is_said_for_each_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    fleet = write_fleet(tmp_path, port, {"north": []})
    assert run("update", "status", "--fleet", fleet) == 1
    assert f"The broker 127.0.0.1:{port} cannot be reached" in capsys.readouterr().out.replace("\n", " ")
