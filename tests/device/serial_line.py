# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The serial line of a running unit, as a host's command sees it: lines out, json lines in."""

import json
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import serial


class SerialLine:
    """An open serial port to a unit that runs; nothing here interrupts it."""

    def __init__(self, port: str) -> None:
        self._port = serial.Serial(port, timeout=0.05)
        self._number = 0
        # Lines are read at once, whatever the test does meanwhile: a unit does not wait for a host that does not read.
        self._unread: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._reader = threading.Thread(target=self._read, name="serial line", daemon=True)
        self._reader.start()
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._reader.join()
        self._port.close()

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._port.write(data)

    def wait_for(self, wanted: Callable[[str], bool], what: str, patience_s: float = 60) -> str:
        """Return the next line that is wanted; all lines up to it are kept in `lines`."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                line = self._unread.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"waited in vain for {what}; the last lines are {self.lines[-5:]}") from None
            self.lines.append(line)
            if wanted(line):
                return line

    def _read(self) -> None:
        rest = b""
        while not self._stop.is_set():
            try:
                rest += self._port.read(4096)
            except serial.SerialException:
                return  # unplugged: who waits for a line says what for
            *whole, rest = rest.split(b"\n")
            for line in whole:
                self._unread.put(line.decode(errors="replace").strip())

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
