# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every palette keeps its states apart, for people of every colour vision; and the yardstick itself is right."""

import itertools

import pytest
from colour_vision import VISION, delta_e, lab

from leezenflow.palettes import DEFAULT, NAMES, PALETTES

# Differences that nobody misses at a glance; 2 is just visible side by side.
CLEAR = 17
UNMISTAKABLE = 50


def state_colours(name: str) -> dict[str, tuple[int, int, int]]:
    _, green, red, neutral, _ = PALETTES[name]
    return {"green": green, "red": red, "uncertain": neutral}


@pytest.mark.parametrize("vision", sorted(VISION))
@pytest.mark.parametrize("name", NAMES)
def test_states_look_different_to_everybody(name: str, vision: str) -> None:
    for (one, a), (other, b) in itertools.combinations(state_colours(name).items(), 2):
        difference = delta_e(lab(a, vision), lab(b, vision))
        assert difference > CLEAR, f"{name}: {one} and {other} are {difference:.1f} apart with {vision}"


@pytest.mark.parametrize("vision", sorted(VISION))
def test_the_safe_palette_is_safe_where_it_matters_most(vision: str) -> None:
    colours = state_colours("colour_vision_safe")
    assert delta_e(lab(colours["green"], vision), lab(colours["red"], vision)) > UNMISTAKABLE


def test_the_night_is_darker() -> None:
    for night, day in zip(PALETTES["night"], PALETTES[DEFAULT], strict=True):
        assert lab(night)[0] < 0.75 * lab(day)[0]


@pytest.mark.parametrize(
    ("one", "two", "published"),
    [
        # From the test data of Sharma, Wu and Dalal 2005.
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ],
)
def test_ciede2000_as_published(
    one: tuple[float, float, float], two: tuple[float, float, float], published: float
) -> None:
    assert delta_e(one, two) == pytest.approx(published, abs=1e-4)
    assert delta_e(two, one) == pytest.approx(published, abs=1e-4)


def test_white_is_white_to_everybody() -> None:
    for vision in VISION:
        lightness, a, b = lab((255, 255, 255), vision)
        assert lightness == pytest.approx(100, abs=0.5)
        assert abs(a) < 1 and abs(b) < 1


def test_red_and_green_of_equal_lightness_are_hard_for_a_deuteranope() -> None:
    # The simulation must be able to fail a palette.
    red, green = (210, 70, 0), (96, 130, 0)
    assert delta_e(lab(red), lab(green)) > 40
    assert delta_e(lab(red, "deuteranopia"), lab(green, "deuteranopia")) < CLEAR
