# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forecast metrics against figures worked out by hand."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from leezenflow_host.dataset.reading import NEVER, GroupPart
from leezenflow_host.evaluation.counting import ErrorCounts
from leezenflow_host.evaluation.forecast_metrics import ForecastMetrics
from leezenflow_host.evaluation.forecast_tables import LocalHours

# A full hour, a Thursday.
ORIGIN_MS = 1_680_768_000_000
RED, PRE, GREEN, AMBER, DARK = 3, 4, 6, 8, 1
Event = tuple[int, int | None, int | None, int | None, int | None]


def part(messages: list[tuple[int, list[Event]]], program: int = -1, delay_ms: int = 100) -> GroupPart:
    """Messages (ms after the origin, events as state, min, likely, max, confidence; times in ms after the origin)."""

    def instants(place: int) -> Any:
        told = [event[place] for _, events in messages for event in events]
        return np.array([NEVER if at is None else ORIGIN_MS + at for at in told], dtype=np.int64)

    at_ms = np.array([ORIGIN_MS + at for at, _ in messages], dtype=np.int64)
    count = len(messages)
    flat = [event for _, events in messages for event in events]
    nothing = np.zeros(count, dtype=np.int64)
    return GroupPart(
        "spatem_xml",
        "test",
        at_ms + delay_ms,
        at_ms,
        nothing,
        nothing,
        np.full(count, program),
        nothing.astype(bool),
        nothing.astype(bool),
        np.arange(count),
        np.cumsum([0, *(len(events) for _, events in messages)]),
        np.array([event[0] for event in flat], dtype=np.int64),
        np.full(len(flat), NEVER),
        instants(1),
        instants(2),
        instants(3),
        np.array([-1 if event[4] is None else event[4] for event in flat], dtype=np.int64),
        np.full(len(flat), -1),
    )


def told(
    state: int, likely: int | None, low: int | None = None, high: int | None = None, code: int | None = None
) -> Event:
    return (state, low, likely, high, code)


def metrics(*parts: GroupPart, timezone: str = "UTC") -> dict[str, Any]:
    found = ForecastMetrics(LocalHours(timezone))
    for one in parts:
        found.add(one)
    return found.figures()


def cycle(start_s: int, error_ms: int = 0) -> list[tuple[int, list[Event]]]:
    """A message a second of 10 s green, 3 s amber, 17 s red; the end of the green is told `error_ms` too late until 2 s
    before it."""
    messages = []
    for second in range(30):
        now, at_ms = second * 1000, (start_s + second) * 1000
        begin = start_s * 1000
        green_end = begin + 10_000
        if second < 10:
            off = error_ms if green_end - at_ms > 2_000 else 0
            events = [told(GREEN, green_end + off, code=15), told(AMBER, begin + 13_000), told(RED, begin + 30_000)]
        elif second < 13:
            events = [told(AMBER, begin + 13_000), told(RED, begin + 30_000)]
        else:
            events = [told(RED, begin + 30_000, code=3), told(GREEN, begin + 40_000)]
        assert now >= 0
        messages.append((at_ms, events))
    return messages


def rows(figures: dict[str, Any], to: str) -> dict[int, dict[str, Any]]:
    return {row["from_horizon_ms"]: row for row in figures["forecast_by_horizon"] if row["to"] == to}


def test_errors_fall_into_their_horizons():
    messages = cycle(0, 1_500) + cycle(30, 1_500) + cycle(60)[:1]
    figures = metrics(part(messages))
    to_red = rows(figures, "red")
    # Horizons 10 .. 3 s are 1.5 s late, 2 and 1 s are right; 10 s lies in the bin that begins there.
    assert {start: (row["messages"], row["mae_ms"], row["bias_ms"]) for start, row in to_red.items()} == {
        0: (2, 0, 0),
        2_000: (6, 1_000, 1_000),
        5_000: (10, 1_500, 1_500),
        10_000: (2, 1_500, 1_500),
    }
    assert to_red[5_000]["within_1_s_share"] == 0 and to_red[5_000]["within_2_s_share"] == 1
    assert to_red[2_000]["to_horizon_ms"] == 5_000
    to_green = rows(figures, "green")
    assert sum(row["messages"] for row in to_green.values()) == 34
    assert all(row["mae_ms"] == 0 for row in to_green.values())
    assert figures["forecast"]["lead_to_red_ms"] == 3_000 and figures["forecast"]["lead_to_green_ms"] == 17_000


