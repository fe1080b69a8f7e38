# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signal plans, the table that switches them, and the civil calendar they follow; all from texts in a site file."""

from leezenflow import spatem
from leezenflow.errors import LeezenflowError

_PHASES = {
    "red": spatem.STOP_AND_REMAIN,
    "red_amber": spatem.PRE_MOVEMENT,
    "green": spatem.PROTECTED_MOVEMENT_ALLOWED,
    "amber": spatem.PROTECTED_CLEARANCE,
}
_STANDING = {"flashing": spatem.CAUTION_CONFLICTING_TRAFFIC, "off": spatem.DARK}
_MOST_PHASES = 16
_LONGEST_CYCLE_MS = 3_600_000

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "hol")
_HOLIDAY = 7
_DAY_S = 86_400
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Plan:
    """One signal plan: `states[i]` lasts until `ends_ms[i]` of the cycle of `cycle_ms`, which begins at `offset_ms`.

    `cycle_ms` 0: the signal stands in `state` (flashing, off).
    """

    def __init__(self, name):
        self.name = name
        self.cycle_ms = 0
        self.offset_ms = 0
        self.state = spatem.DARK
        self.states = []
        self.ends_ms = []


def parse_plans(texts):
    """Return the Plans of texts such as 'day offset=12 red=45 green=40 amber=4'; LeezenflowError in words."""
    plans = []
    for text in texts:
        words = text.split()
        if len(words) < 2:
            raise _complaint("plans", text, "has a name and phases, such as 'day offset=12 red=45 green=40 amber=4'")
        plan = Plan(words[0])
        if words[0] in [other.name for other in plans]:
            raise _complaint("plans", text, "has a name of its own")
        if len(words) == 2 and words[1] in _STANDING:
            plan.state = _STANDING[words[1]]
        else:
            for word in words[1:]:
                _read_phase(plan, text, word)
            if not plan.states or len(plan.states) > _MOST_PHASES or plan.cycle_ms > _LONGEST_CYCLE_MS:
                raise _complaint("plans", text, "has 1 to %d phases and lasts an hour at most" % _MOST_PHASES)
        plans.append(plan)
    return plans


def _read_phase(plan, text, word):
    parts = word.split("=")
    ms = _tenths_ms(parts[1]) if len(parts) == 2 else None
    if ms is not None and parts[0] == "offset":
        plan.offset_ms = ms
    elif ms and parts[0] in _PHASES:
        plan.cycle_ms += ms
        plan.states.append(_PHASES[parts[0]])
        plan.ends_ms.append(plan.cycle_ms)
    else:
        raise _complaint("plans", text, "has parts such as offset=12, red=45, red_amber=1, green=40.5 or amber=4")


def _tenths_ms(text):
    """Return the ms of seconds written as 45 or 40.5, None for anything else."""
    parts = text.split(".")
    if len(parts) > 2 or not parts[0].isdigit() or len(parts[0]) > 4:
        return None
    tenths = parts[1] if len(parts) == 2 else "0"
    if not tenths.isdigit() or len(tenths) != 1:
        return None
    return int(parts[0]) * 1000 + int(tenths) * 100


class SwitchingTable:
    """Which plan runs when. After `look_up`: `plan` (index), `since_s` and `until_s` its last and next switch."""

    def __init__(self, texts, names):
        self.plan = 0
        self.since_s = self.until_s = _DAY_S
        # For each kind of day the (second, plan) that begin in it, in order.
        self._days = [[] for _ in _DAYS]
        self._any = bool(texts)
        holidays = False
        for text in texts:
            words = text.split()
            minute = _clock_minute(words[1]) if len(words) == 3 else None
            days = _days_of(words[0]) if minute is not None else None
            if days is None or words[2] not in names:
                raise _complaint("switching", text, "is like 'mon-fri 06:00 day', with the name of one of the plans")
            for day in days:
                holidays = holidays or day == _HOLIDAY
                self._days[day].append((minute * 60, names.index(words[2])))
        for day in self._days:
            day.sort()
        if not holidays:
            self._days[_HOLIDAY] = self._days[0]

    def look_up(self, calendar, second):
        """Set what holds at `second` of the calendar's day."""
        self.plan = 0
        self.since_s = self.until_s = _DAY_S
        if not self._any:
            return
        ago_s, self.plan = self._last(calendar, second)
        # A switch to the plan that was running anyway is none.
        if self._last(calendar, second - ago_s - 1)[1] != self.plan:
            self.since_s = ago_s
        for day in (0, 1):
            for at_s, plan in self._days[calendar.kind_of_day(day)]:
                ahead_s = at_s + day * _DAY_S - second
                if 0 < ahead_s < self.until_s and plan != self.plan:
                    self.until_s = ahead_s

    def _last(self, calendar, second):
        """Return (how many s before, plan) of the last switch up to `second` of today, which may be negative."""
        for back in range(9):
            entries = self._days[calendar.kind_of_day(-back)]
            for i in range(len(entries) - 1, -1, -1):
                ago_s = second + back * _DAY_S - entries[i][0]
                if ago_s >= 0:
                    return ago_s, entries[i][1]
        # Nothing but holidays in the table, and none of late.
        return 9 * _DAY_S, 0


