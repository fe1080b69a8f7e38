# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power cut at every program and every erase of an update, clean and half done: always a whole release, and it goes on.

Real LittleFS on MicroPython, the real session, the real loader; only the releases are small.
"""

from collections.abc import Iterator

import pytest
from cut_power import Rig, unit_files, update


@pytest.fixture
def rig(micropython: str) -> Iterator[Rig]:
    """A unit that runs release 1 from slot a, and an update to release 2."""
    with Rig(micropython) as rig:
        rig.make_flash(unit_files(1))
        rig.define("good", update(2))
        yield rig


def test_power_cut_in_a_good_update(rig: Rig) -> None:
    figures = rig.sweep("update_and_confirm(flash, good)", "check_update(good, ((1, 1), (2, 1)), True)")
    assert figures["broken"] == 0, figures["faults"]
    assert figures["cut_points"] > 60
    assert set(figures["seen"]) == {"1", "2"}


def test_power_cut_in_a_bad_update(rig: Rig) -> None:
    figures = rig.sweep("update_and_fail(flash, good)", "check_update(good, ((1, 1), (2, 1)), False)")
    assert figures["broken"] == 0, figures["faults"]
    assert set(figures["seen"]) == {"1", "2 on trial"}
    # Played to its end, the old release runs, and the new one is not taken again.
    assert rig.evaluate("(mount(flash), start_unit())[1]") == ("a", False, (1, 1))
    assert rig.evaluate("[len(digest) for digest in boot_state.read()['bad']]") == [64]
    with pytest.raises(AssertionError, match="release 2 has failed its trial on this unit"):
        rig.run("push(good, 'a')")


def test_power_cut_in_a_second_update_over_an_older_release(rig: Rig) -> None:
    rig.run("update_and_confirm(flash, good)")
    rig.define("better", update(3))
    rig.run("def again():\n push(better, 'b')\n power_cycle(flash)\n boot_state.confirm(loader.choose_slot()[0])")
    figures = rig.sweep("again()", "check_update(better, ((2, 1), (3, 1)), True)")
    assert figures["broken"] == 0, figures["faults"]
    assert set(figures["seen"]) == {"2", "3"}


def test_power_cut_breaks_the_naive_update_in_place(rig: Rig) -> None:
    figures = rig.sweep("naive_in_place(good)", "check_update(good, ((1, 1), (2, 1)), False)")
    assert figures["broken"] > figures["states"] // 2, "the suite does not bite"


def test_power_cut_breaks_an_update_that_flips_before_it_writes(rig: Rig) -> None:
    rig.run("update_and_confirm(flash, good)")
    rig.define("better", update(3))
    figures = rig.sweep("flip_before_writing(better)", "check_update(better, ((2, 1), (3, 1)), False)")
    assert figures["broken"] > figures["states"] // 2, "the suite does not bite"
