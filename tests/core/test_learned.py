# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The learned forecast: what it expects, what it refuses to expect, and what the display makes of it."""

from leezenflow.engine import Engine
from leezenflow.forecast import Forecast
from leezenflow.learned import Intervals, LearnedForecast
from leezenflow.spatem import IntersectionState
from leezenflow.tracker import SignalTracker
from signals import Program, ReadyDecoder, Site, fill

RED, PRE, GREEN, AMBER = 3, 4, 6, 8


class StateOnlyDecoder(ReadyDecoder):
    state_only = True


def fed(lengths, cycles, states=(GREEN, AMBER, RED, PRE), told=True):
    """A LearnedForecast that saw `cycles` cycles of (state, length) in s, and the instant at which the last ended."""
    learned = LearnedForecast()
    at_ms = 0
    for _ in range(cycles):
        for state, length in zip(states, lengths):
            learned.observe(state, at_ms + 200, at_ms if told else None)
            at_ms += length * 1000
            learned.observe(state, at_ms - 200)
    return learned, at_ms


def expected(learned, now_ms):
    """What is expected at an instant: (state, likely end in s from now) of each event."""
    learned.expect(now_ms)
    events = learned.events[: learned.event_count]
    return [
        (event.event_state, None if event.likely_end_at_ms is None else event.likely_end_at_ms - now_ms)
        for event in events
    ]


def test_intervals_keep_the_last_sixteen_in_order():
    intervals = Intervals()
    for length in range(40_000, 0, -1_000):
        intervals.add(length)
    assert list(intervals.ordered[: intervals.count]) == list(range(1_000, 17_000, 1_000))
    assert intervals.spread_ms() == 8_000
    assert [intervals.expected_ms(elapsed) for elapsed in (0, 12_500, 17_500, 18_001)] == [9_000, 14_000, 17_500, None]
    intervals.clear()
    assert (intervals.count, intervals.expected_ms(0)) == (0, None)


def test_nothing_is_expected_of_what_was_never_seen():
    learned = LearnedForecast()
    assert expected(learned, 0) == []
    learned.observe(RED, 0)
    assert expected(learned, 0) == [(RED, None)]
    learned, at_ms = fed((20, 3, 40, 1), 3)
    learned.observe(GREEN, at_ms, at_ms)
    assert expected(learned, at_ms) == [(GREEN, None)]
    assert not learned.learned


def test_a_fixed_program_is_expected_exactly():
    learned, at_ms = fed((20, 3, 40, 1), 6)
    learned.observe(GREEN, at_ms, at_ms)
    assert expected(learned, at_ms + 5_000) == [
        (GREEN, 15_000),
        (AMBER, 18_000),
        (RED, 59_000),
        (6, 79_000),
        (AMBER, 82_000),
    ]
    event = learned.events[0]
    assert (event.min_end_at_ms, event.max_end_at_ms) == (at_ms + 19_000, at_ms + 21_000)
    learned.observe(AMBER, at_ms + 20_000, at_ms + 20_000)
    assert expected(learned, at_ms + 21_000)[:2] == [(AMBER, 2_000), (RED, 43_000)]
    learned.observe(RED, at_ms + 23_000, at_ms + 23_000)
    assert expected(learned, at_ms + 24_000)[:2] == [(RED, 40_000), (GREEN, 60_000)]


def test_switches_seen_between_two_messages_lie_in_their_middle():
    learned, at_ms = fed((20, 3, 40, 1), 6, told=False)
    learned.observe(GREEN, at_ms + 200)
    assert expected(learned, at_ms + 200)[0] == (GREEN, 19_800)


def test_a_pedestrian_signal_has_no_amber():
    learned, at_ms = fed((20, 40), 6, (GREEN, RED))
    learned.observe(GREEN, at_ms, at_ms)
    assert expected(learned, at_ms) == [(GREEN, 20_000), (RED, 60_000), (6, 80_000)]


