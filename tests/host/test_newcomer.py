# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody new, in a real terminal: from the list of boards to a unit that is tested, reported and handed over."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal import Terminal
from test_site_command import write_trace

from leezenflow_host.site_config import read_site


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal in an empty folder."""
    if shutil.which("tmux") is None:
        pytest.skip("no tmux here: what a person sees and types in a real terminal is not covered")
    with Terminal(tmp_path) as opened:
        yield opened


def test_from_nothing_to_a_unit_that_is_handed_over(terminal: Terminal, tmp_path: Path, micropython: str):
    code, said = terminal.run("leezenflow boards list")
    assert code == 0 and "virtual" in said

    # A site, question by question; Enter takes what is proposed.
    terminal.begin("leezenflow site new north.toml")
    for question, answer in (
        ("Name of the unit [north]", ""),
        ("Where the messages come from", "mqtt://127.0.0.1:1883/spat/1090"),
        ("Their format", "spatem_xlm"),
        ("did you mean", "spatem_xml"),
        ("The intersection, [REGION:]ID", "49:1090"),
        ("The signal group of your riders", "12"),
        ("Metres from the display to the stop line", "85"),
        ("The riders' usual speed in km/h [18]", ""),
        ("The speed of those who hurry (- if nobody should) [-]", "24"),
        ("Amber after green counts as [red]", ""),
        ("What the panel shows [green_wave]", ""),
        ("Its colours [muenster]", ""),
        ("Brightness, 1 to 255 [255]", ""),
    ):
        terminal.wait_for(question)
        terminal.type(answer)
    code, said = terminal.end()
    assert code == 0 and "Wrote north.toml" in said and "on a board, that is the board itself" in said
    site = read_site(tmp_path / "north.toml").site()
    assert (site.unit_name, site.signal_group, site.cruise_ms, site.sprint_ms) == ("north", 12, 17_000, 12_750)

    code, said = terminal.run("leezenflow site check north.toml")
    assert code == 0 and "north.toml: right" in said

    code, said = terminal.run("leezenflow flash --board virtual --site north.toml --port virtual --out reports")
    assert code == 0, said
    report = json.loads((tmp_path / "reports/commissioning-north.json").read_text())
    assert report["passed"] is True and report["unit"] == "north" and report["self_test"]["how"] == "running"
    assert "Passed" in (tmp_path / "reports/commissioning-north.html").read_text()

    # The same without internet: a kit, damaged on the way, then whole.
    code, said = terminal.run("leezenflow kit build --out kit --board virtual --site north.toml")
    assert code == 0 and "Wrote kit" in said
    board = tmp_path / "kit/boards/virtual.toml"
    whole = board.read_text()
    board.write_text(whole.replace("320", "321"))
    code, said = terminal.run("leezenflow flash --kit kit --port virtual:second")
    assert code == 2 and "kit: boards/virtual.toml is damaged" in said
    board.write_text(whole)
    code, said = terminal.run("leezenflow flash --kit kit --port virtual:second --unit south --out reports")
    assert code == 0, said
    assert json.loads((tmp_path / "reports/commissioning-south.json").read_text())["passed"] is True


def test_watching_a_lamp_shows_groups_and_counts_presses(terminal: Terminal, tmp_path: Path):
    write_trace(tmp_path / "t.jsonl", 3_000)
    terminal.begin("leezenflow site new x.toml --defaults --watch t.jsonl --source mqtt://b/x --signal-group 12")
    screen = terminal.wait_for("SPACE: it turns green")
    terminal.wait_for("49:1090")
    assert "0 greens marked" in screen
    terminal.type(" ", enter=False)
    terminal.wait_for("1 greens marked")
    terminal.type(" ", enter=False)
    terminal.wait_for("2 greens marked")
    terminal.type("u", enter=False)
    terminal.wait_for("1 greens marked")
    terminal.type("q", enter=False)
    code, said = terminal.end()
    # Two things are still unknown: one press does not say which intersection it was.
    assert code == 2 and "Give --intersection" in said
    assert "3 greens are the least that says anything; 1 were marked." in said
    assert not (tmp_path / "x.toml").exists()


def test_ctrl_c_leaves_the_terminal_as_it_was(terminal: Terminal, tmp_path: Path):
    write_trace(tmp_path / "t.jsonl", 3_000)
    terminal.begin("leezenflow site new x.toml --watch t.jsonl")
    terminal.wait_for("SPACE: it turns green")
    terminal._tmux("send-keys", "C-c")
    code, said = terminal.end()
    assert code == 130 and "Stopped." in said
    code, said = terminal.run("stty -a")
    assert " icanon" in said and " echo " in said
    assert not (tmp_path / "x.toml").exists()


def test_a_wrong_word_gets_a_guess_and_not_a_traceback(terminal: Terminal):
    code, said = terminal.run("leezenflow install --board virtul --port virtual")
    assert code == 2 and "did you mean 'virtual'?" in said and "Traceback" not in said
    code, said = terminal.run("leezenflow flsh")
    assert code == 2 and "No such command 'flsh'" in said and "leezenflow --help" in said
