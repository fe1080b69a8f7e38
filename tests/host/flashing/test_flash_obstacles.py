# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow flash` on a computer that is in the way: files that are none, folders that take nothing, ports twice.

What can be known before is told before a board is asked; what cannot costs no board its work.
"""

import io
import json
import os
from pathlib import Path

import pytest
from city_keys import city

from leezenflow_host.boards import port_trouble
from leezenflow_host.commands import flash as flash_command
from leezenflow_host.flashing import batch, procedure
from leezenflow_host.flashing.detect import FoundBoard
from leezenflow_host.flashing.journal import Journal
from leezenflow_host.flashing.procedure import Outcome

VIRTUAL = ("--board", "virtual", "--port", "virtual")


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail as soon as a port is looked for."""
    monkeypatch.setattr(flash_command, "find_boards", lambda ports: pytest.fail("a port was touched"))


@pytest.fixture
def worked_on(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have every board done in no time; the ports, in order."""
    ports: list[str] = []

    def flash_board(job, found: FoundBoard, notify, *, one_of_many: bool, outcome: Outcome) -> Outcome:
        ports.append(found.port)
        outcome.ok, outcome.unit, outcome.report = True, "example", Path("commissioning-example.html")
        return outcome

    monkeypatch.setattr(batch, "flash_board", flash_board)
    return ports


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--secrets", "none.json", "none.json: there is no such file; a json object such as"),
        ("--secrets", "folder", "folder is a folder; a file with a json object such as"),
        ("--root-keys", "none.json", "none.json: there is no such file; `leezenflow keys new --out DIR` makes it."),
        ("--root-keys", "folder", "folder is a folder; name the file in it, such as root_keys.json."),
        ("--root-keys", "other.json", "other.json: not a file of root keys; `leezenflow keys new` makes"),
        ("--interpreter", "none.uf2", "none.uf2: there is no such file; an image of MicroPython was expected there."),
        ("--out", "other.json", "other.json is a file; name a folder for the reports with --out."),
        ("--out", "other.json/reports", "other.json is a file; name a folder for the reports with --out."),
    ],
)
def test_a_wrong_file_is_told_before_a_board_is_touched(places, flash, untouched, option, value, message):
    (places / "folder").mkdir()
    (places / "other.json").write_text("{}")
    code, out, err = flash(*VIRTUAL, option, value)
    assert (code, out) == (2, "")
    assert err.startswith(f"Error: {message}")
    assert sorted(file.name for file in places.iterdir()) == ["folder", "other.json", "ports"]


def test_a_folder_that_takes_nothing_is_told_before_a_board_is_touched(places, flash, untouched, monkeypatch):
    (places / "locked").mkdir()
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "locked" and may(path, mode))
    code, _, err = flash(*VIRTUAL, "--out", "locked/reports")
    assert code == 2
    assert err == (
        f"Error: Nothing can be written to {places}/locked; name another folder for the reports with --out.\n"
    )


def test_the_public_keys_are_checked_and_used(places, flash, monkeypatch):
    city(places / "keys")
    code, _, err = flash(*VIRTUAL, "--root-keys", places / "keys" / "root_keys.json", "--stage", places / "tree")
    assert code == 0, err
    assert (places / "tree/root_keys.json").read_bytes() == (places / "keys/root_keys.json").read_bytes()


def test_a_report_that_cannot_be_written_is_said_with_the_next_step(
    places, flash, firmware, plug_in, micropython, monkeypatch
):
    plug_in("a")

    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device", "commissioning-example.json")

    with monkeypatch.context() as patched:
        patched.setattr(procedure, "write_report", no_room)
        code, out, err = flash("--board", "virtual", "--port", places / "ports/a", "--site", "example")
    assert (code, out) == (1, "")
    assert err.endswith(
        "Error: example runs, but its report cannot be written: commissioning-example.json: No space left on device. "
        "Make room there, or name another place. Then repeat the command.\n"
    )


def test_memory_that_cannot_be_written_costs_no_board(places, flash, firmware, plug_in, micropython, monkeypatch):
    plug_in("a")
    (places / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(places / "file"))
    code, out, err = flash("--board", "virtual", "--port", places / "ports/a", "--site", "example")
    assert code == 0 and out.startswith("example on ")
    assert f"What was done is not noted, and --only cannot know of it: {places}/file/leezenflow" in err
    assert "example: This computer will not know the board again: " in err
    assert "Traceback" not in err
    assert json.loads((places / "commissioning-example.json").read_text())["passed"] is True


def test_a_fault_of_the_computer_is_no_fault_of_ours(places, flash, monkeypatch):
    def fail(*_: object, **__: object) -> Outcome:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(batch, "flash_board", fail)
    code, out, err = flash(*VIRTUAL)
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "virtual: failed",
        "Error: Too many open files. Put that right, then repeat the command.",
    ]


def test_a_port_that_is_named_twice_is_one(places, flash, worked_on):
    code, out, err = flash(*VIRTUAL, "--port", "virtual", "--site", "example")
    assert code == 0 and worked_on == ["virtual"]
    assert out.startswith("example on virtual runs") and err == "virtual: done: example\n"


def test_two_names_of_a_device_are_one_port(places):
    near, _ = os.openpty()
    (places / "by-id").symlink_to(os.ttyname(_))
    names = (os.ttyname(_), str(places / "by-id"), "virtual", "virtual:b", "socket://a:1")
    assert flash_command._each_once(names) == (names[0], "virtual", "virtual:b", "socket://a:1")
    os.close(near)
    os.close(_)


def test_nobody_reads_along_and_the_board_is_done_all_the_same(places, flash, worked_on, monkeypatch):
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

        def flush(self) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    console = flash_command.Console
    monkeypatch.setattr(flash_command, "Console", lambda **settings: console(file=Gone()))
    code, out, _ = flash(*VIRTUAL, "--site", "example")
    assert code == 0 and worked_on == ["virtual"] and out.startswith("example on virtual runs")


def test_a_virtual_board_is_plugged_in_by_name(places, flash):
    code, _, err = flash("--board", "virtual")
    assert (code, err) == (1, "Error: virtual is no hardware: --port virtual plugs one in.\n")


def test_a_board_behind_a_network_port_has_no_cable_here(places, flash):
    code, _, err = flash("--board", "pico2_w_hub75", "--port", "socket://127.0.0.1:1")
    assert code == 1
    assert err.endswith("Check the address, and that the board behind it has power.\n")


def test_what_is_open_in_many_programs_is_told_in_a_few_words(monkeypatch):
    near, far = os.openpty()
    port = os.ttyname(far)
    holders = [f"p{number} (process {number})" for number in range(9)]
    monkeypatch.setattr(port_trouble, "find_holders", lambda path: holders)
    assert str(port_trouble.explain_port(port)) == (
        f"{port} is in use by p0 (process 0) and p1 (process 1) and p2 (process 2) and 6 more. "
        "End that program, then try again."
    )
    os.close(near)
    os.close(far)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_not_every_device_is_a_port(device):
    assert str(port_trouble.explain_port(device)).startswith(f"{device} is not a serial port.")


def test_a_journal_that_cannot_be_written_remembers_why(places):
    (places / "file").write_text("")
    journal = Journal(places / "file" / "deeper")
    journal.add(batch.Entry("now", "x", batch.STARTED))
    assert journal.fault == f"{places}/file/deeper/flash.jsonl: Not a directory"
