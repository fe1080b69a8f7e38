# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each kind of display says over time, on a fixed signal whose every switch is known."""

from collections import Counter

import pytest

from leezenflow.board import Site
from leezenflow_host.evaluation.truth import COLOURS, NONE, Truth
from leezenflow_host.flow.timelines import (
    Timeline,
    arithmetic_timeline,
    core_timeline,
    perfect_timeline,
    unshifted_timeline,
)
from leezenflow_host.simulation.recording import Recording, simulate
from leezenflow_host.simulation.scenario import load_scenario

SITE = Site(12, 1090, 49, adapter="spatem_xml")
SPRINTERS = Site(12, 1090, 49, sprint_ms=18_000, adapter="spatem_xml")


@pytest.fixture(scope="module")
def recording() -> Recording:
    return simulate("fixed_time", load_scenario("fixed_time")[1], 1, 400)


@pytest.fixture(scope="module")
def truth(recording: Recording) -> Truth:
    truth = Truth(recording.truth["from_ms"], recording.truth["to_ms"])
    for at_ms, state in recording.truth["signal_groups"]["12"]:
        truth.append(at_ms, COLOURS.get(state, NONE))
    return truth


def instants(truth: Truth) -> list[int]:
    """Every 100 ms after the first half minute, as the frames lie."""
    return list(range(truth.from_ms + 30_000, truth.to_ms - 30_000, 100))


def test_the_perfect_display_shows_what_is_met(truth: Truth):
    timeline = perfect_timeline(truth, SITE, truth.to_ms)
    for at_ms in instants(truth):
        kind, remaining_s = timeline.look(at_ms)
        met = truth.colour_at(at_ms + 22_000)
        assert kind == ("green" if met == "green" else "red")
        assert remaining_s is not None and remaining_s > 0
        switch_ms = at_ms + 22_000 + round(remaining_s * 1000)
        assert (truth.colour_at(switch_ms) == "green") != (kind == "green")
        assert (truth.colour_at(switch_ms - 1) == "green") == (kind == "green")


def test_the_perfect_display_counts_amber_as_the_site_says(truth: Truth):
    site = Site(12, 1090, 49, clearance="green", adapter="spatem_xml")
    timeline = perfect_timeline(truth, site, truth.to_ms)
    kinds = {truth.colour_at(at_ms + 22_000): timeline.look(at_ms)[0] for at_ms in instants(truth)}
    assert kinds == {"green": "green", "amber": "green", "red": "red"}


def test_the_perfect_display_advises_a_sprint_that_works(truth: Truth):
    timeline = perfect_timeline(truth, SPRINTERS, truth.to_ms)
    looks = [(at_ms, timeline.look(at_ms)[0]) for at_ms in instants(truth)]
    assert any(kind == "sprint" for _, kind in looks)
    for at_ms, kind in looks:
        if kind == "sprint":
            assert truth.colour_at(at_ms + 22_000) != "green" and truth.colour_at(at_ms + 18_000) == "green"


def test_the_unshifted_display_shows_the_present(truth: Truth):
    timeline = unshifted_timeline(truth, SITE, truth.to_ms)
    for at_ms in instants(truth):
        assert (timeline.look(at_ms)[0] == "green") == (truth.colour_at(at_ms) == "green")


@pytest.mark.parametrize("make", [core_timeline, arithmetic_timeline])
def test_on_a_fixed_signal_forecasts_are_as_good_as_knowing(make: object, recording: Recording, truth: Truth):
    if make is core_timeline:
        timeline = core_timeline(recording.messages, SITE, 0, None)
    else:
        timeline = arithmetic_timeline(recording.messages, SITE, 0)
    perfect = perfect_timeline(truth, SITE, truth.to_ms)
    agree = [timeline.look(at_ms)[0] == perfect.look(at_ms)[0] for at_ms in instants(truth)]
    assert sum(agree) / len(agree) > 0.97


def test_plain_arithmetic_is_wrong_where_forecasts_are():
    recording = simulate("bus_priority", load_scenario("bus_priority")[1], 1, 900)
    truth = Truth(recording.truth["from_ms"], recording.truth["to_ms"])
    for at_ms, state in recording.truth["signal_groups"]["12"]:
        truth.append(at_ms, COLOURS.get(state, NONE))
    timeline, perfect = arithmetic_timeline(recording.messages, SITE, 0), perfect_timeline(truth, SITE, truth.to_ms)
    wrong = [timeline.look(at)[0] != perfect.look(at)[0] for at in instants(truth)]
    # The reference measures 11 % of wrong colour for plain arithmetic under bus priority.
    assert 0.03 < sum(wrong) / len(wrong) < 0.3


def test_plain_arithmetic_goes_dark_without_messages(recording: Recording):
    before = recording.messages[:60]
    later = [message for message in recording.messages if message.at_ms > before[-1].at_ms + 20_000]
    timeline = arithmetic_timeline(before + later, SITE, 0)
    assert timeline.look(before[-1].at_ms + 2_000)[0] != "dark"
    assert timeline.look(before[-1].at_ms + 3_000) == ("dark", None)


def test_the_receivers_clock_is_taken_off(recording: Recording):
    plain, offset = (
        core_timeline(recording.messages, SITE, 0, None),
        core_timeline(recording.messages, SITE, 5000, None),
    )
    assert offset.from_ms == plain.from_ms - 5000
    assert Counter(offset.kinds) == Counter(plain.kinds)


def test_outside_its_frames_a_display_is_dark():
    timeline = Timeline(1000, ["green"], [500])
    assert timeline.look(999) == ("dark", None)
    assert timeline.look(1099) == ("green", 0.5)
    assert timeline.look(1100) == ("dark", None)
    assert Timeline.from_dict(timeline.as_dict()) == timeline


def test_what_the_truth_does_not_hold_is_dark():
    truth = Truth(0, 60_000, 0, [0, 30_000, 40_000], ["green", "none", "red"])
    timeline = perfect_timeline(truth, SITE, 60_000)
    assert timeline.look(0) == ("green", 8.0)
    assert timeline.look(10_000) == ("dark", None)
    assert timeline.look(20_000) == ("dark", None)
