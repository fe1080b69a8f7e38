# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/show_evaluation.py: a report for each recording and history of a folder, and their table."""

import importlib.util
import json
from pathlib import Path

import pytest
from dataset_recordings import write_scenario

ROOT = Path(__file__).resolve().parents[3]


def write_history(path: Path) -> None:
    """Twenty minutes of a signal head: 40 s red, 1 s red with amber, 15 s green, 4 s amber."""
    codes = " ".join(["1"] * 40 + ["4"] + ["3"] * 15 + ["2"] * 4)
    cycles = [
        {"Start": 1_680_768_000 + 60 * n, "End": 1_680_768_060 + 60 * n, "Results": f"[{codes}]"} for n in range(20)
    ]
    path.write_text(json.dumps({"Name": "30_6", "Cycles": [cycles]}))


def test_every_recording_has_its_report_and_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    spec = importlib.util.spec_from_file_location("show_evaluation", ROOT / "tools/show_evaluation.py")
    assert spec and spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    traces, histories, out = (tmp_path / name for name in ("traces", "histories", "out"))
    traces.mkdir()
    histories.mkdir()
    write_scenario(traces / "fixed-1.jsonl.gz", "fixed_time", 300)
    write_history(histories / "cycles_30_6.json")
    arguments = ["show", str(traces), "--histories", str(histories), "--out", str(out)]
    monkeypatch.setattr("sys.argv", arguments)
    tool.main()
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == ["recording", "---", "fixed-1", "30, group 6"]
    assert rows[2][2].startswith("0.00 / 0.00 / 9") and rows[2][4].endswith("/ 100.0")
    # Without forecast there is nothing to add up, and what is not measured is no nought.
    assert rows[3][4] == "–"
    for name in ("fixed-1", "histories"):
        assert (
            'lang="de"' in (out / f"{name}.de.html").read_text()
            and 'lang="en"' in (out / f"{name}.en.html").read_text()
        )
        assert (out / name / "results.csv").is_file()
