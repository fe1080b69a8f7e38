# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow map`, as a technician calls it."""

import gzip
import json
import math
from pathlib import Path

import pytest

from leezenflow_host.cli import run

SAMPLES = Path(__file__).parents[1] / "samples"
MAPS = sorted((SAMPLES / "map_uper").glob("*.hex"))
LAT, LONG = 40.2735708, -111.7000255


def at(east_m: float, north_m: float) -> str:
    """A place so far from the reference point of intersection 6320."""
    return f"{LAT + north_m / 111_132:.8f},{LONG + east_m / (111_320 * math.cos(math.radians(LAT))):.8f}"


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    path = str(SAMPLES / "map_uper/map_6320_04.hex")
    assert run(["map", path, "--at", at(95, 13), "--heading", "270"]) == 0
    out = capsys.readouterr().out
    assert "Intersection 6320" in out
    assert "no lane for bicycles" in out
    assert 'intersection = "6320", signal_group = 2, distance_m = 75' in out
    assert run(["map", path, "--at", at(95, 13), "--json", "--intersection", "6320"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (records[0]["lane_id"], records[0]["signal_group"], records[0]["stop_line_m"]) == (2, 2, 75.5)
    assert records[0]["event_state"] is None


def test_what_the_groups_show(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    with gzip.open(SAMPLES / "spat_uper/field_us.jsonl.gz", "rt") as lines:
        spat = next(json.loads(line)["hex"] for line in lines if "spat_6320" in line)
    states = tmp_path / "spat.hex"
    states.write_text(spat)
    path = str(SAMPLES / "map_uper/map_6320_04.hex")
    assert run(["map", path, "--at", at(95, 13), "--spat", str(states)]) == 0
    out = capsys.readouterr().out
    assert "shows" in out
    assert "green (give way)" in out
    assert "MAP is revision 0, the signal messages are of revision 1" in " ".join(out.split())
    assert run(["map", path, "--at", at(95, 13), "--spat", str(states), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["event_state"] == 5
    assert run(["map", path, "--at", at(95, 13), "--spat", path]) == 0
    assert "says nothing about intersection 6320" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--at", "51.9"], "write latitude and longitude"),
        (["--at", "91,0"], "write latitude and longitude"),
        (["--at", "51.96,7.62"], "passes within 50 m"),
        (["--at", at(95, 13), "--intersection", "49:1090"], "It holds 6320"),
        ([], "Missing option"),
    ],
)
def test_wrong_input(arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]):
    assert run(["map", str(SAMPLES / "map_uper/map_6320_04.hex"), *arguments]) == 2
    assert expected in " ".join(capsys.readouterr().err.split())


def test_a_file_without_map_and_one_with_several(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    path = tmp_path / "several.hex"
    path.write_text("\n".join(file.read_text().strip() for file in MAPS))
    assert run(["map", str(path), "--at", at(95, 13)]) == 2
    assert "Choose one with --intersection: 33467:36540, 6320" in " ".join(capsys.readouterr().err.split())
    assert run(["map", str(path), "--at", at(95, 13), "--intersection", "6320"]) == 0
    path.write_text("00")
    assert run(["map", str(path), "--at", at(95, 13)]) == 2
    assert "no MAPEM or MAP in it" in " ".join(capsys.readouterr().err.split())
