# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a unit together from its configuration: feed, network, look, decoder, engine, and what stands around them.

Only a start needs this, and `main` lets go of it when the unit stands. What single steps need is loaded for them and
let go behind them: while it starts, a unit must not need much more memory than when it works.
"""

import sys

from leezenflow.advice import Advice
from leezenflow.canvas import PALETTE_BYTES, Canvas
from leezenflow.engine import Engine
from leezenflow.start_parts import forget
from leezenflow_device import app, health, supervisor, ticks
from leezenflow_device.configuration import join_options, load_driver, read_bytes, read_json
from leezenflow_device.memory import Memory


def put_together(panel):
    """Return the App of this board and its site. `panel` is a list that takes the display as soon as there is one."""
    _offer_setup()
    start = supervisor.begin()
    if start.safe:
        load_driver("leezenflow_device", "safe_mode", "after repeated failures: safe mode").run(start)
    settings = read_json("/board.json")
    board, options = _read_board(settings)
    clock = ticks.make_clock(options)
    driver = load_driver("leezenflow_device.displays", board.driver, "/board.json: display driver")
    canvas = Canvas(board.width, board.height)
    display = driver.Display(board.display, board.width, board.height)
    panel.append(display)
    # Every option has its value now.
    for module in (app, health, ticks, driver):
        module.OPTIONS = None  # pyright: ignore[reportAttributeAccessIssue]
    picture = read_bytes("/picture.bin", len(canvas.pixels) + PALETTE_BYTES)
    if picture is not None:
        canvas.load_picture(picture)
        unit = app.App(clock, app.StillPicture(Advice(), canvas), canvas, display, None, options["fps"])
    else:
        unit = _assemble(settings, board, canvas, display, clock, options, start)
    from leezenflow_device.optional_parts import load_trial

    unit.trial = load_trial()
    return unit


def _offer_setup():
    from leezenflow_device.optional_parts import offer_setup

    offer_setup()
    _let_go("leezenflow_device.optional_parts")


def _read_board(settings):
    from leezenflow.board import Board
    from leezenflow.source_url import typed_options

    board = Board.from_dict(settings, "/board.json")
    return board, typed_options(join_options(app, health, ticks), settings.get("device") or {}, "/board.json: device")


def _assemble(settings, board, canvas, display, clock, options, start):
    """Return the App of this board for the site that is on it.

    `settings` is the content of /board.json, `board` what became of it, `options` those of the device, `start` what the
    supervisor knows of this start.
    """
    place = read_json("/site.json")
    from leezenflow.board import Site

    site = Site.from_dict(place, "/site.json")
    transport = network = memory = None
    secrets = {}
    if site.look != "test_pattern":
        secrets = read_json("/secrets.json", {})
        # The transport first: it reserves the longest piece of memory.
        from leezenflow_device.feeds import make_feed

        transport, networked = make_feed(place["signal"], secrets, clock, site.unit_name)
        if board.network is not None and networked:
            link = load_driver("leezenflow_device.networks", board.network.get("kind", "wifi"), "/board.json: network")
            network = link.Network(board.network, secrets, clock)
        del make_feed
        if not place["signal"].get("more_sources"):  # with more, transports are made anew
            for name in sys.modules:
                if name.startswith("leezenflow_device.transports."):
                    sys.modules[name].OPTIONS = None  # pyright: ignore[reportAttributeAccessIssue]
    del Site, place
    _let_go("leezenflow_device.feeds", "leezenflow.source_url", "leezenflow.board")
    look = load_driver("leezenflow.renderings", site.look, "/site.json: look").Look(canvas, site.look_options)
    _let_go("leezenflow.palettes")
    if transport is None:
        engine = app.StillPicture(Advice(), canvas, look)
    else:
        adapter = load_driver("leezenflow_adapters", site.adapter or "", "/site.json: adapter")
        decoder = adapter.Decoder(site.region, site.intersection_id, site.signal_group, site.adapter_options)
        engine = Engine(site, decoder, canvas, look)
        memory = Memory(engine, site, clock.network.sleep_ms)
    reporter = health.Health(options["health_s"], site.unit_name, start)
    _let_go("leezenflow_device.identity")
    watchdog = app.make_watchdog(options, clock)
    unit = app.App(clock, engine, canvas, display, transport, options["fps"], reporter, watchdog, network, memory)
    from leezenflow_device.optional_parts import load_light, load_reporters, load_status

    unit.light = load_light(board, site, display, engine, clock)
    unit.status = load_status(unit, look, site.unit_name)
    unit.reporters = load_reporters(settings, options, unit)
    unit.unit_name = site.unit_name
    unit.secrets = secrets
    return unit


def _let_go(*names):
    for name in names:
        if name in sys.modules:
            forget(sys.modules[name])
