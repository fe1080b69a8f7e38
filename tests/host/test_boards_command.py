# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow boards`: list, check and show."""

import re

import pytest

from leezenflow_host import cli
from leezenflow_host.board_config import board_names, read_board


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = cli.run(["boards", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_list_has_a_line_a_board_with_what_was_verified_how(capsys):
    code, out, err = run(["list"], capsys)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == board_names()
    virtual = next(line for line in lines if line.startswith("virtual"))
    assert "tried in emulation" in virtual and "Virtual board" in virtual


def test_check_without_names_checks_all(capsys):
    code, out, err = run(["check"], capsys)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == len(board_names())


def test_check_goes_on_after_a_wrong_file_and_exits_with_2(capsys, tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[board]\nchip = 3\n")
    code, out, err = run(["check", str(wrong), "virtual", "nonsense"], capsys)
    assert code == 2
    assert out.endswith("virtual.toml: right\n")
    assert "wrong.toml:2: [board] chip is 3" in err and "display is missing" in err
    assert "There is no board 'nonsense'" in err


@pytest.mark.parametrize("name", board_names())
def test_show_tells_pins_panel_memory_and_sources(capsys, name):
    code, out, err = run(["show", name], capsys)
    assert (code, err) == (0, "")
    board = read_board(name)
    for words in (board.title, board.chip, *board.micropython, *board.source.values(), "32 x 96 pixels"):
        assert words in out
    assert ("Memory" in out) != board.is_linux
    assert "refresh" in out or name == "virtual"
    for option, value in board.values["display"].items():
        if option.endswith("pin"):
            assert f"GPIO {str(value).removeprefix('D')}" in out


def test_show_says_what_the_panel_reaches(capsys):
    _, out, _ = run(["show", "interstate75"], capsys)
    assert re.search(r"refresh +[5-9]\d\d Hz, 8 planes", out)
    assert "not tried: check every pin" in out


def test_show_says_what_strands_reach(capsys):
    _, out, _ = run(["show", "pico_w_ws2812"], capsys)
    assert re.search(r"refresh +at most 84 frames a second \(11.52 ms each\)", out)
    assert "3072 on 8 strands" in out and "of which 3072 mA when dark" in out
    assert re.search(r"panel +\d\d\.\d kB of the heap", out)
    _, out, _ = run(["show", "raspberrypi_neopixel"], capsys)
    assert "at most 10 frames a second" in out and "leezenflow run --board raspberrypi_neopixel" in out


def test_an_unknown_board_exits_with_2(capsys):
    code, out, err = run(["show", "intersate75"], capsys)
    assert (code, out) == (2, "")
    assert "did you mean 'interstate75'" in err
