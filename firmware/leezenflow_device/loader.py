# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installed as /main.py: runs the release in one slot, and when that fails darkens, notes why, and starts again.

A new release is on trial: each of its starts is counted *before* it begins, and when they are used up without a
confirmation the release before it runs again. Ctrl-C at any moment, in the unit's work or in a pause, leads to the
prompt with the panel dark. A unit that keeps failing waits longer each time, so that it neither wears its flash nor
locks out a laptop. This file is small because it is the one that no update replaces.
"""

import binascii
import gc
import hashlib
import io
import json
import os
import sys
import time

SLOTS = ("a", "b")
BOOT_FILE = "/boot.json"
CRASH_FILE = "/state/crash.txt"
# Tells the next start why it is one.
RESTART_FILE = "/state/restart"

# Three tracebacks; the file fits into one flash block, so a crash costs one block and its directory entry.
_REPORT_BYTES = 1_200
_CRASH_FILE_BYTES = 3_800
# Pauses of 10, 20, 40 ... 640 s: at most some 150 writes a day, spread over the whole flash by LittleFS.
_FIRST_PAUSE_S = 10
_DOUBLINGS = 6
# A release that ran this long works in principle: the next failure counts as the first.
_SOUND_RUN_MS = 600_000
# Releases that failed their trial and are not taken again.
_BAD_RELEASES = 8
# A trial that neither fails nor is confirmed in this time hangs, and is ended.
_TRIAL_MS = 300_000


def choose_slot():
    """Return the slot to run ("a" or "b"; None: there is no release) and whether it is on trial.

    Whatever /boot.json holds, and whenever the power goes in here, the next call finds a whole release again.
    """
    boot = read_boot()
    settle_configuration(boot)
    trial = boot.get("try")
    if trial in SLOTS and holds_release(trial):
        left = boot.get("left")
        if isinstance(left, int) and left > 0:
            boot["left"] = left - 1
            if write_boot(boot):
                return trial, True
            # What cannot be counted is not tried: it might fail for ever.
        else:
            print("The release in /%s did not prove itself: back to the one before." % trial)
            bad = boot.get("bad")
            boot["bad"] = ((bad if isinstance(bad, list) else []) + [_hash_manifest(trial)])[-_BAD_RELEASES:]
            boot["try"] = None
            write_boot(boot)
    for slot in (boot.get("active"),) + SLOTS:
        if slot in SLOTS and holds_release(slot):
            return slot, False
    return None, False


def read_boot():
    """Return /boot.json; an empty dict where it is missing or damaged."""
    try:
        with open(BOOT_FILE) as file:
            boot = json.load(file)
        return boot if isinstance(boot, dict) else {}
    except Exception:  # whatever it is, the unit starts
        return {}


def write_boot(boot):
    """Write /boot.json whole or not at all; returns whether that worked."""
    try:
        with open(BOOT_FILE + ".new", "w") as file:
            json.dump(boot, file)
        os.rename(BOOT_FILE + ".new", BOOT_FILE)
        return True
    except OSError as fault:
        print(BOOT_FILE + ":", fault)
        return False


def settle_configuration(boot):
    """Put the configuration into place that came into force with this /boot.json (an installer's last steps)."""
    paths = boot.get("config")
    if not isinstance(paths, list):
        return
    for path in paths:
        try:
            os.rename(path + ".next", path)
        except (OSError, TypeError):  # done before the power went, or not a path
            pass
    del boot["config"]
    write_boot(boot)


def holds_release(slot):
    """Say whether a slot holds a whole release: its manifest goes first and comes last."""
    try:
        os.stat("/%s/manifest.json" % slot)
    except OSError:
        return False
    for suffix in ("py", "mpy"):
        try:
            os.stat("/%s/leezenflow_device/main.%s" % (slot, suffix))
            return True
        except OSError:
            pass
    return False


def _hash_manifest(slot):
    try:
        with open("/%s/manifest.json" % slot, "rb") as file:
            return binascii.hexlify(hashlib.sha256(file.read()).digest()).decode()
    except (OSError, MemoryError):  # a bad block may be why it failed; the other release is not to blame
        return ""


def limit_trial(machine):
    """See to it that a release on trial which hangs is reset: its next start, or the one after, leads back.

    Returns the timer that does it (None where there is none): somebody must hold it, and stop it.
    """

    def end(timer):
        if read_boot().get("try") in SLOTS:
            machine.reset()

    for number in (-1, 0):  # rp2 has timers without a number, esp32 only those with one
        try:
            return machine.Timer(number, mode=machine.Timer.ONE_SHOT, period=_TRIAL_MS, callback=end)
        except (AttributeError, ValueError, OSError):
            pass
    return None


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
    _replace_file(CRASH_FILE, (report + earlier)[:_CRASH_FILE_BYTES])
    return count


def _replace_file(path, text):
    """Write a file in /state whole or not at all."""
    try:
        if "state" not in os.listdir("/"):
            os.mkdir("/state")
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)
    except OSError as fault:
        print(path + ":", fault)


def run_release(slot):
    """Run the release in `slot`; returns None after Ctrl-C, else the exception that ended it and its run time in ms."""
    path = sys.path[:]
    sys.path[:] = ["/" + slot, ".frozen"]
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
            if name.startswith("leezenflow") or name.startswith("asyncio"):
                del sys.modules[name]


def start():
    """Run for ever, or until Ctrl-C."""
    import machine

    slot, on_trial = choose_slot()
    if slot is None:
        print("There is no release in /a or /b: install the firmware.")
        return
    timer = None
    if on_trial:
        print("The release in /%s is on trial." % slot)
        timer = limit_trial(machine)
    ended = run_release(slot)
    if timer is not None:
        timer.deinit()
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
    _replace_file(RESTART_FILE, "failure %d" % count)
    if hasattr(machine, "reset"):
        machine.reset()


if __name__ == "__main__":
    start()
