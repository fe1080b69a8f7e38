# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd service of a recording: the command as typed, escaped as systemd wants it, with few rights."""

import shlex
from pathlib import Path

import pytest

from leezenflow_host.capture.systemd_unit import make_unit
from leezenflow_host.cli import run


def value(unit: str, key: str) -> str:
    """The one value of a key."""
    (line,) = [line for line in unit.splitlines() if line.startswith(f"{key}=")]
    return line.partition("=")[2]


def test_the_command_prints_a_unit_and_records_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    secrets = tmp_path / "secrets.json"
    secrets.write_text("{}")
    arguments = ["mqtt://me@broker//spat/#", "--out", "spat.jsonl.zst", "--rotate", "day", "--max-mb", "20000"]
    note = ["--note", 'the "east" side', "--adapter", "spatem_xml", "--secrets", str(secrets)]
    assert run(["capture", *arguments, *note, "--systemd-unit"]) == 0
    unit = capsys.readouterr().out
    words = shlex.split(value(unit, "ExecStart"))
    assert words[words.index("capture") + 1 :] == [
        *arguments[:2],
        "${STATE_DIRECTORY}/spat.jsonl.zst",
        *arguments[3:],
        *("--adapter", "spatem_xml", "--note", 'the "east" side'),
        *("--secrets", "${CREDENTIALS_DIRECTORY}/secrets.json"),
    ]
    assert value(unit, "LoadCredential") == f"secrets.json:{secrets}"
    assert value(unit, "Restart") == "always" and value(unit, "PrivateDevices") == "yes"
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


def test_patterns_and_dollars_are_escaped():
    unit = make_unit(
        "udp://0.0.0.0:6053", "/srv/spat/%Y/a-%m%d.jsonl", "day", None, None, "5$ a day", None, "leezenflow"
    )
    assert "/srv/spat/%%Y/a-%%m%%d.jsonl" in value(unit, "ExecStart") and '"5$$ a day"' in value(unit, "ExecStart")
    assert value(unit, "ReadWritePaths") == "/srv/spat"
    assert "LoadCredential" not in unit


def test_a_serial_line_needs_its_group():
    unit = make_unit("serial:///dev/ttyUSB0", "a.jsonl", None, None, None, "", None, "leezenflow")
    assert value(unit, "SupplementaryGroups") == "dialout" and "PrivateDevices" not in unit
    assert value(unit, "ExecStart") == "leezenflow capture serial:///dev/ttyUSB0 --out ${STATE_DIRECTORY}/a.jsonl"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--out", "a.jsonl", "--for", "5"], "leave --for and --count out"), (["--out", "a.txt"], "ends in .jsonl")],
)
def test_what_no_service_can_do_is_said(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str):
    assert run(["capture", "udp://0.0.0.0:6053", *arguments, "--systemd-unit"]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
