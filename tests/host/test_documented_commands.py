# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every `leezenflow …` line in the documents is one that the command line understands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from leezenflow_host import cli

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "firmware/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
# What stands for something else, or leads from one command to another.
_ENDS = ("|", ">", ">>", "&&", "||", ";", "&", "…", "...")


def code_lines(text: str) -> Iterator[str]:
    """The lines of code blocks, indented or fenced, continued lines joined."""
    fenced = False
    joined = ""
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if not fenced and not line.startswith("    ") and not joined:
            continue
        joined += line.strip()
        if joined.endswith("\\"):
            joined = joined[:-1] + " "
            continue
        yield joined
        joined = ""


def documented() -> list[tuple[str, list[str]]]:
    """(where, words after `leezenflow`) of every call in a document."""
    found: list[tuple[str, list[str]]] = []
    for file in DOCUMENTS:
        for line in code_lines(file.read_text(encoding="utf-8")):
            at = re.match(r"(?:\$ |sudo )?(?:[A-Z_]+=\S+ )*leezenflow(?: |$)(.*)", line)
            if at is None:
                continue
            try:
                words = shlex.split(at[1], comments=True)
            except ValueError:
                words = at[1].split()
            end = next((index for index, word in enumerate(words) if word in _ENDS), len(words))
            found.append((f"{file.relative_to(ROOT)}: {line}", words[:end]))
    return found


CALLS = documented()


def test_there_are_calls_to_look_at():
    assert len(CALLS) > 40
    assert len({where.partition(":")[0] for where, _ in CALLS}) > 8


@pytest.mark.parametrize(("where", "words"), CALLS, ids=[where for where, _ in CALLS])
def test_the_call_is_understood(where: str, words: list[str]):
    check_call(where, words)


@pytest.mark.parametrize("line", ["flsh --board x", "kit bild", "kit build --board x --oot y", "keys new|turn"])
def test_a_call_that_nobody_understands_is_found(line: str):
    with pytest.raises(AssertionError):
        check_call("here", line.split())


def check_call(where: str, words: list[str]) -> None:
    """AssertionError where a command or an option is unknown."""
    command: click.Command = cli.root
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        if "|" in name:  # keys new|rotate: several at once
            assert all(command.get_command(click.Context(command), one) is not None for one in name.split("|")), where
            return
        found = command.get_command(click.Context(command), name)
        assert found is not None, f"{where}: there is no command {name!r}"
        command = found
    known = {"--help", "-h"} | {
        flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)
    }
    for word in rest:
        flag = word.partition("=")[0].strip("[]")
        if re.fullmatch(r"--?[a-z][a-z-]*", flag):
            assert flag in known, f"{where}: {command.name} has no option {flag}"
