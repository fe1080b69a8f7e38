# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a unit together from its configuration: feed, network, look, decoder, engine, and what stands around them."""

from leezenflow.advice import Advice
from leezenflow.board import Site
from leezenflow.canvas import PALETTE_BYTES
from leezenflow.engine import Engine
from leezenflow_device import app, health
from leezenflow_device.configuration import load_driver, read_bytes, read_json
from leezenflow_device.feeds import make_feed
from leezenflow_device.memory import Memory
from leezenflow_device.optional_parts import load_light, load_reporters, load_status


def assemble(settings, board, canvas, display, clock, options, start):
    """Return the App of this board and its site; with a /picture.bin, one that shows just that.

    `settings` is the content of /board.json, `board` what became of it, `options` those of the device, `start` what the
    supervisor knows of this start.
    """
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
