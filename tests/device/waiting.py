# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for something to happen elsewhere, without measuring how long it takes."""

import time
from collections.abc import Callable


def wait_until(happened: Callable[[], object], what: str, patience_s: float = 30.0) -> None:
    """Return when `happened()` is true; AssertionError that says `what` was waited for when that takes too long."""
    deadline = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)
