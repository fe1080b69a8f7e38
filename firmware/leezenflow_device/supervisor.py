# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the unit starts, how often it failed before, and how it starts again."""

import os

from leezenflow_device.flash_file import replace_file

# Written before every deliberate restart: on rp2 the chip cannot tell one from a bite of its watchdog.
RESTART_FILE = "/state/restart"
FAILURES_FILE = "/state/failures"


def restart(display, why, forgive=False):
    """Darken the panel and reset the chip; `why` is for the next health reports, `forgive` forgets failures so far."""
    import machine

    if display is not None:
        display.deinit()
    try:
        replace_file(RESTART_FILE, why.encode())
        if forgive:
            _remove(FAILURES_FILE)
    except OSError as error:
        print(RESTART_FILE + ":", error)
    if not hasattr(machine, "reset"):  # a unix port that is nobody's board
        raise SystemExit
    machine.reset()


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass
