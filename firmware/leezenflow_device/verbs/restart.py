# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`restart`: darken the panel and start again, as after power-on."""

import asyncio

# Time for the answer to leave, also over a slow line.
_DELAY_MS = 500


def answer(app, command):
    """Restart soon after the answer; `{"normal": true}` also leaves safe mode."""
    schedule(app, "command", bool(command.get("normal")))
    return {"restarts_in_ms": _DELAY_MS}


def schedule(app, why, forgive=True):
    """Restart in half a second; `why` is kept for the health reports, `forgive` forgets failures so far."""
    app.leaving = asyncio.create_task(_restart(app, why, forgive))


async def _restart(app, why, forgive):
    from leezenflow_device.supervisor import restart

    await app.clock.network.sleep_ms(_DELAY_MS)
    restart(app.display, why, forgive)
