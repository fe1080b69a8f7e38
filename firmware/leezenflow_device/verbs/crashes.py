# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`crashes`: the last failures of the unit, as the loader kept them."""

from leezenflow_device.configuration import read_bytes

_FILE = "/state/crash.txt"
_MOST_BYTES = 8_192


def answer(app, command):
    """Return the text of /state/crash.txt, the newest failure first; empty: none yet."""
    text = read_bytes(_FILE, _MOST_BYTES)
    return {"crashes": "" if text is None else text.decode()}
