# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`identity`: which unit this is, and what it runs."""

from leezenflow_device.identity import describe


def answer(app, command):
    """Return version, unit, board, slot, release, chip_id and config_hash."""
    return describe(app.unit_name)
