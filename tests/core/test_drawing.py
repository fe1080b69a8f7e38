# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks draw with: field, stripes, cyclist, digits, signs and letters; and what single looks do beyond it."""

from leezenflow import sprites_digits, sprites_digits_small, sprites_letters
from leezenflow.advice import Advice
from leezenflow.canvas import Canvas
from leezenflow.drawing import text
from leezenflow.drawing.cyclist import HEIGHT as CYCLIST_ROWS
from leezenflow.drawing.cyclist import Cyclist
from leezenflow.drawing.digits import Digits
from leezenflow.drawing.field import Field, Stripes
from leezenflow.drawing.level import WHOLE
from leezenflow.drawing.sprites import make_table
from leezenflow.palettes import ACCENT_FULL, FIELD_SHADES, GREEN_FULL, GREEN_RAMP, INK_FULL, RED_FULL, RED_RAMP
from scenes import import_look, say

ROWS = 62


def rows_of(canvas, top=0, count=None):
    end = canvas.height if count is None else top + count
    return [bytes(canvas.pixels[row * canvas.width : (row + 1) * canvas.width]) for row in range(top, end)]


def light_of(canvas, ramp):
    """Sum of the shades in the field's rows, every pixel being of that ramp."""
    total = 0
    for row in rows_of(canvas, 0, ROWS):
        for index in row:
            assert ramp <= index < ramp + FIELD_SHADES, index
            total += index - ramp
    return total


def test_a_whole_field_is_full_to_its_top_and_an_empty_one_keeps_its_foot():
    canvas = Canvas()
    field = Field(32, ROWS)
    for drift in (None, 0, 5):
        field.draw(canvas, GREEN_RAMP, WHOLE, drift)
        assert set(b"".join(rows_of(canvas, 0, ROWS))) == {GREEN_FULL}
        field.draw(canvas, GREEN_RAMP, 0, drift)
        rows = rows_of(canvas, 0, ROWS)
        assert max(rows[ROWS - 12]) < GREEN_FULL
        assert set(rows[ROWS - 1]) == {GREEN_FULL} or (drift is not None and max(rows[ROWS - 1]) == GREEN_FULL)


