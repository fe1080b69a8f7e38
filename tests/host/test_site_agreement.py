# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which group did a person watch? Sure only when the presses say so, and never surer than they can."""

import random

import pytest

from leezenflow_host.site_guide.agreement import SURE, Agreement, rank_groups, twins

RIGHT, OTHER, TWIN = ("49:1090", 12), ("49:1090", 5), ("49:1090", 14)
CYCLE_MS = 60_000
# A wandering cycle, as traffic makes it.
GREENS = [0, 61_000, 119_000, 184_000, 240_000, 303_000, 357_000]
ELSEWHERE = [at_ms + 25_000 + 3_000 * (index % 3) for index, at_ms in enumerate(GREENS)]
END_MS = 420_000


def pressed(switches: list[int], count: int, delay_ms: int = 500, jitter_ms: int = 250, seed: int = 1) -> list[int]:
    """Presses of a person who reacts after `delay_ms`."""
    chance = random.Random(seed)
    return [at_ms + delay_ms + round(chance.gauss(0, jitter_ms)) for at_ms in switches[:count]]


def rank(presses: list[int], to_ms: int | None = None, **more: list[int]) -> list[Agreement]:
    switches = {RIGHT: GREENS, OTHER: ELSEWHERE, **{("49:1090", int(name[1:])): times for name, times in more.items()}}
    end = to_ms if to_ms is not None else (presses[-1] + 8_000 if presses else END_MS)
    seen = {group: [at_ms for at_ms in times if at_ms <= end] for group, times in switches.items()}
    return rank_groups(seen, presses, -5_000, end)


@pytest.mark.parametrize("seed", range(8))
def test_three_presses_find_the_group(seed: int):
    best = rank(pressed(GREENS, 3, seed=seed))[0]
    assert best.group == RIGHT
    assert (best.hits, best.presses, best.unpressed) == (3, 3, 0)
    assert best.confidence > SURE
    assert best.delay_s is not None and abs(best.delay_s - 0.5) < 0.7


def test_more_presses_make_it_surer():
    shares = [rank(pressed(GREENS, count, jitter_ms=0))[0].confidence for count in (1, 2, 3, 5)]
    assert shares == sorted(shares)
    assert shares[0] < SURE < shares[2]


def test_late_messages_and_slow_people_are_allowed_for():
    for delay_ms in (-1_200, 0, 1_500):
        best = rank(pressed(GREENS, 5, delay_ms))[0]
        assert best.group == RIGHT and best.confidence > SURE, delay_ms


def test_a_missed_green_and_a_press_for_nothing_do_not_hide_it():
    presses = pressed(GREENS, 6)
    del presses[2]
    presses = sorted([*presses, 92_000])
    best = rank(presses)[0]
    assert best.group == RIGHT and best.confidence > SURE
    assert (best.hits, best.presses, best.unpressed) == (5, 6, 1)


def test_groups_that_switch_together_are_never_told_apart():
    for count in (3, 7):
        ranked = rank(pressed(GREENS, count), m14=GREENS)
        assert {ranked[0].group, ranked[1].group} == {RIGHT, TWIN}
        assert ranked[0].confidence == pytest.approx(ranked[1].confidence) == pytest.approx(0.5, abs=0.01)
        shown = {RIGHT: GREENS, TWIN: GREENS, OTHER: ELSEWHERE}
        assert twins(ranked, shown) == [ranked[1].group]


def test_a_constant_second_between_two_groups_is_not_resolved_by_patience():
    later = [at_ms + 1_000 for at_ms in GREENS]
    ranked = rank(pressed(GREENS, 7, delay_ms=700, jitter_ms=0), m14=later)
    assert {ranked[0].group, ranked[1].group} == {RIGHT, TWIN}
    assert ranked[0].confidence < SURE
    assert twins(ranked, {RIGHT: GREENS, TWIN: later, OTHER: ELSEWHERE}) == []


def test_presses_for_a_lamp_of_another_junction_point_nowhere():
    chance = random.Random(3)
    presses = sorted(chance.randrange(END_MS) for _ in range(6))
    assert all(agreement.confidence < SURE for agreement in rank(presses, END_MS))


def test_without_presses_nothing_is_likely():
    assert {agreement.confidence for agreement in rank([])} == {0.0}
    assert rank_groups({}, [1_000], 0, 2_000) == []
    assert twins([], {}) == []


def test_a_green_that_has_just_begun_is_not_held_against_a_group():
    presses = pressed(GREENS, 3)
    just_now = rank(presses, GREENS[3] + 1_000)[0]
    assert (just_now.group, just_now.unpressed) == (RIGHT, 0)
    assert rank(presses, GREENS[3] + 10_000)[0].unpressed == 1


def test_all_shares_together_are_at_most_one():
    for presses in (pressed(GREENS, 1), pressed(ELSEWHERE, 4), [100, 200, 300]):
        assert 0 < sum(agreement.confidence for agreement in rank(presses, END_MS)) <= 1.000001
