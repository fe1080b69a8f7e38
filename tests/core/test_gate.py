# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a colour may be claimed: at once when sure, later when less so, never above the limit."""

from leezenflow.gate import Gate

GREEN, RED = True, False


def test_a_sure_claim_is_entered_at_once_and_left_at_once():
    gate = Gate(100)
    assert gate.allows(0, RED, 5)
    assert gate.allows(40, RED, 100)
    assert not gate.allows(80, RED, 101)


def test_a_claim_near_the_limit_waits_until_it_has_lasted():
    gate = Gate(100)
    assert not gate.allows(0, RED, 80)
    assert not gate.allows(1_960, RED, 80)
    assert gate.allows(2_000, RED, 80)


def test_a_claim_that_was_just_left_must_be_surer_to_come_back():
    gate = Gate(100)
    assert gate.allows(0, RED, 10)
    assert not gate.allows(40, RED, 150)
    assert not gate.allows(5_000, RED, 40)
    assert gate.allows(5_040, RED, 30)


def test_the_other_colour_needs_no_second_proof():
    gate = Gate(100)
    assert gate.allows(0, RED, 10)
    assert not gate.allows(40, RED, 150)
    assert gate.allows(80, GREEN, 40)


def test_a_change_of_colour_is_a_new_claim():
    gate = Gate(100)
    assert gate.allows(0, RED, 10)
    assert gate.allows(40, GREEN, 10)
    assert not gate.allows(80, RED, 80)


def test_green_is_judged_more_strictly():
    assert Gate(100).allows(0, RED, 60)
    assert not Gate(100).allows(0, GREEN, 60)
    assert Gate(100).would_allow(41, False)
    assert not Gate(100).would_allow(42, False)
    assert Gate(100).would_allow(20, True)
    assert not Gate(100).would_allow(21, True)


def test_closing_ends_the_claim():
    gate = Gate(100)
    assert not gate.allows(0, RED, 80)
    gate.close()
    assert not gate.allows(2_500, RED, 80)
    assert gate.allows(4_500, RED, 80)


def test_without_a_limit_of_the_site_it_follows_the_forecasts():
    easy, hard = Gate(), Gate()
    for i in range(3_000):
        easy.allows(i * 1_000, RED, 2)
        hard.allows(i * 1_000, RED, 60 + i % 10 * 20)
    assert easy.limit == 40
    assert 120 < hard.limit < 240
    fixed = Gate(77)
    for i in range(100):
        fixed.allows(i * 1_000, RED, 900)
    assert fixed.limit == 77


def test_the_limit_follows_once_a_second_however_many_frames():
    slow, fast = Gate(), Gate()
    for i in range(600):
        slow.allows(i * 1_000, RED, 300)
    for i in range(6_000):
        fast.allows(i * 100, RED, 300)
    assert slow.limit == fast.limit


def test_rebasing_keeps_what_was_waited():
    gate = Gate()
    gate.allows(0, RED, 150)
    gate.rebase(1 << 28)
    assert gate.allows(2_000 - (1 << 28), RED, 150) == after_two_seconds()


def after_two_seconds():
    gate = Gate()
    gate.allows(0, RED, 150)
    return gate.allows(2_000, RED, 150)


def test_forecasts_that_are_bad_throughout_do_not_buy_a_lax_limit():
    gate = Gate()
    for i in range(3_000):
        gate.allows(i * 1_000, RED, 300 + i % 3)
    assert gate.limit <= 302 and not gate.allows(3_000_000, True, 300)
