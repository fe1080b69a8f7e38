# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flow for notebooks: the same figures as the command line, in data frames."""

import json
from pathlib import Path

import pytest

from leezenflow_host.cli import run
from leezenflow_host.errors import InputError
from leezenflow_host.flow.api import observe_flow, plan_flow_study, simulate_flow


def test_a_simulated_study_is_the_commands(capsys: pytest.CaptureFixture[str]):
    study = simulate_flow("bus", seeds=[4], conditions=("without", "display"), duration_s=300, flow_per_hour=300.0)
    options = ["--signal", "bus", "--first-seed", "4", "--seeds", "1", "--duration", "300", "--flow", "300"]
    assert run(["flow", "simulate", *options, "--condition", "display", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(study.result))
    days = study.days()
    assert list(days["condition"]) == ["without", "display"]
    assert days["riders"].iloc[0] == len(study.passages()) // 2
    stops = study.conditions().set_index(["condition", "figure"]).loc[("display", "stop_share"), "value"]
    assert stops == pytest.approx(days["stop_share"].iloc[1], abs=1e-6)
    assert set(study.effects()["condition"]) == {"display"}
    assert "does not reproduce the field study" in study.assumptions[-1]


def test_a_signal_that_is_not_generated_is_refused():
    with pytest.raises(InputError, match="signal groups 1, 5, 12 and 14"):
        simulate_flow(signal_group=3, seeds=[1])


def test_observations_as_frames(tmp_path: Path):
    file = tmp_path / "p.csv"
    rows = [f"{c}{i},{i},{'yes' if i % 10 < n else 'no'},{c}" for c, n in (("off", 4), ("on", 3)) for i in range(100)]
    file.write_text("\n".join(["rider,time,stopped,condition", *rows]) + "\n")
    observed = observe_flow(file, without="off", with_="on", cycle_length_s=10)
    comparison = observed.comparison().set_index("figure")
    assert comparison.loc["stop_share", "value"] == pytest.approx(-0.25)
    conditions = observed.conditions().set_index(["condition", "figure"])
    assert conditions.loc[("off", "stop_share"), "value"] == 0.4
    assert conditions.loc[("off", "stop_share"), "passages"] == 100
    assert observe_flow(file, free_speed_kmh=18).comparison().empty


def test_what_weeks_would_show():
    plan = plan_flow_study(0.4, 3, 0.1, 1500, weeks=[2, 4])
    weeks, effects = list(plan["weeks"]), list(plan["effect"])
    assert weeks == [2, 4, pytest.approx(1.3, abs=0.01)]
    assert effects[0] > effects[1] and effects[2] == 0.066