def _days_of(text):
    """Return the kinds of day that 'mon-fri', 'sat,hol' or 'all' name, None for anything else."""
    if text == "all":
        return range(7)
    days = []
    for part in text.split(","):
        ends = part.split("-")
        for end in ends:
            if end not in _DAYS:
                return None
        first, last = _DAYS.index(ends[0]), _DAYS.index(ends[-1])
        if len(ends) > 2 or (len(ends) == 2 and _HOLIDAY in (first, last)):
            return None
        while first != last:
            days.append(first)
            first = (first + 1) % 7
        days.append(last)
    return days


def _clock_minute(text):
    parts = text.split(":")
    if len(parts) != 2 or not (parts[0].isdigit() and parts[1].isdigit() and len(text) <= 5):
        return None
    minute = int(parts[0]) * 60 + int(parts[1])
    return minute if int(parts[0]) < 24 and int(parts[1]) < 60 else None


class Calendar:
    """The local day of a UTC instant. After `set`: `minute` of the local day; `kind_of_day` names days around it."""

    def __init__(self, utc_offset_min, eu_summer_time, holidays):
        self.minute = 0
        self._offset_min = utc_offset_min
        self._eu_summer_time = eu_summer_time
        self._holidays = [_holiday(text) for text in holidays]
        self._year = 2000
        self._moy = 0
        # Day of the local year, from 0; it may lie a day outside of the UTC year.
        self._day = 0

    def set(self, year, moy):
        """Take a UTC instant: its year and the minute of it."""
        self._year = year
        self._moy = moy
        local = moy + self._offset_min
        if self._eu_summer_time and _last_sunday(year, 3) <= moy < _last_sunday(year, 10):
            local += 60
        self._day = local // 1440
        self.minute = local % 1440

    def epoch_ms(self, cycle_ms):
        """Return the ms from 1970 to the present UTC minute, but for whole cycles (of full tenths of a second)."""
        year = self._year - 1
        days = (self._year - 1970) * 365 + year // 4 - year // 100 + year // 400 - 477 + self._moy // 1440
        tenths = cycle_ms // 100
        return days % tenths * (864_000 % tenths) % tenths * 100 + self._moy % 1440 * 60_000

    def kind_of_day(self, days_on):
        """Return 0 (Sunday) to 6, or 7 for a holiday, of the day so many days after the present one."""
        day = self._day + days_on
        year = self._year
        while day < 0:
            year -= 1
            day += _days_in(year)
        while day >= _days_in(year):
            day -= _days_in(year)
            year += 1
        weekday = (_new_years_weekday(year) + day) % 7
        month = 0
        while day >= _month_days(year, month):
            day -= _month_days(year, month)
            month += 1
        for holiday in self._holidays:
            if holiday[0] in (0, year) and holiday[1] == month + 1 and holiday[2] == day + 1:
                return _HOLIDAY
        return weekday


def _holiday(text):
    """Return (year or 0, month, day) of '2026-04-03' or '12-25'."""
    parts = text.split("-")
    if len(parts) in (2, 3) and all(part.isdigit() and len(part) <= 4 for part in parts):
        month, day = int(parts[-2]), int(parts[-1])
        if 1 <= month <= 12 and 1 <= day <= 31:
            return (int(parts[0]) if len(parts) == 3 else 0), month, day
    raise _complaint("holidays", text, "is a date such as '12-25' or '2026-04-03'")


def _days_in(year):
    return 366 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 365


def _month_days(year, month):
    return 29 if month == 1 and _days_in(year) == 366 else _MONTH_DAYS[month]


def _new_years_weekday(year):
    """Return the weekday of 1 January, 0 for Sunday (Gauss)."""
    year -= 1
    return (1 + 5 * (year % 4) + 4 * (year % 100) + 6 * (year % 400)) % 7


def _last_sunday(year, month):
    """Return the UTC minute of the year at which summer time changes: 01:00, last Sunday of a month of 31 days."""
    day = sum(_month_days(year, i) for i in range(month)) - 1
    day -= (_new_years_weekday(year) + day) % 7
    return day * 1440 + 60


def _complaint(option, text, expected):
    return LeezenflowError("fixed_time: %s: %r is wrong: it %s" % (option, text, expected))
