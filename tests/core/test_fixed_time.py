# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals whose plan stands in the site: phases, switching tables, summer time; and that no clock means no state."""

from leezenflow.engine import Engine
from leezenflow.errors import LeezenflowError, SignalError
from leezenflow_adapters.fixed_time import Decoder
from leezenflow_adapters.signal_plan import Calendar, SwitchingTable
from signals import Site

DAY = "day offset=10 red=45 red_amber=1 green=40 amber=4"
NIGHT = "night red=30 green=27.5 amber=2.5"
HOUR = 3600
# Minutes of 2026 (it begins on a Thursday): 5 January is the first Monday.
MONDAY = 4 * 1440


def decoder(**options):
    options.setdefault("plans", [DAY, NIGHT, "blink flashing", "dark off"])
    options.setdefault("summer_time", "none")
    options.setdefault("utc_offset_min", 0)
    return Decoder(None, 1090, 12, options)


def make(options):
    return decoder(**options)


def tick(unit, moy, time_stamp=0, age="5", year=2026):
    payload = b"%d %d %d %s" % (year, moy, time_stamp, age.encode())
    assert unit.decode(payload, 0, len(payload)) is True
    return unit.state


def events(unit, moy, time_stamp=0, year=2026):
    """(state, tenths until its end or None) of all events."""
    state = tick(unit, moy, time_stamp, year=year)
    now = moy % 60 * 600 + time_stamp // 100
    return [
        (event.event_state, None if event.min_end_time is None else (event.min_end_time - now) % 36_000)
        for event in state.movement.events[: state.movement.event_count]
    ]


def error_of(call, *arguments):
    try:
        call(*arguments)
    except (SignalError, LeezenflowError) as error:
        return error
    return None


def test_a_plan_from_its_offset_on():
    unit = decoder()
    assert events(unit, MONDAY) == [(6, 60), (8, 100), (3, 550), (4, 560), (6, 960)]
    assert events(unit, MONDAY, 10_000) == [(3, 450), (4, 460), (6, 860), (8, 900), (3, 1350)]
    assert events(unit, MONDAY, 55_250)[0] == (4, 8)
    state = unit.state
    assert (state.id, state.movement.signal_group, state.moy, state.time_stamp) == (1090, 12, MONDAY, 55_250)
    event = state.movement.events[0]
    assert event.min_end_time == event.likely_time == event.max_end_time


def test_a_cycle_that_does_not_fit_into_the_day_is_cut_at_midnight():
    unit = decoder(plans=["x red=40 green=30"])
    assert events(unit, 1439, 0) == [(3, 100), (6, 400), (3, None)]
    assert events(unit, 1439, 20_000) == [(6, 200), (3, None)]
    assert events(unit, 1440, 0)[0] == (3, 400)


def test_cycles_may_count_from_1970():
    unit = decoder(plans=["x red=40 green=30"], reference="epoch")
    # 2026-01-02T00:00Z is second 1767312000: 20 s into its cycle of 70.
    assert 1_767_312_000 % 70 == 20
    assert events(unit, 1440)[0] == (3, 200)
    assert events(unit, 1439, 59_000)[0] == (3, 210)
    tenths = decoder(plans=["x red=40.3 green=30"], reference="epoch")
    assert 17_673_120_000 % 703 == 181
    assert events(tenths, 1440)[0] == (3, 222)


def test_without_a_disciplined_clock_there_is_no_state():
    unit = decoder(max_sync_age_s=100)
    tick(unit, MONDAY, age="100")
    assert error_of(tick, unit, MONDAY, 0, "101").kind == "clock_too_old"
    assert error_of(tick, unit, MONDAY, 0, "-").kind == "clock_not_set"


def test_what_is_no_tick():
    unit = decoder()
    for payload in (
        b"",
        b"2026 1 2",
        b"2026 1 2 3 4",
        b"1999 1 2 3",
        b"2026 527040 2 3",
        b"2026 1 61000 3",
        b"2026 1 x 3",
    ):
        assert error_of(unit.decode, payload, 0, len(payload)).kind == "malformed"


def test_standing_plans():
    for name, state in (("blink", 9), ("dark", 1)):
        unit = decoder(switching=["all 00:00 " + name])
        assert events(unit, MONDAY) == [(state, None)]


def test_near_a_switch_of_plans_nothing_is_claimed():
    unit = decoder(switching=["mon-fri 06:00 day", "mon-fri 20:00 night"], settle_s=120)
    six = MONDAY + 6 * 60
    # The night's cycle of 60 s: nothing ends behind the switch, whatever the plan says.
    assert events(unit, six - 1) == [(3, 300), (6, 575), (8, 600), (3, None)]
    assert events(unit, six - 1, 58_000) == [(8, 20), (3, None)]
    assert events(unit, six) == [(0, None)]
    assert events(unit, six + 1, 59_900) == [(0, None)]
    assert events(unit, six + 2) == [(3, 250), (4, 260), (6, 660), (8, 700), (3, 1150)]


