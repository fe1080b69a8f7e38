# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry of a release: has the parts put together and runs them until one fails."""

import asyncio
import gc
import sys

from leezenflow.start_parts import forget

# While a unit starts, garbage is collected after so many bytes: what stays must not end up scattered over the heap, or
# there is no room in one piece for the panel's planes and for a message. Afterwards App collects behind frames.
_COLLECT_BYTES = 8_192
# What nobody needs any more when the unit stands.
_START_PARTS = ("leezenflow_device.assembly", "leezenflow_device.optional_parts")


def run():
    """Run the unit; it ends only by an exception, and then the panel is dark."""
    gc.threshold(_COLLECT_BYTES)
    panel = []
    try:
        asyncio.new_event_loop()  # nothing of an earlier run in this interpreter is left
        unit = _put_together(panel)
        _forget_start()
        gc.collect()
        gc.threshold(-1)
        asyncio.run(unit.run())
    finally:
        gc.threshold(-1)
        for display in panel:
            display.deinit()


def _put_together(panel):
    # Not at the top: only a start needs it.
    from leezenflow_device.assembly import put_together

    return put_together(panel)


def _forget_start():
    for name in _START_PARTS:
        if name in sys.modules:
            forget(sys.modules[name])
