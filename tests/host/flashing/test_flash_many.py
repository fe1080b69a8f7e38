# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow flash` with many boards: which ones, all at once, what is remembered, and going on after a failure."""

import io
import json
from pathlib import Path

import pytest
from fake_unit import fake_board
from rich.console import Console
from waiting import wait_until

import leezenflow
from leezenflow_host.board_config import read_board
from leezenflow_host.commands import flash as flash_command
from leezenflow_host.errors import BoardError, InputError
from leezenflow_host.flashing import batch
from leezenflow_host.flashing.batch import flash_boards
from leezenflow_host.flashing.detect import FoundBoard
from leezenflow_host.flashing.job import Job
from leezenflow_host.flashing.journal import Entry, Journal
from leezenflow_host.flashing.procedure import Outcome
from leezenflow_host.flashing.registry import Registry
from leezenflow_host.flashing.screen import Screen
from leezenflow_host.flashing.selection import choose_boards, fits, guess_board, keep_only
from leezenflow_host.flashing.steps import Step
from leezenflow_host.site_config import example_site

ALL = ("--board", "virtual", "--all")


def reports(folder: Path) -> list[str]:
    return sorted(json.loads(file.read_text())["unit"] for file in folder.glob("commissioning-*.json"))


# A boxful


def test_one_that_slips_out_stops_no_other_and_the_same_command_goes_on(places, flash, firmware, plug_in, monkeypatch):
    boards = {name: plug_in(name) for name in ("a", "b", "c")}
    tell = Screen.tell

    def tell_and_pull(screen: Screen, found: FoundBoard, step: Step) -> None:
        tell(screen, found, step)
        if found.port.endswith("/b") and step.stage == "firmware" and step.done > 0:
            boards["b"].power_off()

    with monkeypatch.context() as patched:
        patched.setattr(Screen, "tell", tell_and_pull)
        code, out, err = flash(*ALL)
    assert code == 1
    lines = {line.split()[0].rpartition("/")[2]: line for line in out.splitlines() if line.startswith(str(places))}
    assert "vanished while" in lines["b"] or "did not come back" in lines["b"] or "There is no port" in lines["b"]
    assert "done" in lines["a"] and "done" in lines["c"]
    assert f"{places}/ports/b: failed: " in err
    units = reports(places)
    assert len(units) == 2 and all(unit.startswith("example-") and len(unit) == len("example-") + 6 for unit in units)
    boards["b"].close()
    plug_in("b")
    code, out, err = flash(*ALL)
    assert code == 0, err
    assert out.count("done before this batch was broken off") == 2
    assert len(reports(places)) == 3, "each its own unit"
    # Completed: the same command again is a new batch.
    code, out, err = flash(*ALL)
    assert (code, out.count("done, 0 files written")) == (0, 3), err
    assert len(reports(places)) == 3, "each keeps its name"


def test_only_those_that_failed_or_are_outdated(places, flash, firmware, plug_in):
    plug_in("a")
    firmware(self_test={"ok": False})
    assert flash(*ALL)[0] == 1
    plug_in("b")
    firmware(self_test={"ok": True})
    code, _, err = flash(*ALL, "--only", "failed")
    assert (code, err.count("1/6 look"), f"{places}/ports/a: 1/6 look" in err) == (0, 1, True), err
    assert flash(*ALL, "--only", "failed")[1] == "Nothing is left to do: no board failed last time.\n"
    code, _, err = flash(*ALL, "--only", "outdated")
    assert (code, err.count("1/6 look"), f"{places}/ports/b: 1/6 look" in err) == (0, 1, True), err
    assert flash(*ALL, "--only", "outdated")[1] == "Nothing is left to do: no board is outdated.\n"


def test_of_several_that_fit_none_is_touched_unasked(places, flash, firmware, plug_in):
    for name in ("a", "b"):
        plug_in(name)
    code, out, err = flash("--board", "virtual")
    assert (code, out) == (2, "")
    assert "2 boards fit virtual; nothing was done. Name one with --port, or give --all:\n" in err
    assert err.count("virtual with MicroPython") == 2
    assert not list(places.glob("commissioning-*"))
    code, out, err = flash("--board", "virtual", "--port", places / "ports/b")
    assert (code, reports(places)) == (0, ["example"])


