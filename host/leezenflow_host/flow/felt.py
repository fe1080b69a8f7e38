# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stopping at a signal is worth to a rider."""

STOP_MINUTES = 1.1
"""One stop at a signal is felt as so many minutes of cycling (ISPRS Int. J. Geo-Inf. 9(3) 174)."""
WAIT_FACTOR = 2.0
"""A minute of waiting is felt as so many minutes of cycling, beyond the stop itself (the same source)."""


def felt_minutes(stops: float, stopped_s: float) -> float:
    """What stopping costs a rider, in minutes of cycling as they are felt (beyond the clock)."""
    return STOP_MINUTES * stops + WAIT_FACTOR * stopped_s / 60