def test_the_cycle_counts_where_it_is_steadier_than_the_phases():
    learned = LearnedForecast()
    at_ms = 0
    for green_s in (10, 30, 15, 25, 12, 28, 18, 22, 10):
        learned.observe(GREEN, at_ms, at_ms)
        learned.observe(RED, at_ms + green_s * 1000, at_ms + green_s * 1000)
        at_ms += 60_000
    # Green for 10 s in the end: by its own length the red is over 10 s too early or late, by the cycle not.
    assert expected(learned, at_ms - 20_000)[0] == (RED, 20_000)
    # Past the longest cycle, what is left is the length of the red.
    learned.observe(RED, at_ms + 2_000)
    assert expected(learned, at_ms - 1_000)[0] == (RED, 1_000)


def test_what_lasts_longer_than_ever_is_open():
    learned, at_ms = fed((20, 3, 40, 1), 6)
    learned.observe(GREEN, at_ms, at_ms)
    # The news of its end may be on its way ...
    assert expected(learned, at_ms + 21_500)[:2] == [(GREEN, 0), (AMBER, 3_000)]
    # ... but not for long.
    assert expected(learned, at_ms + 22_500) == [(GREEN, None)]


def switches(learned, at_ms, green_s, red_s):
    """Show one more cycle to it: green, amber for 3 s, red, red with amber for 1 s; return its end."""
    learned.observe(GREEN, at_ms, at_ms)
    for state, length_s in ((AMBER, green_s), (RED, 3), (PRE, red_s), (GREEN, 1)):
        at_ms += length_s * 1000
        learned.observe(state, at_ms, at_ms)
    return at_ms


def test_another_program_is_learned_anew():
    learned, at_ms = fed((20, 3, 40, 1), 6)
    at_ms = switches(learned, at_ms, 33, 70)
    assert not learned.learned
    for _ in range(5):
        at_ms = switches(learned, at_ms, 33, 70)
    assert expected(learned, at_ms)[0] == (GREEN, 33_000)


def test_one_odd_phase_is_no_other_program_nor_is_one_made_up_for():
    learned, at_ms = fed((20, 3, 40, 1), 6)
    for green_s, red_s in ((33, 40), (20, 40), (33, 40), (10, 50), (20, 40)):
        at_ms = switches(learned, at_ms, green_s, red_s)
        assert learned.learned


def test_the_first_surprise_of_all_has_no_cycle_to_compare():
    learned, at_ms = fed((20, 3, 40, 1), 6)
    learned.interrupt()
    learned.observe(GREEN, at_ms, at_ms)
    at_ms = switches(learned, at_ms, 33, 70)
    assert not learned.learned
    assert not Intervals().covers(0)


def test_a_feed_may_name_the_program():
    learned, at_ms = fed((20, 3, 40, 1), 6)
    learned.observe(GREEN, at_ms, at_ms, 7)
    assert learned.learned
    learned.observe(GREEN, at_ms + 1_000, at_ms, 7)
    assert learned.learned
    learned.observe(GREEN, at_ms + 2_000, at_ms, 8)
    assert not learned.learned


def test_a_lost_message_teaches_nothing():
    learned, at_ms = fed((20, 3, 40, 1), 6)
    learned.observe(GREEN, at_ms, at_ms)
    # Red with amber after green: amber and red were lost.
    learned.observe(PRE, at_ms + 63_000, at_ms + 63_000)
    assert expected(learned, at_ms + 63_500) == [(PRE, None)]
    learned.observe(GREEN, at_ms + 64_000, at_ms + 64_000)
    assert expected(learned, at_ms + 64_000)[0] == (GREEN, 20_000)


def test_lengths_beyond_any_signal_are_not_learned():
    learned = LearnedForecast()
    at_ms = 0
    for _ in range(8):
        learned.observe(GREEN, at_ms, at_ms)
        learned.observe(AMBER, at_ms + 310_000, at_ms + 310_000)
        learned.observe(RED, at_ms + 320_000, at_ms + 320_000)
        at_ms += 640_000
    assert not learned.learned


