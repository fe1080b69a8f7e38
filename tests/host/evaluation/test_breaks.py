# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clocks that were set, months of silence, mixed time zones: named in the result, and no figure is false for it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from dataset_recordings import make_dataset
from recordings import ORIGIN_MS, message

from leezenflow.board import Site
from leezenflow.engine import Engine
from leezenflow_host.cli import run
from leezenflow_host.dataset.reading import Dataset
from leezenflow_host.evaluation.group_evaluation import PLAIN, Against, GroupJob, evaluate_group
from leezenflow_host.replay import build_decoder, is_break, replay_frames
from leezenflow_host.trace import TraceHeader, TraceMessage, TraceWriter
from signals import Program

SITE = Site(12, 1090, 49, cruise_ms=10_000, adapter="spatem_xml")
SIGNAL = ["--intersection", "49:1090", "--signal-group", "12"]
DAY_S = 86_400


def write_stretches(path: Path, *stretches: tuple[Iterable[int], int]) -> Path:
    """A message for each second of each (seconds, how far the recorder's clock is off in s)."""
    program = Program(0)
    with TraceWriter(path, TraceHeader("spatem_xml", "made for a test")) as writer:
        for seconds, off_s in stretches:
            for second in seconds:
                at_ms = ORIGIN_MS + second * 1_000
                writer.write(at_ms + 100 + off_s * 1_000, "/spat/1090", message(program, at_ms))
    return path


def judged(path: Path) -> dict[str, Any]:
    return evaluate_group(GroupJob(path, "49:1090", 12, "a", SITE, Against(PLAIN, "plain arithmetic")))


def kinds(result: dict[str, Any]) -> dict[str, int]:
    return {row["kind"]: row["count"] for row in result["problems"]}


@pytest.mark.parametrize(
    ("off_s", "named"),
    [
        (-120, {"clock_jump": 1}),
        (-5, {"clock_jump": 1}),
        (-3600, {"clock_jump": 1}),
        # Ahead it looks like a silence at first.
        (3600, {"missing_hours": 1, "time_zone": 1}),
        (-ORIGIN_MS // 1000, {"clock_jump": 1, "clock_offset": 1}),
        (400 * DAY_S, {"clock_jump": 1, "missing_hours": 1}),
    ],
)
def test_a_recorders_clock_that_is_set(tmp_path: Path, off_s: int, named: dict[str, int]):
    trace = write_stretches(tmp_path / "t.jsonl", (range(300), 0), (range(300, 700), off_s))
    result = judged(trace)
    assert {kind: count for kind, count in kinds(result).items() if kind in named} == named
    assert all(f"{trace}, " in row["text"] and " UTC: " in row["text"] for row in result["problems"])
    assert result["wrong_colour_share"] == 0
    assert result["answered_share"] > 0.9
    assert result["data"]["messages"] == 700
    # Not a frame for each tenth of a second of a year; and what was recorded is judged but for its edges.
    assert 5_000 < result["frames"] < 46_000


def test_years_before_the_clock_was_set_are_no_silence(tmp_path: Path):
    trace = write_stretches(tmp_path / "t.jsonl", (range(300), 1_000 - ORIGIN_MS // 1_000), (range(300, 700), 0))
    result = judged(trace)
    assert set(kinds(result)) == {"clock_jump", "clock_offset", "missing_hours"}
    assert result["frames"] < 7_000 and result["wrong_colour_share"] == 0


def test_a_dataset_says_the_same_of_a_clock_that_was_set_back(tmp_path: Path):
    trace = write_stretches(tmp_path / "t.jsonl", (range(300), 0), (range(300, 700), -200))
    make_dataset(tmp_path / "ds", trace)
    dataset = Dataset(tmp_path / "ds")
    stored = evaluate_group(
        GroupJob(dataset.source("49:1090", 12), "49:1090", 12, "a", SITE, Against(PLAIN, "plain arithmetic"))
    )
    result = judged(trace)
    for name in ("trace", "problems", "messages", "memory", "message_counts"):
        del result[name], stored[name]
    assert result == stored
    assert result["wrong_colour_share"] == 0 and result["comparison"]["rows"][0]["against"] < 0.02


def test_a_truth_file_cannot_belong_to_both_sides_of_a_jump(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    trace = write_stretches(tmp_path / "t.jsonl", (range(100), 0), (range(100, 200), -7_000))
    truth = {"from_ms": ORIGIN_MS, "to_ms": ORIGIN_MS + 100_000, "signal_groups": {"12": [[ORIGIN_MS, 3]]}}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    assert run(["evaluate", str(trace), *SIGNAL, "--truth", str(tmp_path / "truth.json")]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "line 102: the recorder's clock jumps by -6999 s" in said and "Leave --truth out" in said


def test_a_replay_begins_anew_behind_a_break():
    program = Program(0)
    times = [
        *range(0, 20_000, 1_000),
        *range(3 * DAY_S * 1_000, 3 * DAY_S * 1_000 + 20_000, 1_000),
        *range(0, 5_000, 1_000),
    ]
    messages = [TraceMessage(ORIGIN_MS + at, "", message(program, ORIGIN_MS + at)) for at in times]
    frames = [
        (at_ms - ORIGIN_MS, advice.kind) for at_ms, advice in replay_frames(messages, Engine(SITE, build_decoder(SITE)))
    ]
    instants = [at_ms for at_ms, _ in frames]
    day = 3 * DAY_S * 1_000
    assert instants == [*range(0, 19_001, 100), *range(day, day + 19_001, 100), *range(0, 4_001, 100)]
    # Behind a break nothing is claimed from before.
    assert frames[190][1] != "dark" and frames[191][1] == "dark" and frames[190 + 191][1] != "dark"


@pytest.mark.parametrize(
    ("step_ms", "broken"),
    [(0, False), (-60_000, False), (-60_001, True), (DAY_S * 1_000, False), (DAY_S * 1_000 + 1, True)],
)
def test_what_is_a_break(step_ms: int, broken: bool):
    assert is_break(ORIGIN_MS, ORIGIN_MS + step_ms) is broken


def test_unreadable_messages_and_a_cut_file_are_named(tmp_path: Path):
    trace = write_stretches(tmp_path / "t.jsonl", (range(200), 0))
    lines = trace.read_bytes().splitlines(keepends=True)
    spoiled = lines[50].replace(b"</DATA>", b"").replace(b"</SPAT>", b"")
    trace.write_bytes(b"".join([*lines[:50], spoiled, *lines[51:-1], lines[-1][:100]]))
    result = judged(trace)
    assert kinds(result) == {"cut_off": 1, "unreadable_message": 1}
    assert result["data"]["messages"] == 198
