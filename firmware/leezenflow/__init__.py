# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leezenflow core: from decoded signal messages to a drawn frame, unchanged on MicroPython and CPython."""

__version__ = "0.1.0"
