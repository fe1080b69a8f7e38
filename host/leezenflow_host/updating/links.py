# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to give a running unit commands; here, its serial line. Nothing is interrupted: the picture goes on."""

import contextlib
import json
import random
import time
from typing import Any, Protocol

import serial

from leezenflow_host.boards.port_trouble import explain_port
from leezenflow_host.closing import Closing
from leezenflow_host.errors import BoardError

_ANSWER = b"answer "
_RETURN_S = 20.0
_POLL_S = 0.05


class UnitLink(Protocol):
    """A way to one unit; `name` is how messages call it."""

    name: str

    def ask(self, command: dict[str, Any], patience_s: float = 10.0) -> dict[str, Any]:
        """Return the unit's answer to a command, whatever it says; BoardError when none comes."""
        ...

    def close(self) -> None:
        """Let go of the way."""
        ...


class SerialLink(Closing):
    """The serial line of a unit that runs; survives that the port goes away while the unit restarts."""

    def __init__(self, port: str) -> None:
        self.name = port
        self._port: serial.Serial | None = None
        self._rest = b""
        self._number = random.randrange(1 << 20)
        self._open()

    def close(self) -> None:
        """Close the port; the unit runs on."""
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError, serial.SerialException):
                port.close()

    def ask(self, command: dict[str, Any], patience_s: float = 10.0) -> dict[str, Any]:
        """Return the answer to a command; BoardError when none comes."""
        self._number += 1
        line = json.dumps({**command, "id": self._number}, separators=(",", ":")).encode()
        deadline = time.monotonic() + patience_s
        try:
            # The empty line ends what may be left of an earlier one.
            self._write(b"\n" + line + b"\n")
            while time.monotonic() < deadline:
                answer = self._read_answer()
                # Without an id the unit could not read the line.
                if answer is not None and answer.get("id") in (self._number, None):
                    return answer
        except (OSError, serial.SerialException):
            self._reopen(max(deadline, time.monotonic() + _RETURN_S))
        raise BoardError(
            f"{self.name} does not answer the command {command.get('do')!r}. Is it a unit that runs? Otherwise press "
            "its reset button, then try again."
        )

    def _write(self, data: bytes) -> None:
        assert self._port is not None
        self._port.write(data)

    def _read_answer(self) -> dict[str, Any] | None:
        assert self._port is not None
        self._rest += self._port.read(max(1, self._port.in_waiting))
        while b"\n" in self._rest:
            line, _, self._rest = self._rest.partition(b"\n")
            if line.startswith(_ANSWER):
                with contextlib.suppress(ValueError):
                    answer = json.loads(line[len(_ANSWER) :])
                    if isinstance(answer, dict):
                        return answer
        return None

    def _open(self) -> None:
        trouble = explain_port(self.name)
        if trouble is not None:
            raise trouble
        try:
            self._port = serial.Serial(self.name, 115200, timeout=_POLL_S, write_timeout=5, exclusive=True)
        except (OSError, serial.SerialException) as error:
            raise explain_port(self.name) or BoardError(f"{self.name} cannot be opened ({error}).") from None
        self._rest = b""

    def _reopen(self, deadline: float) -> None:
        self.close()
        while True:
            try:
                self._open()
                return
            except BoardError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
