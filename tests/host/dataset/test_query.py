# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions in SQL: answered in three forms, understood when they are wrong, and unable to change or reach anything."""

import csv
import io
import json
from pathlib import Path

import pytest
from dataset_recordings import make_dataset, write_messages

from leezenflow_host.cli import run


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings of two minutes, a silence between them, and results in the folder `results` beside it."""
    folder = tmp_path_factory.mktemp("it's")
    make_dataset(folder / "ds", write_messages(folder / "a.jsonl", [*range(120), *range(300, 420)]))
    assert run(["evaluate", str(folder / "ds"), "--jobs", "1", "--out", str(folder / "results")]) == 0
    return folder / "ds"


def ask(sql: str, *paths: Path, style: str = "json") -> str:
    """Run a query that must work; returns nothing, the output is captured."""
    assert run(["query", sql, *map(str, paths), "--format", style]) == 0
    return sql


def test_tables_of_a_dataset(dataset: Path, capsys: pytest.CaptureFixture[str]):
    ask("SELECT intersection, day, signal_group, sum(messages) AS n FROM states GROUP BY ALL", dataset)
    assert json.loads(capsys.readouterr().out) == [
        {"intersection": "49:1090", "day": "2023-04-06", "signal_group": 12, "n": 240}
    ]
    ask(
        "SELECT count(*) AS n FROM states s JOIN messages m ON m.source = s.source AND m.at_ms = s.first_at_ms", dataset
    )
    (row,) = json.loads(capsys.readouterr().out)
    ask("SELECT count(*) AS n FROM states", dataset)
    assert json.loads(capsys.readouterr().out) == [row]
    ask("SELECT kind, count FROM problems", dataset, style="csv")
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [["kind", "count"], ["silence", "1"]]


def test_tables_of_results_alone_and_beside_a_dataset(dataset: Path, capsys: pytest.CaptureFixture[str]):
    results = dataset.parent / "results"
    ask("SELECT wrong_colour_share AS wrong FROM results", results)
    assert 0 <= json.loads(capsys.readouterr().out)[0]["wrong"] < 0.01
    ask(
        "SELECT (SELECT count(*) FROM problems) AS ours, (SELECT count(*) FROM result_problems) AS theirs",
        dataset,
        results,
    )
    assert json.loads(capsys.readouterr().out) == [{"ours": 1, "theirs": 1}]
    ask("SELECT name FROM comparison", results, style="table")
    assert "No rows." in capsys.readouterr().err


def test_without_a_path_the_current_folder_is_asked(
    dataset: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(dataset)
    ask("SHOW TABLES", style="table")
    assert capsys.readouterr().out.split() == ["name", "messages", "problems", "states"]
    ask("DESCRIBE states", style="table")
    assert "likely_end_at_ms" in capsys.readouterr().out


def test_a_long_answer_is_cut_on_a_terminal_only(dataset: Path, capsys: pytest.CaptureFixture[str]):
    ask("SELECT * FROM range(1500)", dataset, style="table")
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1001 and "--format csv gives all" in captured.err
    ask("SELECT * FROM range(1500)", dataset, style="csv")
    assert len(capsys.readouterr().out.splitlines()) == 1501


def test_an_empty_dataset_has_empty_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make_dataset(tmp_path / "ds")
    ask("SELECT count(*) AS n FROM states", tmp_path / "ds")
    assert json.loads(capsys.readouterr().out) == [{"n": 0}]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM nothing", "Tables here: messages, problems, states"),
        ("SELEC 1", "syntax error"),
        ("SELECT nothing FROM states", "DESCRIBE TABLENAME"),
        ("SELECT 1; SELECT 2", "2 statements: ask one question"),
        ("", "0 statements"),
        ("DROP VIEW states", "nothing can be changed"),
        ("CREATE TABLE x AS SELECT 1", "nothing can be changed"),
        ("COPY states TO '{outside}/x.csv'", "nothing can be changed"),
        ("ATTACH '{outside}/x.db'", "nothing can be changed"),
        ("INSTALL httpfs", "nothing can be changed"),
        ("SET enable_external_access = true", "nothing can be changed"),
        ("SELECT * FROM read_csv('{outside}/a.jsonl')", "Only the tables named on the command line"),
        ("SELECT * FROM 'https://example.org/x.parquet'", "Only the tables named on the command line"),
        ("SELECT error('x')", "SQL:"),
    ],
)
def test_what_cannot_be_asked_is_said(dataset: Path, capsys: pytest.CaptureFixture[str], sql: str, said: str):
    before = sorted(dataset.parent.rglob("*"))
    assert run(["query", sql.format(outside=str(dataset.parent).replace("'", "''")), str(dataset)]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert sorted(dataset.parent.rglob("*")) == before


def test_a_folder_that_holds_neither_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["query", "SELECT 1", str(tmp_path)]) == 2
    assert "neither a dataset" in capsys.readouterr().err
