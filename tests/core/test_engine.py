# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The core as one object: what a rider is told, and when nothing may be told."""

from leezenflow import spatem
from leezenflow.errors import SignalError
from leezenflow.spatem import IntersectionState
from signals import Program, Site, engine, fill

START_MS = 137_285 * 60_000
MASK = (1 << 30) - 1


def play(core, program, from_ms, to_ms, ticks_zero=0, period_ms=1_000, delay_ms=100, each=None, status=0):
    """Feed a program's messages and call `each(advice, at_ms)` 10 times a second."""
    state = IntersectionState()
    for at_ms in range(from_ms, to_ms, 100):
        ticks = (at_ms - from_ms + ticks_zero) & MASK
        if (at_ms - from_ms) % period_ms == 0:
            fill(state, at_ms - delay_ms, program.events_at(at_ms - delay_ms), status)
            core.message(state, 0, 0, ticks)
        advice = core.frame(ticks)
        if each:
            each(advice, at_ms)


def test_dark_before_the_first_evidence():
    core = engine()
    assert core.frame(0).kind == "dark"
    assert core.advice.reason == "no_data"
    program = Program(START_MS)
    core.message(fill(IntersectionState(), START_MS, program.events_at(START_MS)), 0, 0, 100)
    assert core.frame(120).kind == "dark"
    assert core.advice.reason == "starting"
    core.message(fill(IntersectionState(), START_MS + 1_000, program.events_at(START_MS + 1_000)), 0, 0, 1_100)
    assert core.frame(1_120).kind == "red"


def test_advice_is_for_the_moment_of_arrival():
    program = Program(START_MS)
    wrong = []
    uncertain = []

    def judge(advice, at_ms):
        if at_ms < START_MS + 2_000:
            return
        truth = program.colour_at(at_ms - 100 + 22_000)
        if advice.kind == "uncertain":
            uncertain.append(at_ms)
        elif truth != "amber" and advice.kind != truth:
            wrong.append((at_ms - START_MS, advice.kind, truth))

    play(engine(), program, START_MS, START_MS + 200_000, each=judge)
    assert wrong == []
    # A mark is a tenth of a second: right at a switch even a fixed program is uncertain.
    assert len(uncertain) <= 6 * 7


def test_remaining_time_is_continuous_across_the_full_hour():
    hour_ms = 137_340 * 60_000
    program = Program(hour_ms - 10_000)
    last = []

    def judge(advice, at_ms):
        if advice.kind == "uncertain":
            assert advice.reason == "doubtful"
            last.clear()
            return
        assert advice.kind in ("red", "green"), (at_ms - hour_ms, advice.kind, advice.reason)
        if last and last[0] == advice.kind:
            assert advice.remaining_ms == last[1] - 100, (at_ms - hour_ms, last, advice.remaining_ms)
        last[:] = (advice.kind, advice.remaining_ms)

    core = engine()
    play(core, program, hour_ms - 62_000, hour_ms - 60_000)
    play(core, program, hour_ms - 60_000, hour_ms + 60_000, ticks_zero=2_000, each=judge)


def test_the_countdown_goes_on_between_messages_of_a_slow_feed():
    program = Program(START_MS)
    core = engine()
    play(core, program, START_MS, START_MS + 15_000, period_ms=5_000)
    last = []

    def judge(advice, at_ms):
        assert advice.kind != "dark", advice.reason
        if advice.kind == "uncertain":
            last.clear()
            return
        if last and last[0] == advice.kind:
            assert advice.remaining_ms == last[1] - 100
        last[:] = (advice.kind, advice.remaining_ms)

    play(core, program, START_MS + 15_000, START_MS + 60_000, ticks_zero=15_000, period_ms=5_000, each=judge)


def test_sprint_when_only_the_faster_rider_meets_the_green():
    program = Program(START_MS)
    core = engine(Site(cruise_ms=22_000, sprint_ms=16_500))
    kinds = []

    def judge(advice, at_ms):
        if at_ms < START_MS + 2_000:
            return
        arrival = program.colour_at(at_ms - 100 + 22_000)
        faster = program.colour_at(at_ms - 100 + 16_500)
        if advice.kind == "sprint":
            assert faster == "green" and arrival != "green", (at_ms - START_MS, arrival, faster)
            assert 0 <= advice.remaining_ms <= 5_500
        elif faster == "green" and arrival == "red":
            assert advice.kind != "red", at_ms - START_MS
        kinds.append(advice.kind)

    play(core, program, START_MS, START_MS + 200_000, each=judge)
    assert "sprint" in kinds


def test_no_sprint_where_the_site_gives_no_sprint_speed():
    kinds = []
    play(engine(), Program(START_MS), START_MS, START_MS + 130_000, each=lambda advice, _: kinds.append(advice.kind))
    assert "sprint" not in kinds


def test_span_is_the_planned_length_of_the_colour_met():
    program = Program(START_MS)
    spans = {}

    def judge(advice, at_ms):
        if advice.kind in ("red", "green") and at_ms > START_MS + 63_000:
            spans.setdefault(advice.kind, set()).add(advice.span_ms)
            assert advice.remaining_ms <= advice.span_ms

    play(engine(), program, START_MS, START_MS + 200_000, each=judge)
    assert spans == {"green": {20_000}, "red": {43_000}}


