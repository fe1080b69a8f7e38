# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ingesting makes of recordings, good and bad: nothing is lost, and nothing odd is passed over in silence."""

import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dataset_recordings import make_dataset, write_messages, write_scenario
from recordings import ORIGIN_MS

from leezenflow_host.capture import resuming
from leezenflow_host.cli import run
from leezenflow_host.dataset import ingestion
from leezenflow_host.dataset.ingestion import ingest
from leezenflow_host.dataset.ledger import read_ledger
from leezenflow_host.dataset.reading import NEVER, Dataset
from leezenflow_host.dataset.sources import SourceOptions
from leezenflow_host.trace import TraceHeader, TraceReader, TraceWriter

PLACE = ("49:1090", 12)
SIGNAL = ["--intersection", "49:1090", "--signal-group", "12"]
DAY_MS = 86_400_000


def kinds(dataset: Path) -> dict[str, int]:
    """How many problems of each kind a dataset knows."""
    found: dict[str, int] = {}
    for row in Dataset(dataset).problems():
        found[row["kind"]] = found.get(row["kind"], 0) + row["count"]
    return found


def arrivals(dataset: Path) -> list[int]:
    """Every arrival of the test's group, in order."""
    return [at_ms for part in Dataset(dataset).source(*PLACE).read() for at_ms in part.at_ms.tolist()]


def test_every_arrival_is_kept_and_each_state_once(tmp_path: Path):
    trace = write_messages(tmp_path / "a.jsonl", range(300))
    summary = make_dataset(tmp_path / "ds", trace)
    assert not summary.problems and not summary.failed
    with TraceReader(trace) as reader:
        assert arrivals(tmp_path / "ds") == [message.at_ms for message in reader]
    (part,) = Dataset(tmp_path / "ds").source(*PLACE).read()
    runs = len(part.offsets) - 1
    assert runs < 40 and part.run.tolist() == sorted(part.run.tolist())
    (states,) = (tmp_path / "ds/states").rglob("*.parquet")
    rows = pq.ParquetFile(states).read().to_pylist()
    assert sum(row["messages"] for row in rows) == 300
    assert all(row["max_gap_ms"] == (1000 if row["messages"] > 1 else 0) for row in rows)
    assert all(row["last_at_ms"] - row["first_at_ms"] == 1000 * (row["messages"] - 1) for row in rows)
    assert {row["event_state"] for row in rows} == {3, 4, 6, 8}
    first = rows[0]
    assert first["likely_end_at_ms"][0] - ORIGIN_MS == 40_000
    assert first["likely_end_at_ms"] == first["min_end_at_ms"] == first["max_end_at_ms"]
    assert set(first["confidence"]) == {15}


def test_days_and_intersections_are_folders(tmp_path: Path):
    trace = tmp_path / "a.jsonl"
    until_midnight = (DAY_MS - ORIGIN_MS % DAY_MS) // 1000
    write_messages(trace, range(until_midnight - 30, until_midnight + 30))
    make_dataset(tmp_path / "ds", trace)
    folders = sorted(
        path.parent.relative_to(tmp_path / "ds").as_posix() for path in (tmp_path / "ds").rglob("*.parquet")
    )
    assert [folder for folder in folders if folder != "problems"] == [
        "messages/intersection=49%3A1090/day=2023-04-06",
        "messages/intersection=49%3A1090/day=2023-04-07",
        "states/intersection=49%3A1090/day=2023-04-06",
        "states/intersection=49%3A1090/day=2023-04-07",
    ]
    assert len(arrivals(tmp_path / "ds")) == 60
    for file in (tmp_path / "ds").rglob("*.parquet"):
        assert pq.read_schema(file).metadata[b"leezenflow_dataset"] == b"1"


