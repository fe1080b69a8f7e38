# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the unit is: one compact line of json each minute, on the serial line and where the transport publishes.

It holds numbers about the unit and its signal only; nothing in it is about a person.
"""

import gc
import json

from leezenflow import __version__

OPTIONS = {
    "health_s": {"type": "int", "range": [1, 3600], "default": 60, "help": "seconds between two health reports"},
}

# A line on the serial port that begins with this is a report.
PREFIX = "health "


class Health:
    """Reports on an App every `period_s` seconds of the network's clock (real time, also on virtual boards)."""

    def __init__(self, period_s=60, unit_name=""):
        self._period_s = period_s
        self._unit_name = unit_name
        self._uptime_s = 0
        self.beats = 0

    async def run(self, app):
        """Report for ever."""
        sleep_ms = app.clock.network.sleep_ms
        while True:
            for _ in range(self._period_s):  # a sleep of an hour could not be told from a stuck task
                await sleep_ms(1000)
                self.beats = (self.beats + 1) & 0xFFFF
            self._uptime_s += self._period_s
            line = json.dumps(self.report(app), separators=(",", ":"))
            print(PREFIX + line)
            note_health = getattr(app.display, "note_health", None)
            if note_health is not None:
                note_health(app.clock.ticks(), line.encode())
            if app.transport is not None:
                await app.transport.publish("health", line.encode())

    def report(self, app, fresh=True):
        """Return the report as a dict; after a `fresh` one the worst times begin anew."""
        advice = app.advice
        gc.collect()  # so that the memory figures mean something
        report = {
            "version": __version__,
            "unit": self._unit_name,
            "uptime_s": self._uptime_s,
            "advice": None if advice is None else advice.kind,
            "reason": None if advice is None else advice.reason,
            "frames": app.frames,
            "late_frames": app.late_frames,
            "worst_draw_us": app.worst_draw_us,
            "worst_step_us": app.worst_step_us,
            "memory_free": gc.mem_free(),
            "memory_used": gc.mem_alloc(),
            "engine": app.engine.counters,
            "fault": app.engine.fault,
        }
        if app.transport is not None:
            report["listening"] = app.transport.listening
            report["transport"] = app.transport.counters
            report["transport_fault"] = app.transport.fault
        if app.network is not None:
            report["network"] = app.network.counters
            report["network_fault"] = app.network.fault
        if app.memory is not None:
            report["learned_cycles"] = app.engine.calibration.cycles
            report["memory_fault"] = app.memory.fault
        if app.light is not None:
            report["brightness"] = app.light.brightness
            report["lux"] = app.light.lux
            report["light"] = app.light.source
            report["light_fault"] = app.light.fault
        if fresh:
            app.worst_draw_us = app.worst_step_us = 0
        return report