def test_amber_counts_as_green_where_a_site_says_so():
    core = engine(Site(cruise_ms=0, clearance="green"))
    program = Program(START_MS)
    seen = {}

    def note(advice, at_ms):
        if at_ms > START_MS + 2_000 and program.colour_at(at_ms - 100) == "amber":
            seen[advice.kind] = seen.get(advice.kind, 0) + 1

    play(core, program, START_MS, START_MS + 130_000, each=note)
    assert set(seen) <= {"green", "uncertain"} and seen["green"] > 3 * seen.get("uncertain", 0)


def test_every_failure_of_the_controller_is_dark_with_its_reason():
    cases = (
        (spatem.STATUS_MANUAL_CONTROL_IS_ENABLED, "manual"),
        (spatem.STATUS_STOP_TIME_IS_ACTIVATED, "stopped"),
        (spatem.STATUS_FAILURE_FLASH, "failure"),
        (spatem.STATUS_FAILURE_MODE, "failure"),
        (spatem.STATUS_NO_VALID_SPAT, "failure"),
        (spatem.STATUS_OFF, "signal_off"),
        (spatem.STATUS_STANDBY_OPERATION, "signal_off"),
    )
    for status, reason in cases:
        core = engine()
        play(core, Program(START_MS), START_MS, START_MS + 5_000, status=status)
        assert core.advice.kind == "dark", status
        assert core.advice.reason == reason, status
    for status in (0x1000, 0x0800, 0x0400, 0x0200, 0x0020, 0x0010, 0x0008, 0x0002, 0x0001):
        core = engine()
        play(core, Program(START_MS), START_MS, START_MS + 5_000, status=status)
        assert core.advice.kind == "red", status


def test_event_states_that_are_no_colour_are_dark():
    for event_state, reason in ((0, "signal_off"), (1, "signal_off"), (2, "flashing"), (9, "flashing")):
        core = engine()
        state = IntersectionState()
        for i in range(4):
            at_ms = START_MS + i * 1_000
            fill(
                state,
                at_ms,
                ((event_state, at_ms + 9_000, at_ms + 9_000, at_ms + 9_000), (6, None, at_ms + 90_000, None)),
            )
            core.message(state, 0, 0, i * 1_000)
        assert core.frame(3_100).kind == "dark"
        assert core.advice.reason == reason


def test_a_message_without_phases_is_implausible():
    core = engine()
    for i in range(3):
        core.message(fill(IntersectionState(), START_MS + i * 1_000, ()), 0, 0, i * 1_000)
    assert core.frame(2_100).kind == "dark"
    assert core.advice.reason == "implausible"


def test_stale_after_two_and_a_half_periods():
    core = engine()
    play(core, Program(START_MS), START_MS, START_MS + 20_000)
    # The last message came at 19.0 s.
    assert core.frame(19_000 + 2_500).kind == "green"
    assert core.frame(19_000 + 2_501).kind == "dark"
    assert core.advice.reason == "stale"


def test_nothing_is_claimed_beyond_the_last_end():
    core = engine(Site(cruise_ms=22_000))
    state = IntersectionState()
    for i in range(4):
        at_ms = START_MS + i * 1_000
        fill(state, at_ms, ((6, START_MS + 10_000, START_MS + 10_000, START_MS + 10_000),))
        core.message(state, 0, 0, i * 1_000)
    assert core.frame(3_000).kind == "uncertain"
    assert core.advice.reason == "beyond_forecast"


def test_without_a_likely_time_the_bounds_are_what_is_known():
    core = engine(Site(cruise_ms=5_000))
    state = IntersectionState()

    def tell(i):
        at_ms = START_MS + i * 1_000
        fill(state, at_ms, ((6, START_MS + 12_000, None, START_MS + 20_000), (3, None, START_MS + 60_000, None)))
        core.message(state, 0, 0, i * 1_000)
        return core.frame(i * 1_000)

    kinds = [tell(i).kind for i in range(18)]
    # Promised before the earliest end and after the latest; between them a guess, whose middle nobody believes.
    assert kinds[:7] == ["dark"] + ["green"] * 6
    assert "uncertain" in kinds[7:15] and kinds[16:] == ["red"] * 2


def test_a_missing_likely_time_follows_from_the_fixed_amber():
    core = engine(Site(cruise_ms=0))
    state = IntersectionState()
    for i in range(3):
        at_ms = START_MS + i * 1_000
        events = (
            (6, START_MS + 8_000, None, START_MS + 40_000),
            (8, START_MS + 10_000, START_MS + 22_000, START_MS + 42_000),
        )
        fill(state, at_ms, events)
        core.message(state, 0, 0, i * 1_000)
    assert core.frame(2_000).kind == "green"
    assert core.advice.remaining_ms == 18_000


