# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The button that opens the first-time setup, if it is held while the unit starts: `[setup] button = 14`."""

import time

from leezenflow.source_url import typed_options

OPTIONS = {
    "button": {"type": "int", "range": [0, 47], "help": "pin of the button"},
    "active_low": {"type": "bool", "default": True, "help": "a pressed button pulls its pin to ground"},
}

# Long enough that no spark of the power supply counts as a finger.
_HOLD_MS = 1_000
_POLL_MS = 50


def offer_setup(settings):
    """Open the setup if its button is held for a second, and never return; otherwise return at once."""
    options = typed_options(OPTIONS, settings, "/board.json: setup")
    if _is_held(options):
        from leezenflow_device.setup_portal import open_setup

        open_setup()


def _is_held(options):
    from machine import Pin

    pin = Pin(options["button"], Pin.IN, Pin.PULL_UP if options["active_low"] else Pin.PULL_DOWN)
    pressed = 0 if options["active_low"] else 1
    for _ in range(_HOLD_MS // _POLL_MS):
        if pin.value() != pressed:
            return False
        time.sleep_ms(_POLL_MS)
    return True