def test_no_two_units_of_a_batch_have_one_name(places, flash, firmware, plug_in):
    for name in ("a", "b"):
        plug_in(name)
        code, _, err = flash("--board", "virtual", "--port", places / "ports" / name, "--unit", "east")
        assert code == 0, err
    code, out, err = flash(*ALL)
    assert code == 0, err
    units = sorted(line.split()[1] for line in out.splitlines() if line.startswith(str(places)))
    assert units[0] == "east" and units[1].startswith("example-")


def test_several_named_ones(places, flash, firmware, plug_in):
    for name in ("a", "b"):
        plug_in(name)
    code, out, err = flash(
        "--board", "virtual", "--port", places / "ports/a", "--port", places / "ports/b", "--unit", "x"
    )
    assert (code, out) == (2, "") and "--unit is for one board" in err
    code, out, err = flash("--board", "virtual", "--port", places / "ports/a", "--port", places / "ports/b")
    assert (code, len(reports(places))) == (0, 2), err


def test_a_terminal_shows_a_bar_for_each_board(places, flash, firmware, plug_in, monkeypatch):
    for name in ("a", "b"):
        plug_in(name)
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=160, legacy_windows=False)
    monkeypatch.setattr(flash_command, "Console", lambda **_: terminal)
    assert flash(*ALL)[0] == 0
    shown = screen.getvalue()
    assert "chip number" in shown
    assert "ports/a" in shown and "ports/b" in shown and "copy the firmware" in shown and "done" in shown


# The batch itself


def found(name: str, **more) -> FoundBoard:
    return FoundBoard(f"/dev/{name}", "micropython", "virtual", unique_id=name, **more)


@pytest.fixture
def job(places) -> Job:
    return Job(fake_board(places), example_site())


def test_a_fault_of_ours_with_one_board_is_told_as_such(job, monkeypatch):
    def work(job: Job, found: FoundBoard, notify, *, one_of_many: bool, outcome: Outcome) -> Outcome:
        if found.unique_id == "b":
            raise ZeroDivisionError("division by zero")
        outcome.ok = True
        return outcome

    monkeypatch.setattr(batch, "flash_board", work)
    ended: list[Outcome] = []
    boards = [found(name) for name in "abc"]
    outcomes = flash_boards(job, boards, Journal(), lambda board, step: None, ended.append, one_of_many=True)
    assert [outcome.ok for outcome in outcomes] == [True, False, True] and len(ended) == 3
    assert outcomes[1].message.startswith(
        "internal error: ZeroDivisionError: division by zero (work). This is a fault in"
    )
    assert Journal().done_in_open_batch(job.digest()).keys() == {"a", "c"}


def test_ctrl_c_ends_the_command_and_not_the_batch(job, monkeypatch):
    done: list[str] = []

    def work(job: Job, found: FoundBoard, notify, *, one_of_many: bool, outcome: Outcome) -> Outcome:
        outcome.ok = True
        done.append(found.port)
        return outcome

    def join(thread, timeout=None) -> None:
        wait_until(lambda: done, "the first board")
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(batch, "flash_board", work)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("threading.Thread.join", join)
        patched.setattr("threading.Thread.is_alive", lambda thread: True)
        flash_boards(job, [found("a")], Journal(), lambda *_: None, lambda *_: None, one_of_many=True)
    states = [entry.state for entry in Journal().entries()]
    assert "complete" not in states


def test_a_board_that_was_emptied_meanwhile_is_done_again(job):
    journal = Journal()
    journal.add(Entry("now", job.digest(), "done", "a"))
    journal.add(Entry("now", job.digest(), "done", "b"))
    empty = found("a")
    unit = FoundBoard("/dev/b", "leezenflow", "virtual", "b")
    assert batch.split_done([empty, unit], job, journal) == ([empty], [unit])
    job.unit = "another job"
    assert batch.split_done([empty, unit], job, journal) == ([empty, unit], [])


# The journal


def test_the_journal_is_only_added_to_and_forgives_a_cut_line(places):
    journal = Journal()
    assert list(journal.entries()) == []
    journal.add(Entry("t1", "batch", "started", "a", "/dev/a"))
    with journal.file.open("ab") as file:
        file.write(b'{"when": "t2", "batch": "ba')
    journal.add(Entry("t3", "batch", "done", "a", "/dev/a", "north"))
    assert [entry.when for entry in journal.entries()] == ["t1", "t3"]
    assert journal.file == places / "state/leezenflow/flash.jsonl"
    assert journal.last_of_each()["a"].unit == "north"