def test_contradicting_ends_cut_the_forecast():
    core = engine(Site(cruise_ms=15_000))
    state = IntersectionState()
    ends = (START_MS + 10_000, START_MS + 30_000, START_MS + 20_000)
    for i in range(3):
        fill(state, START_MS + i * 1_000, [(kind, end, end, end) for kind, end in zip((3, 6, 3), ends)])
        core.message(state, 0, 0, i * 1_000)
    assert core.frame(2_000).kind == "green"
    assert core.frame(2_500).remaining_ms == 30_000 - 17_500
    core.adviser._cruise_ms = 29_000
    assert core.frame(2_600).kind == "uncertain"
    assert core.advice.reason == "beyond_forecast"


def test_a_phase_that_outlives_its_own_forecast_is_overdue():
    core = engine()
    state = IntersectionState()
    ends = (START_MS + 10_000, START_MS + 90_000)
    for i in range(16):
        fill(state, START_MS + i * 1_000, ((3, ends[0], ends[0], ends[0]), (6, ends[1], ends[1], ends[1])))
        core.message(state, 0, 0, i * 1_000)
        kind = core.frame(i * 1_000).kind
        if i:
            assert kind == ("uncertain" if i > 12 else "green"), (i, kind)
    assert core.advice.reason == "overdue"


def test_red_outlives_its_last_message_for_six_seconds_and_green_does_not():
    core = engine(Site(cruise_ms=0))
    play(core, Program(START_MS), START_MS, START_MS + 20_000)
    # The last message came at 19.0 s, one a second: green would end 2.5 s later.
    assert core.frame(19_000 + 5_900).kind == "red"
    assert core.frame(19_000 + 6_100).kind == "dark"
    assert core.advice.reason == "stale"


def test_a_sender_s_fault_is_counted_and_survived():
    class Broken:
        def begin(self, buffer, start, end):
            pass

        def step(self):
            raise SignalError("truncated", "no </states>", 17)

    core = engine()
    core.decoder = Broken()
    assert core.message(b"", 0, 0, 0) is False
    assert core.message(b"", 0, 0, 0) is False
    assert core.counters == {"truncated": 2}
    assert core.fault == "truncated: no </states> (at byte 17)"


def test_other_signals_are_counted_and_change_nothing():
    core = engine()
    core.decoder.step = lambda: False
    assert core.message(IntersectionState(), 0, 0, 0) is False
    assert core.counters == {"other_signal": 1}
    assert core.frame(0).reason == "no_data"


def test_the_core_s_own_time_may_move_its_origin():
    program = Program(START_MS)
    seen = []
    for ticks_zero in (0, (1 << 30) - 30_000, (1 << 29) - 30_000):
        core = engine(Site(sprint_ms=16_500))
        # Bring the core's own clock close to where it moves its origin: 2**28 ms after the first frame.
        if ticks_zero:
            core.frame((ticks_zero - (1 << 28) + 60_000) & MASK)
        # A running sum of everything shown: a list would not fit into a board's heap.
        log = [0, 0]

        def note(advice, _, log=log):
            log[0] += advice.kind != "dark"
            values = (len(advice.kind), advice.remaining_ms or 0, advice.span_ms or 0, len(advice.reason or ""))
            for value in values:
                log[1] = (log[1] * 31 + value) % 1_000_003

        play(core, program, START_MS, START_MS + 150_000, ticks_zero, each=note)
        seen.append(log)
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0] > 1_400


def test_after_a_reconnect_green_waits_for_two_messages():
    program = Program(START_MS)
    core = engine(Site(cruise_ms=0))
    play(core, program, START_MS, START_MS + 50_000)
    assert core.advice.kind == "green"
    core.reconnected()
    assert core.frame(50_000).reason == "starting"
    state = IntersectionState()
    core.message(fill(state, START_MS + 49_900, program.events_at(START_MS + 49_900)), 0, 0, 50_010)
    assert core.frame(50_020).reason == "starting"
    core.message(fill(state, START_MS + 50_900, program.events_at(START_MS + 50_900)), 0, 0, 51_010)
    assert core.frame(51_020).kind == "green"


def test_nobody_is_told_to_hurry_for_less_than_two_seconds_of_green():
    kinds = []
    site = Site(cruise_ms=22_000, sprint_ms=20_500)
    play(
        engine(site), Program(START_MS), START_MS, START_MS + 130_000, each=lambda advice, _: kinds.append(advice.kind)
    )
    assert "green" in kinds and "red" in kinds
    assert "sprint" not in kinds


def test_the_same_mark_an_hour_later_is_another_end():
    core = engine(Site(cruise_ms=0))
    state = IntersectionState()
    remaining = []
    for hour in range(2):
        begin_ms = START_MS + hour * 3_600_000
        ends = (begin_ms + 30_000, begin_ms + 60_000)
        for second in range(8):
            at_ms = begin_ms + second * 1_000
            fill(state, at_ms, ((3, ends[0], ends[0], ends[0]), (6, ends[1], ends[1], ends[1])))
            core.message(state, 0, 0, (at_ms - START_MS) & MASK)
        advice = core.frame((begin_ms + 7_000 - START_MS) & MASK)
        remaining.append((advice.kind, advice.remaining_ms))
    assert remaining == [("red", 23_000)] * 2
