# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the program that only a start needs: a board lets go of them when it has started, and has the memory."""

import sys


def forget(module):
    """On a board: let go of `module`; whoever needs it again loads it again. What still refers to it keeps it."""
    if sys.implementation.name == "micropython":
        package, _, name = module.__name__.rpartition(".")
        sys.modules.pop(module.__name__, None)
        if package in sys.modules and hasattr(sys.modules[package], name):
            delattr(sys.modules[package], name)
