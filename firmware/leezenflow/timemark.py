# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TimeMark, minute of the year and DSecond: integer milliseconds, no float, no division.

A TimeMark (J2735 DE_TimeMark) is tenths of a second in the UTC hour: absolute, never a countdown, and without the
hour it belongs to. `nearest` supplies the hour: the one that puts the mark closest to the message's own time. For
every mark up to 30 minutes ahead this agrees with the C2C-CC rule and with the J2735-2023 wording; a mark that has
just passed stays slightly negative instead of turning into 59:59.
"""

HOUR_MS = 3_600_000
HALF_HOUR_MS = 1_800_000
MINUTE_MS = 60_000

# DE_TimeMark: 36000 "more than an hour ahead or indefinite"; 36001 (ETSI, ISO, J2735-2016) and 36111 (J2735 from
# 2020) unknown; what lies between is a leap second or reserved. Nothing from 36000 up is a usable instant.
FIRST_UNUSABLE_MARK = 36_000
# DE_MinuteOfTheYear 527040 is "invalid".
INVALID_MOY = 527_040
# DE_DSecond: 60000..60999 only inside a leap second, 61000..65534 reserved, 65535 unavailable.
FIRST_UNUSABLE_TIME_STAMP = 61_000

_YEAR_MINUTES = 525_600
_LEAP_YEAR_MINUTES = 527_040
_HALF_YEAR_MINUTES = 262_800
# Beyond this many minutes two messages have nothing to say about each other's clock.
_COMPARABLE_MINUTES = 60


def message_ms(moy, time_stamp):
    """Return a message's time as milliseconds in its UTC hour (0..3600999), or None when it gives none.

    `moy` is the minute of the year, `time_stamp` the DSecond; either may be None, invalid or out of range.
    """
    if moy is None or time_stamp is None:
        return None
    if not 0 <= moy < INVALID_MOY or not 0 <= time_stamp < FIRST_UNUSABLE_TIME_STAMP:
        return None
    return moy % 60 * MINUTE_MS + time_stamp


def mark_ms(time_mark):
    """Return a TimeMark as milliseconds in its hour (0..3599900), or None when it is absent or names no instant."""
    if time_mark is None or not 0 <= time_mark < FIRST_UNUSABLE_MARK:
        return None
    return time_mark * 100


def nearest(difference_ms):
    """Bring a difference of two times in the hour into (-30 min, +30 min] by whole hours."""
    return HALF_HOUR_MS - (HALF_HOUR_MS - difference_ms) % HOUR_MS


def ms_ahead(time_mark, at_message_ms):
    """Return how many ms after `at_message_ms` (see `message_ms`) the mark lies; None when either is unusable."""
    mark = mark_ms(time_mark)
    if mark is None or at_message_ms is None:
        return None
    return nearest(mark - at_message_ms)


def advance_ms(moy, time_stamp, later_moy, later_time_stamp):
    """Return how many ms a controller's clock advanced between two messages; negative when it went back.

    Both times must be valid (`message_ms` is not None). None when they lie more than an hour apart. The year may
    end in between; a leap year is recognised by the minutes that only it has.
    """
    minutes = later_moy - moy
    if minutes < -_HALF_YEAR_MINUTES:
        minutes += _LEAP_YEAR_MINUTES if moy >= _YEAR_MINUTES else _YEAR_MINUTES
    elif minutes > _HALF_YEAR_MINUTES:
        minutes -= _LEAP_YEAR_MINUTES if later_moy >= _YEAR_MINUTES else _YEAR_MINUTES
    if not -_COMPARABLE_MINUTES <= minutes <= _COMPARABLE_MINUTES:
        return None
    if time_stamp >= MINUTE_MS and minutes > 0:
        # Out of an inserted leap second: that minute had 61 s.
        return minutes * MINUTE_MS + later_time_stamp - time_stamp + 1_000
    return minutes * MINUTE_MS + later_time_stamp - time_stamp
