# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The serial line of a running unit, as a host's command sees it: lines out, json lines in."""

import json
import time
from collections.abc import Callable
from typing import Any, Self

import serial


class SerialLine:
    """An open serial port to a unit that runs; nothing here interrupts it."""

    def __init__(self, port: str) -> None:
        self._port = serial.Serial(port, timeout=0.05)
        self._rest = b""
        self._number = 0
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._port.close()

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._port.write(data)

    def wait_for(self, wanted: Callable[[str], bool], what: str, patience_s: float = 60) -> str:
        """Return the next line that is wanted; all lines are kept in `lines`."""
        deadline = time.monotonic() + patience_s
        while True:
            self._rest += self._port.read(4096)
            *whole, self._rest = self._rest.split(b"\n")
            for index, line in enumerate(whole):
                text = line.decode(errors="replace").strip()
                self.lines.append(text)
                if wanted(text):
                    self._rest = b"\n".join([*whole[index + 1 :], self._rest])
                    return text
            assert time.monotonic() < deadline, f"waited in vain for {what}; the last lines are {self.lines[-5:]}"

    def answer(self, number: int | None, patience_s: float = 60) -> dict[str, Any]:
        """Return the answer with this number."""
        head = "answer "

        def is_ours(line: str) -> bool:
            return line.startswith(head) and json.loads(line[len(head) :])["id"] == number

        return json.loads(self.wait_for(is_ours, f"the answer {number}", patience_s)[len(head) :])

    def ask(self, verb: str, **more: Any) -> dict[str, Any]:
        """Give a command and return its answer."""
        self._number += 1
        self.write(json.dumps({"do": verb, "id": self._number, **more}).encode() + b"\n")
        return self.answer(self._number)
