# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names by which configurations and commands call for a module."""

_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"


def is_file_name(name):
    """Say whether `name` can be the name of a driver's file: lower-case letters, digits, underscores; no path."""
    if not 0 < len(name) <= 40:
        return False
    for character in name:
        if character not in _CHARACTERS:
            return False
    return True
