# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry of a release: reads the configuration, has the parts put together and runs them until one fails."""

import asyncio

from leezenflow.board import Board
from leezenflow.canvas import Canvas
from leezenflow.source_url import typed_options
from leezenflow_device import app, health, supervisor, ticks
from leezenflow_device.assembly import assemble
from leezenflow_device.configuration import join_options, load_driver, read_json
from leezenflow_device.optional_parts import load_trial, offer_setup


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
        unit = assemble(settings, board, canvas, display, clock, options, start)
        unit.trial = load_trial()
        asyncio.run(unit.run())
    finally:
        display.deinit()
