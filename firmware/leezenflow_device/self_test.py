# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a unit can prove about itself without a signal or a network. Imported only when asked for, gone afterwards.

`run` takes some two seconds in which nothing else happens: less than a watchdog or `app.STALL_MS` allows.
"""

import gc
import hashlib
import json
import sys
import time

from leezenflow.board import Board, Site
from leezenflow.canvas import Canvas
from leezenflow_device import ticks
from leezenflow_device.configuration import load_driver, read_bytes, read_json
from leezenflow_device.optional_parts import load_light

# A message that the site's adapter must read, beside the packages of a release: a line of json, then the payload.
STORED_MESSAGE = "self_test.bin"
# What a connection and the garbage of a second of messages take (docs/memory.md), and some for growth.
LEAST_FREE_BYTES = 12_000
# So long the test pattern stays at least; the files are hashed meanwhile.
PATTERN_MS = 1_000

_FRAMES = 9
_MOST_BYTES = 4_096
_BLOCK = 512


def run(app):
    """Test the running `app`; return {"ok": ..., "checks": {name: {"ok": True|False|None, ...}}}, None: not tested.

    A check that raises is not ok, with the "fault" in words; none of them ends the unit.
    """
    checks = {}
    _note(checks, "memory", _test_memory, app)
    _note(checks, "decoder", _test_decoder, app)
    _note(checks, "light", _test_light, app)
    _note(checks, "sensors", _test_sensors, app)
    _note(checks, "frames", _test_frames, app)
    _note(checks, "panel", _test_panel, app, checks)
    _forget("leezenflow.renderings.test_pattern")
    return _sum_up(checks)


def prove(app):
    """Test only what a release itself is to blame for, beside the picture; returned as by `run`.

    A release on trial must not be taken back for a sensor's cable.
    """
    checks = {}
    _note(checks, "memory", _test_memory, app)
    _note(checks, "decoder", _test_decoder, app)
    return _sum_up(checks)


def run_alone():
    """Test a unit whose app does not run (from the prompt, with its release on the path); the panel ends dark."""
    board = Board.from_dict(read_json("/board.json"), "/board.json")
    driver = load_driver("leezenflow_device.displays", board.driver, "/board.json: display driver")
    display = driver.Display(board.display, board.width, board.height)
    try:
        return run(_Bench(board, display))
    finally:
        display.deinit()


class _Bench:
    """What `run` needs of an App, around a display that nobody else drives."""

    reporters = ()
    _period_ms = 40

    def __init__(self, board, display):
        self.canvas = Canvas(board.width, board.height)
        self.display = display
        self.clock = ticks.make_clock({"ticks_start": 0, "ticks_speed": 1})
        self.light = None
        site = read_json("/site.json", {})
        if site:
            self.light = load_light(board, Site.from_dict(site, "/site.json"), display, None, self.clock)

    def render(self, now):
        self.display.show(self.canvas)


def _sum_up(checks):
    _forget("leezenflow_device.self_test")
    gc.collect()
    return {"ok": not any(check["ok"] is False for check in checks.values()), "checks": checks}


def _note(checks, name, test, *arguments):
    gc.collect()
    try:
        checks[name] = test(*arguments)
    except Exception as error:
        checks[name] = {"ok": False, "fault": "%s: %s" % (type(error).__name__, error)}


def _forget(module):
    """Let go of a module: it can be imported again."""
    package, _, name = module.rpartition(".")
    if module in sys.modules:
        del sys.modules[module]
        if hasattr(sys.modules[package], name):
            delattr(sys.modules[package], name)


def _test_memory(app):
    free = gc.mem_free()
    return {"ok": free >= LEAST_FREE_BYTES, "free": free, "least": LEAST_FREE_BYTES}


def _test_decoder(app):
    """Decode the stored message and compare with what it says."""
    data = read_bytes("%s/%s" % (sys.path[0], STORED_MESSAGE), _MOST_BYTES)
    if data is None:
        return {"ok": None, "fault": "no stored message"}
    start = data.find(b"\n") + 1
    stored = json.loads(data[:start])
    adapter = load_driver("leezenflow_adapters", stored["adapter"], STORED_MESSAGE)
    decoder = adapter.Decoder(
        stored["region"], stored["intersection"], stored["signal_group"], stored.get("options") or None
    )
    began_us = time.ticks_us()
    wanted = decoder.decode(data, start, len(data))
    took_us = time.ticks_diff(time.ticks_us(), began_us)
    return {
        "ok": wanted is True and describe_state(decoder.state) == stored["expected"],
        "adapter": stored["adapter"],
        "bytes": len(data) - start,
        "took_us": took_us,
    }


def describe_state(state):
    """Return what a decoded message says, as the stored one has it: lists of raw numbers."""
    events = []
    for event in state.movement.events[: state.movement.event_count]:
        times = [event.start_time, event.min_end_time, event.max_end_time, event.likely_time]
        events.append([event.event_state] + times + [event.confidence])
    return [state.region, state.id, state.moy, state.time_stamp, state.movement.signal_group, events]


def _test_light(app):
    """Ask the light sensor, where the board has one."""
    if read_json("/board.json").get("light") is None:
        return {"ok": None, "fault": "none configured"}
    light = app.light
    if light is None:
        return {"ok": None, "fault": "needs a site"}
    faults = light.faults
    light.step()
    return {"ok": light.faults == faults, "lux": light.lux, "fault": light.fault}


def _test_sensors(app):
    """Say which of the board's other sensors answered when they were last asked."""
    wanted = read_json("/board.json").get("sensors")
    if not wanted:
        return {"ok": None, "fault": "none configured"}
    for part in app.reporters:
        faults = getattr(part, "faults", None)
        if faults is not None:
            found = [name for name in sorted(wanted) if name not in faults]
            return {"ok": not faults, "found": found, "fault": "; ".join(faults[name] for name in sorted(faults))}
    return {"ok": None, "fault": "needs the running unit"}


