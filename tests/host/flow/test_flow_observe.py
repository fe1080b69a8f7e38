# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow flow observe` and `flow plan`: small studies whose figures are counted by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from leezenflow_host.cli import run

HEADER = "rider,time,stopped,signal,red_age_s,condition,period,cycle"


def passages(condition: str, stopped: int, passed: int, period: str = "", red: tuple[str, ...] = ()) -> list[str]:
    """Rows: cycles of two riders each, first those who stopped; then riders who crossed red of these ages."""
    words = ["yes"] * stopped + ["no"] * passed
    rows = [f"{condition}{period}{i},{i},{word},green,,{condition},{period},{i // 2}" for i, word in enumerate(words)]
    rows += [f"{condition}{period}r{i},{i},no,red,{age},{condition},{period},r{i}" for i, age in enumerate(red)]
    return rows


def write(path: Path, rows: list[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def observe(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert run(["flow", "observe", *map(str, arguments), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def refuse(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run(["flow", *map(str, arguments)]) == 2
    return capsys.readouterr().err


def test_shares_and_their_relative_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = write(tmp_path / "study.csv", passages("without", 40, 60) + passages("with", 30, 70))
    result = observe(capsys, file)
    assert [row["stop_share"]["value"] for row in result["conditions"]] == [0.4, 0.3]
    assert [(row["passages"], row["cycles"]) for row in result["conditions"]] == [(100, 50), (100, 50)]
    stops = result["comparison"]["stop_share"]
    assert stops["relative_change"]["value"] == -0.25
    assert stops["difference"]["value"] == -0.1
    assert stops["relative_change"]["low"] < -0.25 < stops["relative_change"]["high"]
    # Two riders of a cycle always did the same here.
    assert result["comparison"]["icc"] == 1.0
    assert result["conditions"][0]["design_effect"] == pytest.approx(2.0, abs=0.05)
    assert result["notes"] == []
    assert any("0.3 m/s" in sentence for sentence in result["definitions"])


def test_red_light_violations_are_split_at_a_second(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = write(tmp_path / "study.csv", passages("here", 6, 10, red=("0.4", "0.99", "1.0", "20")))
    row = observe(capsys, file)["conditions"][0]
    assert row["red_under_1_s_share"]["value"] == 0.1
    assert row["red_from_1_s_share"]["value"] == 0.1
    assert row["red_violation_share"] == {"passages": 10, "value": 0.4, "low": row["red_violation_share"]["low"]} | {
        "high": row["red_violation_share"]["high"]
    }
    assert row["on_green_share"]["value"] == 0.5


def test_counts_give_the_same_as_passages(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = [f"{i},5,{i % 3},{i % 2},0,with,am" for i in range(20)] + [
        f"{i},5,{i % 4},0,0,without,am" for i in range(20)
    ]
    header = "cycle,riders,stopped,on_red_under_1_s,on_red_from_1_s,condition,period"
    result = observe(capsys, write(tmp_path / "counts.csv", rows, header))
    with_, without = result["conditions"]
    assert with_["stop_share"]["value"] == pytest.approx(sum(i % 3 for i in range(20)) / 100)
    assert without["stop_share"]["value"] == pytest.approx(0.3)
    assert (with_["cycles"], with_["passages"]) == (20, 100)
    assert with_["red_under_1_s_share"]["value"] == pytest.approx(0.1)
    assert with_["delay_s"]["value"] is None


def test_trajectories_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = []
    for rider, waits in (("a", 0), ("b", 10)):
        for t in range(24 + waits):
            moved = t if t < 19 else max(19, t - waits)
            rows.append(f"{rider},{t},{-100 + 5 * moved},{rider}")
    result = observe(capsys, write(tmp_path / "ways.csv", rows, "rider,time,position_m,cycle"))
    row = result["conditions"][0]
    assert row["condition"] == ""
    assert row["stop_share"]["value"] == 0.5
    assert row["stopped_s"]["value"] == 5.0
    assert row["delay_s"]["value"] == pytest.approx(5.0)
    assert row["felt_minutes"]["value"] == pytest.approx((1.1 + 2.0 * 10 / 60) / 2)
    assert result["comparison"] is None


def test_a_truth_file_gives_light_and_cycle(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    origin = 1_778_570_000
    switches = []
    for cycle in range(5):
        switches += [[(origin + 60 * cycle) * 1000, 5], [(origin + 60 * cycle + 20) * 1000, 7]]
        switches += [[(origin + 60 * cycle + 23) * 1000, 3]]
    truth = tmp_path / "truth.json"
    values = {"from_ms": origin * 1000, "to_ms": (origin + 300) * 1000, "signal_groups": {"12": switches}}
    truth.write_text(json.dumps(values))
    rows = ["a,2026-05-12T07:13:25Z,no", "b,2026-05-12T09:13:43.500+02:00,no", "c,2026-05-12T07:14:30Z,yes"]
    rows += ["d,2026-05-12T07:14:22Z,yes", "late,2026-05-12T08:00:00Z,no"]
    file = write(tmp_path / "p.csv", rows, "rider,time,stopped")
    result = observe(capsys, file, "--truth", truth, "--signal-group", 12)
    row = result["conditions"][0]
    # a crosses green at 5 s, b 0.5 s into red, c at 10 s of the second green, d at 2 s of it; nobody knows about late.
    assert row["red_under_1_s_share"] | {"low": 0, "high": 0} == {"passages": 4, "value": 0.25, "low": 0, "high": 0}
    assert row["cycles"] == 3
    assert "1 of 5 passages have no cycle" in result["notes"][0]


def test_cycles_by_the_clock(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = write(tmp_path / "p.csv", [f"r{i},{i * 10},no" for i in range(12)], "rider,time,stopped")
    assert observe(capsys, file, "--cycle-length", 60)["conditions"][0]["cycles"] == 2


def test_passages_without_a_cycle_are_warned_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = write(tmp_path / "p.csv", [f"r{i},{i * 10},no" for i in range(3)], "rider,time,stopped")
    result = observe(capsys, file)
    assert result["notes"] == [
        "3 of 3 passages have no cycle: each of them counts as its own, so the intervals are too narrow. Give a "
        "column cycle, or --truth, or --cycle-length"
    ]


def test_overlapping_files_count_once_and_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = passages("with", 2, 2)
    one, two = write(tmp_path / "one.csv", rows), write(tmp_path / "two.csv", rows[2:] + passages("without", 1, 1))
    result = observe(capsys, one, two)
    assert [row["passages"] for row in result["conditions"]] == [4, 2]
    assert result["notes"][:2] == [
        f"{two}:2: is the same passage as {one}:4; counted once",
        f"{two}:3: is the same passage as {one}:5; counted once",
    ]


def test_periods_of_one_condition_only_are_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = passages("without", 4, 6, "Mon") + passages("with", 4, 6, "Mon") + passages("with", 10, 0, "Tue")
    result = observe(capsys, write(tmp_path / "p.csv", rows))
    assert "period Tue was observed under one condition only" in result["notes"][0]
    assert result["comparison"]["stop_share"]["with"] == 0.4


def test_trajectories_that_end_too_early_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = [f"a,{t},{-20 + 5 * t}" for t in range(8)] + [f"b,{t},{-50 + 5 * t}" for t in range(8)]
    file = write(tmp_path / "ways.csv", rows, "rider,time,position_m")
    result = observe(capsys, file)
    assert result["notes"][0] == f"{file}:10: rider b was not seen crossing the stop line; left aside"
    assert result["conditions"][0]["passages"] == 1


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (["a,2,-5", "a,1,-2"], "rider,time,position_m", ":3: column time is not later than in line 2"),
        (["a,1,-5", "a,1,-2"], "rider,time,position_m", ":3: column time is not later than in line 2"),
        (["a,1,-5", "a,2026-05-12T07:13:25Z,-2"], "rider,time,position_m", ":3: column time is of another kind"),
        (["a,1,-5", "a,2,-2"], "rider,time,position_m", "nothing is left to measure:"),
        (
            ["a,1,yes", "b,2026-05-12T07:13:25Z,no"],
            "rider,time,stopped",
            "only seconds: give all times in the same way",
        ),
    ],
)
def test_rows_that_do_not_fit_together(
    rows: list[str], header: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert message in refuse(capsys, "observe", write(tmp_path / "p.csv", rows, header))


def test_wrong_options_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = write(tmp_path / "p.csv", passages("on", 1, 1) + passages("off", 1, 1))
    words = refuse(capsys, "observe", file, "--with", "onn", "--without", "off")
    assert "no passage has the condition 'onn'" in words and "'on', 'off'" in words
    assert "--with and --without belong together" in refuse(capsys, "observe", file, "--with", "on")
    assert "--truth and --signal-group belong together" in refuse(capsys, "observe", file, "--signal-group", 3)
    truth = tmp_path / "t.json"
    truth.write_text('{"from_ms": 0, "to_ms": 1, "signal_groups": {"1": [[0, 5]]}}')
    words = refuse(capsys, "observe", file, "--truth", truth, "--signal-group", 1)
    assert f"{file}:2: --truth needs a date and time of every passage" in words
    counts = write(tmp_path / "c.csv", ["1,2,1"], "cycle,riders,stopped")
    words = refuse(capsys, "observe", counts, "--truth", truth, "--signal-group", 1)
    assert f"{counts}:2: --truth needs a date and time of every passage, not seconds or counts" in words
    cycleless = write(tmp_path / "t.csv", ["a,1,-5", "a,2,-2", "a,3,2"], "rider,time,position_m")
    assert "no passage has the condition 'with'" in refuse(
        capsys, "observe", cycleless, "--with", "with", "--without", ""
    )


def test_a_missing_file_did_not_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["flow", "observe", str(tmp_path / "none.csv")]) == 1
    assert "none.csv: No such file" in capsys.readouterr().err


def test_the_table_is_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = write(tmp_path / "p.csv", passages("before", 50, 50) + passages("after", 10, 90))
    assert run(["flow", "observe", str(file), "--without", "before", "--with", "after"]) == 0
    out = capsys.readouterr().out
    assert "80.0% fewer riders had to stop (relative change -80.0%" in out
    assert "A stop: slower than 0.3 m/s" in out
    assert "control delay" not in out


def test_too_little_data_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = write(tmp_path / "p.csv", passages("without", 4, 6) + passages("with", 3, 7))
    assert run(["flow", "observe", str(file)]) == 0
    assert "whether fewer or more riders had to stop, these data do not show" in capsys.readouterr().out


def plan(*arguments: object) -> list[str]:
    words = ["flow", "plan", "--baseline", 0.4, "--effect", 0.066, "--riders-per-cycle", 3, *arguments]
    return [str(word) for word in words]


def test_a_plan_in_json(capsys: pytest.CaptureFixture[str]):
    assert run(plan("--icc", 0.1, "--riders-per-day", 1500, "--weeks", 4, "--json", "-")) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["riders_per_condition"] == 6848
    assert result["cycles_per_condition"] == 2283
    assert result["weeks"] == pytest.approx(2 * 6848 / 1500 / 7, abs=0.01)
    assert result["smallest_effects"][0]["weeks"] == 4
    assert 0.03 < result["smallest_effects"][0]["effect"] < 0.066


def test_a_plan_on_paper(capsys: pytest.CaptureFixture[str]):
    assert run(plan("--riders-per-day", 20, "--weeks", 0.1, "--weeks", 1)) == 0
    out = capsys.readouterr().out
    assert "6848 under each condition" in out and "Kish 1965" in out
    assert "In 1 week, an effect of" in out
    assert run(plan("--riders-per-day", 1, "--weeks", 0.5)) == 0
    assert "In 0.5 weeks, no effect would be seen." in capsys.readouterr().out


def test_a_plan_that_cannot_be_made(capsys: pytest.CaptureFixture[str]):
    assert run(plan("--weeks", 2)) == 2
    assert "--weeks needs --riders-per-day" in capsys.readouterr().err
    assert run(plan("--power", 2)) == 2
    assert "--power 2: give a number" in capsys.readouterr().err
