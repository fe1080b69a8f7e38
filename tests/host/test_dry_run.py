# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`--dry-run`: every command that writes files of its own choosing or touches a board can only say so first."""

from pathlib import Path

import click
import pytest
from test_site_command import write_trace

from leezenflow_host import cli

WRITERS = (
    *("announce", "capture", "doctor", "evaluate", "flash", "install", "preview", "replay", "run", "simulate"),
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
        (
            (
                *("evaluate", "t.jsonl", "--json", "a.json", "--report", "b.html", "--out", "c", "--memory", "m.bin"),
                *("--intersection", "49:1090", "--signal-group", "12"),
            ),
            "Would judge signal group 12 of 49:1090 in t.jsonl.\nWould write to a.json, b.html, c, m.bin.",
        ),
        (
            (
                *("evaluate", "t.jsonl", "--sweep", "--json", "-", "--report", "b.html", "--memory", "m.bin"),
                *("--intersection", "49:1090", "--signal-group", "12"),
            ),
            "Would write to the standard output.",
        ),
        (
            ("evaluate", "t.jsonl", "--intersection", "49:1090", "--signal-group", "12"),
            "Would write no file.",
        ),
        (
            ("run", "--board", "virtual", "--site", "example", "--memory", "m.bin"),
            "on the display terminal.\nWould write what is learned to m.bin.",
        ),
        # The panel's library need not be there.
        (
            ("run", "--board", "raspberrypi_neopixel", "--site", "example"),
            "Would receive signal group 12 of intersection 1090 from ",
        ),
        (("run", "--board", "raspberrypi_neopixel", "--darken"), "Would make the display neopixel_blinka of"),
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
        ("evaluate", "t.jsonl", "--json", "a.json"),
        ("evaluate", "t.jsonl", "--forecast-only", "--intersection", "49:1090", "--signal-group", "12"),
        ("evaluate", "t.jsonl", "--against", "no.toml", "--intersection", "49:1090", "--signal-group", "12"),
        ("run", "--board", "no_board", "--site", "example"),
        ("run", "--board", "virtual", "--site", "missing.toml"),
        ("run", "--board", "virtual", "--site", "example", "--secrets", "t.jsonl"),
        ("run", "--board", "virtual", "--site", "example", "--display", "no_display"),
    ],
)
def test_a_dry_run_finds_what_is_wrong(capsys, tmp_path: Path, monkeypatch, arguments: tuple[str, ...]):
    monkeypatch.chdir(tmp_path)
    write_trace(tmp_path / "t.jsonl", 5)
    assert cli.run([*arguments, "--dry-run"]) == 2
    assert capsys.readouterr().out == ""


def test_a_dry_run_of_the_doctor_lists_what_its_bundle_would_hold(capsys, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEEZENFLOW_PORTS", str(tmp_path))
    assert cli.run(["doctor", "--lang", "en", "--bundle", "b.zip", "--dry-run"]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("Diagnosis: ")
    lines = captured.err.splitlines()
    assert lines[0] == "Would write b.zip:"
    assert [line.split()[1] for line in lines[1:]] == ["versions.json", "diagnosis.json", "facts.json", "log.txt"]
    assert list(tmp_path.iterdir()) == []