def _test_frames(app):
    """Draw and show some frames of what the unit shows anyway; the middle one must fit into the time it has.

    A made-up green would be the better load, but nobody may ever see one.
    """
    took = []
    for _ in range(_FRAMES):
        began_us = time.ticks_us()
        app.render(app.clock.ticks())
        took.append(time.ticks_diff(time.ticks_us(), began_us))
    took.sort()
    middle_us, allowed_us = took[_FRAMES // 2], app._period_ms * 1000
    return {"ok": middle_us <= allowed_us, "middle_us": middle_us, "worst_us": took[-1], "allowed_us": allowed_us}


def _test_panel(app, checks):
    """Show the test pattern while the files are hashed; what was shown before comes back."""
    canvas = app.canvas
    palette = bytes(canvas.palette)
    pixels = bytes(canvas.pixels)  # some looks draw only what changes
    try:
        look = load_driver("leezenflow.renderings", "test_pattern", "the test pattern").Look(canvas)
        look.draw(None, canvas, 0)
        began_us = time.ticks_us()
        app.display.show(canvas)
        show_us = time.ticks_diff(time.ticks_us(), began_us)
        began = app.clock.ticks()
        _note(checks, "files", _test_files, app)
        left_ms = PATTERN_MS - app.clock.diff(app.clock.ticks(), began)
        if left_ms > 0:
            time.sleep_ms(left_ms)
    finally:
        canvas.palette[:] = palette
        canvas.pixels[:] = pixels
    return {"ok": True, "width": canvas.width, "height": canvas.height, "show_us": show_us}


def _test_files(app):
    """Hash the release's files and compare with its manifest."""
    slot = sys.path[0]
    count = 0
    bad = []
    buffer = memoryview(bytearray(_BLOCK))
    with open(slot + "/manifest.json", "rb") as file:
        for path, _size, digest in _entries(file):
            count += 1
            if _hash("%s/%s" % (slot, path), buffer) != digest:
                bad.append(path)
    return {"ok": count > 0 and not bad, "slot": slot, "count": count, "bad": bad[:8]}


def _entries(file):
    """Yield [path, size, digest] of each file in a manifest, without having all of it in memory."""
    rest = b""
    while True:
        chunk = file.read(_BLOCK)
        if not chunk:
            return
        rest += chunk
        while True:
            end = rest.find(b"]")
            if end < 0:
                break
            start = rest.rfind(b"[", 0, end)
            entry = json.loads(rest[start : end + 1]) if start >= 0 else ()
            if len(entry) == 3 and isinstance(entry[2], str):
                yield entry
            rest = rest[end + 1 :]


def _hash(path, buffer):
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while True:
                count = file.readinto(buffer)
                if not count:
                    break
                digest.update(buffer[:count])
    except OSError:
        return None
    return "".join("%02x" % value for value in digest.digest())
