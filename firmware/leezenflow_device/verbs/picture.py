# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`picture`: what the panel shows."""

import binascii


def answer(app, command):
    """Return `pixels` (palette indices, row by row from the top) and `palette` (256 times R, G, B) in base64."""
    canvas = app.canvas
    if canvas is None:
        raise ValueError("the unit is in safe mode: its panel is dark")
    return {
        "width": canvas.width,
        "height": canvas.height,
        "pixels": _base64(canvas.pixels),
        "palette": _base64(canvas.palette),
    }


def _base64(data):
    return binascii.b2a_base64(data).decode().strip()
