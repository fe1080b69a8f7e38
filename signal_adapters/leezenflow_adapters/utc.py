# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""UTC instants between the texts of JSON feeds and the numbers of a SPATEM, in integers that stay small on a board."""

from leezenflow.errors import SignalError

_DAYS_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


class Instant:
    """An instant in its UTC year: `moy` (minute, 0..527039) and `time_stamp` (millisecond in it, 0..60999)."""

    __slots__ = ("moy", "time_stamp", "year")

    def __init__(self, year, moy, time_stamp):
        self.year = year
        self.moy = moy
        self.time_stamp = time_stamp

    def mark(self):
        """Its TimeMark (0..35999)."""
        return (self.moy * 600 + self.time_stamp // 100) % 36000

    def tenths(self):
        """Tenths of a second since the year 1, to compare instants by: a large number, for hosts only."""
        before = self.year - 1
        days = before * 365 + before // 4 - before // 100 + before // 400
        return (days * 1440 + self.moy) * 600 + self.time_stamp // 100


def parse_instant(text):
    """An ISO 8601 date and time such as 2023-09-28T12:00:39.250Z or ...+02:00; without a zone it is UTC.

    Raises SignalError "malformed".
    """
    try:
        return _parse(text if isinstance(text, str) else "")
    except (ValueError, IndexError):
        raise SignalError("malformed", "no date and time of ISO 8601")


def _parse(text):
    if len(text) > 40 or text[4] != "-" or text[7] != "-" or text[10] not in "T " or text[13] != ":":
        raise ValueError
    year, month, day = _digits(text, 0, 4), _digits(text, 5, 2), _digits(text, 8, 2)
    hour, minute = _digits(text, 11, 2), _digits(text, 14, 2)
    second, at = 0, 16
    millisecond = 0
    if text[16:17] == ":":
        second, at = _digits(text, 17, 2), 19
        if text[19:20] in (".", ","):
            at = 20
            while text[at : at + 1].isdigit():
                at += 1
            if at == 20:
                raise ValueError
            millisecond = int((text[20:at] + "00")[:3])
    zone = text[at:]
    offset = 0
    if zone[:1] in ("+", "-") and len(zone) in (3, 5, 6):
        offset = _digits(zone, 1, 2) * 60 + (_digits(zone, len(zone) - 2, 2) if len(zone) > 3 else 0)
        if zone[0] == "-":
            offset = -offset
    elif zone not in ("Z", "z", ""):
        raise ValueError
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour <= 23 and minute <= 59 and second <= 60):
        raise ValueError
    days = _DAYS_BEFORE_MONTH[month - 1] + day - 1 + (1 if month > 2 and _is_leap(year) else 0)
    minutes = days * 1440 + hour * 60 + minute - offset
    # A zone may carry the instant into the year before or after.
    if minutes < 0:
        year -= 1
        minutes += 1440 * (366 if _is_leap(year) else 365)
    elif minutes >= 1440 * (366 if _is_leap(year) else 365):
        minutes -= 1440 * (366 if _is_leap(year) else 365)
        year += 1
    return Instant(year, minutes, second * 1000 + millisecond)


def _is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _digits(text, at, count):
    part = text[at : at + count]
    if len(part) != count or not part.isdigit():
        raise ValueError
    return int(part)
