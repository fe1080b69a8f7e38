# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spans from a controller's list of phases: merged, completed, inferred, guessed, and cut at contradictions."""

from leezenflow import forecast as forecast_module
from leezenflow.forecast import GREEN, NO_COLOUR, RED, Forecast, colour
from leezenflow.spatem import MAX_EVENTS
from leezenflow.tracker import TimedEvent


class Heard:
    """What a tracker has accepted: `tell` sets the present phases as (state, min, likely, max), in ms or None."""

    def __init__(self):
        self.events = [TimedEvent() for _ in range(MAX_EVENTS)]
        self.event_count = 0
        self.message_at_ms = 0

    def tell(self, at_ms, *phases):
        self.message_at_ms = at_ms
        self.event_count = len(phases)
        for event, (state, earliest, likely, latest) in zip(self.events, phases):
            event.event_state = state
            event.min_end_at_ms = earliest
            event.likely_end_at_ms = likely
            event.max_end_at_ms = latest
            event.likely_mark_ms = None if likely is None else likely % 3_600_000
            event.confidence = 6
        return self


def spans_of(forecast):
    """The spans as (colour, end)."""
    return [(span.colour, span.end_at_ms) for span in forecast.spans[: forecast.span_count]]


def test_every_event_state_is_a_colour_or_none():
    assert [colour(state) for state in range(10)] == [
        NO_COLOUR,
        NO_COLOUR,
        NO_COLOUR,
        RED,
        RED,
        GREEN,
        GREEN,
        RED,
        RED,
        NO_COLOUR,
    ]
    assert colour(7, GREEN) == colour(8, GREEN) == GREEN


def test_phases_of_one_colour_are_one_span():
    forecast = Forecast()
    ends = ((3, 9_000), (4, 10_000), (5, 20_000), (6, 30_000), (7, 32_000), (3, 60_000))
    forecast.update(Heard().tell(0, *[(state, None, end, None) for state, end in ends]))
    assert spans_of(forecast) == [(RED, 10_000), (GREEN, 30_000), (RED, 61_000)]


def test_a_phase_that_is_no_colour_ends_the_forecast():
    forecast = Forecast()
    forecast.update(Heard().tell(0, (3, 0, 9_000, 9_000), (9, 0, 20_000, 20_000), (6, 0, 30_000, 30_000)))
    assert spans_of(forecast) == [(RED, 9_000)]
    assert forecast.index_at(8_999) == 0
    assert forecast.index_at(9_000) == -1


def test_a_list_that_ends_in_amber_says_nothing_of_the_red_after_it():
    forecast = Forecast()
    forecast.update(Heard().tell(0, (6, 0, 9_000, 9_000), (8, 0, 11_000, 11_000)))
    assert spans_of(forecast) == [(GREEN, 9_000)]
    assert forecast.clearance_ms == 2_000


def test_the_last_span_is_completed_with_what_the_list_leaves_out():
    red_last = Heard().tell(
        0, (3, None, 9_000, None), (4, None, 10_500, None), (6, None, 20_000, None), (3, 40_000, 50_000, 60_000)
    )
    forecast = Forecast()
    forecast.update(red_last)
    last = forecast.spans[2]
    assert (last.min_end_at_ms, last.end_at_ms, last.max_end_at_ms) == (41_500, 51_500, 61_500)
    green_last = Heard().tell(
        0, (6, None, 9_000, None), (8, None, 12_000, None), (3, None, 30_000, None), (6, None, 40_000, None)
    )
    forecast = Forecast(GREEN)
    forecast.update(green_last)
    assert spans_of(forecast) == [(GREEN, 12_000), (RED, 30_000), (GREEN, 43_000)]
    # Where nothing is known of the end, there is nothing to complete.
    forecast = Forecast(GREEN)
    forecast.update(Heard().tell(0, (6, None, None, None)))
    assert spans_of(forecast) == [(GREEN, None)]


def test_ends_out_of_order_by_a_rounding_are_put_in_order_and_by_more_are_cut():
    forecast = Forecast()
    forecast.update(Heard().tell(0, (3, None, 9_000, None), (6, None, 8_500, None), (3, None, 20_000, None)))
    assert spans_of(forecast) == [(RED, 9_000), (GREEN, 9_000), (RED, 20_000)]
    forecast.update(Heard().tell(0, (3, None, 9_000, None), (6, None, 7_000, None), (3, None, 20_000, None)))
    assert spans_of(forecast) == [(RED, 9_000)]


def test_contradictory_bounds_bound_nothing_and_sound_ones_clamp():
    forecast = Forecast()
    forecast.update(Heard().tell(0, (3, 20_000, 9_000, 10_000), (6, 12_000, 40_000, 30_000)))
    assert spans_of(forecast) == [(RED, 9_000), (GREEN, 30_000)]
    assert forecast.spans[0].min_end_at_ms is None
    assert forecast.spans[0].max_end_at_ms is None


