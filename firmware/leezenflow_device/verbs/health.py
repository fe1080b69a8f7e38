# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`health`: the report that otherwise comes once a minute."""


def answer(app, command):
    """Return the report under `health`; the worst times go on until the next regular report."""
    if app.health is None:
        raise ValueError("the unit shows /picture.bin and has no health report")
    return {"health": app.health.report(app, False)}
