# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated recordings: the same for the same seed, and never at odds with the truth beside them."""

import bisect
import itertools
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from leezenflow.spatem import IntersectionState
from leezenflow_adapters.spatem_xml import Decoder
from leezenflow_host.cli import run
from leezenflow_host.errors import InputError
from leezenflow_host.simulation.recording import Recording, simulate
from leezenflow_host.simulation.scenario import load_scenario, scenario_names
from leezenflow_host.trace import TraceReader

DATA = Path(str(files("leezenflow_host") / "data"))
HOUR_MS = 3_600_000
# What may follow what: the German sequence, with flashing in between.
FOLLOWS = {3: {4, 9}, 4: {5, 6, 9}, 5: {7, 9}, 6: {7, 8, 9}, 7: {3, 9}, 8: {3, 9}, 9: {3, 4, 5, 6, 7, 8}}


def simulated(name: str, seed: int = 1, duration_s: int = 600) -> Recording:
    return simulate(name, load_scenario(name)[1], seed, duration_s)


def states(recording: Recording, group: int) -> Iterator[tuple[int, IntersectionState]]:
    """(true instant in Unix ms, decoded message) of every message that is whole."""
    decoder = Decoder(49, 1090, group)
    for message in recording.messages:
        if message.payload.rstrip().endswith(b"</DATA>"):
            assert decoder.decode(message.payload, 0, len(message.payload)) is True
            yield instant(decoder.state, recording.truth["from_ms"]), decoder.state


def instant(state: IntersectionState, near_ms: int) -> int:
    assert state.moy is not None and state.time_stamp is not None
    year_ms = 1_767_225_600_000  # 2026-01-01
    at_ms = year_ms + state.moy * 60_000 + state.time_stamp
    return at_ms if abs(at_ms - near_ms) < 100 * HOUR_MS else at_ms + 365 * 24 * HOUR_MS


def true_state(truth: dict[str, Any], group: int, at_ms: int) -> int:
    switches = truth["signal_groups"][str(group)]
    return switches[bisect.bisect_right([at for at, _ in switches], at_ms) - 1][1]


def next_switch(truth: dict[str, Any], group: int, at_ms: int) -> int:
    return next(at for at, _ in truth["signal_groups"][str(group)] if at > at_ms)


