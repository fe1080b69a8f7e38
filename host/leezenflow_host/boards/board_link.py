# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""mpremote's serial transport made safe to use as a library: a limit on every wait, no prints, errors in words."""

import contextlib
import itertools
import json
import re
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import serial
from mpremote import transport_serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from leezenflow_host.boards.port_trouble import explain_port
from leezenflow_host.errors import BoardError
from leezenflow_host.syntax import read_literal

try:
    import termios
except ImportError:  # Windows
    _TERMINAL_ERRORS: tuple[type[Exception], ...] = ()
else:
    _TERMINAL_ERRORS = (termios.error,)
# What a port raises when the board behind it goes away.
_PORT_ERRORS = (serial.SerialException, OSError, *_TERMINAL_ERRORS)


# A single read of the transport ends after this long: without a limit it hangs on a silent port for ever.
_READ_S = 2.0
# One attempt to get the raw REPL. A board that was just plugged in needs several.
_ATTEMPT_S = 2
# After this long without a byte, no answer is under way any more: not even that of a board that starts anew.
_QUIET_S = 1.0
# A Ctrl-C may strike only when the next piece of code runs: this one has nothing to lose.
_HARMLESS = "for _ in range(9):\n pass\n"
# A port comes back this soon after a reset, or not at all.
_RETURN_S = 12.0
# One round trip each; a thousand bytes become up to four thousand characters of source on the board's heap.
_CHUNK_BYTES = 1024

_said = threading.local()


def _note_words(*words: Any) -> None:
    _said.words = b"".join(word for word in words if isinstance(word, bytes))


# mpremote prints what a board said before it gives up; we want it in the message instead.
setattr(transport_serial, "print", _note_words)  # noqa: B010 (a name that the module does not have)


