# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The serial line of a unit that runs: commands out, lines in; nothing here interrupts it."""

import contextlib
import itertools
import json
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import serial

from leezenflow_host.boards.port_trouble import explain_port
from leezenflow_host.closing import Closing
from leezenflow_host.errors import BoardError

_READ_S = 0.05
_WRITE_S = 2.0
# What is kept of everything a unit said.
_LOG_LINES = 2_000
# A unit's longest line is a picture, 6 kB; what has no end of line by then is no unit's.
_MAX_LINE_BYTES = 64 * 1024


@dataclass(frozen=True)
class UnitMessage:
    """One line that a unit meant for us: `kind` is "answer", "health" or "advice", `values` its json."""

    kind: str
    values: dict[str, Any]


class UnitLine(Closing):
    """An open port with a unit behind it; `log` are its last lines, `at_prompt` says that an interpreter waits there.

    BoardError, with the next physical step, when the port cannot be used or goes away.
    """

    def __init__(self, port: str) -> None:
        trouble = explain_port(port)
        if trouble is not None:
            raise trouble
        self.port = port
        self.log: deque[str] = deque(maxlen=_LOG_LINES)
        self.at_prompt = False
        self._numbers = itertools.count(1)
        self._rest = b""
        try:
            self._serial = serial.serial_for_url(port, 115200, timeout=_READ_S, write_timeout=_WRITE_S, exclusive=True)
        except (OSError, ValueError) as error:
            raise explain_port(port) or BoardError(f"{port} cannot be opened ({error}). {_REPLUG}") from None

    def close(self) -> None:
        """Let go of the port."""
        with contextlib.suppress(OSError):
            self._serial.close()

    def send(self, do: str, **more: Any) -> int:
        """Send a command; returns the number that its answer will carry."""
        number = next(self._numbers)
        # The empty line ends what may be left of an earlier one.
        line = "\n" + json.dumps({"do": do, "id": number, **more}, separators=(",", ":")) + "\n"
        try:
            self._serial.write(line.encode())
        except (OSError, TypeError) as error:
            raise self._gone(error) from None
        return number

    def receive(self, timeout_s: float) -> list[UnitMessage]:
        """What the unit told us within `timeout_s`: returns with the first lines that come."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = [message for message in map(_read_line, self._take()) if message is not None]
            if found or time.monotonic() >= deadline:
                return found

    def ask(self, do: str, patience_s: float, **more: Any) -> dict[str, Any] | None:
        """The answer to a command, None when none comes in time or an interpreter's prompt does."""
        self.at_prompt = False
        number = self.send(do, **more)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline and not self.at_prompt:
            for message in self.receive(_READ_S):
                if message.kind == "answer" and message.values.get("id") == number:
                    return message.values
        return None

    def _take(self) -> list[str]:
        """The lines that are complete by now."""
        try:
            data = self._serial.read(1)
            data += self._serial.read(min(self._serial.in_waiting, _MAX_LINE_BYTES))
        except (OSError, TypeError) as error:
            # pyserial: a port that went away while it was read may also show as a TypeError.
            raise self._gone(error) from None
        *whole, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_MAX_LINE_BYTES:]
        lines = [line.decode(errors="replace").rstrip("\r") for line in whole]
        self.log.extend(line for line in lines if line)
        if self._rest.endswith(b">>> ") or any(line.startswith(">>> ") for line in lines):
            self.at_prompt = True
        return lines

    def _gone(self, error: Exception) -> BoardError:
        return BoardError(f"The board at {self.port} vanished ({error}). {_REPLUG}")


def _read_line(line: str) -> UnitMessage | None:
    kind, _, rest = line.partition(" ")
    if kind not in ("answer", "health", "advice") or not rest.startswith("{"):
        return None
    try:
        return UnitMessage(kind, json.loads(rest))
    except (ValueError, RecursionError):
        return None  # cut short; the next one will do


_REPLUG = "Unplug the board, plug it in again, and repeat the command."
