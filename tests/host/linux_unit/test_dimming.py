# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The brightness of a Linux unit: the site's cap, its night, the sun."""

import calendar

from linux_units import Panel

from leezenflow_host.linux_unit.dimming import Dimming
from leezenflow_host.problems import Problems
from leezenflow_host.site_config import check_site

MUENSTER = {"latitude": 51.96, "longitude": 7.63, "floor": 6}


def make_site(**light: object):
    """A site with this [light]."""
    tables = {
        "signal": {"intersection": 7, "signal_group": 3},
        "rider": {"distance_m": 60},
        "look": {"brightness": 200},
    }
    return check_site({**tables, "light": light} if light else tables, Problems("test")).site()


def at(year: int, month: int, day: int, hour: int) -> float:
    """Unix time of an hour (UTC)."""
    return calendar.timegm((year, month, day, hour, 0, 0))


def brightness_after(site, now_s: float, steps: int = 600) -> tuple[int, Panel]:
    """What the panel has after some minutes."""
    panel = Panel()
    dimming = Dimming(panel, site, lambda: now_s)
    for _ in range(steps):
        dimming.step()
    assert panel.brightness[-1] == dimming.brightness
    return dimming.brightness, panel


def test_without_a_place_the_site_says_it_all() -> None:
    brightness, panel = brightness_after(make_site(), at(2026, 6, 21, 0))
    assert brightness == 200 and panel.brightness == [200]


def test_the_sun_dims_within_cap_and_floor() -> None:
    site = make_site(**MUENSTER)
    noon, _ = brightness_after(site, at(2026, 6, 21, 11))
    midnight, panel = brightness_after(site, at(2026, 6, 21, 23))
    assert noon == 200
    assert 6 <= midnight < 40
    # Nobody jumps: and nothing is told twice.
    assert all(one != other for one, other in zip(panel.brightness, panel.brightness[1:], strict=False))


def test_the_night_of_the_site() -> None:
    site = make_site(night="22:00-05:30", night_brightness=9)
    assert brightness_after(site, at(2026, 6, 21, 23))[0] == 9
    assert brightness_after(site, at(2026, 6, 21, 12))[0] == 200


def test_a_clock_that_nobody_set_tells_no_sun() -> None:
    assert brightness_after(make_site(**MUENSTER), at(1970, 1, 1, 0))[0] == 200


def test_a_display_that_cannot_be_dimmed() -> None:
    dimming = Dimming(object(), make_site(**MUENSTER), lambda: at(2026, 6, 21, 23))
    dimming.step()
    assert dimming.brightness == 200