class BoardLink:
    """An open port with a MicroPython in its raw REPL; opening it interrupts what runs on the board.

    `name` is how messages call the board; `answer_s` how long it may take to answer at first. Without `interrupt` what
    runs goes on: then only `ask`, `listen`, `enter_repl` and `close` make sense. Every method raises BoardError with
    the next physical step.
    """

    def __init__(self, port: str, name: str, answer_s: float, *, interrupt: bool = True) -> None:
        self.port = port
        self.name = name
        self._answer_s = answer_s
        self._transport: SerialTransport | None = None
        self._numbers = itertools.count(1)
        self._open()
        try:
            if interrupt:
                self.enter_repl(soft_reset=False)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Leave the raw REPL and close the port; a program that was interrupted stays so until a reset."""
        transport, self._transport = self._transport, None
        if transport is not None:
            # The port may be gone by now; there is nothing to say about that here.
            with contextlib.suppress(Exception):
                if transport.in_raw_repl:
                    transport.exit_raw_repl()
            with contextlib.suppress(Exception):
                transport.close()

    def enter_repl(self, *, soft_reset: bool) -> None:
        """Get the raw REPL; a soft reset gives a clean heap and runs boot.py, but not main.py."""
        transport = self._connected()
        deadline = time.monotonic() + self._answer_s
        attempts = 0
        while True:
            attempts += 1
            _said.words = b""
            with self._translating("talking to"):
                try:
                    transport.enter_raw_repl(soft_reset=soft_reset, timeout_overall=_ATTEMPT_S)
                    if attempts > 1:
                        self._settle(transport)
                    with contextlib.suppress(TransportExecError):
                        transport.exec(_HARMLESS)
                    return
                except TransportError:
                    if time.monotonic() > deadline:
                        raise self._no_answer(_said.words) from None

    def _settle(self, transport: SerialTransport) -> None:
        """Read the late answers to earlier attempts, and ask for the prompt once more."""
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < _QUIET_S:
            waiting = transport.serial.inWaiting()  # type: ignore[reportAttributeAccessIssue]
            if waiting:
                transport.serial.read(waiting)
                quiet_since = time.monotonic()
            time.sleep(0.01)
        transport.serial.write(b"\r\x01")
        transport.read_until(1, b"raw REPL; CTRL-B to exit\r\n", timeout_overall=_ATTEMPT_S)

    def execute(self, code: str) -> str:
        """Run code on the board and return what it printed."""
        with self._translating("talking to"):
            return self._connected().exec(code).decode(errors="replace")

    def evaluate(self, code: str) -> list[Any]:
        """Run code on the board that prints one literal a line; return them."""
        try:
            return [read_literal(line) for line in self.execute(code).splitlines() if line.strip()]
        except (ValueError, SyntaxError):
            raise BoardError(f"{self.name} answers nonsense. {_REPLUG}") from None

    def read_file(self, path: str) -> bytes | None:
        """Return the content of a file on the board, None where there is none."""
        with self._translating("reading from"):
            try:
                return bytes(self._connected().fs_readfile(path, chunk_size=_CHUNK_BYTES))
            except FileNotFoundError:
                return None

    def write_file(self, path: str, content: bytes, progress: Callable[[int], None]) -> None:
        """Write a file on the board; `progress` is told the bytes written so far."""
        with self._translating("writing to"):
            self._connected().fs_writefile(
                path, content, chunk_size=_CHUNK_BYTES, progress_callback=lambda written, _: progress(written)
            )

    def hard_reset(self) -> None:
        """Reset the chip: the board starts as after power-on. Then `listen`, `ask`, `reopen` or `close` make sense."""
        self._leave("reset")

    def start_loader(self) -> None:
        """Start the loader in the chip's ROM (a UF2 volume on RP2040 and RP2350); then only `close` makes sense."""
        self._leave("bootloader")

    def _leave(self, function: str) -> None:
        with self._translating("resetting"):
            transport = self._connected()
            transport.exec_raw_no_follow(f"import machine\nmachine.{function}()")
            transport.in_raw_repl = False
            # The board has acknowledged the command; give it the time to act before anybody closes the port.
            time.sleep(0.1)

    def resume(self) -> None:
        """Leave the raw REPL and start boot.py and main.py again, without a reset of the chip; then only `close`."""
        with self._translating("resuming"):
            transport = self._connected()
            transport.exit_raw_repl()
            transport.serial.write(b"\x04")

    def reopen(self) -> None:
        """Open the port again after a reset and interrupt what runs."""
        self._await_return()
        self.enter_repl(soft_reset=False)

    def listen(self, duration_s: float) -> str:
        """Return what the board prints in the next `duration_s` seconds, after a reset, undisturbed."""
        said = b""
        deadline = time.monotonic() + duration_s
        while time.monotonic() < deadline:
            try:
                port = self._connected().serial
                waiting = port.inWaiting()  # type: ignore[reportAttributeAccessIssue]
                said += port.read(waiting) if waiting else b""
            except _PORT_ERRORS:
                # A board with USB of its own takes its port away while it restarts.
                self._await_return()
            time.sleep(0.02)
        return said.decode(errors="replace")

    def ask(self, command: dict[str, Any], patience_s: float) -> dict[str, Any]:
        """Send a command to the unit that runs, and return its answer; everything else that it prints is dropped."""
        number = next(self._numbers)
        line = json.dumps({**command, "id": number}, separators=(",", ":"))
        deadline = time.monotonic() + patience_s
        said = b""
        with self._translating("talking to"):
            port = self._connected().serial
            # The empty line ends what may be left of an earlier one.
            port.write(f"\n{line}\n".encode())
            while time.monotonic() < deadline:
                waiting = port.inWaiting()  # type: ignore[reportAttributeAccessIssue]
                if not waiting:
                    time.sleep(0.01)
                    continue
                *lines, said = (said + port.read(waiting)).split(b"\n")
                for answer in map(_read_answer, lines):
                    if answer is not None and answer.get("id") == number:
                        return answer
        raise BoardError(
            f"{self.name} does not answer the command {command.get('do')!r}. Press its reset button, then try again; "
            "if that does not help, install the firmware again."
        )

    def _await_return(self) -> None:
        """Open the port again, which may be gone for a moment."""
        self.close()
        deadline = time.monotonic() + _RETURN_S
        while True:
            try:
                self._open()
                return
            except BoardError:
                if time.monotonic() > deadline:
                    raise BoardError(f"{self.name} did not come back after its reset. {_REPLUG}") from None
                time.sleep(0.1)

    def _open(self) -> None:
        trouble = explain_port(self.port)
        if trouble is not None:
            raise trouble
        with self._translating("opening"):
            try:
                self._transport = SerialTransport(self.port, timeout=_READ_S)
            except TransportError:
                raise explain_port(self.port) or BoardError(f"{self.port} cannot be opened. {_REPLUG}") from None

    def _connected(self) -> SerialTransport:
        if self._transport is None:
            raise BoardError(f"The connection to {self.name} is closed.")
        return self._transport

    def _no_answer(self, said: bytes) -> BoardError:
        trouble = explain_port(self.port)
        if trouble is not None:
            return trouble
        words = said.decode(errors="replace").strip()
        if not words:
            return BoardError(
                f"{self.name} is silent. {_REPLUG} If it stays silent, it has no MicroPython yet, or the cable carries "
                "only power."
            )
        return BoardError(
            f"{self.name} talks, but it is not a MicroPython that takes commands. It said: {words[-200:]!r}. "
            f"Press its reset button, then try again; if that does not help, install MicroPython."
        )

    @contextlib.contextmanager
    def _translating(self, doing: str) -> Iterator[None]:
        """Turn what a transport raises into words."""
        try:
            yield
        except TransportExecError as error:
            raise self._explain_board_error(error.error_output) from None
        except _PORT_ERRORS as error:
            if isinstance(error, OSError) and error.filename is None and error.errno == 28:
                raise self._explain_board_error("ENOSPC") from None
            raise BoardError(
                f"{self.name} vanished while {doing} it. {_REPLUG} Nothing is broken: the same command goes on where "
                "this one ended."
            ) from None
        except (TransportError, struct.error):
            raise BoardError(f"{self.name} fell silent while {doing} it. {_REPLUG}") from None

    def _explain_board_error(self, output: str) -> BoardError:
        lines = output.strip().splitlines() or ["nothing"]
        if re.search(r"ENOSPC|OSError: 28\b", output):
            return BoardError(f"{self.name} has no room left for files. Delete what does not belong to Leezenflow.")
        if "MemoryError" in output:
            return BoardError(f"{self.name} has too little memory left. Press its reset button, then try again.")
        return BoardError(f"{self.name} reports an error: {lines[-1]}")


def _read_answer(line: bytes) -> dict[str, Any] | None:
    """Return what a line `answer {...}` says, None for any other line."""
    head, found, rest = line.partition(b"answer {")
    if not found or head.strip():
        return None
    try:
        return json.loads(b"{" + rest)
    except ValueError:
        return None


_REPLUG = "Unplug the board, plug it in again, and repeat the command."
