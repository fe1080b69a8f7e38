# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow flow simulate`: small SUMO runs, what must hold in every one of them, and how it fails."""

import csv
import dataclasses
import importlib.util
import json
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from leezenflow.board import Site
from leezenflow_host.cli import run
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.flow import study
from leezenflow_host.flow.outcomes import colour_at_crossing, day_figures, red_age_s, summarise
from leezenflow_host.flow.riders import RiderModel
from leezenflow_host.flow.study import ARITHMETIC, DISPLAY, PERFECT, WITHOUT, StudyRun, StudySetup, run_study
from leezenflow_host.flow.sumo_files import Path2D
from leezenflow_host.simulation.recording import Recording, simulate
from leezenflow_host.simulation.scenario import load_scenario
from leezenflow_host.trace import TraceWriter

DATA = Path(str(files("leezenflow_host") / "data"))
SITE = Site(12, 1090, 49, adapter="spatem_xml")
SMALL = StudySetup(
    site=SITE,
    path=Path2D(),
    model=RiderModel(flow_per_hour=300, compliance=1.0),
    seeds=(1,),
    conditions=(WITHOUT, PERFECT),
    duration_s=600,
    step_s=0.4,
)


@pytest.fixture(scope="module")
def fixed_study() -> list[StudyRun]:
    """Two days of a fixed signal under three conditions; everybody follows the display."""
    return run_study(dataclasses.replace(SMALL, seeds=(1, 2), conditions=(WITHOUT, DISPLAY, PERFECT)), jobs=2)


def test_runs_come_in_order_and_everybody_gets_through(fixed_study: list[StudyRun]):
    assert [(run.seed, run.condition) for run in fixed_study] == [
        (seed, condition) for seed in (1, 2) for condition in (WITHOUT, DISPLAY, PERFECT)
    ]
    for one in fixed_study:
        assert one.entered == len(one.passages) > 25


def test_the_same_seed_gives_the_same_passages(fixed_study: list[StudyRun]):
    again = run_study(SMALL, jobs=1)
    assert again[0].passages == fixed_study[0].passages
    assert again[1].passages == fixed_study[2].passages
    assert fixed_study[0].passages != fixed_study[3].passages


def test_a_perfect_display_saves_stops_on_a_fixed_signal(fixed_study: list[StudyRun]):
    figures = {(run.seed, run.condition): day_figures(run) for run in fixed_study}
    saved = [figures[seed, WITHOUT]["stop_share"] - figures[seed, PERFECT]["stop_share"] for seed in (1, 2)]
    # With everybody following, a quarter of all riders and more need not stop; a tenth is far from chance.
    assert all(one > 0 for one in saved)
    assert sum(saved) / 2 > 0.1


def test_our_display_saves_nearly_as_many(fixed_study: list[StudyRun]):
    effects = {row["condition"]: row for row in summarise(fixed_study)["effects"]}
    ours, perfect = (effects[name]["stop_share"]["difference"]["value"] for name in (DISPLAY, PERFECT))
    assert ours < -0.1
    assert ours == pytest.approx(perfect, abs=0.08)


def test_without_a_display_nobody_reads_one(fixed_study: list[StudyRun]):
    for one in fixed_study:
        advised = {passage["advice"] for passage in one.passages}
        if one.condition == WITHOUT:
            assert advised == {None}
        else:
            assert advised <= {"green", "red", "uncertain"} and {"green", "red"} <= advised


