# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Composition root of a release: reads the configuration, puts the parts together and runs them until one fails."""

import asyncio

from leezenflow.advice import Advice
from leezenflow.board import Board, Site
from leezenflow.canvas import PALETTE_BYTES, Canvas
from leezenflow.engine import Engine
from leezenflow.source_url import typed_options
from leezenflow_device import app, health, supervisor, ticks
from leezenflow_device.configuration import (
    join_options,
    load_driver,
    load_light,
    load_reporters,
    load_status,
    load_trial,
    offer_setup,
    read_bytes,
    read_json,
)
from leezenflow_device.feeds import make_feed
from leezenflow_device.memory import Memory


def run():
    """Run the unit; it ends only by an exception, and then the panel is dark."""
    offer_setup()
    start = supervisor.begin()
    if start.safe:
        load_driver("leezenflow_device", "safe_mode", "after repeated failures: safe mode").run(start)
    settings = read_json("/board.json")
    board = Board.from_dict(settings, "/board.json")
    options = typed_options(join_options(app, health, ticks), settings.get("device") or {}, "/board.json: device")
    clock = ticks.make_clock(options)
    driver = load_driver("leezenflow_device.displays", board.driver, "/board.json: display driver")
    canvas = Canvas(board.width, board.height)
    display = driver.Display(board.display, board.width, board.height)
    try:
        asyncio.new_event_loop()  # nothing of an earlier run in this interpreter is left
        unit = _assemble(settings, board, canvas, display, clock, options, start)
        unit.trial = load_trial()
        asyncio.run(unit.run())
    finally:
        display.deinit()


def _assemble(settings, board, canvas, display, clock, options, start):
    picture = read_bytes("/picture.bin", len(canvas.pixels) + PALETTE_BYTES)
    if picture is not None:
        canvas.load_picture(picture)
        return app.App(clock, app.StillPicture(Advice(), canvas), canvas, display, None, options["fps"])
    place = read_json("/site.json")
    site = Site.from_dict(place, "/site.json")
    transport = network = memory = None
    secrets = {}
    if site.look != "test_pattern":
        secrets = read_json("/secrets.json", {})
        # The transport first: it reserves the longest piece of memory.
        transport, networked = make_feed(place["signal"], secrets, clock, site.unit_name)
        if board.network is not None and networked:
            link = load_driver("leezenflow_device.networks", board.network.get("kind", "wifi"), "/board.json: network")
            network = link.Network(board.network, secrets, clock)
    look = load_driver("leezenflow.renderings", site.look, "/site.json: look").Look(canvas, site.look_options)
    if transport is None:
        engine = app.StillPicture(Advice(), canvas, look)
    else:
        adapter = load_driver("leezenflow_adapters", site.adapter or "", "/site.json: adapter")
        decoder = adapter.Decoder(site.region, site.intersection_id, site.signal_group, site.adapter_options)
        engine = Engine(site, decoder, canvas, look)
        memory = Memory(engine, site, clock.network.sleep_ms)
    reporter = health.Health(options["health_s"], site.unit_name, start)
    watchdog = app.make_watchdog(options, clock)
    unit = app.App(clock, engine, canvas, display, transport, options["fps"], reporter, watchdog, network, memory)
    unit.light = load_light(board, site, display, engine, clock)
    unit.status = load_status(unit, look, site.unit_name)
    unit.reporters = load_reporters(settings, options, unit)
    unit.unit_name = site.unit_name
    unit.secrets = secrets
    return unit
