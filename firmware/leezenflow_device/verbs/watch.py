# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`watch`: the advice as lines `advice {...}` on the serial port, for whoever looks over the unit's shoulder."""

import asyncio
import json

PREFIX = "advice "
# Without being asked again, watching ends after this.
_PATIENCE_MS = 60_000
_LEAST_MS = 40
_MOST_MS = 10_000

_task = None
_until = 0
_every_ms = _LEAST_MS


def answer(app, command):
    """Begin, go on with (another minute) or end watching: `{"on": true, "every_ms": 200}`."""
    global _task, _until, _every_ms
    every_ms = command.get("every_ms", 200)
    if not isinstance(every_ms, int):
        raise ValueError("every_ms is no whole number of milliseconds")
    if _task is not None and _task.done():
        _task = None
    if not command.get("on"):
        if _task is not None:
            _task.cancel()
            _task = None
        return {"on": False}
    network = app.clock.network
    _every_ms = min(max(every_ms, _LEAST_MS), _MOST_MS)
    _until = network.add(network.ticks(), _PATIENCE_MS)
    if _task is None:
        _task = asyncio.create_task(_tell(app))
    return {"on": True, "every_ms": _every_ms}


async def _tell(app):
    network = app.clock.network
    while network.diff(_until, network.ticks()) > 0:
        print(PREFIX + json.dumps(_line(app), separators=(",", ":")))
        await network.sleep_ms(_every_ms)


def _line(app):
    advice = app.advice
    now = app.clock.ticks()
    age_ms = None if app.message_at is None else app.clock.diff(now, app.message_at)
    return {
        "at": now,
        "kind": None if advice is None else advice.kind,
        "remaining_ms": None if advice is None else advice.remaining_ms,
        "certainty": None if advice is None else advice.certainty,
        "reason": None if advice is None else advice.reason,
        "message_age_ms": age_ms,
        "latency_ms": app.latency_ms,
    }