def test_running_again_adds_only_what_is_new(tmp_path: Path):
    first = write_messages(tmp_path / "a.jsonl", range(60))
    make_dataset(tmp_path / "ds", first)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "ds").rglob("*.parquet")}
    second = write_messages(tmp_path / "b.jsonl", range(60, 120))
    summary = make_dataset(tmp_path / "ds", first, second)
    assert summary.known == [first] and [entry.name for entry in summary.added] == ["b.jsonl"]
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())
    assert len(arrivals(tmp_path / "ds")) == 120
    assert not (tmp_path / "ds/.staging").exists()


def test_the_same_file_under_two_names_counts_once(tmp_path: Path):
    first = write_messages(tmp_path / "a.jsonl", range(60))
    second = tmp_path / "b.jsonl"
    second.write_bytes(first.read_bytes())
    summary = make_dataset(tmp_path / "ds", first, second)
    assert len(summary.added) == 1 and summary.known == [second]


def test_a_recording_that_has_grown_adds_its_new_part(tmp_path: Path):
    trace = write_messages(tmp_path / "a.jsonl", range(60))
    make_dataset(tmp_path / "ds", trace)
    write_messages(trace, range(100))
    summary = make_dataset(tmp_path / "ds", trace)
    assert summary.added[0].duplicates == 60 and summary.added[0].overlapped == 0
    assert kinds(tmp_path / "ds") == {"overlap": 60}
    times = arrivals(tmp_path / "ds")
    assert len(times) == len(set(times)) == 100 and times == sorted(times)


def test_of_two_receivers_the_first_counts(tmp_path: Path):
    first = write_messages(tmp_path / "a.jsonl", range(60))
    second = write_messages(tmp_path / "b.jsonl", range(30, 90), delay_ms=350)
    summary = make_dataset(tmp_path / "ds", second, first)
    entry = next(entry for entry in summary.added if entry.name == "b.jsonl")
    assert (entry.duplicates, entry.overlapped) == (0, 29)
    text = next(row["text"] for row in Dataset(tmp_path / "ds").problems() if row["kind"] == "overlap")
    assert "29 others came while that was recorded and are left out" in text
    assert "0 messages are in a.jsonl already" in text
    parts = list(Dataset(tmp_path / "ds").source(*PLACE).read())
    assert [len(part.at_ms) for part in parts] == [60, 31]
    # What is left of the states of the second still fits its messages.
    assert (parts[1].run >= 0).all()
    assert parts[1].likely_end[parts[1].offsets[parts[1].run[0]]] != NEVER


