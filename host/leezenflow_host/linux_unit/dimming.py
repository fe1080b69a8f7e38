# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's brightness on a Linux unit: the site's cap, its night, and the sun where the site has a place."""

import time
from collections.abc import Callable
from typing import Any

from leezenflow import sun
from leezenflow.board import Site
from leezenflow.brightness import BRIGHTEST, Dimmer, Night, brightness_of

_MINUTES_PER_DAY = 1440
_SUN_STEPS = 60
# A Pi whose clock nobody has set begins at some date of its image.
_FIRST_SURE_YEAR = 2025


class Dimming:
    """Dims `display` (if it has `set_brightness`) for `site`, one `step` a second; `now_s` is Unix time."""

    def __init__(self, display: Any, site: Site, now_s: Callable[[], float] = time.time) -> None:
        settings = site.light or {}
        self.brightness = site.brightness
        self._set = getattr(display, "set_brightness", None)
        self._follows = self._set is not None and site.light is not None
        self._now_s = now_s
        self._place: tuple[int, int] | None = None
        if settings.get("latitude_cdeg") is not None:
            self._place = (settings["latitude_cdeg"], settings["longitude_cdeg"])
        night = settings.get("night")
        self._night = None if night is None else Night(night[0], night[1], night[2])
        self._dimmer = Dimmer(site.brightness, settings.get("floor", 1))
        self._sun_steps = 0
        self._lux: int | None = None
        if self._set is not None:
            self._set(site.brightness)

    def step(self) -> None:
        """Dim by what one second allows; the display is told only when something changes."""
        if not self._follows:
            return
        minute = self._minute_of_year()
        if self._place is not None and self._sun_steps == 0:
            self._lux = None if minute is None else sun.daylight_lux(sun.elevation_cdeg(minute, *self._place))
        self._sun_steps = (self._sun_steps + 1) % _SUN_STEPS
        wanted = BRIGHTEST if self._lux is None else brightness_of(self._lux)
        limit = BRIGHTEST
        if self._night is not None:
            limit = self._night.limit(None if minute is None else minute % _MINUTES_PER_DAY)
        shown = self._dimmer.step(wanted, limit)
        if shown != self.brightness and self._set is not None:
            self.brightness = shown
            self._set(shown)

    def _minute_of_year(self) -> int | None:
        now = time.gmtime(self._now_s())
        return ((now.tm_yday - 1) * 24 + now.tm_hour) * 60 + now.tm_min if now.tm_year >= _FIRST_SURE_YEAR else None