def test_riders_keep_their_own_pace_when_nothing_stops_them(fixed_study: list[StudyRun]):
    free = [
        one["delay_s"] for run in fixed_study for one in run.passages if run.condition == WITHOUT and not one["stops"]
    ]
    assert len(free) > 10
    # Steps of 0.4 s, and some brake before a red that turns green in time.
    assert min(free) > -0.5
    assert sorted(free)[len(free) // 4] < 1.0


def test_nobody_crosses_red_but_those_who_do_it_anyway(fixed_study: list[StudyRun]):
    lawful = dataclasses.replace(SMALL.model, early_red_share=0.0, any_red_share=0.0)
    for one in run_study(dataclasses.replace(SMALL, model=lawful), jobs=2):
        assert all(red_age_s(one, passage["crossed_s"]) is None for passage in one.passages)
    lawless = dataclasses.replace(SMALL.model, early_red_share=0.0, any_red_share=1.0)
    one = run_study(dataclasses.replace(SMALL, model=lawless, conditions=(WITHOUT,)), jobs=1)[0]
    figures = day_figures(one)
    assert figures["stop_share"] == 0
    assert figures["red_from_1_s_share"] > 0.5


def test_with_nobody_following_every_display_is_none():
    setup = dataclasses.replace(
        SMALL,
        model=dataclasses.replace(SMALL.model, compliance=0.0),
        signal="bus",
        conditions=(WITHOUT, DISPLAY, PERFECT, ARITHMETIC),
    )
    first, *others = (
        [{name: value for name, value in passage.items() if name != "advice"} for passage in one.passages]
        for one in run_study(setup, jobs=2)
    )
    assert len(first) > 25
    assert all(other == first for other in others)


def test_a_narrow_path_is_no_faster_than_a_wide_one():
    flows = []
    for width_m in (1.0, 4.0):
        setup = dataclasses.replace(
            SMALL,
            path=Path2D(width_m=width_m),
            model=dataclasses.replace(SMALL.model, flow_per_hour=900),
            conditions=(WITHOUT,),
        )
        flows.append(day_figures(run_study(setup, jobs=1)[0])["delay_s"])
    assert flows[0] > flows[1]


def record(file: Path, name: str, seed: int, duration_s: int) -> Recording:
    """Write a simulated signal's recording to a file."""
    recording = simulate(name, load_scenario(name)[1], seed, duration_s)
    with TraceWriter(file, recording.header) as writer:
        for message in recording.messages:
            writer.write(message.at_ms, message.topic, message.payload)
    return recording


def simulate_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert run(["flow", "simulate", *map(str, arguments), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_recording_is_ridden_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    trace, truth = tmp_path / "a.jsonl", tmp_path / "truth.json"
    recording = record(trace, "actuated", 5, 400)
    truth.write_text(json.dumps(recording.truth))
    options = ["--trace", trace, "--truth", truth, "--intersection", "49:1090", "--signal-group", 12, "--seeds", 1]
    result = simulate_json(capsys, *options, "--flow", 300, "--out", tmp_path / "out", "--jobs", 2)
    assert [row["condition"] for row in result["conditions"]] == list(study.CONDITIONS)
    assert "does not reproduce the field study" in result["statement"]
    words = " ".join(result["assumptions"])
    assert "the recording a.jsonl; the lamp did what truth.json says" in words
    assert "Compliance: 50% of the riders" in words and "no wind" in words
    assert str(tmp_path) not in json.dumps(result)
    assert json.loads((tmp_path / "out" / "study.json").read_text()) == result
    markdown = (tmp_path / "out" / "study.md").read_text()
    assert "| had to stop |" in markdown and "does not reproduce the field study" in markdown
    with open(tmp_path / "out" / "passages.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(row["got_through"] for row in result["conditions"])
    # What was written can be analysed like what was observed; the shares are the same.
    observed = ["flow", "observe", str(tmp_path / "out" / "passages.csv"), "--without", "without", "--with", "perfect"]
    assert run([*observed, "--json", "-"]) == 0
    again = {row["condition"]: row for row in json.loads(capsys.readouterr().out)["conditions"]}
    for row in result["conditions"]:
        riders = [day for day in result["days"] if day["condition"] == row["condition"]]
        stopped = sum(day["stop_share"] * day["got_through"] for day in riders)
        assert again[row["condition"]]["stop_share"]["value"] == pytest.approx(stopped / row["got_through"], abs=1e-6)


def test_the_table_is_followed_by_its_assumptions(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    trace = str(tmp_path / "b.jsonl")
    record(Path(trace), "bus_priority", 3, 400)
    arguments = ["flow", "simulate", "--trace", trace, "--intersection", "49:1090", "--signal-group", "12"]
    code = run([*arguments, "--seeds", "1", "--flow", "400", "--sprint", "22", "--condition", "display"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    assert (
        captured.out.index("had to stop") < captured.out.index("Assumptions") < captured.out.index("does not reproduce")
    )
    assert captured.out.split("\n")[0].split() == ["without", "display"]
    assert "Sprint is advised at 22 km/h" in captured.out
    assert "Note: " not in captured.out
    assert "the lamp did what the recording itself shows later" in captured.out


def test_holes_and_damage_of_a_recording_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    recording = simulate("fixed_time", load_scenario("fixed_time")[1], 2, 700)
    with TraceWriter(tmp_path / "c.jsonl", recording.header) as writer:
        for message in recording.messages:
            # Half a minute is missing, in which the colour changes.
            if not 300_000 <= message.at_ms - recording.truth["from_ms"] < 345_000:
                writer.write(message.at_ms, message.topic, message.payload)
    with open(tmp_path / "c.jsonl", "a") as file:
        file.write("{broken\n")
    options = ["--trace", tmp_path / "c.jsonl", "--intersection", "49:1090", "--signal-group", 12, "--seeds", 1]
    result = simulate_json(capsys, *options, "--condition", "without", "--out", tmp_path / "out")
    assert result["effects"] == []
    assert "c.jsonl, line 657" in result["notes"][0]
    assert result["notes"][1].startswith("Stretches in which nobody saw the lamp: 1, 4")
    markdown = (tmp_path / "out" / "study.md").read_text()
    assert "Note: Stretches in which" in markdown and "| change |" not in markdown


def test_a_dry_run_says_what_would_be_assumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    options = ["--dry-run", "--signal", "bus", "--coast", "40", "--group-size", "3", "--out", str(tmp_path / "out")]
    assert run(["flow", "simulate", *options]) == 0
    out = capsys.readouterr().out
    assert "scenario bus_priority" in out and "in groups of 3 on average, 1.2 s from one to the next" in out
    assert "within 40 m of the line coasts at 60%" in out
    assert not (tmp_path / "out").exists()


def test_the_display_stands_where_the_site_file_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    site = tmp_path / "site.toml"
    site.write_text(
        '[signal]\nintersection = "49:1090"\nsignal_group = 14\n[rider]\ndistance_m = 77\ncruise_kmh = 15\n'
    )
    assert run(["flow", "simulate", "--dry-run", "--site", str(site)]) == 0
    out = capsys.readouterr().out
    assert "stands 77 m before the stop line" in out
    assert "reckons with 15.0 km/h" in out and "Own speed 15.0 km/h" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trace", "x.jsonl", "--signal", "bus"], "--trace and --signal are two kinds of signal"),
        (["--truth", "x.json"], "--truth belongs to a recording; give it with --trace"),
        (["--trace", "x.jsonl", "--duration", "600"], "--duration is for generated signals"),
        (["--intersection", "49:7"], "a generated signal is intersection 49:1090"),
        (["--signal-group", "13"], "with the signal groups 1, 5, 12 and 14"),
        (["--early-red", "0.6", "--any-red", "0.6"], "together they are at most 1"),
        (["--compliance", "1.5"], "1.5 is not in the range"),
        (["--distance", "4"], "--distance is 4"),
    ],
)
def test_wrong_options_are_told(options: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    assert run(["flow", "simulate", *options]) == 2
    assert message in capsys.readouterr().err


def test_a_recording_that_is_too_short(tmp_path: Path):
    record(tmp_path / "short.jsonl", "fixed_time", 1, 120)
    with pytest.raises(InputError, match=r"short\.jsonl: too short; riders must be able to come for a minute"):
        run_study(dataclasses.replace(SMALL, trace=tmp_path / "short.jsonl"))


def test_a_truth_of_another_time(tmp_path: Path):
    truth = tmp_path / "truth.json"
    truth.write_text('{"from_ms": 0, "to_ms": 1000, "signal_groups": {"12": [[0, 3]]}}')
    with pytest.raises(InputError, match=r"truth\.json: is about another time than .*demo\.jsonl\.gz"):
        run_study(dataclasses.replace(SMALL, trace=DATA / "demo.jsonl.gz", truth_file=truth))


def test_sumo_is_asked_for_when_it_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "libsumo" else find_spec(name))
    assert run(["flow", "simulate"]) == 1
    assert "pip install 'leezenflow[flow]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "stderr", "message"),
    [
        (study.MISSING, "libGL.so.1: cannot open\n", "SUMO cannot be loaded (libGL.so.1: cannot open)"),
        (-11, "", "SUMO stopped in the middle (seed 1, exit code -11): it said nothing"),
        (1, "Traceback\nError: no route\n\n", "exit code 1): Error: no route"),
    ],
)
def test_a_sumo_that_fails_is_told(code: int, stderr: str, message: str, monkeypatch: pytest.MonkeyPatch):
    def fail(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, code, "", stderr)

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(LeezenflowError) as error:
        run_study(SMALL, jobs=1)
    assert message in str(error.value)


def test_nobody_is_sent_where_nobody_saw_the_lamp():
    day = study.generated_day(SMALL, 1)
    starts = day.truth.starts
    middle = (day.truth.from_ms + day.truth.to_ms) // 2
    index = day.truth.index_at(middle)
    day.truth.colours[index] = "unknown"
    hole = [(starts[index] - day.truth.from_ms) / 1000 - 60, (starts[index + 1] - day.truth.from_ms) / 1000 + 60]
    riders = study.send_riders(SMALL, day, 1)
    arrivals = [rider.enters_s + SMALL.path.approach_m / rider.speed_ms for rider in riders]
    assert riders and not any(hole[0] <= arrival <= hole[1] for arrival in arrivals)


def test_a_day_on_which_nobody_gets_through_has_no_figures(fixed_study: list[StudyRun]):
    empty = dataclasses.replace(fixed_study[0], passages=[])
    assert day_figures(empty)["stop_share"] is None
    result = summarise([empty, fixed_study[1]])
    assert result["conditions"][0]["stop_share"]["value"] is None
    assert result["effects"][0]["stop_share"]["difference"]["value"] is None


def test_the_light_at_a_crossing(fixed_study: list[StudyRun]):
    one = fixed_study[0]
    red = next(i for i, colour in enumerate(one.truth.colours) if colour == "red" and i > 2)
    at_s = (one.truth.starts[red] - one.truth.from_ms) / 1000
    assert (colour_at_crossing(one, at_s + 0.4), red_age_s(one, at_s + 0.4)) == ("red", pytest.approx(0.4))
    assert (colour_at_crossing(one, at_s - 0.4), red_age_s(one, at_s - 0.4)) == ("amber", None)
    assert colour_at_crossing(one, -1e6) == "none"
