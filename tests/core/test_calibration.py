# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is learned from the switches a controller really made, and what follows for the chance of being wrong."""

from leezenflow import prior
from leezenflow.calibration import BINS, CERTAIN, EDGES, ROWS, Calibration
from leezenflow.spatem import IntersectionState
from signals import Program, engine, fill

START_MS = 137_285 * 60_000


def watch(core, program, from_ms, to_ms, error_ms=0, spread_ms=20_000, status=0, confidence=6, zero_ms=START_MS):
    """Feed a program whose forecasts are `error_ms` off until 3 s before a switch, with bounds `spread_ms` around."""
    state = IntersectionState()
    for at_ms in range(from_ms, to_ms, 1_000):
        events = []
        for event_state, _, end, _ in program.events_at(at_ms):
            near = end - at_ms <= 3_000
            likely = end if near else end + error_ms
            bounds = (likely, likely) if near else (end - spread_ms, end + spread_ms)
            events.append((event_state, bounds[0], likely, bounds[1]))
        fill(state, at_ms, events, status)
        for i in range(state.movement.event_count):
            state.movement.events[i].confidence = confidence
        core.message(state, 0, 0, (at_ms - zero_ms) & 0x3FFFFFFF)


def wrong_after(core, ahead_ms):
    """The chance of being wrong for a rider who arrives `ahead_ms` after the last message."""
    core.calibration.judge(core.forecast, core.tracker.message_at_ms + ahead_ms)
    return core.calibration.wrong


def test_the_prior_is_a_table_of_distributions():
    assert len(prior.SHAPE_OF) == ROWS
    assert len(prior.SHAPES) % BINS == 0
    for first in range(0, len(prior.SHAPES), BINS):
        assert sum(prior.SHAPES[first : first + BINS]) == 256, first // BINS
    assert max(prior.SHAPE_OF) < len(prior.SHAPES) // BINS
    assert list(EDGES) == sorted(EDGES)


def test_a_fixed_program_is_trusted_at_once():
    core = engine()
    program = Program(START_MS)
    watch(core, program, START_MS, START_MS + 3_000, spread_ms=0)
    assert wrong_after(core, 20_000) <= 10
    # Right at the switch to green (in 38 s), red with amber included, nobody can know.
    assert wrong_after(core, 39_000) > 200


def test_right_forecasts_earn_trust_and_wrong_ones_lose_it():
    chances = []
    for error_ms in (0, 9_000):
        core = engine()
        program = Program(START_MS)
        watch(core, program, START_MS, START_MS + 40 * program.cycle_ms + 5_000, error_ms)
        # 4 s after the switch to green that the first forecasts rightly and the second 9 s too late.
        chances.append(wrong_after(core, 41_000))
    before = engine()
    watch(before, Program(START_MS), START_MS, START_MS + 5_000)
    assert chances[0] < wrong_after(before, 41_000) < chances[1], chances


def test_a_broken_promise_is_remembered():
    core = engine()
    program = Program(START_MS)
    watch(core, program, START_MS, START_MS + 3_000, spread_ms=0)
    trusted = wrong_after(core, 20_000)
    # The controller promises exact ends, and then switches elsewhere: red is cut short by 15 s.
    short = Program(START_MS, red_ms=25_000)
    watch(core, program, START_MS + 3_000, START_MS + 20_000, spread_ms=0)
    watch(core, short, START_MS + 26_000, START_MS + 30_000, spread_ms=0)
    watch(core, program, START_MS + 63_000, START_MS + 68_000, spread_ms=0)
    assert core.calibration.broken[1] >= 1
    assert wrong_after(core, 20_000) > 5 * trusted


def test_promises_fade_with_new_ones():
    calibration = Calibration()
    calibration.kept[0] = 90
    calibration.broken[0] = 6
    calibration._colour = "green"
    calibration._floor_ms = 0
    calibration._note_switch(1_000, 0)
    assert calibration.kept[0] + calibration.broken[0] < 60


def test_a_switch_in_a_silence_teaches_nothing():
    core = engine()
    program = Program(START_MS)
    watch(core, program, START_MS, START_MS + 30_000)
    watch(core, program, START_MS + 45_000, START_MS + 50_000)
    assert sum(core.calibration.rows) == 0
    assert core.calibration.cycles == 0


def test_a_signal_out_of_service_teaches_nothing():
    core = engine()
    program = Program(START_MS)
    watch(core, program, START_MS, START_MS + 30_000)
    watch(core, program, START_MS + 30_000, START_MS + 50_000, status=0x0040)
    watch(core, program, START_MS + 50_000, START_MS + 55_000)
    assert sum(core.calibration.rows) == 0


def test_without_spans_there_is_nothing_to_learn_and_nothing_to_claim():
    core = engine()
    core.calibration.learn(core.forecast, 0, False)
    core.calibration.judge(core.forecast, 1_000)
    assert core.calibration.index == -1
    assert core.calibration.wrong == CERTAIN


def test_memory_survives_a_restart():
    core = engine()
    program = Program(START_MS)
    watch(core, program, START_MS, START_MS + 20 * program.cycle_ms, error_ms=4_000)
    data = core.memory()
    assert len(data) <= 3_700
    again = engine()
    assert again.load_memory(data)
    assert again.memory() == data
    assert again.calibration.cycles == core.calibration.cycles > 15


