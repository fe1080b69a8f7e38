# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry of a release: reads the configuration, has the parts put together and runs them until one fails."""

import asyncio

from leezenflow.board import Board
from leezenflow.canvas import Canvas
from leezenflow.source_url import typed_options
from leezenflow.start_parts import forget
from leezenflow_device import app, health, supervisor, ticks
from leezenflow_device.configuration import join_options, load_driver, read_json


def run():
    """Run the unit; it ends only by an exception, and then the panel is dark."""
    _offer_setup()
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
        asyncio.run(_assemble(settings, board, canvas, display, clock, options, start).run())
    finally:
        display.deinit()


# What only a start needs is let go before the work begins.


def _offer_setup():
    from leezenflow_device import optional_parts

    optional_parts.offer_setup()


def _assemble(settings, board, canvas, display, clock, options, start):
    from leezenflow_device import assembly, optional_parts

    unit = assembly.assemble(settings, board, canvas, display, clock, options, start)
    unit.trial = optional_parts.load_trial()
    forget(assembly)
    forget(optional_parts)
    return unit