def test_a_missing_end_follows_from_the_phase_before_or_after_at_a_fixed_distance():
    forecast = Forecast()
    # Amber 3 s after green, by both bounds; the latest end may be unknown for both.
    forecast.update(Heard().tell(0, (6, 5_000, None, 20_000), (8, 8_000, 15_000, 23_000), (3, None, 60_000, None)))
    assert spans_of(forecast)[0] == (GREEN, 12_000)
    forecast.update(Heard().tell(0, (6, 5_000, None, None), (8, 8_000, 15_000, None), (3, None, 60_000, None)))
    assert spans_of(forecast)[0] == (GREEN, 12_000)
    # Red with amber after red: here it is the phase before that tells.
    forecast.update(Heard().tell(0, (3, 5_000, 9_000, 20_000), (4, 6_000, None, 21_000), (6, None, 60_000, None)))
    assert spans_of(forecast)[0] == (RED, 10_000)


def test_a_distance_that_is_not_fixed_tells_nothing():
    for amber in (
        (8, 8_000, 15_000, 26_000),
        (8, 3_000, 15_000, 18_000),
        (8, 8_000, 15_000, None),
        (8, None, 15_000, 23_000),
    ):
        forecast = Forecast()
        forecast.update(Heard().tell(0, (6, 5_000, None, 20_000), amber, (3, None, 60_000, None)))
        assert forecast.spans[0].guessed, amber
    forecast = Forecast()
    forecast.update(Heard().tell(0, (6, 5_000, None, None), (8, 25_000, 35_000, None), (3, None, 60_000, None)))
    assert forecast.spans[0].end_at_ms is None


def test_what_was_said_before_of_the_same_switch_still_holds():
    forecast = Forecast()
    forecast.update(Heard().tell(0, (6, 5_000, 12_000, 20_000), (3, 30_000, 50_000, 90_000)))
    forecast.update(Heard().tell(1_000, (6, 5_000, None, 20_000), (3, 30_000, 50_000, 90_000)))
    assert (forecast.spans[0].end_at_ms, forecast.spans[0].guessed) == (12_000, False)
    # Not against new bounds, and not after its time.
    forecast.update(Heard().tell(2_000, (6, 14_000, None, 20_000), (3, 30_000, 50_000, 90_000)))
    assert forecast.spans[0].guessed


def test_a_guess_lies_between_the_bounds_and_needs_both():
    forecast = Forecast()
    forecast.update(Heard().tell(0, (6, 5_000, None, 20_000), (3, None, 60_000, None)))
    assert (forecast.spans[0].end_at_ms, forecast.spans[0].guessed) == (12_500, True)
    forecast.update(Heard().tell(0, (6, 5_000, None, 95_000), (3, None, 160_000, None)))
    assert forecast.spans[0].end_at_ms is None
    forecast.update(Heard().tell(0, (6, 5_000, None, None), (3, None, 60_000, None)))
    assert forecast.spans[0].end_at_ms is None
    assert forecast.index_at(4_999) == 0
    assert forecast.index_at(5_000) == -1
    # Bounds that leave no choice are no guess.
    forecast.update(Heard().tell(0, (6, 5_000, None, 5_900), (3, None, 60_000, None)))
    assert (forecast.spans[0].end_at_ms, forecast.spans[0].guessed) == (5_000, False)


def test_usual_lengths_are_watched_and_make_better_guesses():
    forecast = Forecast()
    heard = Heard()
    # Green from 10.5 s to 22.5 s, as seen in messages a second apart, then red until 40.5 s.
    for at_ms in range(0, 41_000, 1_000):
        green = 11_000 <= at_ms < 23_000
        forecast.update(heard.tell(at_ms, (6 if green else 3, at_ms + 1_000, None, at_ms + 50_000)))
    forecast.update(heard.tell(41_000, (6, 45_000, None, 90_000), (3, 80_000, None, 120_000)))
    assert forecast.spans[0].begin_at_ms == 40_500
    assert forecast.spans[0].end_at_ms == 40_500 + 12_000
    assert forecast.spans[1].end_at_ms == 80_000


def test_after_a_silence_nothing_is_known_of_the_present_phase():
    forecast = Forecast()
    heard = Heard()
    for at_ms in (0, 1_000, 2_000):
        forecast.update(heard.tell(at_ms, (3 if at_ms < 2_000 else 6, 5_000, 9_000, 20_000)))
    assert forecast.spans[0].begin_at_ms == 1_500
    forecast.update(heard.tell(20_000, (6, 25_000, 29_000, 40_000)))
    assert forecast.spans[0].begin_at_ms is None


def test_without_phases_there_is_no_forecast():
    forecast = Forecast()
    forecast.update(Heard().tell(0))
    assert forecast.span_count == 0
    assert forecast.index_at(0) == -1


def test_rebasing_moves_every_instant():
    shift = 1 << 28
    for phases in (((3, 5_000, 9_000, 20_000), (6, None, None, None)), ((6, None, 9_000, None),)):
        plain, moved = Forecast(), Forecast()
        for forecast in (plain, moved):
            heard = Heard()
            forecast.update(heard.tell(0, (4, 500, 900, 1_000)))
            forecast.update(heard.tell(1_000, *phases))
        moved.rebase(shift)
        for before, after in zip(plain.spans[: plain.span_count], moved.spans):
            for name in ("begin_at_ms", "end_at_ms", "min_end_at_ms", "max_end_at_ms"):
                at_ms = getattr(before, name)
                assert getattr(after, name) == (None if at_ms is None else at_ms - shift), name
        assert moved.index_at(2_000 - shift) == plain.index_at(2_000)
    fresh = Forecast()
    fresh.rebase(shift)
    assert fresh.index_at(0) == -1
    assert forecast_module.NO_COLOUR == "none"