def test_a_first_amber_has_no_known_length():
    learned = LearnedForecast()
    learned.observe(AMBER, 0)
    assert expected(learned, 0)[0][0] == AMBER
    learned.observe(RED, 3_000)
    learned.observe(PRE, 4_000)
    learned.observe(GREEN, 5_000)
    learned.observe(AMBER, 15_000, 15_000)
    assert expected(learned, 16_000)[1] == (RED, None)


def test_the_forecast_understands_it_for_either_meaning_of_amber():
    learned, at_ms = fed((20, 3, 40, 1), 6)
    learned.observe(GREEN, at_ms, at_ms)
    for clearance, ends in (("red", [20_000, 64_000, 84_000]), ("green", [23_000, 64_000, 87_000])):
        forecast = Forecast(clearance)
        learned.expect(at_ms)
        forecast.update(learned)
        assert [span.end_at_ms - at_ms for span in forecast.spans[: forecast.span_count]] == ends
        assert [span.colour for span in forecast.spans[:3]] == ["green", "red", "green"]


def test_a_moved_time_base_changes_nothing():
    learned, at_ms = fed((20, 3, 40, 1), 6)
    learned.observe(GREEN, at_ms, at_ms)
    before = expected(learned, at_ms + 1_000)
    learned.rebase(at_ms)
    assert learned.message_at_ms == 1_000
    assert expected(learned, 1_000) == before
    LearnedForecast().rebase(1_000)


# The whole engine on a feed that tells the state once a second, or only its changes.

ORIGIN_MS = 3_600_000 * 24 - 100_000


class Watch:
    """What was seen of a ride: frames, claims and wrong claims, kinds and reasons; little enough for a board's heap."""

    def __init__(self):
        self.frames = self.told = self.wrong = 0
        self.seen = set()

    def note(self, advice, met):
        self.frames += 1
        self.seen.add((advice.kind, advice.reason))
        if advice.kind in ("green", "red"):
            self.told += 1
            self.wrong += met not in (advice.kind, "amber")

    def kinds(self):
        return {kind for kind, _ in self.seen}

    def answered(self):
        return self.told * 100 // self.frames


def ride(engine, program, start_s, end_s, on_change=False, heartbeat_s=2, flashing=False):
    """Drive an engine with a message or a heartbeat a second, and return the Watch of two frames a second."""
    state = engine.decoder.state
    watch = Watch()
    shown = None
    for second in range(start_s, end_s):
        now_ms = ORIGIN_MS + second * 1000
        event_state, _ = program.state_at(now_ms)
        if flashing:
            event_state = 9
        fill(state, now_ms, ((event_state, None, None, None),))
        send = True
        if on_change:
            state.on_change = True
            if event_state == shown:
                state.heartbeat = True
                send = heartbeat_s and second % heartbeat_s == 0
            else:
                state.movement.events[0].start_time = now_ms // 100 % 36_000
        if send:
            engine.message(state, 0, 0, second * 1000 % (1 << 30))
            shown = event_state
        for part in (100, 600):
            advice = engine.frame((second * 1000 + part) % (1 << 30))
            watch.note(advice, program.colour_at(now_ms + part + 10_000))
    return watch


def make():
    return Engine(Site(10_000), StateOnlyDecoder())


def test_nothing_is_claimed_before_it_is_earned_and_then_it_is_right():
    for on_change in (False, True):
        engine = make()
        program = Program(ORIGIN_MS, 30_000, 20_000)
        early = ride(engine, program, 0, 53 * 9, on_change)
        assert early.kinds() == {"dark", "uncertain"}
        assert ("uncertain", "learning") in early.seen
        ride(engine, program, 53 * 9, 53 * 20, on_change)
        late = ride(engine, program, 53 * 20, 53 * 30, on_change)
        assert late.answered() >= 60
        assert late.wrong * 50 <= late.told
        if on_change:
            assert engine.counters["heartbeat"] > 400