def test_a_damaged_memory_is_refused_whole():
    core = engine()
    program = Program(START_MS)
    watch(core, program, START_MS, START_MS + 8 * program.cycle_ms, error_ms=4_000)
    data = core.memory()
    fresh = engine()
    empty = fresh.memory()
    for length in range(len(data)):
        assert not fresh.load_memory(data[:length]), length
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 0x11
        assert not fresh.load_memory(damaged), place
    assert fresh.memory() == empty
    assert fresh.load_memory(empty)


def test_a_memory_whose_rows_are_out_of_order_is_refused():
    core = engine()
    program = Program(START_MS)
    watch(core, program, START_MS, START_MS + 8 * program.cycle_ms, error_ms=4_000)
    data = bytearray(core.memory())
    first, second = 11, 11 + BINS + 1
    data[first], data[second] = data[second], data[first]
    low = high = 0
    for byte in data[:-2]:
        low = (low + byte) % 255
        high = (high + low) % 255
    data[-2] = low
    data[-1] = high
    assert not core.load_memory(data)


def test_old_samples_fade():
    core = engine()
    program = Program(START_MS)
    watch(core, program, START_MS, START_MS + 60 * program.cycle_ms, error_ms=9_000)
    believed = wrong_after(core, 45_000)
    # The program is mended; after as many cycles it is believed to be what it has become.
    watch(core, program, START_MS + 60 * program.cycle_ms, START_MS + 160 * program.cycle_ms, error_ms=0)
    assert wrong_after(core, 45_000) < believed // 2


def test_what_was_learned_does_not_depend_on_the_origin_of_time():
    plain = engine()
    program = Program(START_MS)
    watch(plain, program, START_MS, START_MS + 6 * program.cycle_ms, error_ms=4_000)
    rebased = engine()
    rebased.frame(0)
    # The engine's own origin moves after 2**28 ms: in the middle of the third cycle here.
    zero_ms = START_MS + 2 * program.cycle_ms + 30_000 - (1 << 28)
    watch(rebased, program, START_MS, START_MS + 6 * program.cycle_ms, error_ms=4_000, zero_ms=zero_ms)
    assert rebased.memory() == plain.memory()
    assert wrong_after(rebased, 30_000) == wrong_after(plain, 30_000)


def test_a_priority_request_has_its_own_experience():
    core = engine()
    program = Program(START_MS)
    watch(core, program, START_MS, START_MS + 30 * program.cycle_ms, error_ms=9_000, status=0x0800)
    watch(core, program, START_MS + 30 * program.cycle_ms, START_MS + 30 * program.cycle_ms + 5_000, status=0)
    without = wrong_after(core, 30_000)
    watch(
        core, program, START_MS + 30 * program.cycle_ms + 5_000, START_MS + 30 * program.cycle_ms + 6_000, status=0x0800
    )
    assert wrong_after(core, 29_000) > without


def test_more_forecasts_than_there_is_room_for_let_the_oldest_go():
    core = engine()
    program = Program(START_MS, red_ms=170_000, green_ms=160_000)
    # The forecast always says "in 80 s": near enough to teach, and for longer than the ring has places.
    state = IntersectionState()
    for second in range(1_000):
        at_ms = START_MS + second * 1_000
        event_state = program.state_at(at_ms)[0]
        after = 6 if event_state in (3, 4) else 3
        soon = at_ms + 80_000
        fill(state, at_ms, ((event_state, None, soon, None), (after, None, soon + 5_000, None)))
        core.message(state, 0, 0, second * 1_000)
    calibration = core.calibration
    assert calibration.cycles == 3
    assert all(calibration._head[kind] - calibration._tail[kind] <= 64 for kind in range(2))
    assert 64 < sum(calibration.rows) <= 6 * 64


def test_without_bounds_nothing_is_promised():
    core = engine()
    state = IntersectionState()
    for second in range(3):
        at_ms = START_MS + second * 1_000
        fill(state, at_ms, ((3, None, START_MS + 20_000, None), (6, None, START_MS + 50_000, None)))
        core.message(state, 0, 0, second * 1_000)
    early = wrong_after(core, 5_000)
    near = wrong_after(core, 17_500)
    assert 0 < early < near
    assert core.calibration.index == 0
    assert wrong_after(core, 18_500) > early
    assert core.calibration.index == 1
    before = wrong_after(core, 10_000)
    for part in (core.calibration, core.forecast, core.tracker):
        part.rebase(1 << 28)
    assert wrong_after(core, 10_000) == before
    fresh = Calibration()
    fresh.rebase(1 << 28)
    assert fresh.cycles == 0


def test_an_ordinary_code_an_even_one_and_none_have_rows_of_their_own():
    rows = []
    for confidence in (6, 3, None):
        core = engine()
        watch(core, Program(START_MS), START_MS, START_MS + 2_000, confidence=confidence)
        rows.append(core.calibration._curve_row[0])
    assert len(set(rows)) == 3


def test_an_open_end_is_certain_only_before_its_earliest():
    core = engine()
    state = IntersectionState()
    for second in range(3):
        at_ms = START_MS + second * 1_000
        fill(state, at_ms, ((6, START_MS + 20_000, None, None),))
        core.message(state, 0, 0, second * 1_000)
    assert wrong_after(core, 5_000) < 20
    assert wrong_after(core, 17_900) >= 50
    assert wrong_after(core, 19_000) == CERTAIN
