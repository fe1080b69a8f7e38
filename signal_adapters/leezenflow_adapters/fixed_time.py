# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fixed-time signal without any data connection: its plan stands in the site, and a disciplined clock does the rest.

Its messages come from the unit's own clock (transport `clock`), one a second, as four decimal numbers: year, minute of
the UTC year, millisecond in the minute, and seconds since the clock was last set ("-": never):

    2026 467890 30000 12

The state is what the plan says for that instant, with exact ends. Nobody watches the lamp: the plan has to be right,
and so has the clock. A clock that was never set, or too long ago, gives no state (rule F1). Near a switch of plans
nothing is claimed either: no end is told beyond it, and behind it the signal is unavailable until it has settled.
"""

from leezenflow import spatem
from leezenflow.errors import LeezenflowError, SignalError
from leezenflow_adapters.one_step import OneStepDecoder
from leezenflow_adapters.signal_plan import Calendar, SwitchingTable, parse_plans

RUNTIMES = ("device", "host")
OPTIONS = {
    "plans": {
        "type": "list",
        "items": "str",
        "default": [],
        "help": "one text a plan: 'day offset=12 red=45 red_amber=1 green=40 amber=4' (seconds), or 'night flashing'",
    },
    "switching": {
        "type": "list",
        "items": "str",
        "default": [],
        "help": "when a plan begins, local time: 'mon-fri 06:00 day', 'sat,sun,hol 08:00 day'; none: always the first",
    },
    "holidays": {
        "type": "list",
        "items": "str",
        "default": [],
        "help": "days that switch as 'hol': '12-25' every year, '2026-04-03' once",
    },
    "utc_offset_min": {
        "type": "int",
        "range": [-720, 840],
        "default": 60,
        "help": "local standard time minus UTC in minutes",
    },
    "summer_time": {
        "type": "str",
        "choices": ["eu", "none"],
        "default": "eu",
        "help": "eu: an hour more from the last Sunday in March to the last in October",
    },
    "reference": {
        "type": "str",
        "choices": ["midnight", "epoch"],
        "default": "midnight",
        "help": "what cycles and offsets count from: local midnight, or 1970-01-01T00:00Z",
    },
    "settle_s": {
        "type": "int",
        "range": [0, 1800],
        "default": 180,
        "help": "after a switch of plans, how long the controller may take to be in step again",
    },
    "max_sync_age_s": {
        "type": "int",
        "range": [60, 604800],
        "default": 7200,
        "help": "how long ago the clock may have been set",
    },
}

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
_MARK_HOUR = 36_000
_EVENTS = 5


class Decoder(OneStepDecoder):
    """Tells the state of the planned signal for each tick of a clock; LeezenflowError for options that make no plan."""

    MAX_BYTES = 40

    def __init__(self, region, intersection_id, signal_group, options=None):
        super().__init__(region, intersection_id, signal_group, options)
        given = options or {}
        values = {name: given.get(name, OPTIONS[name]["default"]) for name in OPTIONS}
        self._plans = parse_plans(values["plans"])
        self._calendar = Calendar(values["utc_offset_min"], values["summer_time"] == "eu", values["holidays"])
        self._table = SwitchingTable(values["switching"], [plan.name for plan in self._plans])
        self._by_epoch = values["reference"] == "epoch"
        self._settle_s = values["settle_s"]
        self._max_sync_age_s = values["max_sync_age_s"]
        if not self._plans:
            raise LeezenflowError("fixed_time: plans is empty; write the signal's plan into [signal.options]")

    def read(self, buffer, start, end):
        """Take one tick; SignalError "clock_not_set" or "clock_too_old" where the clock is no evidence."""
        year, moy, time_stamp, age_s = _numbers(bytes(buffer[start:end]))
        if age_s is None:
            raise SignalError("clock_not_set", "the unit's clock was never set")
        if age_s > self._max_sync_age_s:
            raise SignalError("clock_too_old", "the clock was set %d s ago" % age_s)
        self.clear()
        state = self.state
        state.status = spatem.STATUS_FIXED_TIME_OPERATION
        state.moy = moy
        state.time_stamp = time_stamp
        calendar = self._calendar
        calendar.set(year, moy)
        second = calendar.minute * 60 + time_stamp // 1000
        self._table.look_up(calendar, second)
        plan = self._plans[self._table.plan]
        if not plan.cycle_ms or self._table.since_s < self._settle_s:
            event = state.movement.add_event()
            event.event_state = plan.state if not plan.cycle_ms else spatem.UNAVAILABLE
            return True
        self._tell(plan, second, moy, time_stamp)
        return True

    def _tell(self, plan, second, moy, time_stamp):
        """Fill in the present phase and those that follow, as far as the plan holds."""
        limit_ms = self._table.until_s * 1000 - time_stamp % 1000
        # A day has 86.4 million ms: all of this stays small.
        since_ms = day_ms = second * 1000 + time_stamp % 1000
        if self._by_epoch:
            since_ms = self._calendar.epoch_ms(plan.cycle_ms) + time_stamp
        elif _DAY_MS % plan.cycle_ms:
            # Such a cycle is cut at midnight.
            limit_ms = min(limit_ms, _DAY_MS - day_ms)
        place_ms = (since_ms - plan.offset_ms) % plan.cycle_ms
        index = 0
        while place_ms >= plan.ends_ms[index]:
            index += 1
        ahead_ms = -place_ms
        now_ms = moy % 60 * _MINUTE_MS + time_stamp
        for _ in range(_EVENTS):
            end_ms = ahead_ms + plan.ends_ms[index]
            event = self.state.movement.add_event()
            event.event_state = plan.states[index]
            if end_ms > limit_ms:
                return
            mark = (now_ms + end_ms) // 100 % _MARK_HOUR
            event.min_end_time = event.likely_time = event.max_end_time = mark
            event.confidence = 15
            index += 1
            if index == len(plan.states):
                index = 0
                ahead_ms += plan.cycle_ms


def _numbers(text):
    """Return year, minute of the year, ms and age (None: never set) of a tick; SignalError "malformed"."""
    parts = text.split(b" ")
    if len(parts) != 4:
        raise SignalError("malformed", "a tick has four numbers")
    year, moy, time_stamp = _number(parts[0]), _number(parts[1]), _number(parts[2])
    if not 2000 <= year <= 2199 or moy >= 527_040 or time_stamp >= 61_000:
        raise SignalError("malformed", "no instant of a year")
    return year, moy, time_stamp, None if parts[3] == b"-" else _number(parts[3])


def _number(text):
    if not text.isdigit() or len(text) > 9:
        raise SignalError("malformed", "a tick has four numbers")
    return int(text)
