# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worked studies in docs/notebooks: they run from end to end, and what they show was stored."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    """tools/run_notebooks.py, as a module."""
    spec = importlib.util.spec_from_file_location("run_notebooks", ROOT / "tools/run_notebooks.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "docs/notebooks" / name).read_text(encoding="utf-8"))


def test_the_worked_study_runs_and_says_what_its_text_says(runner: ModuleType):
    variables = runner.run_notebook(read("does_a_display_help.ipynb"), "study")
    assert list(variables["accuracy"].frame()["intersection"]) == ["49:1090"]
    effects = variables["effects"].set_index(["condition", "figure"])
    assert effects.loc[("display", "stop_share"), "value"] < 0
    nobody = variables["nobody"].days()
    assert nobody["stop_share"].nunique() == 1 and nobody["delay_s"].nunique() == 1
    simulated, row = effects.loc[("display", "stop_share")], variables["row"]
    assert row["low"] < simulated["low"] and row["high"] > simulated["high"]
    assert any("does not reproduce" in sentence for sentence in variables["study"].assumptions)


def test_there_is_a_notebook():
    assert [path.name for path in NOTEBOOKS] == ["does_a_display_help.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_was_run(path: Path, runner: ModuleType):
    notebook = read(path.name)
    assert notebook["nbformat"] == 4
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert all(cell["outputs"] for cell in cells)


def test_a_cell_gives_what_it_printed_and_its_last_value(runner: ModuleType):
    variables: dict[str, Any] = {}
    assert runner.run_cell("print('a')\nx = 2\nx + 1", variables, "cell") == ("a\n", 3)
    assert runner.run_cell("y = x", variables, "cell") == ("", None)
    assert variables["y"] == 2
    with pytest.raises(ZeroDivisionError):
        runner.run_cell("1 / 0", variables, "cell")


def test_notebooks_are_written_with_their_outputs(
    tmp_path: Path, runner: ModuleType, capsys: pytest.CaptureFixture[str]
):
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": ["print(1)\n", "2"]}
    text = {"cell_type": "markdown", "metadata": {}, "source": ["words"]}
    file = tmp_path / "n.ipynb"
    file.write_text(json.dumps({"cells": [text, cell], "nbformat": 4}))
    runner.main([str(file)])
    outputs = json.loads(file.read_text())["cells"][1]["outputs"]
    assert outputs[0] == {"output_type": "stream", "name": "stdout", "text": ["1\n"]}
    assert outputs[1]["data"] == {"text/plain": ["2"]}
    assert "n.ipynb: run" in capsys.readouterr().out
