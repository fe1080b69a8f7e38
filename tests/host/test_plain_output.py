# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command: plain text into files and pipes, no colour where NO_COLOR forbids it, a documented exit code."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from leezenflow_host import cli

# Colours of letters and grounds; bold and dim are not colours.
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")


def all_commands(group: click.Command = cli.root, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command, groups included."""
    yield path
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None
            yield from all_commands(found, (*path, name))


COMMANDS = sorted(all_commands())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_is_plain_and_says_what_the_command_does(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]):
    assert cli.run([*words, "--help"]) == 0
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out and captured.err == ""
    assert "Usage: leezenflow" in captured.out and "--help" in captured.out
    # Below the usage stands a sentence.
    assert re.search(r"^ +[A-Z][^\n]+", captured.out.partition("Usage:")[2].partition("\n")[2], re.M)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_an_unknown_option_is_wrong_usage_and_plain(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]):
    assert cli.run([*words, "--no-such-option"]) == cli.WRONG_INPUT
    captured = capsys.readouterr()
    assert captured.out == "" and "\x1b" not in captured.err
    assert captured.err.startswith("Error: ") and "--help" in captured.err


def on_terminal(tmp_path: Path, *arguments: str) -> str:
    """What a command prints on a terminal of 256 colours with NO_COLOR."""
    near, far = pty.openpty()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "NO_COLOR": "1",
        "TERM": "xterm-256color",
    }
    environment.pop("FORCE_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "leezenflow_host", *arguments],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=far,
        stderr=far,
    )
    os.close(far)
    said = b""
    while True:
        try:
            chunk = os.read(near, 65536)
        except OSError:  # the far end is closed
            break
        if not chunk:
            break
        said += chunk
    os.close(near)
    process.wait()
    return said.decode(errors="replace")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("boards", "list"),
        ("site", "new", "--help"),
        ("no-such-command",),
        ("preview", "--look", "test_pattern"),
    ],
    ids=" ".join,
)
def test_no_colour_on_a_terminal_that_wants_none(tmp_path: Path, arguments: tuple[str, ...]):
    said = on_terminal(tmp_path, *arguments)
    assert len(said) > 40
    assert COLOUR.findall(said) == []


def test_the_colour_that_is_looked_for_can_be_found():
    assert COLOUR.search("\x1b[1;31mx") and COLOUR.search("\x1b[38;5;9mx") and COLOUR.search("\x1b[97mx")
    assert not COLOUR.search("\x1b[1mbold\x1b[0m\x1b[2K\x1b[?25l")


def test_the_documented_codes_are_the_ones_in_use(project_root: Path):
    text = (project_root / "docs/reference/exit-codes.md").read_text()
    documented = [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.M)]
    assert documented == [cli.DONE, cli.FAILED, cli.WRONG_INPUT, cli.INTERRUPTED, cli.TERMINATED]
