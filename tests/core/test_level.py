# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a shown length follows the forecast: exactly, but for a changed plan, which it approaches (F5)."""

from leezenflow.advice import Advice
from leezenflow.drawing.level import WHOLE, Level, Stopwatch, measure
from scenes import say

FRAME_MS = 40


def test_a_stopwatch_survives_any_clock():
    stopwatch = Stopwatch()
    laps = [stopwatch.lap(now_ms) for now_ms in (500, 540, 540, 100, 140, 90_000, 90_040, -5_000_000, -4_999_960)]
    assert laps == [0, 40, 0, 0, 40, 1_000, 40, 0, 40]


def test_measure():
    assert measure(None, 30_000) == WHOLE
    assert measure(5_000, None) == WHOLE
    assert measure(5_000, 0) == WHOLE
    assert measure(0, 30_000) == 0
    assert measure(-7, 30_000) == 0
    assert measure(30_000, 30_000) == WHOLE
    assert measure(40_000, 30_000) == WHOLE
    assert measure(15_000, 30_000) == WHOLE // 2
    # Longer spans than any signal has, within the small ints of a board all the same.
    assert measure(1 << 28, 1 << 29) == WHOLE // 2
    for span_ms in (1, 7, 999, 32_767, 32_768, 90_000, 3_600_000):
        for part in range(11):
            wanted = span_ms * part // 10 * WHOLE // span_ms
            assert abs(measure(span_ms * part // 10, span_ms) - wanted) <= 4


def follow(level, kind, remaining_ms, span_ms, frames, advice):
    shown = []
    for frame in range(frames):
        left_ms = None if remaining_ms is None else remaining_ms - frame * FRAME_MS
        shown.append(level.update(say(advice, kind, left_ms, span_ms), FRAME_MS))
    return shown


def test_a_plain_countdown_is_exact_and_never_rises():
    level = Level()
    advice = Advice()
    for frame, shown in enumerate(follow(level, "green", 30_000, 30_000, 700, advice)):
        assert abs(shown - measure(30_000 - frame * FRAME_MS, 30_000)) <= 8
        assert not level.changing
    shown = follow(Level(), "red", 20_000, 45_000, 500, advice)
    assert shown == sorted(shown, reverse=True)


def test_a_new_colour_has_its_length_at_once():
    level = Level()
    advice = Advice()
    follow(level, "green", 500, 30_000, 10, advice)
    assert follow(level, "red", 45_000, 45_000, 1, advice) == [WHOLE]
    assert follow(level, "green", 10_000, 20_000, 1, advice) == [WHOLE // 2]
    assert not level.changing


def test_a_changed_plan_is_approached_within_a_second_and_shown_as_such():
    for before_ms, after_ms in ((6_000, 24_000), (24_000, 6_000)):
        level = Level()
        advice = Advice()
        follow(level, "green", before_ms, 30_000, 20, advice)
        start = level.shown
        shown = follow(level, "green", after_ms, 30_000, 25, advice)
        whole_way = abs(measure(after_ms, 30_000) - start)
        assert abs(shown[0] - start) < whole_way // 5
        if after_ms < before_ms:
            assert shown == sorted(shown, reverse=True)
        else:
            assert max(shown) <= measure(after_ms, 30_000)
        assert abs(shown[-1] - measure(after_ms - 24 * FRAME_MS, 30_000)) < WHOLE // 30
        follow(level, "green", after_ms - 1_000, 30_000, 50, advice)
        assert not level.changing
        level = Level()
        follow(level, "green", before_ms, 30_000, 20, advice)
        follow(level, "green", after_ms, 30_000, 3, advice)
        assert level.changing


def test_uncertainty_dissolves_the_length_and_knows_no_change():
    level = Level()
    advice = Advice()
    follow(level, "green", 9_000, 30_000, 5, advice)
    shown = follow(level, "uncertain", None, None, 50, advice)
    assert shown == sorted(shown)
    assert shown[0] < WHOLE // 2
    assert shown[-1] > WHOLE * 98 // 100
    assert not level.changing
    assert follow(Level(), "uncertain", None, None, 1, advice) == [WHOLE]


def test_after_dark_nothing_is_remembered():
    level = Level()
    advice = Advice()
    follow(level, "green", 9_000, 30_000, 5, advice)
    follow(level, "dark", None, None, 1, advice)
    assert follow(level, "uncertain", None, None, 1, advice) == [WHOLE]
    follow(level, "dark", None, None, 1, advice)
    assert follow(level, "red", 10_000, 20_000, 1, advice) == [WHOLE // 2]


def test_after_a_long_pause_nothing_is_animated():
    level = Level()
    advice = Advice()
    follow(level, "green", 3_000, 30_000, 5, advice)
    assert level.update(say(advice, "green", 15_000, 30_000), 1_000) == WHOLE // 2


def test_figures_run_to_a_new_plan_within_small_ints():
    for span_ms in (30_000, 1 << 28):
        level = Level()
        advice = Advice()
        follow(level, "red", span_ms // 4, span_ms, 3, advice)
        assert level.remaining_ms(advice) == advice.remaining_ms
        level.update(say(advice, "red", span_ms // 2, span_ms), FRAME_MS)
        assert level.changing
        assert span_ms > 1 << 20 or span_ms // 4 < level.remaining_ms(advice) < span_ms // 2
        assert 0 < level.remaining_ms(advice) < 1 << 20
        say(advice, "red", None, None)
        assert level.remaining_ms(advice) is None


def test_a_length_never_leaves_its_scale():
    level = Level()
    advice = Advice()
    for remaining_ms, span_ms in ((100, 30_000), (60_000, 30_000), (0, 30_000), (2_000, 2_000), (0, 2_000), (5, None)):
        for elapsed_ms in (0, 40, 299, 300, 1_000):
            assert 0 <= level.update(say(advice, "red", remaining_ms, span_ms), elapsed_ms) <= WHOLE