def test_a_jump_is_counted_once_with_its_direction():
    figures = metrics(part(cycle(0, 1_600) + cycle(30, -1_700) + cycle(60)[:1]))["forecast"]
    assert (figures["jumps"], figures["jump_max_ms"], figures["jump_up_share"]) == (2, 1_700, 0.5)
    # The green in which a recording begins is no whole one.
    assert figures["jumps_per_cycle"] == 2.0


def test_two_parts_are_as_good_as_one():
    messages = cycle(0, 1_600) + cycle(30) + cycle(60, -3_000) + cycle(90)[:1]
    whole = metrics(part(messages))
    for cut in (1, 9, 10, 12, 29, 45, 90):
        assert metrics(part(messages[:cut]), part(messages[cut:])) == whole, cut


def test_the_confidence_is_compared_with_what_it_promises():
    figures = metrics(part(cycle(0, 2_500) + cycle(30) + cycle(60)[:1]))
    assert figures["confidence"] == [
        {"confidence": 3, "coded_share": 0.56, "messages": 34, "right_share": 1.0},
        {"confidence": 15, "coded_share": 1.0, "messages": 20, "right_share": 0.6},
    ]
    assert figures["forecast"]["expected_calibration_error"] == pytest.approx((0.44 * 34 + 0.4 * 20) / 54, abs=1e-6)


def test_bounds_that_do_not_hold_are_counted():
    red = [(second * 1000, [told(RED, None, 8_000, 9_000)]) for second in range(10)]
    early = [(second * 1000, [told(RED, None, 10_200, 20_000)]) for second in range(10)]
    green = [(10_000, [told(GREEN, None)])]
    late = metrics(part(red + green))["forecast"]
    assert (late["bounds_judged"], late["before_min_share"], late["after_max_share"]) == (10, 0.0, 1.0)
    sooner = metrics(part(early + green))["forecast"]
    assert (sooner["before_min_share"], sooner["after_max_share"]) == (1.0, 0.0)
    # Bounds a second apart name one instant, those further apart are no forecast.
    assert late["usable_share"] > 0.9 and sooner["usable_share"] == 0


def test_availability_counts_fresh_and_usable_time():
    messages = cycle(0) + cycle(30)[:1]
    silent = [one for one in messages if not 15_000 <= one[0] < 25_000]
    figures = metrics(part(silent))["forecast"]
    # 14 s to 25 s: 11 s, of which the first 6 are still fresh.
    assert figures["available_share"] == pytest.approx(25 / 30, abs=1e-6)
    unknown = [(at, [told(state, None) for state, *_ in events]) for at, events in messages]
    figures = metrics(part(unknown))["forecast"]
    assert figures["usable_share"] == 0 and figures["available_share"] == pytest.approx(0.1)
    # What is not told does not jump, and holds for no time.
    for name in ("jumps_per_cycle", "jump_max_ms", "lead_to_green_ms", "lead_to_red_ms"):
        assert figures[name] is None, name


def test_a_switch_nobody_saw_is_not_judged():
    messages = [one for one in cycle(0) + cycle(30)[:3] if not 20_000 <= one[0] < 31_000]
    red = [(at, [told(state, None) for state, *_ in events]) for at, events in messages]
    assert metrics(part(red))["forecast_by_horizon"] == []
    # Where the last message said when, the silence does no harm.
    assert sum(row["messages"] for row in rows(metrics(part(messages)), "green").values()) == 7


def test_late_and_repeated_messages_are_no_news():
    messages = cycle(0) + cycle(30)[:1]
    mixed = sorted(messages + messages[3:8], key=lambda one: one[0])
    mixed[10], mixed[12] = mixed[12], mixed[10]
    expected = metrics(part([one for one in messages if one[0] not in (mixed[12][0],)]))
    assert metrics(part(mixed))["forecast"]["messages"] >= expected["forecast"]["messages"]
    assert metrics(part(mixed))["forecast_by_horizon"][0]["mae_ms"] == 0


