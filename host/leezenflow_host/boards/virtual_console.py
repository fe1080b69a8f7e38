# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wiring of a virtual board: one thread between the port that a host opens and the interpreter behind it."""

import os
import pty
import selectors
import threading
import time
import tty
from collections.abc import Callable

from leezenflow_host.boards.virtual_life import Life

# As machine.reset_cause() tells on rp2.
POWER_ON_RESET, WATCHDOG_RESET = 1, 3

_RAW_REPL = b"raw REPL; CTRL-B to exit\r\n"
_CTRL_A, _CTRL_B, _CTRL_C = b"\x01", b"\x02", b"\x03"
# Like a USB serial device: wait this long for a host that does not read, then throw output away.
_HOST_PATIENCE_S = 0.5
# A program that catches Ctrl-C keeps back what was typed after it for no longer than this.
_INTERRUPT_PATIENCE_S = 2.0
_POLL_S = 0.005
_BACKLOG_BYTES = 8192
_LOG_BYTES = 65536


class Console(threading.Thread):
    """A virtual board that is plugged in: answers soft and hard resets until `unplug`, or until its power is cut.

    `port` is the path that a host opens, `log` what the board printed last, `fault` why it cannot run (or None).
    """

    def __init__(self, start: Callable[[int, bool], Life]) -> None:
        """`start(reset_cause, run_main)` begins a life."""
        super().__init__(name="virtual board", daemon=True)
        self._start = start
        # The far end stays open here too: a port does not go away when a host closes it.
        self._outer, self._outer_far = pty.openpty()
        tty.setraw(self._outer_far)
        os.set_blocking(self._outer, False)
        self.port = os.ttyname(self._outer_far)
        self._wake_read, self._wake_write = os.pipe()
        self._selector = selectors.DefaultSelector()
        self._changed = threading.Condition()
        self._request: str | None = None
        self.lives = 0
        self.log = bytearray()
        self.fault: str | None = None
        self.power_was_cut = False
        self._life: Life | None = None
        self._cause = POWER_ON_RESET
        self._raw = False
        self._wants_raw = False
        self._to_board = bytearray()
        self._hold_until: float | None = None
        self._to_host = bytearray()
        self._host_read_at = 0.0
        self._partial_event = b""

    def await_start(self, timeout_s: float, after: int = 0) -> bool:
        """Wait until the interpreter has come up more than `after` times; False on time-out or a fault."""
        with self._changed:
            self._changed.wait_for(lambda: self.lives > after or self.fault is not None, timeout_s)
            return self.lives > after

    def hard_reset(self) -> None:
        """Press the reset button; the board comes up some 50 ms later."""
        self._ask("reset")

    def unplug(self) -> None:
        """Take the power away and the port with it; returns when both are gone."""
        self._ask("unplug")
        self.join()

    def _ask(self, request: str) -> None:
        with self._changed:
            if self._request != "unplug":
                self._request = request
                os.write(self._wake_write, b"!")

    def run(self) -> None:
        """Serve until `unplug` (the thread's body)."""
        self._selector.register(self._outer, selectors.EVENT_READ, self._read_host)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._read_wake)
        try:
            self._begin()
            while self._request != "unplug":
                for key, events in self._selector.select(self._patience_s()):
                    if events & selectors.EVENT_WRITE:
                        self._write_host()
                    # A handler before this one may have ended the life that this event belongs to.
                    if events & selectors.EVENT_READ and key.fd in self._selector.get_map():
                        key.data()
                self._look_at_watchdog()
                self._feed_board()
                self._give_up_on_host()
        except OSError as error:
            self._fail(f"The virtual board broke: {error}.")
        finally:
            with self._changed:
                self._request = "unplug"
                self._end()
                self._selector.close()
                for descriptor in (self._outer, self._outer_far, self._wake_read, self._wake_write):
                    os.close(descriptor)

    def _patience_s(self) -> float | None:
        """How long to sleep when nothing arrives; None: for ever."""
        life = self._life
        if life is not None and life.up:
            if self._to_board or self._wants_raw:
                return _POLL_S
            if life.watchdog_s is not None:
                return max(_POLL_S, life.fed_at + life.watchdog_s - time.monotonic())
        return _HOST_PATIENCE_S if self._to_host else None

    # From reset to reset

    def _begin(self, run_main: bool = True) -> Life:
        self._life = life = self._start(self._cause, run_main)
        self._partial_event = b""
        self._hold_until = None
        self._selector.register(life.terminal, selectors.EVENT_READ, self._read_board)
        self._selector.register(life.events, selectors.EVENT_READ, self._read_events)
        return life

    def _end(self) -> None:
        life, self._life = self._life, None
        if life is not None:
            for descriptor in (life.terminal, life.events):
                if descriptor in self._selector.get_map():
                    self._selector.unregister(descriptor)
            self._show(life.end())

    def _reset(self, cause: int) -> None:
        self._end()
        self._cause = cause
        self._raw = self._wants_raw = False
        self._to_board.clear()
        self._begin()

    def _soft_reset(self) -> None:
        """The interpreter has ended, which is how the unix port answers Ctrl-D at its prompt, or is about to."""
        old = self._life
        assert old is not None
        self._end()
        if not old.up:
            words = bytes(self.log[-1000:]).decode(errors="replace").strip()
            self._fail(f"MicroPython ended before the virtual board was up. It said: {words}")
            return
        self._show(b"MPY: soft reboot\r\n")
        # As on boards: a host in the raw REPL gets it back, and main.py does not run.
        self._wants_raw, self._raw = self._raw, False
        new = self._begin(run_main=not self._wants_raw)
        new.watchdog_s, new.fed_at = old.watchdog_s, old.fed_at

    def _look_at_watchdog(self) -> None:
        life = self._life
        if life is not None and life.watchdog_s is not None and time.monotonic() - life.fed_at > life.watchdog_s:
            self._reset(WATCHDOG_RESET)

    def _fail(self, fault: str) -> None:
        with self._changed:
            self.fault = fault
            self._changed.notify_all()

    # What arrives

    def _read_wake(self) -> None:
        with self._changed:
            os.read(self._wake_read, 64)
            request = self._request
            if request == "reset":
                self._request = None
        if request == "reset":
            self._reset(POWER_ON_RESET)

    def _read_events(self) -> None:
        assert self._life is not None
        try:
            chunk = os.read(self._life.events, 4096)
        except BlockingIOError:
            return
        if not chunk:
            self._soft_reset()
            return
        *lines, self._partial_event = (self._partial_event + chunk).split(b"\n")
        for line in lines:
            if line == b"reset":
                self._reset(POWER_ON_RESET)
                return
            if line == b"exit":
                self._soft_reset()
                return
            if line == b"cut":
                self._end()
                self.power_was_cut = True
                self._request = "unplug"
                return
            self._note(self._life, line)

    def _note(self, life: Life, event: bytes) -> None:
        if event == b"up":
            life.started()
            with self._changed:
                self.lives += 1
                self._changed.notify_all()
        elif event.startswith(b"wdt "):
            life.watchdog_s = int(event[4:]) / 1000
        life.fed_at = time.monotonic()

    def _read_board(self) -> None:
        assert self._life is not None
        try:
            chunk = os.read(self._life.terminal, 4096)
        except BlockingIOError:
            return
        except OSError:
            # The interpreter has closed its terminal; that it ended comes through the events.
            self._selector.unregister(self._life.terminal)
            return
        self._show(chunk)

    def _read_host(self) -> None:
        try:
            chunk = os.read(self._outer, 4096)
        except BlockingIOError:
            return
        self._host_read_at = time.monotonic()
        if self._raw and _CTRL_B in chunk:
            self._raw = False
        self._to_board += chunk

    # What leaves

    def _show(self, chunk: bytes) -> None:
        if not chunk:
            return
        if _RAW_REPL in bytes(self.log[-len(_RAW_REPL) :]) + chunk:
            self._raw = True
        self.log += chunk
        if len(self.log) > _LOG_BYTES:
            del self.log[: -_LOG_BYTES // 2]
        self._to_host += chunk
        self._write_host()

    def _write_host(self) -> None:
        try:
            while self._to_host:
                del self._to_host[: os.write(self._outer, self._to_host)]
                self._host_read_at = time.monotonic()
        except BlockingIOError:
            pass
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._to_host else 0)
        if self._selector.get_key(self._outer).events != wanted:
            self._selector.modify(self._outer, wanted, self._read_host)
        self._listen_to_board(len(self._to_host) < _BACKLOG_BYTES)

    def _listen_to_board(self, listen: bool) -> None:
        """Read the board's output, or let the board wait as it waits for a slow host."""
        if self._life is None:
            return
        listening = self._life.terminal in self._selector.get_map()
        if listen and not listening:
            self._selector.register(self._life.terminal, selectors.EVENT_READ, self._read_board)
        elif listening and not listen:
            self._selector.unregister(self._life.terminal)

    def _give_up_on_host(self) -> None:
        if self._to_host and time.monotonic() - self._host_read_at > _HOST_PATIENCE_S:
            self._to_host.clear()
            self._write_host()

    def _feed_board(self) -> None:
        """Pass on what the host sent, as soon as the interpreter is ready for it."""
        life = self._life
        if life is None or not life.up:
            return
        if self._wants_raw and life.waits_for_input():
            self._wants_raw = False
            os.write(life.terminal, _CTRL_A)
        while self._to_board:
            waits = life.waits_for_input()
            # After an interrupt the REPL takes the terminal over and flushes its input: what follows waits for that.
            if self._hold_until is not None and not waits and time.monotonic() < self._hold_until:
                return
            self._hold_until = None
            at = self._to_board.find(_CTRL_C)
            if at == 0 and not waits:
                del self._to_board[:1]
                self._hold_until = time.monotonic() + _INTERRUPT_PATIENCE_S
                life.interrupt()
                continue
            count = len(self._to_board) if at < 0 else max(1, at)
            try:
                del self._to_board[: os.write(life.terminal, self._to_board[:count])]
            except BlockingIOError:
                return
