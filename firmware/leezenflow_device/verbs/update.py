# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`update`: one step of bringing a new release into the other slot; the session keeps the steps together."""

from leezenflow_device.updating.session import Session


async def answer(app, command):
    """Hand the command to the session under way, or to a new one."""
    commands = app.commands
    if commands.session is None:
        commands.session = Session(app)
    result = commands.session.handle(command)
    return await result if hasattr(result, "send") else result
