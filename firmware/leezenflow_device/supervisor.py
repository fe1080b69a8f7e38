# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the unit starts, how often it failed before, and when it should rather stay dark and be asked what is wrong.

`/state/restart` holds the reason of a deliberate start, written just before it (on rp2 the chip cannot tell one from a
bite of its watchdog). `/state/failures` counts the failures in a row of one release with one configuration; it goes
when a run has lasted, when somebody commands a restart, and counts anew for another release or configuration.
"""

import os
import sys
import time

from leezenflow_device.flash_file import replace_file

RESTART_FILE = "/state/restart"
FAILURES_FILE = "/state/failures"
# The loader's pauses before the start that becomes safe mode: 10, 20, 40, 80 and 160 s.
SAFE_AFTER = 5
# After this long safe mode tries the work once more: perhaps it was the power, or a device that has been mended since.
SAFE_S = 3_600
_MOST_BYTES = 80
# On rp2 a soft reset leaves the cause of the last hard one standing; milliseconds count from the hard one.
_FRESH_MS = 15_000


class Start:
    """This start: `cause` (a word) and `failures` in a row so far; `safe`: stay dark."""

    def __init__(self, cause, failures):
        self.cause = cause
        self.failures = failures
        self.safe = failures >= SAFE_AFTER

    def prove_sound(self):
        """The run has lasted: the failures before it no longer count."""
        self.failures = 0
        _remove(FAILURES_FILE)


def begin():
    """Return the Start that this is; to be called once in a start."""
    note = _read(RESTART_FILE)
    if note:
        _remove(RESTART_FILE)
    kept = _read(FAILURES_FILE).split()
    cause = note.split(" ")[0] if note else _chip_cause()
    failed = cause in ("failure", "watchdog")
    failures = 0
    if kept or failed:
        tag = _release_tag()
        if len(kept) == 2 and kept[1] == tag and kept[0].isdigit():
            failures = int(kept[0][:6])
        if failed:
            failures += 1
            _note_failures(failures, tag)
    return Start(cause, failures)


def restart(display, why, forgive=False):
    """Darken the panel and reset the chip; `why` is for the next health reports, `forgive` forgets failures so far."""
    import machine

    if display is not None:
        display.deinit()
    if forgive:
        _remove(FAILURES_FILE)
    try:
        replace_file(RESTART_FILE, why.encode())
    except OSError as error:
        print(RESTART_FILE + ":", error)
    if not hasattr(machine, "reset"):  # a unix port that is nobody's board
        raise SystemExit
    machine.reset()


def count_failures(count):
    """Make the next start one after `count` failures: SAFE_AFTER leads into safe mode, one less allows one attempt."""
    _note_failures(count, _release_tag())


def _chip_cause():
    import machine

    if not hasattr(machine, "reset_cause"):
        return "unknown"
    cause = machine.reset_cause()
    if sys.platform == "rp2" and time.ticks_ms() > _FRESH_MS:
        return "soft"
    for name, word in (
        ("PWRON_RESET", "power"),
        ("WDT_RESET", "watchdog"),
        ("HARD_RESET", "button"),
        ("SOFT_RESET", "soft"),
        ("DEEPSLEEP_RESET", "sleep"),
    ):
        if getattr(machine, name, None) == cause:
            return word
    return "unknown"


def _release_tag():
    """Return what stands for the release that runs, with its configuration."""
    from leezenflow_device.identity import config_hash, manifest_hash  # only few starts need it

    return "%s-%s" % (manifest_hash(), config_hash())


def _note_failures(count, tag):
    try:
        replace_file(FAILURES_FILE, ("%d %s" % (count, tag)).encode())
    except OSError as error:
        print(FAILURES_FILE + ":", error)


def _read(path):
    try:
        with open(path) as file:
            return file.read(_MOST_BYTES)
    except (OSError, ValueError):
        return ""


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass
