# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a virtual board has in place of a ROM: it turns unix MicroPython into a board. Runs there, never on CPython.

Started as `micropython -i -c '__import__("virtual_rom").start(globals())'` with the arguments FLASH BLOCKS CONTROL
UNIQUE_ID RESET_CAUSE RUN_MAIN CUT_AFTER: mounts LittleFS on the host file FLASH (BLOCKS of 4096 bytes), gives `machine`
what boards have, runs /boot.py and /main.py in `__main__` and leaves the REPL. Through the file descriptor CONTROL it
tells its launcher one line an event: `up`; `reset` (`machine.reset()` was called); `exit` (boot.py or main.py raised
SystemExit); `wdt MS` and `feed`; `cut` (the flash operation after the first CUT_AFTER was asked for: the power is to
go; -1: never).
"""

import binascii
import gc
import os
import sys
import time

import machine as _unix_machine
import micropython
import vfs

_BLOCK = 4096


def _halt():
    """Wait until the launcher takes the power away; nothing in the program may catch its way out."""
    while True:
        try:
            time.sleep_ms(1000)
        except BaseException:
            pass


class _Flash:
    """A NOR flash in a host file, as rp2 shows its own to LittleFS (extended block protocol)."""

    def __init__(self, path, blocks, control, cut_after):
        self._file = open(path, "r+b")
        self._blocks = blocks
        self._control = control
        self._left = cut_after
        self._erased = b"\xff" * 256  # the heap is the program's: no more of it than a page

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            self._erase(block)
            offset = 0
        self._operate()
        self._file.seek(block * _BLOCK + offset)
        self._file.write(buffer)

    def ioctl(self, operation, argument):
        if operation == 4:
            return self._blocks
        if operation == 5:
            return _BLOCK
        if operation == 6:
            self._erase(argument)
        return 0

    def _erase(self, block):
        self._operate()
        self._file.seek(block * _BLOCK)
        for _ in range(_BLOCK // 256):
            self._file.write(self._erased)

    def _operate(self):
        if self._left == 0:
            self._control.write(b"cut\n")
            _halt()
        self._left -= 1


class _Watchdog:
    """`machine.WDT`: cannot be stopped, survives a soft reset; the launcher keeps the time."""

    control = None

    def __init__(self, id=0, timeout=5000):
        self.control.write(b"wdt %d\n" % timeout)  # pyright: ignore[reportAttributeAccessIssue]

    def feed(self):
        self.control.write(b"feed\n")  # pyright: ignore[reportAttributeAccessIssue]


class _RTC:
    """`machine.RTC`: reads the host's clock (UTC), cannot set it."""

    def datetime(self, value=None):
        if value is None:
            now = time.gmtime()
            return (now[0], now[1], now[2], now[6], now[3], now[4], now[5], 0)


class _Machine:
    """The module `machine` of a virtual board: the unix port's own, and what boards have beyond it."""

    PWRON_RESET = 1
    WDT_RESET = 3
    RTC = _RTC
    WDT = _Watchdog

    def __init__(self, control, unique_id, reset_cause):
        for name in dir(_unix_machine):
            if name[0] != "_":
                setattr(self, name, getattr(_unix_machine, name))
        self._control = control
        self._unique_id = unique_id
        self._reset_cause = reset_cause

    def unique_id(self):
        return self._unique_id

    def reset_cause(self):
        return self._reset_cause

    def reset(self):
        self._control.write(b"reset\n")
        _halt()

    def soft_reset(self):
        raise SystemExit

    def freq(self, hz=None):
        return 125_000_000

    def disable_irq(self):
        return True

    def enable_irq(self, state):
        pass


def _run(path, names):
    """Run a start file as boards do: False when it is there and failed. SystemExit gets through: a soft reset."""
    try:
        with open(path) as source:
            code = compile(source.read(), path, "exec")
    except OSError:
        return True
    except SyntaxError as error:
        sys.print_exception(error)
        return False
    try:
        exec(code, names)
    except SystemExit:
        raise
    except BaseException as error:
        sys.print_exception(error)
        return False
    return True


def start(names):
    """Become the board that `sys.argv` describes; `names` are the globals of boot.py, main.py and the REPL."""
    path, blocks, control_fd, unique_id, reset_cause, run_main, cut_after = sys.argv[1:]
    control = open("/dev/fd/" + control_fd, "wb")
    flash = _Flash(path, int(blocks), control, int(cut_after))
    os.chdir("/")
    vfs.umount("/")
    try:
        vfs.mount(vfs.VfsLfs2(flash, progsize=256), "/")
    except OSError:
        # What the rp2 port does with a file system that it cannot mount.
        vfs.VfsLfs2.mkfs(flash, progsize=256)
        vfs.mount(vfs.VfsLfs2(flash, progsize=256), "/")
    sys.path[:] = ["", ".frozen", "/lib"]
    del sys.argv[:]
    del sys.modules["virtual_rom"]
    _Watchdog.control = control
    sys.modules["machine"] = _Machine(control, binascii.unhexlify(unique_id), int(reset_cause))
    gc.collect()
    micropython.kbd_intr(3)
    control.write(b"up\n")
    try:
        if _run("/boot.py", names) and run_main == "1":
            _run("/main.py", names)
    except SystemExit:
        control.write(b"exit\n")
        _halt()
