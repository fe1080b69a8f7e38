# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow evaluate`: figures from recordings, with a truth file and with what the recording shows itself."""

import json
from pathlib import Path

import pytest
from recordings import ORIGIN_MS, write_recording, write_truth

from leezenflow_host.cli import run

SIGNAL = ["--intersection", "49:1090", "--signal-group", "12"]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Ten minutes of a fixed program, and its truth."""
    program = write_recording(tmp_path / "t.jsonl", 600)
    write_truth(tmp_path / "truth.json", program, 600)
    return tmp_path


def figures_of(folder: Path, *arguments: str) -> dict[str, float]:
    """Run evaluate and return its JSON."""
    assert run(["evaluate", str(folder / "t.jsonl"), "--json", str(folder / "f.json"), *SIGNAL, *arguments]) == 0
    return json.loads((folder / "f.json").read_text())


def test_a_fixed_program_is_answered_and_right(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = figures_of(recording, "--truth", str(recording / "truth.json"))
    assert figures["wrong_colour_share"] == 0
    assert figures["answered_share"] > 0.97
    assert figures["remaining_mae_ms"] <= 150
    assert figures["flicker_ratio"] == 1.0
    shown = capsys.readouterr().out
    assert "wrong colour" in shown and "How honest the certainty is" in shown


def test_the_recording_itself_is_truth_where_none_is_given(recording: Path) -> None:
    given = figures_of(recording, "--truth", str(recording / "truth.json"))
    own = figures_of(recording)
    for name in ("wrong_colour_share", "answered_share"):
        assert abs(own[name] - given[name]) < 0.01, name


def test_a_truth_that_says_otherwise_makes_everything_wrong(recording: Path) -> None:
    truth = json.loads((recording / "truth.json").read_text())
    swapped = {3: 6, 4: 6, 6: 3, 8: 3}
    truth["signal_groups"]["12"] = [[at_ms, swapped[state]] for at_ms, state in truth["signal_groups"]["12"]]
    (recording / "wrong.json").write_text(json.dumps(truth))
    figures = figures_of(recording, "--truth", str(recording / "wrong.json"))
    assert figures["wrong_colour_share"] > 0.95
    assert figures["wrong_green_share"] > 0.2


def test_silences_are_dark_with_their_reason(tmp_path: Path) -> None:
    program = write_recording(tmp_path / "t.jsonl", 300, skip=(100, 160))
    write_truth(tmp_path / "truth.json", program, 300)
    figures = figures_of(tmp_path, "--truth", str(tmp_path / "truth.json"))
    assert 0.15 < figures["dark_share"] < 0.25
    reasons = json.loads((tmp_path / "f.json").read_text())["reason_shares"]
    assert set(reasons) <= {"dark: stale", "uncertain: doubtful"}


def test_what_was_learned_is_kept_and_used(recording: Path) -> None:
    memory = recording / "memory"
    figures_of(recording, "--memory", str(memory))
    first = memory.read_bytes()
    figures_of(recording, "--memory", str(memory))
    assert memory.read_bytes() != first
    assert not list(recording.glob(".*.part"))


def test_several_recordings_are_one_life(recording: Path) -> None:
    trace = str(recording / "t.jsonl")
    assert run(["evaluate", trace, trace, "--json", str(recording / "f.json"), *SIGNAL]) == 0
    results = json.loads((recording / "f.json").read_text())
    assert [result["trace"] for result in results] == [trace, trace]
    # Two receivers, or the same file twice: said, not merged.
    assert [[row["kind"] for row in result["problems"]] for result in results] == [[], ["overlap"]]
    assert f"the same 599 s as in {trace} are judged twice" in results[1]["problems"][0]["text"]


def test_a_place_that_cannot_be_written_is_named_before_the_work(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = str(recording / "t.jsonl")
    for option, name in (("--report", "none/r.html"), ("--json", "none/r.json"), ("--out", "t.jsonl/r")):
        assert run(["evaluate", trace, *SIGNAL, option, str(recording / name)]) == 2
        told = capsys.readouterr()
        assert not told.out and "ame another place" in " ".join(told.err.split())


def test_the_sweep_is_a_curve(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = json.loads(json.dumps(figures_of(recording, "--sweep")))
    answered = [row["answered_share"] for row in figures["sweep"][1:]]
    assert answered == sorted(answered)
    assert figures["sweep"][0]["max_wrong_percent"] is None
    assert "(default)" in capsys.readouterr().out


def test_json_on_the_standard_output_is_nothing_but_json(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", str(recording / "t.jsonl"), "--json", "-", *SIGNAL]) == 0
    assert "wrong_colour_share" in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"signal_groups": {"7": []}}, "it has 7"),
        ({"signal_groups": {"12": [["soon", 3]]}}, "signal_groups.12"),
        ({"from_ms": "early"}, "not a truth file"),
        ({"from_ms": ORIGIN_MS + 10**9, "to_ms": ORIGIN_MS + 2 * 10**9}, "no frame can be judged"),
    ],
)
def test_a_truth_file_that_does_not_fit_is_named(
    recording: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], words: str
) -> None:
    truth = json.loads((recording / "truth.json").read_text())
    (recording / "bad.json").write_text(json.dumps(truth | change))
    command = ["evaluate", str(recording / "t.jsonl"), "--truth", str(recording / "bad.json"), *SIGNAL]
    assert run([*command, "--memory", str(recording / "m")]) == 2
    assert words in capsys.readouterr().err
    assert not (recording / "m").exists()


def test_a_recording_without_the_signal_says_what_it_met(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = ["--intersection", "49:7", "--signal-group", "12"]
    assert run(["evaluate", str(recording / "t.jsonl"), *other]) == 2
    assert "other_signal" in capsys.readouterr().err
    two = ["evaluate", str(recording / "t.jsonl"), str(recording / "t.jsonl"), "--truth", "x", *SIGNAL]
    assert run(two) == 2
    assert "one recording" in capsys.readouterr().err


def test_a_recording_that_is_not_there_is_named_before_the_work(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = recording / "out.json"
    traces = [str(recording / "t.jsonl"), str(recording / "none.jsonl")]
    assert run(["evaluate", *traces, *SIGNAL, "--json", str(out)]) == 2
    assert "none.jsonl" in " ".join(capsys.readouterr().err.split())
    assert not out.exists()
