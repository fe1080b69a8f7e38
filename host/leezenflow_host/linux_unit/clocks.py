# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clocks of a Linux unit: milliseconds that nobody sets, and whether the system's own time can be believed."""

import ctypes
import sys
import time

from leezenflow_host.replay import TICKS_MASK

# <sys/timex.h>: the kernel's answer while nobody disciplines its clock, and the bit of `status` that says so, too.
_TIME_ERROR = 5
_STA_UNSYNC = 0x40
# struct timex begins with `modes` (unsigned int), offset, freq, maxerror, esterror (long), status (int); 208 bytes in
# all on 64-bit systems, less on others.
_TIMEX_BYTES = 256


def monotonic_ms() -> int:
    """Milliseconds that only ever go on."""
    return time.monotonic_ns() // 1_000_000


def unix_ms() -> int:
    """The system's time."""
    return time.time_ns() // 1_000_000


def ticks_of(at_ms: int) -> int:
    """An instant of `monotonic_ms` as the core counts (30 bits)."""
    return at_ms & TICKS_MASK


def is_synchronised() -> bool:
    """Whether a time server disciplines the system's clock; False where the kernel does not tell (not Linux).

    A Pi has no battery for its clock: before the first answer of a time server it shows the time it was switched off.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return False
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes 0: only ask
    state = adjtimex(timex)
    long_bytes = ctypes.sizeof(ctypes.c_long)
    status = int.from_bytes(timex.raw[5 * long_bytes : 5 * long_bytes + 4], sys.byteorder)
    return 0 <= state < _TIME_ERROR and not status & _STA_UNSYNC