def test_a_batch_is_open_until_it_is_complete():
    journal = Journal()
    for state, key in (("started", "a"), ("done", "a"), ("started", "b"), ("failed", "b")):
        journal.add(Entry("t", "x", state, key))
    journal.add(Entry("t", "y", "done", "c"))
    assert journal.done_in_open_batch("x").keys() == {"a"}
    journal.add(Entry("t", "x", "started", "a"))
    assert journal.done_in_open_batch("x") == {}, "begun again, and not done"
    journal.add(Entry("t", "x", "done", "a"))
    journal.add(Entry("t", "x", "complete"))
    assert journal.done_in_open_batch("x") == {}
    assert journal.done_in_open_batch("y").keys() == {"c"}


# The registry


def test_the_registry_remembers_and_forgives(places):
    registry = Registry()
    assert registry.unit_of("e661") is None
    registry.remember("e661", "north", "interstate75", "now")
    registry.remember("e662", "south", "interstate75", "now")
    assert (registry.unit_of("e661"), registry.unit_of("e662"), registry.unit_of(None)) == ("north", "south", None)
    registry.file.write_text("[")
    assert registry.unit_of("e661") is None
    registry.remember("e661", "west", "interstate75", "now")
    assert registry.unit_of("e661") == "west"


# Which boards


def test_a_unit_of_another_build_is_never_taken_for_one_that_fits(job):
    other = found("a", board="interstate75")
    busy = FoundBoard("/dev/b", "busy", detail="in use")
    for one in (other, busy, FoundBoard("/dev/c", "micropython", "RP2040")):
        with pytest.raises(
            BoardError, match=r"No board for bench \(virtual\) is plugged in. Name the board with --port"
        ):
            choose_boards([one], job.board, all_that_fit=True)
    same = found("d", board="bench")
    assert choose_boards([other, busy, same], job.board, all_that_fit=False) == [same]


def test_what_does_not_tell_its_chip_fits_only_what_it_may_be():
    empty = FoundBoard("P", "esp_rom")
    assert fits(empty, read_board("esp32_neopixel")) and not fits(empty, read_board("interstate75"))
    unit = FoundBoard("P", "leezenflow", board="of_a_fork")
    assert not fits(unit, read_board("interstate75"))
    stranger = FoundBoard("P", "uf2_volume")
    assert not fits(stranger, read_board("interstate75")) and not fits(stranger, read_board("esp32_neopixel"))


def test_the_board_is_guessed_only_where_units_know_it():
    unit = FoundBoard("P", "leezenflow", "RP2040", board="interstate75")
    assert guess_board([unit]).name == "interstate75"
    other = FoundBoard("Q", "leezenflow", "RP2040", board="pico_w_hub75")
    for units in ([unit, other], [found("a"), unit], [FoundBoard("R", "leezenflow", "RP2040", board="of_a_fork")]):
        with pytest.raises(InputError, match="Which board is it"):
            guess_board(units)
    with pytest.raises(InputError, match=r"one of: interstate75_w, pico2_w_hub75\.$"):
        guess_board([FoundBoard("R", "uf2_volume", "RP2350")])


def test_what_is_outdated(job):
    journal, version = Journal(), leezenflow.__version__
    unit = FoundBoard("P", "leezenflow", "virtual", "a", version=version)
    boards = [unit, FoundBoard("Q", "leezenflow", "virtual", "b", version="0.0.1"), found("c")]
    assert keep_only(boards, "outdated", journal, "x", version) == boards, "nobody knows what is on the first"
    journal.add(Entry("t", "x", "done", "a"))
    assert keep_only(boards, "outdated", journal, "x", version) == boards[1:]
    assert keep_only(boards, "outdated", journal, "y", version) == boards
    assert keep_only(boards, "failed", journal, "x", version) == []


def test_four_units_run_at_once(places, flash, firmware, micropython):
    ports = [f"virtual:{name}" for name in ("a", "b", "o", "x")]
    # A name between two colons is no pictogram.
    arguments = [part for port in ports for part in ("--port", port)]
    code, out, err = flash("--board", "virtual", *arguments)
    assert code == 0, err
    assert len(reports(places)) == 4
    assert "virtual:a: 1/6 look\n" in err
    assert out.count("done, 6 files written") == 4
    assert out.endswith(f"4 of 4 boards are done; reports are in {places}.\n")
