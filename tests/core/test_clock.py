# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's clock through a network: what is news, what is late, what is a clock that was set."""

from leezenflow.clock import CLOCK_FAULT, DUPLICATE, LATE, NEWS, NO_TIME, ControllerClock, ticks_diff

START_MS = 137_285 * 60_000


def observe(clock, controller_ms, at_ms):
    return clock.observe(controller_ms // 60_000 % 525_600, controller_ms % 60_000, at_ms)


def steady(clock, count, controller_ms=START_MS, at_ms=0, period_ms=1_000, delay_ms=80):
    """Feed `count` punctual messages; return the controller time and the instant of the next."""
    for _ in range(count):
        assert observe(clock, controller_ms, at_ms + delay_ms) == NEWS
        controller_ms += period_ms
        at_ms += period_ms
    return controller_ms, at_ms


def test_ticks_wrap_at_two_to_the_thirty():
    top = (1 << 30) - 1
    assert ticks_diff(5, top) == 6
    assert ticks_diff(top, 5) == -6
    assert ticks_diff(1 << 29, 0) == -(1 << 29)
    assert ticks_diff(1000, 400) == 600
    assert ticks_diff(0, 0) == 0


def test_the_first_message_is_news_but_confirms_nothing():
    clock = ControllerClock()
    assert observe(clock, START_MS, 0) == NEWS
    assert not clock.confirmed
    assert observe(clock, START_MS + 1_000, 1_000) == NEWS
    assert clock.confirmed


def test_a_message_without_time_is_no_news():
    clock = ControllerClock()
    assert clock.observe(None, 0, 0) == NO_TIME
    assert clock.observe(527_040, 0, 0) == NO_TIME
    assert clock.observe(1, 65_535, 0) == NO_TIME
    assert not clock.started


def test_excess_is_measured_against_the_best_recent_delay():
    clock = ControllerClock()
    controller_ms, at_ms = steady(clock, 5)
    assert clock.excess_ms == 0
    assert observe(clock, controller_ms, at_ms + 80 + 700) == NEWS
    assert clock.excess_ms == 700
    assert clock.age_ms(at_ms + 80 + 700) == 700
    assert observe(clock, controller_ms + 1_000, at_ms + 1_000 + 50) == NEWS
    assert clock.excess_ms == 0


def test_duplicates_and_overtaken_messages_are_no_news():
    clock = ControllerClock()
    controller_ms, at_ms = steady(clock, 5)
    assert observe(clock, controller_ms - 1_000, at_ms) == DUPLICATE
    assert observe(clock, controller_ms - 2_000, at_ms) == LATE
    assert clock.age_ms(at_ms + 80) == 1_000


def test_a_frozen_controller_grows_old_under_fresh_arrivals():
    clock = ControllerClock()
    controller_ms, at_ms = steady(clock, 5)
    for i in range(10):
        assert observe(clock, controller_ms - 1_000, at_ms + i * 1_000) == DUPLICATE
    assert clock.age_ms(at_ms + 10_000) > clock.age_limit_ms


def test_a_clock_set_forward_is_believed_at_once_but_must_be_confirmed():
    clock = ControllerClock()
    controller_ms, at_ms = steady(clock, 5)
    assert observe(clock, controller_ms + 5_000, at_ms) == CLOCK_FAULT
    assert not clock.confirmed
    assert observe(clock, controller_ms + 6_000, at_ms + 1_000) == NEWS
    assert clock.confirmed
    assert clock.excess_ms == 0


def test_a_clock_set_back_is_believed_within_seven_seconds():
    clock = ControllerClock()
    controller_ms, at_ms = steady(clock, 30)
    controller_ms -= 5_000
    verdicts = []
    for i in range(7):
        verdicts.append(observe(clock, controller_ms + i * 1_000, at_ms + i * 1_000))
    assert CLOCK_FAULT in verdicts, verdicts
    assert verdicts[0] == LATE
    assert clock.confirmed
    assert clock.excess_ms == 0


def test_a_queue_that_empties_at_once_is_not_a_clock_set_back():
    clock = ControllerClock()
    controller_ms, at_ms = steady(clock, 30)
    # Nine seconds of messages arrive together, then the feed goes on punctually.
    for i in range(9):
        verdict = observe(clock, controller_ms + i * 1_000, at_ms + 8_200 + i)
        assert verdict in (LATE, NEWS), (i, verdict)
    assert clock.confirmed
    assert observe(clock, controller_ms + 9_000, at_ms + 9_080) == NEWS
    assert clock.excess_ms == 0


def test_a_reconnect_demands_two_messages_again():
    clock = ControllerClock()
    controller_ms, at_ms = steady(clock, 5)
    clock.reconnected()
    assert not clock.confirmed
    assert observe(clock, controller_ms, at_ms + 80) == NEWS
    assert not clock.confirmed
    assert observe(clock, controller_ms + 1_000, at_ms + 1_080) == NEWS
    assert clock.confirmed


def test_messages_that_waited_in_a_queue_do_not_confirm():
    clock = ControllerClock()
    # A backlog arrives within 40 ms: the controller's clock advances by seconds, ours does not.
    for i in range(4):
        observe(clock, START_MS + i * 3_000, i * 10)
        assert not clock.confirmed, i


def test_the_age_limit_follows_the_period_within_its_bounds():
    for period_ms, limit_ms in ((100, 2_000), (1_000, 2_500), (2_000, 5_000), (5_000, 6_000), (20_000, 6_000)):
        clock = ControllerClock()
        assert clock.age_limit_ms == 2_000
        steady(clock, 6, period_ms=period_ms)
        assert clock.age_limit_ms == limit_ms, period_ms


def test_one_silence_does_not_change_the_period():
    clock = ControllerClock()
    controller_ms, at_ms = steady(clock, 6)
    observe(clock, controller_ms + 16_000, at_ms + 16_080)
    assert clock.age_limit_ms == 2_500


def test_drift_is_followed():
    # The controller runs 500 ppm slow: after an hour its clock is 1.8 s behind ours.
    clock = ControllerClock()
    worst = 0
    for i in range(3_600):
        observe(clock, START_MS + i * 1_000 - i * 1_000 // 2_000, i * 1_000)
        worst = max(worst, clock.excess_ms)
    assert worst <= 20, worst


def test_a_silence_of_hours_starts_a_new_belief():
    clock = ControllerClock()
    controller_ms, at_ms = steady(clock, 5)
    later = 3 * 3_600_000
    verdicts = [observe(clock, controller_ms + later + i * 1_000, at_ms + later + i * 1_000) for i in range(6)]
    assert CLOCK_FAULT in verdicts
    assert clock.confirmed


def test_rebasing_changes_nothing_that_is_measured():
    clock = ControllerClock()
    controller_ms, at_ms = steady(clock, 5)
    before = clock.age_ms(at_ms)
    clock.rebase(1 << 28)
    assert clock.age_ms(at_ms - (1 << 28)) == before
    assert observe(clock, controller_ms, at_ms + 80 - (1 << 28)) == NEWS
    assert clock.excess_ms == 0
