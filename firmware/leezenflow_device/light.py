# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's brightness, once a second: from a light sensor, else from the sun's position, else the site's cap.

Installed and loaded only where the board has a sensor ([light] of the board) or the site a place or a night.
"""

import time

from leezenflow.brightness import BRIGHTEST, Dimmer, Night, brightness_of
from leezenflow.source_url import typed_options
from leezenflow_device.configuration import load_driver

_STEP_MS = 1_000
# So often in a row a sensor may have nothing to say before the sun takes its place.
_PATIENCE = 5
_SUN_STEPS = 60
# A board without a battery begins in 2021 at the latest, whatever it is then told comes later.
_FIRST_SURE_YEAR = 2025
_MINUTES_PER_DAY = 1440


class Light:
    """Dims `display` (with `set_brightness`) for `site`.

    `sensor` (or None) has `lux()`; `state` (or None) is the decoder's, whose `moy` tells the time (a board's own clock
    is seldom set, and then often in local time); `sleep_ms` is a coroutine function in real time.
    """

    def __init__(self, display, site, sensor, state, sleep_ms):
        settings = site.light or {}
        self.lux = None
        self.fault = ""
        self.faults = 0
        self.source = "waiting"
        self._display = display
        self._sensor = sensor
        self._state = state
        self._sleep_ms = sleep_ms
        self._failed = 0
        self._guessed = True
        self._moy = None
        self._moy_steps = 0
        self._sun_steps = 0
        self._sun_lux = None
        self._place = None
        self._sun = None
        if settings.get("latitude_cdeg") is not None:
            self._place = (settings["latitude_cdeg"], settings["longitude_cdeg"])
            self._sun = load_driver("leezenflow", "sun", "/site.json: light")
        night = settings.get("night")
        self._night = None if night is None else Night(night[0], night[1], night[2])
        self._dimmer = Dimmer(site.brightness, settings.get("floor", 1))

    @property
    def brightness(self):
        """What the panel has now, 1..255, or None before the first step."""
        return self._dimmer.shown

    async def run(self):
        """Dim for ever."""
        while True:
            self.step()
            await self._sleep_ms(_STEP_MS)

    def step(self):
        """Measure, and dim by what one second allows; the display is told only when something changes."""
        minute = self._minute_of_year()
        self._measure(minute)
        if self.source == "waiting":
            return
        if self._guessed and self.lux is not None:
            # So far it had the cap; at night, it should not take half a minute to leave that.
            self._guessed = False
            self._dimmer.restart()
        wanted = BRIGHTEST if self.lux is None else brightness_of(self.lux)
        limit = BRIGHTEST
        if self._night is not None:
            limit = self._night.limit(None if minute is None else minute % _MINUTES_PER_DAY)
        before = self._dimmer.shown
        shown = self._dimmer.step(wanted, limit)
        if shown != before:
            self._display.set_brightness(shown)

    def _measure(self, minute):
        """Set `lux` and `source`; a sensor that answered lately goes before the sun."""
        if self._sensor is not None:
            try:
                lux = self._sensor.lux()
                if lux is not None:
                    self.lux = lux
                    self.source = "sensor"
                    self._failed = 0
                    self.fault = ""
                    return
            except OSError as error:
                self.faults = (self.faults + 1) & 0x3FFFFFFF
                self.fault = "the light sensor does not answer (%s); check its cable" % error
            if self._failed < _PATIENCE:
                self._failed += 1
                return
        self.lux = self._daylight(minute)
        self.source = "none" if self.lux is None else "sun"

    def _daylight(self, minute):
        if self._sun is None or minute is None:
            return None
        if self._sun_lux is None or self._sun_steps >= _SUN_STEPS:
            self._sun_steps = 0
            latitude, longitude = self._place
            self._sun_lux = self._sun.daylight_lux(self._sun.elevation_cdeg(minute, latitude, longitude))
        self._sun_steps += 1
        return self._sun_lux

    def _minute_of_year(self):
        """Return the minute of the UTC year: the controller's, else the board's own if its clock was set, or None."""
        if self._sun is None and self._night is None:
            return None
        moy = None if self._state is None else self._state.moy
        if moy is not None and moy != self._moy:
            self._moy = moy
            self._moy_steps = 0
        elif self._moy is not None:
            # The feed may be silent: the steps count on, about one a second.
            self._moy_steps = (self._moy_steps + 1) & 0x3FFFFFFF
        if self._moy is not None:
            return self._moy + self._moy_steps // 60
        now = time.gmtime()
        return ((now[7] - 1) * 24 + now[3]) * 60 + now[4] if now[0] >= _FIRST_SURE_YEAR else None


def make_light(board, site, display, engine, clock):
    """Return the Light of this board and site."""
    sensor = None
    if board.light is not None:
        name = board.light.get("sensor") or ""
        driver = load_driver("leezenflow_device.sensors", name, "/board.json: light sensor")
        given = {key: board.light[key] for key in board.light if key != "sensor"}
        sensor = driver.Sensor(typed_options(driver.OPTIONS, given, "/board.json: light"))
    state = getattr(getattr(engine, "decoder", None), "state", None)
    return Light(display, site, sensor, state, clock.network.sleep_ms)