def test_a_file_cut_off_gives_what_is_whole(tmp_path: Path):
    trace = write_messages(tmp_path / "a.jsonl.gz", range(200))
    whole = trace.read_bytes()
    trace.write_bytes(whole[: len(whole) // 2])
    summary = make_dataset(tmp_path / "ds", trace)
    assert not summary.failed
    assert kinds(tmp_path / "ds") == {"cut_off": 1}
    assert 50 < len(arrivals(tmp_path / "ds")) < 200


def test_damaged_lines_and_messages_are_named_by_line(tmp_path: Path):
    trace = write_messages(tmp_path / "a.jsonl", range(30))
    lines = trace.read_text().splitlines()
    lines[5] = lines[5][:40]
    lines[9] = json.dumps({"at_ms": ORIGIN_MS + 9_100, "topic": "", "payload": "<DATA>"})
    trace.write_text("\n".join(lines) + "\n")
    make_dataset(tmp_path / "ds", trace)
    rows = {row["kind"]: row for row in Dataset(tmp_path / "ds").problems()}
    assert rows["damaged_line"]["line"] == 6 and rows["unreadable_message"]["line"] == 10
    assert rows["unreadable_message"]["source"] == "a.jsonl"
    assert len(arrivals(tmp_path / "ds")) == 28


def test_silences_and_missing_hours_are_named(tmp_path: Path):
    trace = write_messages(tmp_path / "a.jsonl", [*range(30), *range(130, 160), *range(8000, 8030)])
    make_dataset(tmp_path / "ds", trace)
    assert kinds(tmp_path / "ds") == {"silence": 1, "missing_hours": 1}
    rows = {row["kind"]: row for row in Dataset(tmp_path / "ds").problems()}
    assert rows["silence"]["to_ms"] - rows["silence"]["from_ms"] == 101_000
    assert "2.2 hours" in rows["missing_hours"]["text"]


def join(path: Path, *parts: Path) -> Path:
    """One recording behind the other."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_a_recorder_clock_that_was_set_back_is_named(tmp_path: Path):
    parts = write_messages(tmp_path / "1.jsonl", range(600, 630)), write_messages(tmp_path / "2.jsonl", range(30))
    make_dataset(tmp_path / "ds", join(tmp_path / "a.jsonl", *parts))
    (row,) = Dataset(tmp_path / "ds").problems()
    assert row["kind"] == "clock_jump" and "went back by 629 s" in row["text"]
    assert sorted(arrivals(tmp_path / "ds")) == [ORIGIN_MS + s * 1000 + 100 for s in [*range(30), *range(600, 630)]]


def test_a_controller_clock_that_jumps_is_named(tmp_path: Path):
    parts = (
        write_messages(tmp_path / "1.jsonl", range(30)),
        write_messages(tmp_path / "2.jsonl", range(30, 60), clock_ms=-40_000),
    )
    make_dataset(tmp_path / "ds", join(tmp_path / "a.jsonl", *parts))
    (row,) = Dataset(tmp_path / "ds").problems()
    assert row["kind"] == "clock_jump" and "+40.0 s more from here on" in row["text"]


def test_mixed_time_zones_are_named(tmp_path: Path):
    parts = (
        write_messages(tmp_path / "1.jsonl", range(30)),
        write_messages(tmp_path / "2.jsonl", range(30, 60), clock_ms=7_200_000),
    )
    make_dataset(tmp_path / "ds", join(tmp_path / "a.jsonl", *parts))
    (row,) = Dataset(tmp_path / "ds").problems()
    assert row["kind"] == "time_zone" and "time zone" in row["text"]
    make_dataset(tmp_path / "ds2", write_messages(tmp_path / "b.jsonl", range(30), clock_ms=3_600_000))
    (row,) = Dataset(tmp_path / "ds2").problems()
    assert row["kind"] == "time_zone" and "-1.00 h: one of them is not set to UTC" in row["text"]


def test_a_group_without_colour_is_named_and_not_evaluated(tmp_path: Path):
    trace = write_messages(tmp_path / "a.jsonl", range(30))
    text = trace.read_text()
    for state in (3, 4, 6, 8):
        text = text.replace(f"<eventState>{state}<", "<eventState>1<")
    trace.write_text(text)
    make_dataset(tmp_path / "ds", trace)
    (row,) = Dataset(tmp_path / "ds").problems()
    assert (row["kind"], row["signal_group"], row["intersection"]) == ("empty_group", 12, "49:1090")
    assert Dataset(tmp_path / "ds").groups() == []


def test_many_problems_of_a_kind_are_counted(tmp_path: Path):
    trace = write_messages(tmp_path / "a.jsonl", range(5))
    with TraceWriter(trace, TraceHeader("spatem_xml", "made for a test"), append=True) as writer:
        for number in range(400):
            writer.write(ORIGIN_MS + 6_000 + number, "", b"<no>")
    make_dataset(tmp_path / "ds", trace)
    rows = Dataset(tmp_path / "ds").problems()
    assert len(rows) == 101 and kinds(tmp_path / "ds") == {"unreadable_message": 400}
    assert "counted in this row" in rows[-1]["text"]


def test_processes_give_the_same_files(tmp_path: Path):
    paths = [write_scenario(tmp_path / f"{seed}.jsonl", "actuated", 40, seed) for seed in (1, 2)]
    paths[1] = write_messages(tmp_path / "x.jsonl", range(3600, 3660))
    make_dataset(tmp_path / "one", *paths)
    assert run(["ingest", *map(str, paths), "--out", str(tmp_path / "two"), "--jobs", "2"]) == 0
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.parquet"))
    assert files
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    trace = write_messages(tmp_path / "a.jsonl", range(60))
    assert run(["ingest", str(trace), "--out", str(tmp_path / "ds"), "--dry-run"]) == 0
    assert "would become" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl"]
    make_dataset(tmp_path / "ds", trace)
    files = sorted((tmp_path / "ds").rglob("*"))
    other = write_messages(tmp_path / "b.jsonl", range(30, 90))
    assert run(["ingest", str(other), "--out", str(tmp_path / "ds"), "--dry-run"]) == 0
    assert "30 messages are in" in capsys.readouterr().err
    assert sorted((tmp_path / "ds").rglob("*")) == files


def test_a_folder_is_searched_and_a_bad_file_does_not_stop_the_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "in/deep").mkdir(parents=True)
    write_messages(tmp_path / "in/deep/a.jsonl.zst", range(30))
    (tmp_path / "in/bad.jsonl").write_text("nonsense\n")
    (tmp_path / "in/readme.txt").write_text("no recording")
    assert run(["ingest", str(tmp_path / "in"), "--out", str(tmp_path / "ds"), "--jobs", "1"]) == 1
    shown = capsys.readouterr().err
    assert "bad.jsonl, line 1: not a Leezenflow recording" in shown
    assert "1 files" in shown and "1 could not be used" in shown
    assert kinds(tmp_path / "ds") == {"failed_file": 1}
    # A failed file is tried again, a good one is not.
    assert run(["ingest", str(tmp_path / "in"), "--out", str(tmp_path / "ds"), "--jobs", "1"]) == 1
    assert "1 were there already, 1 could not be used" in capsys.readouterr().err
    assert len(arrivals(tmp_path / "ds")) == 30


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{tmp}/none.jsonl"], "there is no such file"),
        (["{tmp}/empty"], "there is no recording in it"),
        (["{tmp}/a.jsonl", "--adapter", "spatem_xm"], "there is no such adapter"),
        (["{tmp}/a.jsonl", "--intersection", "4x"], "write [REGION:]ID"),
    ],
)
def test_wrong_usage_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str):
    (tmp_path / "empty").mkdir()
    write_messages(tmp_path / "a.jsonl", range(3))
    filled = [argument.format(tmp=tmp_path) for argument in arguments]
    assert run(["ingest", *filled, "--out", str(tmp_path / "ds")]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_folder_that_is_no_dataset_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    trace = write_messages(tmp_path / "a.jsonl", range(3))
    assert run(["ingest", str(trace), "--out", str(tmp_path)]) == 2
    assert "is no dataset, and not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_feeds_that_do_not_say_where_they_are_from_need_to_be_told(tmp_path: Path):
    root = Path(__file__).resolve().parents[2] / "traces"
    for adapter, said in (("rsmp", "--intersection"), ("sensorthings", "--signal-group"), ("tscbm", "--intersection")):
        summary = make_dataset(tmp_path / adapter, root / f"{adapter}.jsonl.gz")
        assert said in (summary.failed[0].failed or "")
        options = SourceOptions(None, "7", 3)
        summary = make_dataset(tmp_path / adapter, root / f"{adapter}.jsonl.gz", options=options)
        assert not summary.failed and {place for place, _ in Dataset(tmp_path / adapter).groups()} == {"7"}


def test_the_ledger_tells_what_each_source_gave(tmp_path: Path):
    trace = write_messages(tmp_path / "a.jsonl", range(60))
    make_dataset(tmp_path / "ds", trace)
    (entry,) = read_ledger(tmp_path / "ds")
    assert (entry.name, entry.adapter, entry.messages, entry.unreadable) == ("a.jsonl", "spatem_xml", 60, 0)
    assert entry.parts[0].stretches == [[ORIGIN_MS + 100, ORIGIN_MS + 59_100]]
    (tmp_path / "ds/sources" / f"{entry.source}.json").write_text("{")
    with pytest.raises(Exception, match=r"damaged.*ingest .* again"):
        read_ledger(tmp_path / "ds")


def test_a_history_of_hamburg_becomes_states_and_signs_of_life(tmp_path: Path):
    codes = [1] * 20 + [4] + [3] * 15 + [2] * 3 + [1] * 21
    cycle = {"Start": ORIGIN_MS // 1000, "End": ORIGIN_MS // 1000 + 60, "Results": str(codes).replace(",", "")}
    path = tmp_path / "cycles_30_6.json"
    path.write_text(json.dumps({"Name": "30_6", "Cycles": [[cycle]]}))
    make_dataset(tmp_path / "ds", path)
    assert Dataset(tmp_path / "ds").groups() == [("30", 6)]
    (part,) = Dataset(tmp_path / "ds").source("30", 6).read()
    told = part.run >= 0
    assert part.states.tolist() == [3, 4, 5, 7, 3]
    assert ((part.start - ORIGIN_MS) // 1000).tolist() == [0, 20, 21, 36, 39]
    assert (part.heartbeat == ~told).all() and part.on_change.all()
    path.write_text('{"Name": "30-6", "Cycles": []}')
    assert "node_connection" in (make_dataset(tmp_path / "ds2", path).failed[0].failed or "")


def test_a_damaged_part_is_named_with_the_next_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make_dataset(tmp_path / "ds", write_messages(tmp_path / "a.jsonl", range(90)))
    (states,) = (tmp_path / "ds/states").rglob("*.parquet")
    states.write_bytes(states.read_bytes()[:-20])
    assert run(["evaluate", str(tmp_path / "ds"), *SIGNAL, "--jobs", "1"]) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert "cannot be read" in shown and "ingest it again" in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [('{"leezenflow_dataset": 99}', "not known to this program"), ("{", "damaged"), ('{"other": 1}', "damaged")],
)
def test_a_dataset_of_another_form_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str):
    trace = write_messages(tmp_path / "a.jsonl", range(30))
    make_dataset(tmp_path / "ds", trace)
    (tmp_path / "ds/dataset.json").write_text(text)
    for arguments in (["evaluate", str(tmp_path / "ds")], ["ingest", str(trace), "--out", str(tmp_path / "ds")]):
        assert run(arguments) == 2
        assert said in " ".join(capsys.readouterr().err.split())


def test_two_programs_do_not_add_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    trace = write_messages(tmp_path / "a.jsonl", range(30))
    make_dataset(tmp_path / "ds", trace)
    lock = resuming.lock(tmp_path / "ds/.lock")
    try:
        assert run(["ingest", str(trace), "--out", str(tmp_path / "ds")]) == 1
        assert "another program is adding to this dataset" in capsys.readouterr().err
    finally:
        os.close(lock)


def test_what_is_broken_off_leaves_a_dataset_that_can_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    paths = [write_messages(tmp_path / f"{number}.jsonl", range(number * 60, number * 60 + 60)) for number in range(3)]

    def break_off(path: Path) -> None:
        if path == paths[1]:
            raise KeyboardInterrupt

    monkeypatch.setattr(ingestion, "CHUNK", 1)
    with pytest.raises(KeyboardInterrupt):
        ingest(paths, tmp_path / "ds", SourceOptions(), done=break_off)
    assert not (tmp_path / "ds/.staging").exists()
    assert [entry.name for entry in read_ledger(tmp_path / "ds")] == ["0.jsonl"]
    summary = make_dataset(tmp_path / "ds", *paths)
    assert summary.known == paths[:1] and len(summary.added) == 2
    assert len(arrivals(tmp_path / "ds")) == 180
