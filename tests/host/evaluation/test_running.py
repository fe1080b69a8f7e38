# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same bytes from one process, from several, and from Spark; and nothing is done twice."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_recordings import make_dataset, write_messages, write_scenario

from leezenflow_host.cli import run
from leezenflow_host.dataset.reading import Dataset
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.evaluation import api, running
from leezenflow_host.evaluation.group_evaluation import GroupJob
from leezenflow_host.evaluation.planning import Question, plan_dataset
from leezenflow_host.evaluation.results import TABLES, load_results, save_results, table_rows
from leezenflow_host.evaluation.running import run_jobs
from leezenflow_host.site_options import SiteOptions


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four signal groups, five minutes with buses."""
    folder = tmp_path_factory.mktemp("dataset")
    make_dataset(folder / "ds", write_scenario(folder / "t.jsonl", "bus_priority", 300))
    return folder / "ds"


def question() -> Question:
    return Question(SiteOptions(distance=60), against="plain")


def same_bytes(one: Path, other: Path) -> None:
    files = sorted(path.name for path in one.iterdir() if path.is_file())
    assert len(files) == 2 * len(TABLES) + 1
    for name in files:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_one_process_several_and_spark_give_the_same_bytes(dataset: Path, tmp_path: Path):
    jobs = plan_dataset(dataset, question())
    assert [(job.intersection, job.signal_group) for job in jobs] == [("49:1090", group) for group in (1, 5, 12, 14)]
    ways = {"alone": {}, "pool": {"processes": 2}, "spark": {"master": "local[2]"}}
    for name, way in ways.items():
        results = run_jobs(jobs[1:3], **way)
        save_results(tmp_path / name, [result for result in results if not isinstance(result, LeezenflowError)])
    same_bytes(tmp_path / "alone", tmp_path / "pool")
    same_bytes(tmp_path / "alone", tmp_path / "spark")
    (rows,) = {len(load_results(tmp_path / name)) for name in ways}
    assert rows == 2


def test_what_is_finished_is_not_done_again(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    done: list[int] = []
    real = running.evaluate_job

    def count(job: GroupJob) -> running.Result:
        done.append(job.signal_group)
        if len(done) == 3:
            raise KeyboardInterrupt
        return real(job)

    monkeypatch.setattr(running, "evaluate_job", count)
    jobs = plan_dataset(dataset, question())
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, folder=tmp_path)
    assert done == [1, 5, 12]
    told: list[GroupJob] = []
    first = run_jobs(jobs, folder=tmp_path, done=told.append)
    assert done == [1, 5, 12, 12, 14] and len(told) == 4
    assert run_jobs(jobs, folder=tmp_path) == first and len(done) == 5
    # Another setting is another result, and a damaged file counts for nothing.
    run_jobs(plan_dataset(dataset, Question(SiteOptions(distance=61), "plain"))[:1], folder=tmp_path)
    assert len(done) == 6
    kept = sorted((tmp_path / "groups").glob("*-14-*.json"))[0]
    kept.write_text("{")
    assert run_jobs(jobs, folder=tmp_path) == first and len(done) == 7
    # As little as one that is no result.
    for number, text in enumerate(("[1]", '{"a": 1}', '{"leezenflow_results": 99}'), 8):
        kept.write_text(text)
        assert run_jobs(jobs, folder=tmp_path) == first and len(done) == number


def test_more_data_is_evaluated_anew(tmp_path: Path):
    make_dataset(tmp_path / "ds", write_messages(tmp_path / "a.jsonl", range(120)))
    (before,) = plan_dataset(tmp_path / "ds", question())
    make_dataset(tmp_path / "ds", write_messages(tmp_path / "b.jsonl", range(120, 240)))
    (after,) = plan_dataset(tmp_path / "ds", question())
    assert running.job_key(before) != running.job_key(after)
    one, two = (running.evaluate_job(job) for job in (before, after))
    assert one["data"]["messages"] == 120 and two["data"]["messages"] == 240


def test_a_group_that_cannot_be_judged_does_not_stop_the_others(
    tmp_path: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
):
    jobs = plan_dataset(dataset, question())
    broken = Dataset(dataset).source("49:1090", 99)
    spoiled = [jobs[0], GroupJob(broken, "49:1090", 99, "x", jobs[0].site), jobs[2]]
    results = run_jobs(spoiled)
    assert isinstance(results[1], InputError) and "nothing usable about signal group 99" in str(results[1])
    assert [result["signal_group"] for result in results if not isinstance(result, LeezenflowError)] == [1, 12]
    packed = running.run_packed(running.pack_job(spoiled[1]))
    assert isinstance(running.unpack_outcome(packed), InputError)


def test_the_command_on_a_dataset(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ["evaluate", str(dataset), "--against", "plain", "--jobs", "1", "--out", str(tmp_path / "r")]
    assert run([*arguments, "--json", str(tmp_path / "r.json"), "--report", str(tmp_path / "r.html")]) == 0
    shown = capsys.readouterr().out
    assert "49:1090 group 12" in shown and "forecast within 2 s" in shown
    results = json.loads((tmp_path / "r.json").read_text())
    assert results == load_results(tmp_path / "r") == load_results(tmp_path / "r.json")
    assert "<html" in (tmp_path / "r.html").read_text()
    one = ["evaluate", str(dataset), "--intersection", "1090", "--signal-group", "12", "--json", "-"]
    assert run(one) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["signal_group"] == 12 and result["problems"] == []


def test_the_forecast_alone_is_the_same_forecast(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    found = []
    for flags in ([], ["--forecast-only"]):
        assert run(["evaluate", str(dataset), *flags, "--jobs", "1", "--json", str(tmp_path / "f.json")]) == 0
        found.append(json.loads((tmp_path / "f.json").read_text()))
    for whole, alone in zip(*found, strict=True):
        assert alone["wrong_colour_share"] is None and alone["frames"] == 0
        for name in ("forecast", "forecast_by_horizon", "forecast_by", "confidence", "data", "cycle_discrepancy"):
            assert alone[name] == whole[name], name


def test_two_settings_and_two_logs_are_compared(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    trace = dataset.parent / "t.jsonl"
    site = tmp_path / "near.toml"
    site.write_text(
        '[signal]\nintersection = "49:1090"\nsignal_group = 12\nadapter = "spatem_xml"\n[rider]\ndistance_m = 20\n'
        "cruise_kmh = 18\n"
    )
    signal = ["--intersection", "49:1090", "--signal-group", "12", "--distance", "110", "--speed", "18"]
    log = tmp_path / "advice.jsonl.gz"
    assert run(["replay", str(trace), "--advice", str(log), *signal[:6], "--cruise", "18"]) == 0
    for source in (trace, dataset):
        same = ["evaluate", str(source), *signal, "--json", str(tmp_path / "f.json")]
        assert run([*same, "--against", str(log)]) == 0
        rows = json.loads((tmp_path / "f.json").read_text())["comparison"]["rows"]
        assert all(row["difference"] in (0, None) for row in rows)
        assert run([*same, "--against", str(site)]) == 0
        comparison = json.loads((tmp_path / "f.json").read_text())["comparison"]
        assert comparison["against"] == "near" and comparison["rows"][0]["difference"] != 0
    assert "Compared with near" in capsys.readouterr().out


def write_site(path: Path, group: int, distance: int, intersection: str = "49:1090") -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'[signal]\nintersection = "{intersection}"\nsignal_group = {group}\nadapter = "spatem_xml"\n[rider]\n'
        f"distance_m = {distance}\ncruise_kmh = 18\n"
    )
    return str(path)


def test_a_fleet_is_judged_site_by_site(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    near, far = write_site(tmp_path / "near.toml", 12, 20), write_site(tmp_path / "far.toml", 5, 90)
    trace = str(dataset.parent / "t.jsonl")
    for source in (str(dataset), trace):
        command = ["evaluate", source, "--site", near, "--site", far, "--against", "plain", "--jobs", "1"]
        assert run([*command, "--out", str(tmp_path / "r"), "--json", str(tmp_path / "f.json")]) == 0
        results = json.loads((tmp_path / "f.json").read_text())
        assert results == load_results(tmp_path / "r")
        places = [(result["setting"], result["signal_group"], result["site"]["cruise_ms"]) for result in results]
        assert places == [("near", 12, 4_000), ("far", 5, 18_000)]
        (plain,) = (row for row in results[1]["comparison"]["rows"] if row["name"] == "wrong_colour_share")
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        (line,) = (words for words in lines if words[:4] == ["49:1090", "group", "5", "far"])
        assert line[-2] == f"{plain['against']:.2%}"
        for file, result in zip((near, far), results, strict=True):
            assert (
                run(["evaluate", source, "--site", file, "--against", "plain", "--json", str(tmp_path / "o.json")]) == 0
            )
            assert json.loads((tmp_path / "o.json").read_text()) == result
            capsys.readouterr()
    both = api.evaluate(dataset, site=[near, far], against="plain")
    assert both.frame()["setting"].tolist() == ["near", "far"]
    again = api.evaluate(trace, site=[near, far], against="plain")
    assert [row["wrong_colour_share"] for row in again.results] == [row["wrong_colour_share"] for row in both.results]
    assert run(["evaluate", trace, "--site", near, "--site", far, "--dry-run"]) == 0
    assert f"Would judge signal group 5 of 49:1090 in {trace} for far." in capsys.readouterr().out


def test_sites_that_cannot_be_judged_together_are_named(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    one, other = write_site(tmp_path / "a" / "site.toml", 12, 20), write_site(tmp_path / "b" / "site.toml", 12, 60)
    away = write_site(tmp_path / "away.toml", 1, 60, "49:7")
    for arguments, said in (
        (["--site", one, "--site", one], f"--site {one} is given twice"),
        (["--site", one, "--site", other, "--memory", str(tmp_path / "m")], "--memory is of one signal"),
        (["--site", one, "--site", away], f"{away}: {dataset}: intersection 49:7: the dataset holds nothing about it"),
    ):
        assert run(["evaluate", str(dataset), *arguments]) == 2
        assert said in " ".join(capsys.readouterr().err.split())
    trace = str(dataset.parent / "t.jsonl")
    assert run(["evaluate", trace, "--site", one, "--site", other, "--sweep"]) == 2
    assert "--sweep judges one site" in capsys.readouterr().err
    # Files of one name are told apart by their folders.
    results = api.evaluate(dataset, site=[one, other]).results
    assert [result["setting"] for result in results] == [str(tmp_path / "a" / "site"), str(tmp_path / "b" / "site")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{ds}", "--truth", "{ds}/dataset.json"], "leave it out"),
        (["{ds}", "--sweep"], "without --sweep"),
        (["{ds}", "{trace}"], "judged alone"),
        (["{trace}", "--forecast-only"], "--forecast-only is for a dataset"),
        (["{ds}", "--forecast-only", "--against", "plain"], "--against compares displays"),
        (["{trace}", "--spark"], "--spark is for a dataset"),
        (["{ds}", "--master", "local[1]"], "--master is for --spark"),
        (["{ds}", "--intersection", "7", "--signal-group", "1"], "holds nothing about it. It knows: 49:1090"),
        (["{ds}", "--signal-group", "77"], "no signal group that ever showed a colour"),
        (["{ds}", "--against", "nothing.toml"], "no such file"),
        (["{ds}", "--against", "{ds}/dataset.json"], "give a site file (.toml), an advice log"),
        (["{ds}", "--timezone", "Mars/North"], "no such time zone"),
        (["{ds}/states"], "a folder, but no dataset"),
    ],
)
def test_wrong_usage_is_said(dataset: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str):
    filled = [argument.format(ds=dataset, trace=dataset.parent / "t.jsonl") for argument in arguments]
    assert run(["evaluate", *filled]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_an_advice_log_that_is_none_is_named_by_line(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    trace = str(dataset.parent / "t.jsonl")
    log = tmp_path / "advice.jsonl"
    for text, said in (
        ('{"at_ms": 1, "kind": "blue"}\n', "line 1: no frame of an advice log (kind 'blue')"),
        ('{"at_ms": 1, "kind": "dark"}\n', "has no frame at the time of the recording"),
    ):
        log.write_text(text)
        signal = ["--intersection", "49:1090", "--signal-group", "12"]
        assert run(["evaluate", trace, *signal, "--against", str(log)]) == 2
        assert said in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("table", ["messages", "states"])
@pytest.mark.parametrize("spoil", ["foreign", "junk", "gone"])
def test_a_file_of_a_dataset_that_is_none_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str, spoil: str
):
    make_dataset(tmp_path / "ds", write_messages(tmp_path / "a.jsonl", range(120)))
    (file,) = (tmp_path / "ds" / table).rglob("*.parquet")
    if spoil == "foreign":
        pq.write_table(pa.table({"at_ms": ["a", "b"], "other": [1, 2]}), file)
    elif spoil == "junk":
        file.write_bytes(b"no Parquet")
    else:
        file.unlink()
    for group in ([], ["--intersection", "49:1090", "--signal-group", "12"]):
        assert run(["evaluate", str(tmp_path / "ds"), *group, "--jobs", "1"]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert f"{file.stem}.parquet" in said and f"sources/{file.stem}.json and ingest it again" in said
    if spoil != "foreign":
        assert run(["query", "SELECT 1", str(tmp_path / "ds")]) == 2
        assert f"the table {table} cannot be read" in " ".join(capsys.readouterr().err.split())


def test_the_interface_for_notebooks(dataset: Path, tmp_path: Path):
    results = api.evaluate(dataset, distance_m=110, speed_kmh=18, signal_group=12)
    assert results.failed == [] and results.tables == TABLES
    errors = results.frame("forecast_by_horizon")
    assert set(errors["to"]) == {"green", "red"} and set(errors["signal_group"]) == {12}
    whole = results.frame()
    assert whole.loc[0, "site_cruise_ms"] == 22_000 and "forecast_within_2_s_share" in whole
    assert list(results.frame("comparison").columns)[:4] == ["intersection", "signal_group", "setting", "against_name"]
    results.save(tmp_path)
    assert api.load(tmp_path).results == results.results
    trace = api.evaluate(
        dataset.parent / "t.jsonl", intersection="49:1090", signal_group=12, distance_m=110, speed_kmh=18
    )
    assert trace.results[0]["wrong_colour_share"] == results.results[0]["wrong_colour_share"]
    assert api.groups(dataset)["signal_group"].tolist() == [1, 5, 12, 14]
    assert set(api.problems(dataset)["kind"]) == {"empty_group"}
    with pytest.raises(ValueError, match="there is no table nothing"):
        table_rows(results.results, "nothing")


def test_results_that_are_none_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="holds no results"):
        load_results(tmp_path)
    for text, said in (("{", "damaged"), ("[{}]", "holds no results"), ('[{"leezenflow_results": 9}]', "newer")):
        (tmp_path / "r.json").write_text(text)
        with pytest.raises(InputError, match=said):
            load_results(tmp_path / "r.json")
