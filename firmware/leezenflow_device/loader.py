# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installed as /main.py: runs the release in one slot, and when that fails darkens, notes why, and starts again.

Ctrl-C at any moment, in the unit's work or in a pause, leads to the prompt with the panel dark. A unit that keeps
failing waits longer each time, so that it neither wears its flash nor locks out a laptop. This file is small because
it is the one that no update replaces.
"""

import gc
import io
import json
import os
import sys
import time

SLOTS = ("/a", "/b")
CRASH_FILE = "/state/crash.txt"

# Three tracebacks; the file fits into one flash block, so a crash costs one block and its directory entry.
_REPORT_BYTES = 1_200
_CRASH_FILE_BYTES = 3_800
# Pauses of 10, 20, 40 ... 640 s: at most some 150 writes a day, spread over the whole flash by LittleFS.
_FIRST_PAUSE_S = 10
_DOUBLINGS = 6
# A release that ran this long works in principle: the next failure counts as the first.
_SOUND_RUN_MS = 600_000


def choose_slot():
    """Return the slot to run: the one /boot.json names if it holds a release, else the first that does, else None."""
    named = None
    try:
        with open("/boot.json") as file:
            named = json.load(file).get("slot")
    except (OSError, ValueError, AttributeError):
        pass
    for slot in (named,) + SLOTS:
        if slot in SLOTS and _holds_release(slot):
            return slot
    return None


def _holds_release(slot):
    for suffix in ("py", "mpy"):
        try:
            os.stat(slot + "/leezenflow_device/main." + suffix)
            return True
        except OSError:
            pass
    return False


def darken():
    """Do once more what boot.py does first, whatever state the drivers are in."""
    try:
        with open("/boot.py") as file:
            exec(file.read(), {})
    except Exception as error:
        print("boot.py:", error)


def note_crash(error, ran_ms):
    """Write the traceback of `error` before the earlier ones in CRASH_FILE; returns which failure in a row it is."""
    gc.collect()
    text = io.StringIO()
    sys.print_exception(error, text)
    report = text.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
    # What the operator can mend is one sentence; its class cannot be imported here, the release may be broken.
    print(error if type(error).__name__ == "LeezenflowError" else report)
    earlier = ""
    try:
        with open(CRASH_FILE) as file:
            earlier = file.read(_CRASH_FILE_BYTES)
    except (OSError, ValueError):
        pass
    count = 1
    head = earlier.split(" ", 2)
    # Milliseconds wrap: a run of more than six days shows as a negative one.
    failed_soon = 0 <= ran_ms < _SOUND_RUN_MS
    if failed_soon and len(head) > 1 and head[0] == "failure" and head[1].isdigit():
        count = int(head[1][:6]) + 1
    ran = "%d s" % (ran_ms // 1000) if failed_soon else "a long run"
    report = "failure %d after %s\n%s\n" % (count, ran, report[-_REPORT_BYTES:])
    try:
        if "state" not in os.listdir("/"):
            os.mkdir("/state")
        with open(CRASH_FILE + ".new", "w") as file:
            file.write((report + earlier)[:_CRASH_FILE_BYTES])
        os.rename(CRASH_FILE + ".new", CRASH_FILE)
    except OSError as fault:
        print(CRASH_FILE + ":", fault)
    return count


def run_release(slot):
    """Run the release in `slot`; returns None after Ctrl-C, else the exception that ended it and its run time in ms."""
    path = sys.path[:]
    sys.path[:] = [slot, ".frozen"]
    began_at = time.ticks_ms()
    try:
        from leezenflow_device.main import run

        run()
        raise RuntimeError("the release came to an end")
    except KeyboardInterrupt:
        return None
    except SystemExit:  # asked for a soft reset
        raise
    except BaseException as error:
        return error, time.ticks_diff(time.ticks_ms(), began_at)
    finally:
        sys.path[:] = path
        darken()
        # A release may have filled the heap; what follows needs some of it.
        for name in list(sys.modules):
            if name.startswith(("leezenflow", "asyncio")):
                del sys.modules[name]


def start():
    """Run for ever, or until Ctrl-C."""
    import machine

    slot = choose_slot()
    if slot is None:
        print("There is no release in /a or /b: install the firmware.")
        return
    ended = run_release(slot)
    if ended is None:
        print("Stopped; the panel is dark. Ctrl-D starts again.")
        return
    try:
        count = note_crash(ended[0], ended[1])
    except Exception as fault:  # such as no memory: start again all the same
        print("the failure cannot be noted:", fault)
        count = 1
    pause_s = _FIRST_PAUSE_S << min(count - 1, _DOUBLINGS)
    print("The panel is dark; starting again in %d s. Ctrl-C stops here. Reports: %s" % (pause_s, CRASH_FILE))
    try:
        time.sleep(pause_s)
    except KeyboardInterrupt:
        return
    if hasattr(machine, "reset"):
        machine.reset()


if __name__ == "__main__":
    start()
