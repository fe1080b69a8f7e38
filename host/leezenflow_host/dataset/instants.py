# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller's times as instants: minute of the year and TimeMarks need the year, and the hour, of the arrival.

And back again, so that a stored message tells the core exactly what the original did.
"""

from functools import lru_cache

from leezenflow.timemark import FIRST_UNUSABLE_TIME_STAMP, HOUR_MS, INVALID_MOY, MINUTE_MS, mark_ms, nearest
from leezenflow_host.dataset.schema import CLOCK_FULL, CLOCK_LEAP_SECOND, CLOCK_NO_MINUTE, CLOCK_NONE

_DAY_MS = 86_400_000
# 1970-03-01 is day 59; years are counted from March, so that a leap day is the last of its year.
_DAYS_TO_MARCH = 59


@lru_cache(maxsize=16)
def year_begins_ms(year: int) -> int:
    """The instant at which a UTC year (Gregorian) begins, Unix ms."""
    before = year - 1
    return (before * 365 + before // 4 - before // 100 + before // 400 - 719_162) * _DAY_MS


@lru_cache(maxsize=64)
def _year_of_day(day: int) -> int:
    year = 1970 + day * 400 // 146_097
    while year_begins_ms(year + 1) <= day * _DAY_MS:
        year += 1
    while year_begins_ms(year) > day * _DAY_MS:
        year -= 1
    return year


def year_of(at_ms: int) -> int:
    """The UTC year of an instant."""
    return _year_of_day(at_ms // _DAY_MS)


def message_instant(moy: int | None, time_stamp: int | None, at_ms: int) -> tuple[int | None, int]:
    """The instant a message names, and its clock code; the year, or the minute, is the one nearest to the arrival."""
    if time_stamp is None or not 0 <= time_stamp < FIRST_UNUSABLE_TIME_STAMP:
        return None, CLOCK_NONE
    if moy is None:
        begin_ms = at_ms - (at_ms - time_stamp + MINUTE_MS // 2) % MINUTE_MS + MINUTE_MS // 2
        return begin_ms, CLOCK_NO_MINUTE
    if not 0 <= moy < INVALID_MOY:
        return None, CLOCK_NONE
    year = year_of(at_ms)
    offset_ms = moy * MINUTE_MS + time_stamp
    instant = min((year_begins_ms(y) + offset_ms for y in (year, year - 1, year + 1)), key=lambda ms: abs(ms - at_ms))
    return instant, CLOCK_FULL if time_stamp < MINUTE_MS else CLOCK_LEAP_SECOND


def message_clock(message_at_ms: int | None, clock: int) -> tuple[int | None, int | None]:
    """The `moy` and `time_stamp` a message had (see `message_instant`); both None for CLOCK_NONE."""
    if message_at_ms is None or clock == CLOCK_NONE:
        return None, None
    time_stamp = message_at_ms % MINUTE_MS
    if clock == CLOCK_NO_MINUTE:
        return None, time_stamp
    begin_ms = message_at_ms - time_stamp
    if clock == CLOCK_LEAP_SECOND:
        begin_ms -= MINUTE_MS
        time_stamp += MINUTE_MS
    return (begin_ms - year_begins_ms(year_of(begin_ms))) // MINUTE_MS, time_stamp


def mark_instant(time_mark: int | None, reference_ms: int) -> int | None:
    """The instant of a TimeMark, in the hour that puts it nearest to `reference_ms`; None where it names none."""
    mark = mark_ms(time_mark)
    return None if mark is None else reference_ms + nearest(mark - reference_ms % HOUR_MS)


def instant_mark(instant_ms: int | None) -> int | None:
    """The TimeMark of an instant."""
    return None if instant_ms is None else instant_ms % HOUR_MS // 100
