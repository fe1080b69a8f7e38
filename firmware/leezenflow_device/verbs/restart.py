# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`restart`: darken the panel and start again, as after power-on."""

import asyncio

# Time for the answer to leave, also over a slow line.
_DELAY_MS = 500


def answer(app, command):
    """Restart soon after the answer; this leaves safe mode, too."""
    schedule(app, "command")
    return {"restarts_in_ms": _DELAY_MS}


def schedule(app, why):
    """Restart in half a second and forget failures so far; `why` is kept for the health reports."""
    app.leaving = asyncio.create_task(_restart(app, why))


async def _restart(app, why):
    from leezenflow_device.supervisor import restart

    await app.clock.network.sleep_ms(_DELAY_MS)
    restart(app.display, why, forgive=True)
