# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the unit is: one compact line of json each minute, on the serial line and where the transport publishes.

It holds numbers about the unit and its signal only; nothing in it is about a person.
"""

import asyncio
import gc
import json

from leezenflow import __version__

OPTIONS = {
    "health_s": {"type": "int", "range": [1, 3600], "default": 60, "help": "seconds between two health reports"},
    "time_server": {
        "type": "str",
        "default": "",
        "help": "host that tells the time by SNTP, for logs and for messages without a minute; empty: ask nobody",
    },
}

# A line on the serial port that begins with this is a report.
PREFIX = "health "
# A run this long is a good one: the loader and the supervisor then forget the failures before it.
_SOUND_S = 600


class Health:
    """Reports on an App every `period_s` seconds of the network's clock (real time, also on virtual boards).

    `start` (a supervisor.Start, or None) says why this run began; it is told when the run has lasted. `beats` moves on
    every second, whatever a report waits for; `unsent` counts reports that nobody took.
    """

    def __init__(self, period_s=60, unit_name="", start=None):
        self.beats = 0
        self.unsent = 0
        self._period_s = period_s
        self._unit_name = unit_name
        self._uptime_s = 0
        self._start = start
        self._sending = None
        from leezenflow_device.identity import config_hash, release_number, slot_name  # only a start needs it

        self._identity = (slot_name(), release_number(), config_hash())

    async def run(self, app):
        """Report for ever."""
        sleep_ms = app.clock.network.sleep_ms
        left_s = self._period_s
        while True:
            await sleep_ms(1000)
            self.beats = (self.beats + 1) & 0xFFFF
            self._uptime_s += 1
            if self._uptime_s == _SOUND_S and self._start is not None:
                self._start.prove_sound()
            left_s -= 1
            if left_s <= 0:
                left_s = self._period_s
                try:
                    self._tell(app)
                except MemoryError:  # the next one perhaps finds more
                    self.unsent = (self.unsent + 1) & 0x3FFFFFFF

    def _tell(self, app):
        """Print a report and have it published; a network that is stuck keeps nobody waiting."""
        line = json.dumps(self.report(app), separators=(",", ":"))
        print(PREFIX + line)
        note_health = getattr(app.display, "note_health", None)
        if note_health is not None:
            note_health(app.clock.ticks(), line.encode())
        if app.transport is None:
            return
        if self._sending is not None and not self._sending.done():
            self.unsent = (self.unsent + 1) & 0x3FFFFFFF
        else:
            self._sending = asyncio.create_task(self._send(app.transport, line.encode()))

    async def _send(self, transport, line):
        try:
            sent = await transport.publish("health", line)
        except (OSError, MemoryError):
            sent = False
        if not sent:
            self.unsent = (self.unsent + 1) & 0x3FFFFFFF

    def report(self, app, fresh=True):
        """Return the report as a dict, whose schema is docs/reference/health.md.

        After a `fresh` one, worst times and shares begin anew.
        """
        advice = app.advice
        gc.collect()  # so that the memory figures mean something
        report = {
            "version": __version__,
            "unit": self._unit_name,
            "slot": self._identity[0],
            "release": self._identity[1],
            "config_hash": self._identity[2],
            "uptime_s": self._uptime_s,
            "advice": None if advice is None else advice.kind,
            "reason": None if advice is None else advice.reason,
            "shares": _permille(app.shown),
            "message_age_ms": _age_ms(app),
            "latency_ms": app.latency_ms,
            "frames": app.frames,
            "late_frames": app.late_frames,
            "worst_late_ms": app.worst_late_ms,
            "worst_draw_us": app.worst_draw_us,
            "worst_step_us": app.worst_step_us,
            "memory_free": gc.mem_free(),
            "memory_used": gc.mem_alloc(),
            "engine": app.engine.counters,
            "fault": app.engine.fault,
            "commands": app.commands.answered,
            "unsent": self.unsent,
        }
        if self._start is not None:
            report["reset_cause"] = self._start.cause
            report["failures"] = self._start.failures
            report["safe_mode"] = self._start.safe
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
        for part in app.reporters:
            part.report(report)
        if fresh:
            app.begin_period()
        return report


def _permille(shown):
    """Return the share of each kind of advice in the frames of a period, in thousandths."""
    frames = sum(shown.values())
    return {kind: shown[kind] * 1000 // frames for kind in shown} if frames else {}


def _age_ms(app):
    """Return how long ago a message came; None: none yet, or longer ago than the counter can tell."""
    if app.message_at is None:
        return None
    age_ms = app.clock.diff(app.clock.ticks(), app.message_at)
    if age_ms < 0:
        app.message_at = None  # or it would look young again after as long a time
        return None
    return age_ms