def test_a_clock_that_was_set_back_begins_anew():
    first, second = cycle(1_000) + cycle(1_030)[:5], cycle(0) + cycle(30)[:1]
    figures = metrics(part(first + second))
    assert sum(row["messages"] for row in figures["forecast_by_horizon"]) == 27 + 27
    assert all(row["mae_ms"] == 0 for row in figures["forecast_by_horizon"])


def test_by_hour_weekday_program_and_switch():
    messages = cycle(-90)[29:] + cycle(-60) + cycle(-30) + cycle(0) + cycle(30)[:1]
    figures = metrics(part(messages, program=7), timezone="Europe/Berlin")
    found = {(row["by"], row["value"]): row["messages"] for row in figures["forecast_by"]}
    assert found == {
        ("hour", "9"): 55,
        ("hour", "10"): 27,
        ("weekday", "3"): 82,
        ("program", "7"): 82,
        ("switch", "green"): 52,
        ("switch", "red"): 30,
    }
    assert figures["cycle_discrepancy"] == [
        {"weekday": 3, "hour": 9, "cycles": 1, "median_s": 0},
        {"weekday": 3, "hour": 10, "cycles": 1, "median_s": 0},
    ]


def test_cycles_that_differ():
    messages = cycle(0) + cycle(30) + cycle(60) + cycle(90)[:1]
    longer = [(at + 4_000 if at >= 65_000 else at, [told(events[0][0], None)]) for at, events in messages]
    # Green 10 and 14 s, the rest alike: equal are 10 s of green and, of red, 17 s to 30 s.
    figures = metrics(part(longer))["forecast"]
    assert figures["cycle_discrepancy_s"] == 34 - 10 - 13
    assert figures["wait_time_diversity"] == 0.5


def test_dark_and_flashing_signals_have_no_forecast():
    dark = [(second * 1000, [told(DARK, second * 1000 + 5_000)]) for second in range(30)]
    figures = metrics(part(dark))
    assert figures["forecast"]["messages"] == 0 and figures["forecast"]["usable_share"] is None
    assert figures["forecast"]["available_share"] == 0


def test_counted_errors_are_those_of_a_list():
    values = np.array([5, -3, 5, 900_000, 0, -7, 5, 2_000])
    counts = ErrorCounts()
    for piece in np.array_split(values, 3):
        counts.add(piece)
    clipped = np.clip(values, -600_000, 600_000)
    assert counts.count == 8 and counts.mean_ms() == round(clipped.sum() / 8)
    for percent in (0, 50, 95):
        assert counts.percentile_ms(percent) == sorted(clipped)[8 * percent // 100]
    assert counts.within(5) == 5 and counts.absolute().percentile_ms(50) == 5
    assert ErrorCounts().mean_ms() is None and ErrorCounts().percentile_ms(95) is None


def test_a_feed_that_speaks_on_change_tells_when_the_colour_began():
    changes = [
        (at_s * 1000 + 900, state)
        for start in (0, 30, 60, 90)
        for at_s, state in ((start, GREEN), (start + 10, AMBER), (start + 13, RED))
    ]
    made = part([(at_ms, [told(state, None)]) for at_ms, state in changes])
    told_at = np.array([ORIGIN_MS + at_ms - 900 for at_ms, _ in changes])
    speaking = dataclasses.replace(made, start=told_at, on_change=np.ones(len(changes), dtype=bool))
    assert metrics(speaking)["forecast"]["cycle_discrepancy_s"] == 0
    assert metrics(speaking)["cycle_discrepancy"] == [{"weekday": 3, "hour": 8, "cycles": 1, "median_s": 0}]
    # The same from a feed that should speak all the time is a silence.
    assert metrics(made)["cycle_discrepancy"] == []


@pytest.mark.parametrize("until_s", [50, 64])
def test_a_silence_in_which_a_phase_may_have_passed_is_nobodys_error(until_s: int):
    # From within a red to within the next one, or to the green behind it: what was said before was right.
    messages = cycle(0) + cycle(30) + cycle(60) + cycle(90)
    heard = [one for one in messages if not 20_000 <= one[0] < until_s * 1_000]
    rows = metrics(part(heard))["forecast_by_horizon"]
    assert rows and all(row["mae_ms"] == 0 for row in rows)
    assert max(row["from_horizon_ms"] for row in rows) == 10_000
