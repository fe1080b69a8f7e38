# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dataset says is what its recording says: every figure, exactly."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from dataset_recordings import make_dataset, write_scenario

from leezenflow.board import Site
from leezenflow_host.dataset.reading import Dataset
from leezenflow_host.dataset.sources import SourceOptions
from leezenflow_host.evaluation.group_evaluation import PLAIN, Against, GroupJob, evaluate_group
from leezenflow_host.evaluation.report import judge, observe_truth, read_recording
from leezenflow_host.evaluation.truth import load_truth

ROOT = Path(__file__).resolve().parents[3]
# Signal group as each adapter numbers it in its recording.
GROUPS = {
    "spatem_uper": 12,
    "spatem_xml": 14,
    "udap": 14,
    "its_json": 12,
    "tscbm": 4,
    "rsmp": 14,
    "sensorthings": 1,
    "fixed_time": 1,
    "lamp_sense": 1,
}
# Of a message nobody can read a dataset has a problem, and no message.
UNREADABLE = ("foreign", "malformed", "truncated", "oversized", "other_signal")


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """What made the recordings knows what their adapters need to be told."""
    spec = importlib.util.spec_from_file_location("make_adapter_recordings", ROOT / "tools/make_adapter_recordings.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def both(trace: Path, dataset: Path, site: Site, intersection: str, truth: Any = None) -> list[dict[str, Any]]:
    """The result of a recording and that of its dataset, without what must differ."""
    group = site.signal_group
    against = Against(PLAIN, "plain arithmetic")
    stored = Dataset(dataset).source(intersection, group)
    results = []
    for source in (trace, stored):
        result = evaluate_group(GroupJob(source, intersection, group, "a", site, against, truth))
        for name in ("trace", "problems", "messages", "memory"):
            result.pop(name)
        for word in UNREADABLE:
            result["message_counts"].pop(word, None)
        results.append(result)
    return results


@pytest.mark.parametrize("adapter", sorted(GROUPS))
def test_every_adapters_recording_agrees(adapter: str, maker: ModuleType, tmp_path: Path):
    trace = ROOT / f"tests/traces/{adapter}.jsonl.gz"
    options = maker.SITE_OPTIONS.get(adapter, {})
    group = GROUPS[adapter]
    summary = make_dataset(tmp_path / "ds", trace, options=SourceOptions(adapter, "1090", group, options))
    assert not summary.failed
    site = Site(group, 1090, cruise_ms=10_000, adapter=adapter, adapter_options=options)
    name = Dataset(tmp_path / "ds").match(None, 1090)
    one, other = both(trace, tmp_path / "ds", site, name)
    if adapter == "udap":
        # Pieces of a stream: a unit takes the newest message of each, a dataset keeps them all.
        assert abs(one["frames"] - other["frames"]) < 50
        for name in ("wrong_colour_share", "wrong_green_share", "answered_share"):
            assert abs(one[name] - other[name]) < 0.02, name
        return
    assert one == other
    assert one["frames"] > 0


@pytest.mark.parametrize("scenario", ["actuated", "bus_priority", "lossy", "gaps", "flashing", "hour_rollover"])
def test_scenarios_agree_with_and_without_given_truth(scenario: str, tmp_path: Path):
    trace = write_scenario(tmp_path / "t.jsonl", scenario, 420)
    make_dataset(tmp_path / "ds", trace)
    site = Site(12, 1090, 49, cruise_ms=22_000, sprint_ms=17_000, adapter="spatem_xml")
    for truth in (None, load_truth(tmp_path / "t.truth.json", 12)):
        one, other = both(trace, tmp_path / "ds", site, "49:1090", truth)
        assert one == other
        assert one["judged_frames"] > 1_000 and one["comparison"]["rows"][0]["cycles"] > 2


def test_the_new_judgement_is_that_of_single_frames(tmp_path: Path):
    trace = write_scenario(tmp_path / "t.jsonl", "bus_priority", 600)
    site = Site(14, 1090, 49, cruise_ms=22_000, sprint_ms=17_000, adapter="spatem_xml")
    recording = read_recording(trace)
    reference = judge(recording, site, observe_truth(recording, site))
    result = evaluate_group(GroupJob(trace, "49:1090", 14, "a", site))
    assert {name: result[name] for name in reference} == reference


def test_a_night_in_two_days_is_one_life(tmp_path: Path):
    trace = write_scenario(tmp_path / "t.jsonl", "year_rollover", 600)
    make_dataset(tmp_path / "ds", trace)
    assert len(Dataset(tmp_path / "ds").source("49:1090", 12).parts) == 2
    site = Site(12, 1090, 49, cruise_ms=22_000, adapter="spatem_xml")
    one, other = both(trace, tmp_path / "ds", site, "49:1090")
    assert one.pop("data")["messages"] == other.pop("data")["messages"]
    # What the controller says of the switch across midnight is joined again.
    assert one == other
