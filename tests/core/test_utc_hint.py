# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages without a minute: real US feeds send only the millisecond in it."""

from leezenflow.utc_hint import UtcHint
from signals import Program, engine, fill

HOUR_MS = 3_600_000


def test_without_a_hint_there_is_no_minute():
    assert UtcHint().minute(30_000, 0) is None


def test_what_is_no_time_stamp_gets_no_minute():
    hint = UtcHint()
    hint.set(0, 0)
    assert hint.minute(None, 0) is None
    assert hint.minute(65_535, 0) is None
    assert hint.minute(-1, 0) is None


def test_the_minute_is_the_nearest():
    hint = UtcHint()
    hint.set(1_000, 10 * 60_000 + 5_000)
    assert hint.minute(4_000, 1_000) == 10
    assert hint.minute(58_000, 1_000) == 9
    assert hint.minute(34_000, 1_000) == 10
    assert hint.minute(36_000, 1_000) == 9
    assert hint.minute(10_000, 61_000) == 11


def test_the_minutes_count_on_over_hours_and_corrections():
    hint = UtcHint()
    hint.set(0, HOUR_MS - 1_000)
    assert hint.minute(59_000, 0) == 59
    assert hint.minute(1_000, 2_000) == 60
    # Set again behind the full hour, half a second apart: the count goes on.
    hint.set(3_000, 2_500)
    assert hint.minute(2_500, 3_000) == 60
    # And a little before it.
    hint.set(4_000, HOUR_MS - 200)
    assert hint.minute(59_800, 4_000) == 59


def test_years_and_rebases_leave_no_trace():
    hint = UtcHint()
    hint.set(0, 0)
    minute = hint.minute(0, 0)
    at_ms = 0
    for _ in range(600):
        at_ms += 15 * HOUR_MS
        if at_ms >= 1 << 28:
            at_ms -= 1 << 28
            hint.rebase(1 << 28)
        minute = (minute + 900) % 525_600
        assert hint.minute(0, at_ms) == minute


def drive(hint_ms):
    """Return an engine after five seconds across a full hour of messages without a minute, and its advice."""
    unit = engine()
    start_ms = HOUR_MS * 24 - 2_000
    program = Program(start_ms - 10_000)
    if hint_ms is not None:
        unit.set_utc(500, (start_ms + hint_ms) % HOUR_MS)
    state = unit.decoder.state
    for second in range(6):
        now_ms = start_ms + second * 1000
        fill(state, now_ms, program.events_at(now_ms))
        state.moy = None
        unit.message(state, 0, 0, 500 + second * 1000)
    return unit, unit.frame(5_600)


def test_a_feed_without_minutes_shows_nothing_without_a_hint():
    unit, advice = drive(None)
    assert (advice.kind, advice.reason) == ("dark", "no_data")
    assert unit.counters == {"no_time": 6}


def test_with_a_hint_it_is_a_feed_like_any_other():
    for hint_ms in (0, 25_000, -25_000):
        unit, advice = drive(hint_ms)
        assert unit.counters == {"accepted": 6}
        # 15.1 s into the red of 40 s and the red with amber; the rider arrives 22 s later.
        assert advice.kind == "red"
        assert advice.remaining_ms == 41_000 - 15_100 - 22_000
