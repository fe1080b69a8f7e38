# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual boards: a real MicroPython with a flash of its own behind a serial port, for laptops without hardware.

The interpreter is the unix port. What differs from a board: integers and objects are those of a 64-bit machine (an
object takes about twice the room, so the default heap is smaller than it looks), `machine` has no pins, and there is
no `network`. Variables of the environment reach the firmware (`os.getenv`).

`python -m leezenflow_host.boards.virtual` runs one in the foreground for mpremote and other tools.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from leezenflow_host.boards.interpreter import WITH_SAFE_INTERRUPT, find_micropython
from leezenflow_host.boards.virtual_console import Console
from leezenflow_host.boards.virtual_life import Life
from leezenflow_host.closing import Closing
from leezenflow_host.errors import BoardError

BLOCK_BYTES = 4096
# The file system of a Pico W with stock MicroPython.
FLASH_KB = 848
# What a plain RP2040 has left beside a HUB75 driver: 190 kB, of which some 50 kB are buffers; the rest is objects, and
# those take twice the room here.
HEAP_KB = 320


class VirtualBoard(Closing):
    """A virtual board that is plugged in as long as the context (or until `close`).

    `flash` is the file that keeps its file system; without one, the board is new and gone with its context. `heap_kb`
    and `flash_kb` size it, `environment` is added to this process's own for the firmware. `cut_power_after` takes the
    power away at the flash operation (program or erase) after that many; for tests.

    BoardError: no MicroPython for this computer, the flash is in use by another process, the board does not start.
    """

    def __init__(
        self,
        flash: Path | None = None,
        *,
        heap_kb: int = HEAP_KB,
        flash_kb: int = FLASH_KB,
        environment: Mapping[str, str] | None = None,
        cut_power_after: int | None = None,
        start_timeout_s: float = 15.0,
    ) -> None:
        self._command = find_micropython()
        self._rom_folder = Path(__file__).parent
        self._heap_kb = heap_kb
        self._environment = dict(environment or {})
        self._cut_power_after = cut_power_after
        self._start_timeout_s = start_timeout_s
        self._folder: Path | None = None
        if flash is None:
            self._folder = Path(tempfile.mkdtemp(prefix="leezenflow-board-"))
            flash = self._folder / "virtual.flash"
        self._flash = flash
        self._lock: int | None = None
        self._console: Console | None = None
        try:
            self._blocks = self._open_flash(flash_kb)
            self.power_on()
        except BaseException:
            self.close()
            raise

    @property
    def port(self) -> str:
        """Path of the serial port; another one after every `power_on`."""
        return self._plugged_in().port

    @property
    def log(self) -> str:
        """What the board printed last, up to some 64 kB."""
        return bytes(self._plugged_in().log).decode(errors="replace")

    @property
    def lives(self) -> int:
        """How often the interpreter has started since the board got its power (soft resets count)."""
        return self._plugged_in().lives

    @property
    def power_was_cut(self) -> bool:
        """True when `cut_power_after` has struck."""
        return self._console is not None and self._console.power_was_cut

    def power_on(self) -> None:
        """Plug the board in and wait until its interpreter runs."""
        if self._console is not None and self._console.is_alive():
            return
        self._console = console = Console(self._begin_life)
        console.start()
        if not console.await_start(self._start_timeout_s):
            fault = console.fault or f"The virtual board did not start within {self._start_timeout_s:g} s."
            self.power_off()
            raise BoardError(f"{fault} Does the program {' '.join(self._command)} run?")

    def power_off(self) -> None:
        """Pull the plug: whatever the board does ends at once, and its port is gone."""
        if self._console is not None and self._console.is_alive():
            self._console.unplug()

    def hard_reset(self) -> None:
        """Press the reset button and wait until the interpreter runs again."""
        console = self._plugged_in()
        before = console.lives
        console.hard_reset()
        if not console.await_start(self._start_timeout_s, before):
            raise BoardError(console.fault or "The virtual board did not come back after its reset.")

    def close(self) -> None:
        """Pull the plug and tidy up; a board without a `flash` file of its own is gone."""
        self.power_off()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _plugged_in(self) -> Console:
        if self._console is None:
            raise BoardError("The virtual board is not plugged in.")
        return self._console

    def _open_flash(self, flash_kb: int) -> int:
        """Create the flash where there is none, and keep other processes from it; return its number of blocks."""
        self._flash.parent.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._flash, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BoardError(
                f"The virtual board of {self._flash} is in use by another process; end that one first."
            ) from None
        size = os.fstat(self._lock).st_size
        if size == 0:
            with open(self._lock, "wb", closefd=False) as file:
                for _ in range(flash_kb * 1024 // BLOCK_BYTES):
                    file.write(b"\xff" * BLOCK_BYTES)
            size = os.fstat(self._lock).st_size
        if size % BLOCK_BYTES:
            raise BoardError(f"{self._flash} is not the flash of a virtual board; delete it or name another file.")
        return size // BLOCK_BYTES

    def _begin_life(self, reset_cause: int, run_main: bool) -> Life:
        limit = -1 if self._cut_power_after is None else self._cut_power_after
        unique_id = hashlib.sha256(os.fsencode(self._flash.resolve())).hexdigest()[:16]
        command = [*self._command, "-X", f"heapsize={self._heap_kb}k", "-i", "-c"]
        command += ['__import__("virtual_rom").start(globals())', str(self._flash.resolve()), str(self._blocks)]
        command += ["{control}", unique_id, str(reset_cause), str(int(run_main)), str(limit)]
        interrupt = signal.SIGUSR1 if str(WITH_SAFE_INTERRUPT) in self._command else None
        return Life(command, {**os.environ, "MICROPYPATH": str(self._rom_folder), **self._environment}, interrupt)


def state_file(name: str = "virtual") -> Path:
    """Where the flash of the virtual board `name` is kept between commands (XDG_STATE_HOME, or ~/.local/state)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "leezenflow" / f"{name}.flash"


def _run_in_foreground() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    flash = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with contextlib.suppress(KeyboardInterrupt), VirtualBoard(flash) as board:
        print(board.port, flush=True)
        signal.pause()


if __name__ == "__main__":
    _run_in_foreground()
