# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`feed`: a signal message, for a unit whose source is `usb://`."""

import binascii


async def answer(app, command):
    """Take `data` (base64), a piece of a message if `more` is true; `news` says whether the engine accepted it."""
    feed = getattr(app.transport, "feed", None)
    if feed is None:
        raise ValueError('this unit is not fed by commands; its site needs source = "usb://"')
    data = command.get("data")
    if not isinstance(data, str) or not data:
        raise ValueError('the command holds no message: write {"do": "feed", "data": "<base64>"}')
    return {"news": await feed(binascii.a2b_base64(data), command.get("more") is True)}