def test_a_field_empties_in_steps_smaller_than_a_row():
    canvas = Canvas()
    field = Field(32, ROWS)
    for drift in (None, 7):
        lights = []
        for step in range(496, -1, -1):
            field.draw(canvas, GREEN_RAMP, WHOLE * step // 496, drift)
            lights.append(light_of(canvas, GREEN_RAMP))
        assert lights == sorted(lights, reverse=True)
        assert len(set(lights)) > 400
        # No step is more than a row.
        assert max(lights[step] - lights[step + 1] for step in range(496)) < 32 * FIELD_SHADES


def test_the_surface_is_flat_or_in_waves_that_wander_left():
    canvas = Canvas()
    field = Field(32, ROWS)
    field.draw(canvas, RED_RAMP, WHOLE // 2, None)
    for row in rows_of(canvas, 0, ROWS):
        assert len(set(row)) == 1
    field.draw(canvas, GREEN_RAMP, WHOLE // 2, 0)
    before = rows_of(canvas, 0, ROWS)
    field.draw(canvas, GREEN_RAMP, WHOLE // 2, 3)
    for old, new in zip(before, rows_of(canvas, 0, ROWS)):
        assert new == old[3:] + old[:3]
    assert max(len(set(row)) for row in before) > 5


def test_the_middle_of_the_edge_is_where_it_says():
    canvas = Canvas()
    field = Field(32, ROWS)
    for level in range(0, WHOLE + 1, WHOLE // 16):
        middle = field.draw(canvas, RED_RAMP, level, None)
        rows = rows_of(canvas, 0, ROWS)
        if 0 < middle < ROWS - 1:
            assert rows[middle - 1][0] < RED_RAMP + 36
            assert rows[middle + 1][0] > RED_RAMP + 20


def test_stripes_move_up_and_repeat():
    canvas = Canvas()
    for chevron in (True, False):
        stripes = Stripes(canvas, ROWS, GREEN_RAMP, chevron, 12, 6, 47, 10)
        stripes.draw(0)
        first = rows_of(canvas, 0, ROWS)
        stripes.draw(1)
        assert rows_of(canvas, 0, ROWS)[:-1] == first[1:]
        stripes.draw(12 * 5)
        assert rows_of(canvas, 0, ROWS) == first
        assert sum(row[3] == GREEN_FULL for row in first[:12]) == 6
        # Chevrons are as symmetrical as the road ahead.
        assert all(row == bytes(reversed(row)) for row in first) == chevron


def ride(cyclist, canvas, kind, frames, elapsed_ms=40):
    """In how many of the frames the bicycle has another picture than in the one before."""
    changes = 0
    before = None
    for _ in range(frames):
        cyclist.draw(kind, elapsed_ms)
        shown = bytes(canvas.pixels[: 32 * (CYCLIST_ROWS - 2)])
        changes += before is not None and shown != before
        before = shown
    return changes


def test_the_cyclist_rides_hurries_coasts_and_stands():
    moving = {}
    for kind in ("green", "sprint", "uncertain", "red"):
        canvas = Canvas(32, CYCLIST_ROWS)
        cyclist = Cyclist(canvas, 0)
        ride(cyclist, canvas, kind, 50)
        moving[kind] = ride(cyclist, canvas, kind, 25)
    assert moving["sprint"] > moving["green"] > moving["uncertain"] > 2
    assert moving["red"] == 0


def test_the_cyclist_brakes_and_sets_off():
    canvas = Canvas(32, CYCLIST_ROWS)
    cyclist = Cyclist(canvas, 0)
    ride(cyclist, canvas, "green", 50)
    assert 1 < ride(cyclist, canvas, "red", 25) < 7
    assert set(rows_of(canvas)[-1]) == {ACCENT_FULL}  # the road lies still
    assert ride(cyclist, canvas, "red", 25) == 0
    slow = ride(cyclist, canvas, "green", 10)
    assert slow < ride(cyclist, canvas, "green", 10)


def test_a_cyclist_who_was_not_seen_for_long_just_stands():
    canvas = Canvas(32, CYCLIST_ROWS)
    cyclist = Cyclist(canvas, 0)
    ride(cyclist, canvas, "green", 50)
    cyclist.draw("red", 1000)
    assert set(rows_of(canvas)[-1]) == {ACCENT_FULL}


def test_digits_show_seconds_rounded_up_and_centred():
    for sheet, width in ((sprites_digits, 30), (sprites_digits_small, 22)):
        canvas = Canvas()
        digits = Digits(sheet)
        assert digits.width == width
        seen = []
        painted = []
        canvas.fb.fill(77)
        for remaining_ms in (0, 1, 1_000, 1_001, 9_000, 9_001, 10_000, 99_000, 99_001, 250_000, None):
            painted.append(digits.draw(canvas.fb, 1, 10, remaining_ms))
            seen.append(canvas.checksum())
            if remaining_ms == 250_000:
                assert set(canvas.pixels) == {0, 77}
            assert set(rows_of(canvas)[9]) == {77} == set(rows_of(canvas)[10 + digits.height])
            assert {row[0] for row in rows_of(canvas)} == {77} == {row[1 + width] for row in rows_of(canvas)}
        zero, one, still_one, two, nine, ten, also_ten, most, too_long, longer, unknown = seen
        assert painted == [True, True, False, True, True, True, False, True, True, False, True]
        assert one == still_one
        assert ten == also_ten
        assert too_long == longer
        assert len({zero, one, two, nine, ten, most, too_long, unknown}) == 8


def test_digits_take_another_colour_at_once():
    canvas = Canvas()
    digits = Digits(sprites_digits)
    digits.draw(canvas.fb, 0, 0, 7_000)
    assert INK_FULL in set(canvas.pixels)
    assert digits.draw(canvas.fb, 0, 0, 7_000, make_table((0, RED_FULL, RED_FULL, RED_FULL)))
    assert set(canvas.pixels) == {0, RED_FULL}


def test_letters_are_drawn_as_the_source_has_them():
    canvas = Canvas(8, 5)
    text.draw_line(canvas.fb, 0, 0, "L", 9)
    assert [bytes(row[:4]) for row in rows_of(canvas)] == [b"\t\0\0\0"] * 4 + [b"\t\t\t\0"]


def test_unknown_letters_and_small_ones():
    assert text.find_letter("a") == text.find_letter("A") > 0
    assert text.find_letter("ü") == text.find_letter("Ü") > 0
    assert text.find_letter("ß") > 0
    assert text.find_letter("€") == 0
    assert text.find_letter("\0") == 0
    assert len(sprites_letters.WIDTHS) == len(sprites_letters.CHARACTERS)
    assert len(sprites_letters.ROWS) == 5 * len(sprites_letters.CHARACTERS)


def test_long_lines_are_wrapped_where_one_would():
    assert text.wrap("192.168.178.123", 31) == ["192.168.", "178.123"]
    assert text.wrap("HAFENSTRASSE", 31) == ["HAFENST", "RASSE"]
    assert text.wrap("no data", 31) == ["no data"]
    assert text.wrap("beyond forecast", 31) == ["beyond", "forecast"]
    assert text.wrap("", 31) == []
    for line in text.wrap("WWWWWWWWWWWW MMMM IIIIIIIIIIIIIIIIIII 0-1/2_3", 31):
        assert text.measure(line) <= 31


def test_status_shows_its_lines_and_what_the_core_says():
    canvas = Canvas()
    look = import_look("status").Look(canvas, {"text": "Unit 7|10.0.0.7"})
    advice = say(Advice(), "dark", reason="no_data")
    look.draw(advice, canvas, 0)
    first = rows_of(canvas)
    look.draw(advice, canvas, 640)
    assert rows_of(canvas)[:94] == first[:94]
    assert rows_of(canvas)[95] != first[95]  # the bar at the foot
    look.draw(say(advice, "uncertain", reason="beyond_forecast"), canvas, 0)
    second = rows_of(canvas)
    assert second[:60] == first[:60]
    assert second[60:94] != first[60:94]
    look.show_lines(["Unit 7", "no network", "E 12", "x" * 500])
    look.draw(advice, canvas, 0)
    third = rows_of(canvas)
    assert third[8:60] != first[8:60]
    assert third[64:] == second[64:]  # too much text never reaches the foot


def draw_once(name, options, kind, remaining_ms, now_ms=0):
    canvas = Canvas()
    import_look(name).Look(canvas, options).draw(say(Advice(), kind, remaining_ms, 30_000), canvas, now_ms)
    return bytes(canvas.pixels)


def test_a_ring_painted_bit_by_bit_is_the_ring_painted_at_once():
    module = import_look("wait_ring")
    canvas = Canvas()
    look = module.Look(canvas)
    advice = Advice()
    now_ms = 0
    plays = ((30_000, 4_000), (12_000, 29_000), (29_000, 100), (100, 29_900))
    for first_ms, last_ms in plays:
        for step in range(40):
            remaining_ms = first_ms + (last_ms - first_ms) * step // 39
            now_ms += 1_000  # longer than any easing
            look.draw(say(advice, "red", remaining_ms, 30_000), canvas, now_ms)
            fresh = Canvas()
            module.Look(fresh).draw(advice, fresh, 0)
            assert rows_of(canvas, 0, 62) == rows_of(fresh, 0, 62), remaining_ms


def test_speed_hint_says_slower_only_where_slower_helps():
    assert draw_once("speed_hint", None, "red", 6_000) != draw_once("speed_hint", {"slack_ms": 0}, "red", 6_000)
    assert draw_once("speed_hint", None, "red", 6_001) == draw_once("speed_hint", {"slack_ms": 0}, "red", 6_001)
    assert draw_once("speed_hint", None, "red", None) == draw_once("speed_hint", {"slack_ms": 0}, "red", None)


def test_people_on_foot_are_asked_to_press_unless_there_is_no_button():
    asked = draw_once("pedestrian_wait", None, "uncertain", None)
    assert asked != draw_once("pedestrian_wait", {"press_hint": False}, "uncertain", None)
    # The finger taps.
    assert asked != draw_once("pedestrian_wait", None, "uncertain", None, 500)
