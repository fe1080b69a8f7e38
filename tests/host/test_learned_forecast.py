# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool that judges the learned forecast, on an invented history: through the adapter, the core and the scoring."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from leezenflow_host.trace import TraceReader

ROOT = Path(__file__).resolve().parents[2]
CYCLE = [1] * 28 + [4] + [3] * 18 + [2] * 3


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("learned_forecast", ROOT / "tools/learned_forecast.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_history(folder: Path, cycles: int) -> Path:
    """Two hours (short ones) of a signal with a cycle of 50 s, in the form of the study."""
    begins = (1_695_895_200, 1_696_500_000)
    results = f"[{' '.join(map(str, CYCLE))}]"
    hours = [
        [{"Start": begin + 50 * i, "End": begin + 50 * i + 50, "Results": results} for i in range(cycles)]
        for begin in begins
    ]
    path = folder / "cycles_1_1_4_12.json"
    path.write_text(json.dumps({"Name": "1_1", "Cycles": hours}))
    return path


def test_a_fixed_program_is_learned_and_remembered(tmp_path: Path, tool: ModuleType):
    cold, warm = tool.judge_hours(write_history(tmp_path, 30), 10, 2, tmp_path)
    assert cold["answered_share"] > 0.5
    assert warm["answered_share"] > cold["answered_share"]
    assert cold["wrong_colour_share"] < 0.01
    assert warm["wrong_colour_share"] < 0.01
    assert "uncertain: learning" in cold["reason_shares"]
    assert "uncertain: learning" not in warm["reason_shares"]
    with TraceReader(tmp_path / "cycles_1_1_4_12_0.jsonl.gz", strict=True) as trace:
        assert trace.header.adapter == "sensorthings"
        assert json.loads(next(iter(trace)).payload)["result"] == 1


def test_a_display_without_signs_of_life_says_nothing_for_most_of_the_time(tmp_path: Path, tool: ModuleType):
    for figures in tool.judge_hours(write_history(tmp_path, 30), 10, 3_600, None):
        assert figures["dark_share"] > 0.5


def test_a_gap_in_a_history_is_named(tmp_path: Path, tool: ModuleType):
    path = write_history(tmp_path, 3)
    history = json.loads(path.read_text())
    history["Cycles"][0][2]["Start"] += 1
    path.write_text(json.dumps(history))
    with pytest.raises(AssertionError, match="a gap before 1695895301"):
        list(tool.read_hours(path))
