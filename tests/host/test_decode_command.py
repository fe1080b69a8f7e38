# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow decode`, as a person and a script call it."""

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bit_writer import spatem
from leezenflow_host.cli import run

SAMPLES = Path(__file__).parents[1] / "samples"
TRACES = Path(__file__).parents[1] / "traces"


def field_rows() -> list[dict[str, Any]]:
    with gzip.open(SAMPLES / "spat_uper/field_us.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


ROWS = field_rows()


@pytest.fixture
def hex_file(tmp_path: Path) -> Path:
    path = tmp_path / "messages.txt"
    path.write_text("\n".join(row["hex"] for row in ROWS))
    return path


def test_json_is_one_line_a_message(hex_file: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["decode", str(hex_file), "--json"]) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line) for line in out.splitlines()] == [row["expected"] for row in ROWS]
    assert err == ""


def test_an_unreadable_message_is_an_error_line_and_exit_code_1(hex_file: Path, capsys: pytest.CaptureFixture[str]):
    hex_file.write_text(f"{ROWS[0]['hex']}\nnothing\n{ROWS[1]['hex']}")
    assert run(["decode", "--json", str(hex_file)]) == 1
    out, err = capsys.readouterr()
    first, middle, last = (json.loads(line) for line in out.splitlines())
    assert [first, last] == [row["expected"] for row in ROWS[:2]]
    assert list(middle) == ["error"]
    assert "line 2" in middle["error"]
    assert "1 of 3" in err


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    for arguments in (["decode", "--json"], ["decode", "-", "--json"]):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ROWS[0]["hex"].encode())))
        assert run(arguments) == 0
        assert json.loads(capsys.readouterr().out) == ROWS[0]["expected"]


def test_people_get_a_tree(capsys: pytest.CaptureFixture[str]):
    assert run(["decode", str(SAMPLES / "spatem_xml/captured-spat-lf-ms-j.xml")]) == 0
    out = capsys.readouterr().out
    assert 'intersection 49:1090 "Ms_01090_V13_1_1", revision 1, 09:55:08.430 UTC' in out
    assert "red until :55:53.0 (+44.6 s)" in out
    assert "confidence 56 %" in out
    assert "without state (unavailable): 13, 11, 10" in out


def test_a_hostile_name_does_not_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    event = {"state": 3, "min_end": 36_000, "speeds": [{"speed": 55}], "regional": [{"region_id": 9, "content": b"a"}]}
    movement = {"name": "\x1b[2J[red]x", "signal_group": 1, "events": [event]}
    movement["maneuver_assist"] = [{"connection_id": 1, "queue_length": 20, "wait_on_stop": False}]
    path = tmp_path / "message.bin"
    path.write_bytes(spatem({"intersections": [{"id": 1, "movements": [movement]}]}))
    assert run(["decode", str(path)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\ufffd[2J[red]x" in out
    assert "earliest more than an hour" in out
    assert "5.5 m/s" in out
    assert "regional 9: 61" in out
    assert "queue 20 m, no need to wait" in out


def test_a_map_as_a_tree(capsys: pytest.CaptureFixture[str]):
    assert run(["decode", str(SAMPLES / "map_uper/map_8805_00.hex")]) == 0
    out = capsys.readouterr().out
    assert "J2735 MAP" in out
    assert "vehicle, ingress" in out
    assert "signal group" in out


@pytest.mark.parametrize("adapter", ["its_json", "rsmp", "sensorthings", "spatem_uper", "spatem_xml", "tscbm", "udap"])
def test_recordings_of_every_adapter(adapter: str, capsys: pytest.CaptureFixture[str]):
    assert run(["decode", "--json", str(TRACES / f"{adapter}.jsonl.gz")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= (13 if adapter == "sensorthings" else 180)
    assert all(json.loads(line)["movements"] for line in lines)
    assert run(["decode", str(TRACES / f"{adapter}.jsonl.gz")]) == 0
    assert capsys.readouterr().out.count("intersection ") == len(lines)


@pytest.mark.parametrize(
    ("content", "arguments", "expected"),
    [
        (b"", [], "there is no message in it"),
        (b"\n\n", [], "there is no message in it"),
        (b"# only a comment\n", ["--json"], "there is no message in it"),
        (b"00", ["--adapter", "spatem_xlm"], "Known: its_json"),
    ],
)
def test_wrong_input_is_exit_code_2(
    content: bytes, arguments: list[str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "messages.txt"
    path.write_bytes(content)
    assert run(["decode", str(path), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert expected in " ".join(err.split())


def test_a_missing_file_is_exit_code_2(capsys: pytest.CaptureFixture[str]):
    assert run(["decode", "/nowhere/at/all"]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_the_adapter_is_a_hint(hex_file: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["decode", str(hex_file), "--json", "--adapter", "spatem_xml"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(ROWS)
