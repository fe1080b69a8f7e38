# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`self_test`: the unit tests itself, as after its installation."""

from leezenflow_device.self_test import run


async def answer(app, command):
    """Return the result under `self_test`."""
    result = run(app)
    if hasattr(result, "send"):
        result = await result
    return {"self_test": result}
