# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false, reportMissingModuleSource=false, reportArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportCallIssue=false
# ruff: noqa: I001, SIM105, UP031 (what they propose is not on MicroPython, or comes too early here)
"""Runs on MicroPython: a flash in memory whose every program and erase is noted, and what a unit is after a cut there.

`micropython power_cut_rig.py JOB.json`: the job has the source folders. Then each line on stdin is
json: {"run": code} executes in this module's names; what it prints comes back, then a line with the byte 4.

A cut is not played again for each operation: the flash after a cut is the flash before, with the operations noted so
far, and perhaps half of the next. So one run of a procedure gives all of its cut points.
"""

import asyncio
import binascii
import gc
import json
import os
import sys

import vfs

BLOCK = 4096
PROGRAM = 256


class Flash:
    """A NOR flash in memory (extended block protocol); `journal` notes (start, bytes), for an erase (start, None)."""

    def __init__(self, data):
        self.data = data
        self.journal = None

    def readblocks(self, block, buffer, offset=0):
        start = block * BLOCK + offset
        buffer[:] = memoryview(self.data)[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            self.ioctl(6, block)
            offset = 0
        self._apply(block * BLOCK + offset, bytes(buffer))

    def ioctl(self, operation, argument):
        if operation == 4:
            return len(self.data) // BLOCK
        if operation == 5:
            return BLOCK
        if operation == 6:
            self._apply(argument * BLOCK, None)
        return 0

    def _apply(self, start, data):
        if self.journal is not None:
            self.journal.append((start, data))
        apply(self.data, start, data)


ERASED = b"\xff" * BLOCK


def apply(image, start, data):
    """Do one noted operation."""
    if data is None:
        data = ERASED
    image[start : start + len(data)] = data


def apply_half(image, start, data):
    """Do the first half of one noted operation."""
    if data is None:
        data = ERASED
    image[start : start + len(data) // 2] = data[: len(data) // 2]


def mount(flash):
    """Power up with this flash; an exception is a file system that cannot be mounted."""
    try:
        vfs.umount("/")
    except OSError:
        pass
    vfs.mount(vfs.VfsLfs2(flash, progsize=PROGRAM), "/")


def make_flash(blocks, files):
    """Return a new flash that holds `files` (path: bytes), mounted."""
    flash = Flash(bytearray(ERASED * blocks))
    vfs.VfsLfs2.mkfs(flash, progsize=PROGRAM)
    mount(flash)
    for path in files:
        write_plain(path, files[path])
    return flash


def write_plain(path, content):
    """Write a file the naive way, with the folders it needs."""
    parts = path.split("/")[1:-1]
    for depth in range(1, len(parts) + 1):
        try:
            os.mkdir("/" + "/".join(parts[:depth]))
        except OSError:
            pass
    with open(path, "wb") as file:
        file.write(content)


def read(path):
    """Return the content of a file, None if there is none."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def note(flash, procedure):
    """Run `procedure` and return what it did to the flash: the flash before, and the journal."""
    before = bytes(flash.data)
    flash.journal = []
    procedure()
    journal, flash.journal = flash.journal, None
    return before, journal


def sweep(before, journal, check, step=1):
    """Call `check()` with each flash that a cut may leave, mounted; returns figures and the first faults in words."""
    rolling = bytearray(before)
    figures = {"cut_points": len(journal), "states": 0, "broken": 0, "seen": {}, "faults": []}
    for number in range(len(journal) + 1):
        kinds = ("clean", "torn") if number < len(journal) else ("clean",)
        for kind in kinds if number % step == 0 or number == len(journal) else ():
            image = bytearray(rolling)
            if kind == "torn":
                apply_half(image, journal[number][0], journal[number][1])
            figures["states"] += 1
            try:
                mount(Flash(image))
                seen = str(check())
                figures["seen"][seen] = figures["seen"].get(seen, 0) + 1
            except Exception as error:
                figures["broken"] += 1
                if len(figures["faults"]) < 5:
                    words = "%s: %s" % (type(error).__name__, error)
                    figures["faults"].append("%s cut at %d: %s" % (kind, number, words))
            image = None
        if number < len(journal):
            apply(rolling, journal[number][0], journal[number][1])
        gc.collect()
    return figures


# What a unit is after a cut.


def start_unit():
    """Do what the real loader does at power-up; returns (slot, on trial, what its release says). ValueError: broken."""
    slot, on_trial = loader.choose_slot()
    if slot is None:
        raise ValueError("no release")
    check_slot(slot)
    forget_modules()
    error, _ = loader.run_release(slot)
    if not isinstance(error, RuntimeError) or not error.args or not isinstance(error.args[0], tuple):
        raise ValueError("%s: %s" % (type(error).__name__, error))
    said = error.args[0]
    if len(set(said[0])) != 1:
        raise ValueError("a mixture %s" % (said,))
    return slot, on_trial, (said[0][0], said[1])


def check_slot(slot):
    """Compare every file of a slot with its manifest; ValueError names the first that is wrong."""
    manifest = json.loads(read("/%s/manifest.json" % slot))
    for path, size, digest in manifest["files"]:
        content = read("/%s/%s" % (slot, path))
        if content is None or len(content) != size or sha256(content) != digest:
            raise ValueError("/%s/%s is not what the manifest says" % (slot, path))
    return manifest["release"]


def sha256(content):
    return binascii.hexlify(hashlib.sha256(content).digest()).decode()


def forget_modules():
    """Let the loader import a release, not what this rig has imported."""
    for name in list(sys.modules):
        if name.startswith("leezenflow"):
            del sys.modules[name]


# Signed updates.


def do(session, command):
    """Take one step of an update."""
    return asyncio.run(session.handle(command))


def push(update, slot):
    """Bring `update` to the unit that runs from `slot`, as a host does; what is there already is not sent."""
    sys.path[0] = "/" + slot
    session = Session()
    have = do(session, dict(update["begin"], step="begin"))["have"]
    for path in update["files"]:
        content = update["files"][path]
        offset = have.get(path, 0)
        while offset < len(content):
            data = binascii.b2a_base64(content[offset : offset + 1024]).decode()
            offset = do(session, {"step": "chunk", "path": path, "offset": offset, "data": data})["done"]
    return do(session, {"step": "finish"})


def power_cycle(flash):
    """Switch off and on."""
    mount(flash)


def update_and_confirm(flash, update):
    """The whole life of a good update: push, restart on trial, confirm."""
    push(update, "a")
    power_cycle(flash)
    slot, on_trial = loader.choose_slot()
    if (slot, on_trial) != ("b", True):
        raise ValueError("the trial does not start: %s %s" % (slot, on_trial))
    boot_state.confirm(slot)
    power_cycle(flash)
    return loader.choose_slot()


def update_and_fail(flash, update):
    """The whole life of a bad update: push, and as many starts as it takes until the old release runs again."""
    push(update, "a")
    starts = []
    while not starts or starts[-1][1]:
        power_cycle(flash)
        starts.append(loader.choose_slot())
    return starts


def check_update(update, allowed, recover):
    """Start the unit after a cut; it must be one of `allowed` (version, place). Then finish the update."""
    slot, on_trial, unit = start_unit()
    if unit not in allowed:
        raise ValueError("runs %s" % (unit,))
    if recover:
        if not on_trial and unit[0] != update["version"]:
            push(update, slot)
            slot, on_trial, now = start_unit()
            if not on_trial or now[0] != update["version"]:
                raise ValueError("after the update once more it runs %s" % (now,))
        if on_trial:
            boot_state.confirm(slot)
        slot, on_trial, now = start_unit()
        if on_trial or now != (update["version"], unit[1]):
            raise ValueError("at last it runs %s" % (now,))
    return "%d%s" % (unit[0], " on trial" if on_trial and not recover else "")


def naive_in_place(update):
    """Mutant: every file over the one that runs."""
    for path in update["files"]:
        write_plain("/a/" + path, update["files"][path])
    write_plain("/a/manifest.json", update["begin"]["manifest"].encode())


def flip_before_writing(update):
    """Mutant: slot a is the active one before the release is in it."""
    replace_json("/boot.json", {"active": "a", "try": None, "left": 0})
    for path in update["files"]:
        write_plain("/a/" + path, update["files"][path])
    write_plain("/a/manifest.json", update["begin"]["manifest"].encode())


def decode_files(files):
    """Return files as bytes from their base64."""
    return {path: binascii.a2b_base64(files[path]) for path in files}


with open(sys.argv[1]) as _file:
    JOB = json.load(_file)
vfs.umount("/")
vfs.mount(vfs.VfsPosix("/"), "/host")
# The first place is that of the slot that runs.
sys.path[:] = ["", ".frozen"] + ["/host" + path for path in JOB["sources"]]

import hashlib  # noqa: E402

import loader  # noqa: E402
from leezenflow_device import flash_file, memory  # noqa: E402, F401
from leezenflow_device.flash_file import replace_json  # noqa: E402
from leezenflow_device.updating import boot_state  # noqa: E402
from leezenflow_device.updating.session import Session  # noqa: E402

while True:
    line = sys.stdin.readline()
    if not line:
        break
    try:
        exec(json.loads(line)["run"], globals())
    except Exception as error:
        sys.print_exception(error)
    print("\x04")
