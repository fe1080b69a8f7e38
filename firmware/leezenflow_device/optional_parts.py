# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a unit that only some have: each is loaded where the configuration, or a release on trial, asks for it."""

import json
import sys

from leezenflow.errors import LeezenflowError
from leezenflow_device.configuration import load_driver, read_json


def load_light(board, site, display, engine, clock):
    """Dim `display` as the site says; return what goes on dimming it by the light outside (None: nothing does)."""
    if not hasattr(display, "set_brightness"):
        return None
    display.set_brightness(site.brightness)
    if board.light is None and site.light is None:
        return None
    light = load_driver("leezenflow_device", "light", "/board.json: light")
    return light.make_light(board, site, display, engine, clock)


def load_status(app, look, unit_name):
    """Return what keeps the texts of `look` up to date (None: it shows none)."""
    if not hasattr(look, "show_lines"):
        return None
    return load_driver("leezenflow_device", "status_lines", "/site.json: look").StatusLines(app, look, unit_name)


def load_reporters(settings, options, app):
    """Return what runs beside the picture and adds to the health report: the board's sensors, the time."""
    reporters = []
    if settings.get("sensors"):
        sensing = load_driver("leezenflow_device", "sensing", "/board.json: sensors")
        reporters.append(sensing.make_sensing(settings["sensors"], app.clock))
    if options["time_server"]:
        keeping = load_driver("leezenflow_device", "timekeeping", "/board.json: device: time_server")
        reporters.append(keeping.Timekeeper(options["time_server"], app.clock, app.engine))
    return reporters


def load_trial():
    """Return what must prove this release, if it is on trial; None: it has, or nothing says that it must."""
    try:
        with open("/boot.json") as file:
            slot = json.load(file).get("try")
    except (OSError, ValueError, AttributeError):  # missing or damaged: the loader put up with it, too
        return None
    if slot is None or sys.path[:1] != ["/%s" % slot]:
        return None
    return load_driver("leezenflow_device.updating", "trial", "/boot.json: try").Trial(slot)


def offer_setup():
    """Where the board has a setup button, and it is held now: open the first-time setup, and never return."""
    try:
        settings = read_json("/board.json").get("setup")
    except LeezenflowError:  # whoever starts the unit says so
        return
    if settings:
        load_driver("leezenflow_device", "setup_button", "/board.json: setup").offer_setup(settings)
        del sys.modules["leezenflow_device.setup_button"]
