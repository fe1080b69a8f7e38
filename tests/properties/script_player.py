# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays a script of messages, frames and reconnects through the core; runs on CPython and on MicroPython.

A script is {"site": {...}, "ops": [...]}, the ops being ["m", ticks, moy, time_stamp, status, [[event_state, min,
likely, max, confidence], ...]] (raw TimeMarks or null), ["f", ticks] and ["r"]. Every "f" gives one [kind,
remaining_ms, span_ms, certainty, reason]. As a program it reads one script a line and answers one line of json each.
"""

import json
import sys

from leezenflow.engine import Engine
from leezenflow.spatem import IntersectionState


class Site:
    def __init__(self, values):
        self.cruise_ms = values.get("cruise_ms", 22000)
        self.sprint_ms = values.get("sprint_ms")
        self.clearance = values.get("clearance", "red")
        self.max_wrong_permille = values.get("max_wrong_permille")


class ReadyDecoder:
    def __init__(self):
        self.state = IntersectionState()

    def begin(self, buffer, start, end):
        state = self.state
        state.clear()
        state.moy, state.time_stamp, state.status, events = buffer
        for values in events:
            event = state.movement.add_event()
            assert event is not None, "more events than a message holds"
            event.event_state, event.min_end_time, event.likely_time, event.max_end_time, event.confidence = values

    def step(self):
        return True


def play(script):
    """Return what every "f" of the script showed."""
    engine = Engine(Site(script["site"]), ReadyDecoder())
    shown = []
    for op in script["ops"]:
        if op[0] == "m":
            engine.message(op[2:], 0, 0, op[1])
        elif op[0] == "f":
            advice = engine.frame(op[1])
            shown.append([advice.kind, advice.remaining_ms, advice.span_ms, advice.certainty, advice.reason])
        else:
            engine.reconnected()
    return shown


def serve():
    """Answer scripts from stdin until it closes."""
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        print(json.dumps(play(json.loads(line))))


if __name__ == "__main__":
    serve()
