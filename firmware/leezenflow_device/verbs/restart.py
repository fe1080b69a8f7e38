# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`restart`: darken the panel and start again, as after power-on."""

import asyncio

# Time for the answer to leave, also over a slow line.
_DELAY_MS = 500


def answer(app, command):
    """Restart soon after the answer; this leaves safe mode, too. `{"safe": true}` leads into it.

    A dark unit has room for what a working one has not: a small board takes its updates so.
    """
    schedule(app, "safe" if command.get("safe") is True else "command")
    return {"restarts_in_ms": _DELAY_MS}


def schedule(app, why):
    """Restart in half a second and forget failures so far; `why` is kept for the health reports."""
    app.leaving = asyncio.create_task(_restart(app, why))


async def _restart(app, why):
    from leezenflow_device import supervisor

    await app.clock.network.sleep_ms(_DELAY_MS)
    if why == "safe":
        supervisor.count_failures(supervisor.SAFE_AFTER)
    supervisor.restart(app.display, why, forgive=why != "safe")