def test_what_was_learned_survives_a_restart_but_not_the_lengths():
    engine = make()
    program = Program(ORIGIN_MS, 30_000, 20_000)
    ride(engine, program, 0, 53 * 12)
    other = make()
    assert other.load_memory(engine.memory())
    early = ride(other, program, 0, 53 * 4)
    assert early.kinds() == {"dark", "uncertain"}
    assert ("uncertain", "learning") not in early.seen
    ride(other, program, 53 * 4, 53 * 6)
    assert ride(other, program, 53 * 6, 53 * 10).answered() >= 50


def test_a_silent_feed_is_dark():
    engine = make()
    program = Program(ORIGIN_MS, 30_000, 20_000)
    ride(engine, program, 0, 53 * 4 + 10, True)
    # The last sign of life was 220 s after the start: six seconds later it proves nothing any more.
    assert engine.frame(226_000).reason != "stale"
    assert engine.frame(226_600).reason == "stale"


def test_flashing_is_dark_and_breaks_the_phase():
    engine = make()
    program = Program(ORIGIN_MS, 30_000, 20_000)
    ride(engine, program, 0, 200)
    assert ride(engine, program, 200, 210, flashing=True).seen == {("dark", "flashing")}
    ride(engine, program, 210, 53 * 8)
    assert engine.learner.learned.learned


def change(event_state, told_ms, changed_ms):
    """An IntersectionState of a feed that speaks on change; times in ms since ORIGIN_MS."""
    state = fill(IntersectionState(), ORIGIN_MS + told_ms, ((event_state, None, None, None),))
    state.on_change = True
    if changed_ms is not None:
        state.movement.events[0].start_time = (ORIGIN_MS + changed_ms) // 100 % 36_000
    return state


def test_a_change_counts_though_other_news_overtook_it_but_never_an_older_one():
    tracker = SignalTracker()
    assert tracker.accept(change(GREEN, 1_000, 0), 1_100) == "news"
    beat = change(GREEN, 3_000, None)
    beat.heartbeat = True
    assert tracker.accept(beat, 3_100) == "heartbeat"
    assert tracker.accept(beat, 3_200) == "duplicate"
    # Told earlier than the heartbeat, and at the same instant as it.
    assert tracker.accept(change(AMBER, 2_900, 2_000), 3_300) == "news"
    assert tracker.events[0].event_state == AMBER
    assert tracker.changed_at_ms == 2_100
    assert tracker.accept(change(RED, 3_000, 2_800), 3_400) == "news"
    # The same once more, and a change before it that comes only now.
    assert tracker.accept(change(RED, 3_000, 2_800), 3_500) == "duplicate"
    assert tracker.accept(change(AMBER, 4_000, 2_000), 4_100) == "late"
    assert tracker.events[0].event_state == RED
    # Without an instant of change the message's own time decides.
    assert tracker.accept(change(PRE, 4_000, None), 4_200) == "duplicate"
    assert tracker.accept(change(PRE, 5_000, None), 5_100) == "news"
    assert tracker.changed_at_ms is None
    # What has not happened yet is not believed to.
    assert tracker.accept(change(GREEN, 5_000, 9_000), 5_200) == "duplicate"
    assert tracker.accept(change(GREEN, 5_500, 9_000), 5_600) == "news"
    assert tracker.changed_at_ms is None
    nothing = change(RED, 6_000, 5_500)
    nothing.movement.event_count = 0
    assert tracker.accept(nothing, 6_100) == "news"
    assert tracker.blocked == "implausible"
    nothing.moy = None
    assert tracker.accept(nothing, 6_200) == "no_time"


def test_the_time_base_moves_under_it():
    engine = make()
    program = Program(ORIGIN_MS, 30_000, 20_000)
    far_s = (1 << 28) // 1000 - 53 * 3
    engine.frame(0)
    # Two steps that the 30-bit counter can tell from a step back, then through the change.
    engine.frame(far_s * 500)
    ride(engine, program, far_s, far_s + 53 * 9, True)
    assert engine._now_ms < 1 << 22
    assert engine.forecast.spans[0].end_at_ms is not None
    assert 0 < engine.forecast.spans[0].end_at_ms - engine._now_ms < 60_000
    unused = make()
    unused.learner.rebase(1_000)
    assert unused.frame(0).reason == "no_data"
