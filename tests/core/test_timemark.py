# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TimeMark arithmetic: hour, minute, day and year boundaries, and what is no instant at all."""

from leezenflow.timemark import advance_ms, mark_ms, message_ms, ms_ahead, nearest

# (moy, time_stamp, mark, ms ahead), from the signal-data reference, section 2.
TABLE = (
    (203635, 8430, 33530, 44570),  # captured in Münster
    (59, 55000, 50, 10000),  # 00:59:55 -> 01:00:05; the first generation said 70 s
    (59, 59900, 0, 100),  # just before the hour
    (119, 30000, 300, 60000),  # 01:59:30 -> 02:00:30
    (60, 0, 0, 0),  # exactly at the hour
    (60, 50, 35999, -150),  # passed, across the hour
    (486, 100, 3599, -200),  # passed, across the minute
    (486, 6099, 3620, -4099),  # passed, same minute
    (59, 60500, 10, 500),  # in a leap second
    (525599, 59000, 20, 3000),  # new year
    (100, 0, 36000, None),  # more than an hour ahead
    (100, 0, 36001, None),  # unknown
    (100, 0, 36111, None),  # unknown in J2735 from 2020 on
    (100, 0, 65535, None),
    (100, 0, None, None),
    (100, 65535, 300, None),
    (100, 61000, 300, None),
    (527040, 0, 300, None),
    (None, 0, 300, None),
    (100, None, 300, None),
)


def test_every_row_of_the_reference_table():
    for moy, time_stamp, mark, expected in TABLE:
        got = ms_ahead(mark, message_ms(moy, time_stamp))
        assert got == expected, (moy, time_stamp, mark, got, expected)


def test_message_time_lies_in_its_hour():
    assert message_ms(0, 0) == 0
    assert message_ms(59, 59999) == 3_599_999
    assert message_ms(59, 60999) == 3_600_999
    assert message_ms(60, 0) == 0
    assert message_ms(527039, 0) == 59 * 60_000
    assert message_ms(-1, 0) is None
    assert message_ms(0, -1) is None


def test_marks_are_tenths_of_a_second():
    assert mark_ms(0) == 0
    assert mark_ms(35999) == 3_599_900
    assert mark_ms(36000) is None
    assert mark_ms(-1) is None


def test_nearest_keeps_half_an_hour_to_both_sides():
    assert nearest(0) == 0
    assert nearest(1_800_000) == 1_800_000
    assert nearest(-1_800_000) == 1_800_000
    assert nearest(1_800_001) == -1_799_999
    assert nearest(3_599_999) == -1
    assert nearest(-3_599_999) == 1
    assert nearest(7_200_000) == 0


def test_a_clock_advances_across_minute_hour_day_and_year():
    assert advance_ms(10, 59_900, 11, 100) == 200
    assert advance_ms(59, 59_000, 60, 1_000) == 2_000
    assert advance_ms(1439, 59_999, 1440, 0) == 1
    assert advance_ms(525_599, 59_500, 0, 500) == 1_000
    assert advance_ms(527_039, 59_500, 0, 500) == 1_000
    assert advance_ms(0, 500, 525_599, 59_500) == -1_000
    assert advance_ms(0, 500, 527_039, 59_500) == -1_000
    assert advance_ms(11, 100, 10, 59_900) == -200


def test_an_inserted_leap_second_is_one_second_long():
    assert advance_ms(59, 59_900, 59, 60_500) == 600
    assert advance_ms(59, 60_900, 60, 100) == 200


def test_clocks_more_than_an_hour_apart_are_not_compared():
    assert advance_ms(0, 0, 60, 0) == 3_600_000
    assert advance_ms(0, 0, 61, 0) is None
    assert advance_ms(200_000, 0, 100, 0) is None
