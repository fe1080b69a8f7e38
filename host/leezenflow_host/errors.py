# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors a person at the command line meets; each message says what is wrong and the next step."""

from leezenflow.errors import LeezenflowError, SignalError

__all__ = ["BoardError", "InputError", "LeezenflowError", "SignalError"]


class InputError(LeezenflowError):
    """Wrong usage or input: an unknown name, a file that does not hold what it should (exit code 2)."""


class BoardError(LeezenflowError):
    """A board or its port did not do what it was asked (exit code 1); the message names the next physical step."""
