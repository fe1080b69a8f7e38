# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/boot.json as a release sees it: which slot runs, what is on trial, and below what there is no way back.

The loader reads and writes the same file by itself, because it must not depend on any release.
"""

import json
import sys

from leezenflow_device.flash_file import replace_json

FILE = "/boot.json"
SLOTS = ("a", "b")
# How often a new release may start before it must have proven itself.
TRIAL_STARTS = 2
# `release` is read from this much of a manifest, without room for the list of files.
HEAD_BYTES = 400
_RELEASE_KEY = '"release":'


def running_slot():
    """Return "a" or "b", the slot that this code comes from; None where there are no slots."""
    slot = sys.path[0][1:] if sys.path and sys.path[0][:1] == "/" else None
    return slot if slot in SLOTS else None


def read():
    """Return what /boot.json says, sound values in the place of missing and damaged ones."""
    try:
        with open(FILE) as file:
            boot = json.load(file)
    except (OSError, ValueError):
        boot = None
    if not isinstance(boot, dict):
        boot = {}
    for key in ("active", "try"):
        if boot.get(key) not in SLOTS:
            boot[key] = None
    for key in ("left", "floor", "keys"):
        value = boot.get(key)
        if not isinstance(value, int) or value < 0:
            boot[key] = 0
    if not isinstance(boot.get("bad"), list):
        boot["bad"] = []
    return boot


def write(boot):
    """Write /boot.json whole or not at all; OSError when the flash cannot be written."""
    replace_json(FILE, boot)


def begin_trial(slot):
    """Let the next starts be those of the release in `slot`."""
    boot = read()
    boot["try"] = slot
    boot["left"] = TRIAL_STARTS
    write(boot)


def confirm(slot):
    """Make the release in `slot` the one that runs from now on, and the least that is taken."""
    boot = read()
    boot["active"] = slot
    boot["try"] = None
    boot["left"] = 0
    boot["floor"] = max(boot["floor"], release_in(slot))
    write(boot)


def release_in(slot):
    """Return the number of the release in a slot, 0 if it has none."""
    try:
        with open("/%s/manifest.json" % slot, "rb") as file:
            return read_release(file.read(HEAD_BYTES))
    except OSError:
        return 0


def read_release(head):
    """Return the release number in the first bytes of a manifest, 0 if none is there."""
    try:
        _, _, rest = head.decode().partition(_RELEASE_KEY)
    except ValueError:
        return 0
    number = ""
    for character in rest.lstrip(" "):
        if not "0" <= character <= "9" or len(number) > 9:
            break
        number += character
    return int(number) if number else 0
