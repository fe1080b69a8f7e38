# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A transport alone on the unix MicroPython: it tells on stdout, one json list a line, what reaches its sink."""

import json
import os
import queue
import subprocess
import threading
from typing import Any, Self

from unix_device import HEAP_KB, ROOT

_SCRIPT = """
import asyncio, binascii, gc, json, os, sys
sys.path[:0] = [sys.argv[1] + "/firmware", sys.argv[1] + "/signal_adapters"]
from leezenflow.source_url import parse_source
from leezenflow_device import ticks

def tell(*what):
    print(json.dumps(what))

class Sink:
    async def message(self, buffer, start, end, ticks):
        tell("message", end - start, binascii.crc32(bytes(memoryview(buffer)[start:end])), ticks)
        await asyncio.sleep_ms(int(os.getenv("CHILD_SINK_MS")))
    def reconnected(self):
        tell("reconnected")
    async def command(self, buffer, start, end):
        tell("command", bytes(memoryview(buffer)[start:end]).decode())

async def main():
    source = parse_source(os.getenv("CHILD_SOURCE"))
    module = __import__("leezenflow_device.transports." + source.scheme, None, None, ("Transport",))
    clock = ticks.make_clock({"ticks_start": 0, "ticks_speed": 1})
    transport = module.Transport(source, json.loads(os.getenv("CHILD_SECRETS")), clock, "test")
    task = asyncio.create_task(transport.run(Sink()))
    listening = None
    counters = None
    turns = 0
    while not task.done():
        if transport.listening != listening:
            listening = transport.listening
            tell("listening", listening)
        if transport.counters != counters:
            counters = dict(transport.counters)
            tell("counters", counters)
        await asyncio.sleep_ms(10)
        turns += 1
        if len(sys.argv) > 3:
            tell("turn", turns, gc.mem_alloc())
        if sys.argv[2]:
            await transport.publish("health", sys.argv[2].encode())
    await task

asyncio.run(main())
"""


class TransportChild:
    """Runs a transport in a process of its own as long as the context; `events` is all it told so far."""

    def __init__(
        self,
        micropython: str,
        source: str,
        secrets: dict[str, Any] | None = None,
        say: str = "",
        heap_kb: int = HEAP_KB,
        turns: bool = False,
        sink_ms: int = 0,
    ) -> None:
        """With `turns` it also tells, about a hundred times a second, that its other tasks have their turn.

        The sink takes `sink_ms` for each message.
        """
        self.events: list[list[Any]] = []
        self.other_output: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(
            [
                *(micropython, "-X", f"heapsize={heap_kb}k", "-c", _SCRIPT),
                *(str(ROOT), say, *(["turns"] if turns else [])),
            ],
            # This MicroPython takes no argument of more than 255 characters.
            env={
                **os.environ,
                "CHILD_SOURCE": source,
                "CHILD_SECRETS": json.dumps(secrets or {}),
                "CHILD_SINK_MS": str(sink_ms),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def counters(self) -> dict[str, int]:
        """The counters last told."""
        return next((event[1] for event in reversed(self.events) if event[0] == "counters"), {})

    def wait_for(self, *event: Any, timeout_s: float = 20) -> list[Any]:
        """Return the next event that begins with these items; those before it are in `events` too."""
        while True:
            known = len(self.events)
            self._take(event, timeout_s)
            if len(self.events) > known and self.events[-1][: len(event)] == list(event):
                return self.events[-1]

    def wait_until_told(self, *event: Any, timeout_s: float = 20) -> list[Any]:
        """Return the first event that begins with these items, whether it is told already or yet to come."""
        for told in self.events:
            if told[: len(event)] == list(event):
                return told
        return self.wait_for(*event, timeout_s=timeout_s)

    def wait_for_output(self, words: str, timeout_s: float = 20) -> str:
        """Return the first printed line with these words that is not an event."""
        while True:
            for line in self.other_output:
                if words in line:
                    return line
            self._take(words, timeout_s)

    def _take(self, wanted: Any, timeout_s: float) -> None:
        """Take one line into `events` or `other_output`."""
        try:
            line = self._lines.get(timeout=timeout_s)
        except queue.Empty:
            raise AssertionError(f"no {wanted} within {timeout_s} s; came: {self.events} {self.other_output}") from None
        assert line is not None, f"the transport ended: {self.events} {''.join(self.other_output)}"
        if line.startswith("["):
            self.events.append(json.loads(line))
        else:
            self.other_output.append(line)

    def wait_for_counter(self, name: str, value: int, timeout_s: float = 20) -> None:
        """Wait until a counter has reached a value."""
        while self.counters.get(name, 0) < value:
            self.wait_for("counters", timeout_s=timeout_s)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)