def end_ms(mark: int, at_ms: int) -> int:
    """A TimeMark as Unix ms, by the nearest hour."""
    ahead_ms = (mark * 100 - at_ms) % HOUR_MS
    return at_ms + (ahead_ms if ahead_ms <= HOUR_MS // 2 else ahead_ms - HOUR_MS)


@pytest.mark.parametrize("name", scenario_names())
def test_the_same_seed_gives_the_same(name: str):
    first, second = simulated(name, 3, 60), simulated(name, 3, 60)
    assert first == second
    assert simulated(name, 4, 60).truth["signal_groups"] != first.truth["signal_groups"]


# Where the controller's clock is off, the time of a message is not that of its state.
@pytest.mark.parametrize("name", [name for name in scenario_names() if name != "clock_faults"])
@pytest.mark.parametrize("group", [1, 5, 12, 14])
def test_every_message_shows_the_true_state(name: str, group: int):
    # (Ten messages a second are as many in a tenth of the time.)
    recording = simulated(name, 2, 100 if name in ("lossy", "fixed_time_10hz") else 800)
    count = 0
    for at_ms, state in states(recording, group):
        assert state.movement.events[0].event_state == true_state(recording.truth, group, at_ms)
        count += 1
    assert count > 200


@pytest.mark.parametrize("name", scenario_names())
def test_the_truth_is_a_possible_signal(name: str):
    duration_s = 200 if name in ("lossy", "fixed_time_10hz") else 1500
    truth = simulated(name, 5, duration_s).truth
    assert (truth["scenario"], truth["seed"], truth["intersection"]) == (name, 5, {"region": 49, "id": 1090})
    assert truth["to_ms"] - truth["from_ms"] == duration_s * 1000
    for switches in truth["signal_groups"].values():
        assert switches[0][0] < truth["from_ms"]
        # Riders who pass at the end arrive later.
        assert switches[-1][0] > truth["to_ms"] + 60_000
        for (at_ms, state), (next_ms, following) in itertools.pairwise(switches):
            assert at_ms < next_ms
            assert following in FOLLOWS[state], (at_ms, state, following)
            if state == 4 and following != 9:
                assert next_ms - at_ms == 1000


@pytest.mark.parametrize("group", [1, 12])
def test_a_fixed_program_is_announced_exactly(group: int):
    recording = simulated("hour_rollover", 1, 1200)
    for at_ms, state in states(recording, group):
        assert state.status == 0x0400
        event = state.movement.events[0]
        assert event.min_end_time == event.max_end_time == event.likely_time
        assert event.confidence == 15
        assert event.likely_time is not None
        assert end_ms(event.likely_time, at_ms) == next_switch(recording.truth, group, at_ms)


def test_guesses_become_exact_before_a_switch():
    recording = simulated("actuated", 1, 1800)
    errors: dict[bool, list[int]] = {True: [], False: []}
    for at_ms, state in states(recording, 12):
        event = state.movement.events[0]
        assert event.min_end_time is not None and event.max_end_time is not None and event.likely_time is not None
        ends = [end_ms(mark, at_ms) for mark in (event.min_end_time, event.likely_time, event.max_end_time)]
        assert ends == sorted(ends)
        switch_ms = next_switch(recording.truth, 12, at_ms)
        errors[switch_ms - at_ms <= 3000].append(abs(ends[1] - switch_ms))
    assert max(errors[True]) == 0
    assert sum(errors[False]) / len(errors[False]) > 1500
    assert max(errors[False]) > 10_000


def test_buses_change_plans():
    with_buses, without = simulated("bus_priority", 1, 1800), simulated("actuated", 1, 1800)
    marked = [state.status & 0x0800 for _, state in states(with_buses, 12)]
    assert 0.05 < sum(map(bool, marked)) / len(marked) < 0.8
    assert not any(state.status & 0x0800 for _, state in states(without, 12))


def test_some_likely_times_are_unknown():
    seen = [state.movement.events[0].likely_time is None for _, state in states(simulated("likely_unknown"), 12)]
    assert 0.2 < sum(seen) / len(seen) < 0.4


def test_flashing():
    recording = simulated("flashing", 1, 1000)
    flashing = [at for at, state in states(recording, 12) if state.status == 0x0100]
    start_ms = recording.truth["from_ms"]
    assert (flashing[0] - start_ms, flashing[-1] - start_ms) == (600_000, 899_000)
    assert true_state(recording.truth, 12, start_ms + 700_000) == 9


def test_silences():
    arrivals = [message.at_ms for message in simulated("gaps", 1, 1800).messages]
    gaps = sorted(b - a for a, b in itertools.pairwise(arrivals))[-4:]
    assert [round(gap, -3) for gap in gaps] == [11_000, 17_000, 61_000, 301_000]


def test_a_clock_that_is_set_and_stands():
    recording = simulated("clock_faults", 1, 1800)
    start_ms = recording.truth["from_ms"]
    decoder = Decoder(49, 1090, 12)
    off: dict[int, int] = {}
    for message in recording.messages:
        assert decoder.decode(message.payload, 0, len(message.payload)) is True
        # Sent on the second, at most some tenths before it arrived.
        sent_ms = message.at_ms - 90 - (message.at_ms - 90 - start_ms) % 1000
        told_ms = instant(decoder.state, start_ms)
        event = decoder.state.movement.events[0]
        # The lamp does what it ever did, and its end is told by the clock that is off.
        assert event.event_state == true_state(recording.truth, 12, sent_ms)
        assert event.likely_time is not None
        off[(sent_ms - start_ms) // 1000] = told_ms - sent_ms
        standing = any(first <= (sent_ms - start_ms) // 1000 < end for first, end in ((900, 960), (1200, 1205)))
        if not standing:
            assert end_ms(event.likely_time, told_ms) - (told_ms - sent_ms) == next_switch(recording.truth, 12, sent_ms)
    for second, expected in (
        *((0, 0), (299, 0), (300, 5000), (599, 5000), (600, -3000), (900, -3000), (930, -33_000), (959, -62_000)),
        *((960, -3000), (1200, -3000), (1204, -7000), (1205, 37_000), (1499, 37_000), (1500, 0), (1799, 0)),
    ):
        assert off[second] == expected, second
    quiet = simulated("fixed_time", 1, 1800)
    assert quiet.truth["signal_groups"] == recording.truth["signal_groups"]


def test_a_display_is_dark_or_right_whatever_the_clock_does(tmp_path: Path):
    trace, truth, figures = tmp_path / "t.jsonl.gz", tmp_path / "truth.json", tmp_path / "f.json"
    assert run(["simulate", "clock_faults", "--out", str(trace), "--truth", str(truth)]) == 0
    signal = ["--intersection", "49:1090", "--signal-group", "12", "--distance", "60", "--speed", "18"]
    assert run(["evaluate", str(trace), "--truth", str(truth), *signal, "--json", str(figures)]) == 0
    result = json.loads(figures.read_text())
    assert result["wrong_green_share"] == 0 and result["wrong_colour_share"] < 0.002
    # A minute of standing still, but for the seconds until it is noticed.
    assert 0.028 < result["dark_share"] < 0.06
    assert {row["kind"]: row["count"] for row in result["problems"]} == {
        "clock_jump": 3,
        "clock_stopped": 1,
    }


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ("[[clock]]\nat_s = 5", "give step_ms or stands_s, or both"),
        (
            "[[clock]]\nat_s = 5\nstep_ms = 4000000",
            "step_ms is 4000000: give milliseconds ahead of before, up to an hour",
        ),
        ("[[clock]]\nat_s = 5\nstands_s = 9\n[[clock]]\nat_s = 10\nstep_ms = 1", "before the fault at_s 5 is over"),
    ],
)
def test_faults_of_the_clock_that_make_no_sense(tmp_path: Path, tables: str, said: str):
    bundled = files("leezenflow_host") / "simulation" / "scenarios" / "fixed_time.toml"
    file = tmp_path / "mine.toml"
    file.write_text(bundled.read_text(encoding="utf-8") + tables + "\n")
    with pytest.raises(InputError, match=said):
        load_scenario(str(file))


def test_a_bad_network():
    recording = simulated("lossy", 1, 600)
    payloads = [message.payload for message in recording.messages]
    whole = [payload for payload in payloads if payload.endswith(b"</DATA>\n")]
    assert 4500 < len(payloads) < 6000
    assert 0.003 < 1 - len(whole) / len(payloads) < 0.03
    assert 0.01 < 1 - len(set(payloads)) / len(payloads) < 0.06
    arrivals = [message.at_ms for message in recording.messages]
    assert arrivals == sorted(arrivals)
    sent = [at_ms for at_ms, _ in states(recording, 12)]
    assert sum(b < a for a, b in itertools.pairwise(sent)) > 50


def test_the_bundled_recording_is_what_the_command_makes(tmp_path: Path):
    with TraceReader(DATA / "demo.jsonl.gz", strict=True) as reader:
        header, messages = reader.header, list(reader)
    assert header.source == "generated: leezenflow simulate demo --seed 237 --duration 220"
    assert "no real signal" in header.note
    command = header.source.removeprefix("generated: leezenflow ").split()
    out, truth = tmp_path / "demo.jsonl", tmp_path / "demo.truth.json"
    assert run([*command, "--out", str(out), "--truth", str(truth)]) == 0
    with TraceReader(out, strict=True) as reader:
        assert reader.header == header
        assert list(reader) == messages
    assert json.loads(truth.read_text()) == json.loads((DATA / "demo.truth.json").read_text())
    # Small, across a full hour, with a bus.
    assert (DATA / "demo.jsonl.gz").stat().st_size < 60_000
    hours = {message.at_ms // HOUR_MS for message in messages}
    assert len(hours) == 2
    assert any(b"signalPriorityIsActive>1<" in message.payload for message in messages)


def test_a_scenario_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "mine.toml"
    bundled = files("leezenflow_host") / "simulation" / "scenarios" / "fixed_time.toml"
    file.write_text(bundled.read_text(encoding="utf-8").replace("[intersection]", "[intersection]\nid = 7"))
    assert run(["simulate", str(file), "--duration", "20", "--out", str(tmp_path / "a.jsonl.zst")]) == 0
    assert "20 messages" in capsys.readouterr().err
    with TraceReader(tmp_path / "a.jsonl.zst", strict=True) as reader:
        assert [message.topic for message in reader] == ["/spat/7"] * 20


def test_what_is_wrong_with_a_scenario_is_told_at_once(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text(
        """
title = "x"
start = 2026-05-12T07:50:00Z
[program]
order = ["a", "b"]
intergreen_s = 3
[stage.a]
min_s = 9
usual_s = 5
max_s = 7
[stage.c]
min_s = 1
usual_s = 5
max_s = 7
colour = "red"
[group.12]
green_in = ["d"]
"""
    )
    with pytest.raises(InputError) as raised:
        load_scenario(str(file))
    text = str(raised.value)
    assert "min_s <= usual_s <= max_s" in text
    assert "colour" in text
    file.write_text(file.read_text().replace("min_s = 9", "min_s = 1").replace('colour = "red"', ""))
    with pytest.raises(InputError) as raised:
        load_scenario(str(file))
    text = str(raised.value)
    assert "'b'" in text and "'d'" in text


def test_unknown_scenarios(capsys: pytest.CaptureFixture[str]):
    assert run(["simulate", "actuatd", "--out", "x.jsonl"]) == 2
    assert "did you mean 'actuated'" in capsys.readouterr().err
    assert run(["simulate", "none.toml", "--out", "x.jsonl"]) == 2
    assert "no such file" in capsys.readouterr().err
    assert run(["simulate", "actuated", "--out", "x.csv"]) == 2
    assert "the name of a recording ends in" in " ".join(capsys.readouterr().err.split())
