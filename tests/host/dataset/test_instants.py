# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller times as instants, and back: a stored message must tell the core what the original did."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from leezenflow_host.dataset.instants import (
    instant_mark,
    mark_instant,
    message_clock,
    message_instant,
    year_begins_ms,
    year_of,
)
from leezenflow_host.dataset.schema import CLOCK_FULL, CLOCK_LEAP_SECOND, CLOCK_NO_MINUTE, CLOCK_NONE

ARRIVALS = st.integers(1_262_304_000_000, 4_102_444_800_000)


def instant(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)


@given(ARRIVALS)
def test_years_are_those_of_the_calendar(at_ms: int):
    year = datetime.fromtimestamp(at_ms // 1000, UTC).year
    assert year_of(at_ms) == year
    assert year_begins_ms(year) == instant(year, 1, 1)


@given(ARRIVALS, st.integers(-100_000, 100_000))
def test_a_message_comes_back_as_it_was(at_ms: int, delay_ms: int):
    told_ms = at_ms - delay_ms
    moy = (told_ms - year_begins_ms(year_of(told_ms))) // 60_000
    found, clock = message_instant(moy, told_ms % 60_000, at_ms)
    assert (found, clock) == (told_ms, CLOCK_FULL)
    assert message_clock(found, clock) == (moy, told_ms % 60_000)


@given(ARRIVALS, st.integers(-29_000, 29_000))
def test_without_a_minute_the_nearest_one_is_meant(at_ms: int, delay_ms: int):
    told_ms = at_ms - delay_ms
    found, clock = message_instant(None, told_ms % 60_000, at_ms)
    assert (found, clock) == (told_ms, CLOCK_NO_MINUTE)
    assert message_clock(found, clock) == (None, told_ms % 60_000)


def test_the_year_may_end_between_message_and_arrival():
    arrival = instant(2024, 1, 1, 0, 0, 1)
    assert message_instant(525_599, 59_500, arrival)[0] == instant(2023, 12, 31, 23, 59, 59) + 500
    assert message_instant(0, 200, instant(2023, 12, 31, 23, 59, 59))[0] == instant(2024, 1, 1) + 200


def test_a_leap_second_is_told_as_one():
    found, clock = message_instant(59, 60_500, instant(2024, 1, 1, 1, 0, 0))
    assert clock == CLOCK_LEAP_SECOND
    assert message_clock(found, clock) == (59, 60_500)


def test_what_is_no_time_has_no_instant():
    for moy, time_stamp in ((10, None), (10, 65_535), (527_040, 100)):
        assert message_instant(moy, time_stamp, instant(2024, 1, 1)) == (None, CLOCK_NONE)
    assert message_clock(None, CLOCK_NONE) == (None, None)


@given(ARRIVALS, st.integers(0, 35_999))
def test_a_mark_is_within_half_an_hour_and_comes_back(at_ms: int, mark: int):
    found = mark_instant(mark, at_ms)
    assert found is not None
    assert -1_800_000 <= found - at_ms <= 1_800_000
    assert instant_mark(found) == mark


def test_marks_that_name_no_instant_have_none():
    for mark in (None, 36_000, 36_001, 36_111, 65_535):
        assert mark_instant(mark, instant(2024, 1, 1)) is None
    assert instant_mark(None) is None