def test_the_switch_may_be_tomorrow_or_days_ago():
    table = SwitchingTable(["fri 22:00 night", "mon 05:00 day"], ["day", "night"])
    calendar = Calendar(0, False, [])
    for minute, second, expected in (
        (MONDAY - 1440, 12 * HOUR, (1, 38 * HOUR, 17 * HOUR)),
        (MONDAY, 5 * HOUR, (0, 0, 86_400)),
        (MONDAY + 1440, 0, (0, 19 * HOUR, 86_400)),
    ):
        calendar.set(2026, minute)
        table.look_up(calendar, second)
        assert (table.plan, table.since_s, table.until_s) == expected


def test_a_switch_to_the_same_plan_is_none():
    table = SwitchingTable(["all 05:00 day", "all 09:00 day"], ["day"])
    calendar = Calendar(0, False, [])
    calendar.set(2026, MONDAY)
    table.look_up(calendar, 9 * HOUR)
    assert (table.plan, table.since_s, table.until_s) == (0, 86_400, 86_400)


def test_holidays_switch_as_they_are_told_or_as_sundays():
    for switching, plan in ((["sun 00:00 night", "mon-sat 00:00 day"], 1), (["all 00:00 day", "hol 00:00 dark"], 3)):
        table = SwitchingTable(switching, ["day", "night", "blink", "dark"])
        calendar = Calendar(0, False, ["01-01", "2026-01-05"])
        for day, expected in ((0, plan), (1, 0), (4, plan), (5, 0)):
            calendar.set(2026, day * 1440)
            table.look_up(calendar, 3_600)
            assert table.plan == expected
    # A table of holidays long past.
    table = SwitchingTable(["hol 00:00 night"], ["day", "night"])
    calendar.set(2026, 100 * 1440)
    table.look_up(calendar, 0)
    assert table.plan == 0


def test_weekdays_and_dates():
    calendar = Calendar(60, False, ["2024-02-29", "2025-12-31"])
    for year, day, expected in (
        (2024, 59, 7),
        (2024, 60, 5),
        (2026, -1, 7),
        (2025, 365, 4),
        (2000, 0, 6),
        (2026, 0, 4),
    ):
        calendar.set(year, 12 * 60)
        assert calendar.kind_of_day(day) == expected
    # An hour before midnight UTC on 31 December is the next day, and a minute before it in New York the same.
    calendar.set(2025, 525_599)
    assert (calendar.kind_of_day(0), calendar.minute) == (4, 59)
    west = Calendar(-300, False, ["12-31"])
    west.set(2026, 0)
    assert (west.kind_of_day(0), west.minute) == (7, 19 * 60)


def test_summer_time_of_the_european_union():
    calendar = Calendar(60, True, [])
    march, october = 87 * 1440 + 60, 297 * 1440 + 60  # 29 March and 25 October 2026, 01:00 UTC
    for moy, minute in ((march - 1, 119), (march, 180), (october - 1, 179), (october, 120)):
        calendar.set(2026, moy)
        assert calendar.minute == minute


def test_texts_that_are_no_plan():
    for options in (
        {"plans": []},
        {"plans": ["day"]},
        {"plans": ["day offset=3"]},
        {"plans": ["day red"]},
        {"plans": ["day blue=3"]},
        {"plans": ["day red=0"]},
        {"plans": ["day red=3.14"]},
        {"plans": ["day red=1.2.3"]},
        {"plans": ["day red=-3"]},
        {"plans": ["day red=9000"]},
        {"plans": ["day" + " red=1 green=1" * 9]},
        {"plans": [DAY, DAY]},
        {"switching": ["mon 06:00"]},
        {"switching": ["mon 6 day"]},
        {"switching": ["mon 24:00 day"]},
        {"switching": ["mon 06:60 day"]},
        {"switching": ["mon ab:00 day"]},
        {"switching": ["mon 06:00 evening"]},
        {"switching": ["moon 06:00 day"]},
        {"switching": ["mon-wed-fri 06:00 day"]},
        {"switching": ["mon-hol 06:00 day"]},
        {"holidays": ["easter"]},
        {"holidays": ["13-01"]},
        {"holidays": ["01-32"]},
        {"holidays": ["1"]},
    ):
        error = error_of(make, options)
        assert isinstance(error, LeezenflowError), options
        assert "fixed_time: " in str(error)


def test_riders_are_told_and_darkness_follows_a_clock_that_is_lost():
    engine = Engine(Site(10_000), decoder())
    for second in range(40):
        payload = b"2026 %d %d %s" % (MONDAY, second * 1000, b"3" if second < 30 else b"-")
        engine.message(payload, 0, len(payload), second * 1000)
        advice = engine.frame(second * 1000 + 100)
        if 2 <= second < 30:
            # Red from second 10 on; the amber before it counts as red.
            assert advice.kind == "red"
            assert advice.remaining_ms == 56_000 - second * 1000 - 10_100
    assert (advice.kind, advice.reason) == ("dark", "stale")
    assert engine.fault.startswith("clock_not_set")
