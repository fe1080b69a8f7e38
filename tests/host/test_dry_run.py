# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`--dry-run`: every command that writes files of its own choosing or touches a board can only say so first."""

from pathlib import Path

import click
import pytest
from test_site_command import write_trace

from leezenflow_host import cli

WRITERS = (
    *("capture", "flash", "install", "preview", "replay", "simulate"),
    *("keys new", "keys rotate", "keys sign", "kit build", "site new", "update build", "update push", "update sign"),
)


@pytest.mark.parametrize("words", WRITERS)
def test_what_writes_can_only_say_so(words: str):
    found: click.Command | None = cli.root
    for word in words.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), word)
    assert found is not None
    assert "--dry-run" in [option for parameter in found.params for option in parameter.opts]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("preview", "--look", "test_pattern", "--png", "a.png", "--picture", "b.bin"), "Would write a.png and b.bin."),
        (("preview", "--gif", "a.gif"), "Would write a.gif."),
        (
            ("simulate", "fixed_time", "--duration", "20", "--out", "a.jsonl", "--truth", "b.json"),
            "Would write a.jsonl",
        ),
        (("capture", "mqtt://me@broker/x", "--out", "a.jsonl"), "Would record mqtt://broker/x into a.jsonl."),
        (
            (
                *("replay", "t.jsonl", "--advice", "a.jsonl", "--to", "udp://127.0.0.1:9", "--memory", "m.bin"),
                *("--intersection", "49:1090", "--signal-group", "12"),
            ),
            "Would write the advice of t.jsonl to a.jsonl, and what was learned to m.bin.\n"
            "Would send the messages of t.jsonl to udp://127.0.0.1:9.",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_dry_run_leaves_nothing_behind(capsys, tmp_path: Path, monkeypatch, arguments: tuple[str, ...], words: str):
    monkeypatch.chdir(tmp_path)
    write_trace(tmp_path / "t.jsonl", 5)
    assert cli.run([*arguments, "--dry-run"]) == 0
    assert words in capsys.readouterr().out
    assert [file.name for file in tmp_path.iterdir()] == ["t.jsonl"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("preview", "--look", "no_look", "--png", "a.png"),
        ("replay", "t.jsonl", "--advice", "a.jsonl"),
        ("capture", "ftp://x", "--out", "a.jsonl"),
        ("simulate", "no_scenario", "--out", "a.jsonl"),
    ],
)
def test_a_dry_run_finds_what_is_wrong(capsys, tmp_path: Path, monkeypatch, arguments: tuple[str, ...]):
    monkeypatch.chdir(tmp_path)
    write_trace(tmp_path / "t.jsonl", 5)
    assert cli.run([*arguments, "--dry-run"]) == 2
    assert capsys.readouterr().out == ""
