# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the board's sensors say about the box, for the health reports: one after the other, every ten seconds.

Installed and loaded only where the board has [sensors]. A sensor that fails is a text in the report, never more.
"""

from leezenflow.errors import LeezenflowError
from leezenflow.source_url import typed_options
from leezenflow_device.configuration import load_driver

_STEP_MS = 10_000


class Sensing:
    """Measures with `sensors` (name -> Sensor); those that could not even be made stand in `faults` (name -> text)."""

    def __init__(self, sensors, faults, sleep_ms):
        self.faults = faults
        self._sensors = sensors
        self._sleep_ms = sleep_ms
        self._values = {}

    async def run(self):
        """Measure for ever."""
        while True:
            for name in self._sensors:
                await self._measure(name)
            await self._sleep_ms(_STEP_MS)

    async def _measure(self, name):
        try:
            self._values[name] = await self._sensors[name].measure(self._sleep_ms)
            self.faults.pop(name, None)
        except Exception as error:  # a driver's mistake must not end the unit either
            self._values.pop(name, None)
            self.faults[name] = "%s does not answer (%s); check its cable" % (name, error)

    def report(self, values):
        """Add the latest measurements and the faults to a health report."""
        for name in self._values:
            values.update(self._values[name])
        values["sensor_faults"] = self.faults


def make_sensing(tables, clock):
    """Return the Sensing of the board's `sensors` (name -> options)."""
    sensors = {}
    faults = {}
    for name in tables:
        where = "/board.json: sensors." + name
        driver = load_driver("leezenflow_device.sensors", name, where)
        options = typed_options(driver.OPTIONS, tables[name], where)
        try:
            sensors[name] = driver.Sensor(options)
        except LeezenflowError:
            raise
        except Exception as error:  # such as a pin that is no input of the converter
            faults[name] = "%s cannot be used (%s); check the pins in the board's configuration" % (name, error)
    return Sensing(sensors, faults, clock.network.sleep_ms)
