# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transports without a sender of messages, on a real MicroPython: lamps on (fake) pins, and a clock set by SNTP."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from transport_child import TransportChild
from unix_device import HEAP_KB, ROOT

# A clock that only moves when the script says so: no luck in it.
_CLOCK = """
import asyncio, json, sys
sys.path[:0] = [sys.argv[1] + "/firmware", sys.argv[1] + "/signal_adapters"]

class Clock:
    now = 0
    def ticks(self):
        return (0x3FFFFE00 + self.now) & 0x3FFFFFFF
    def diff(self, later, earlier):
        return ((later - earlier + 0x20000000) & 0x3FFFFFFF) - 0x20000000
    def add(self, ticks, span_ms):
        return (ticks + span_ms) & 0x3FFFFFFF
    async def sleep_ms(self, span_ms):
        until = self.now + span_ms
        await asyncio.sleep_ms(0)
        while self.now < until:
            await asyncio.sleep_ms(0)
clock = Clock()
clock.network = clock
"""

# Pins that show a signal by the clock: red for 0.6 s, green for 0.6 s, dark; and a pause in which nobody samples.
_LAMPS = (
    _CLOCK
    + """
from leezenflow.source_url import parse_source
from leezenflow_adapters.lamp_sense import Decoder

class Pin:
    IN = PULL_UP = 1
    PULL_DOWN = 2
    low = True
    def __init__(self, number, mode, pull):
        self.number = number
        print(json.dumps(["pin", number, pull]))
    def value(self):
        lit = {2: (0, 600), 4: (600, 1200)}.get(self.number, (0, 0))
        on = lit[0] <= clock.now < lit[1]
        return int(on != Pin.low)

class machine:
    Pin = Pin

sys.modules["machine"] = machine
decoder = Decoder(None, 1090, 12)
states = []
counted = 0

class Sink:
    async def message(self, buffer, start, end, ticks):
        global counted
        decoder.decode(buffer, start, end)
        counted += (end - start - 5) * buffer[4]
        state = decoder.state.movement.events[0].event_state
        if not states or states[-1] != state:
            states.append(state)

async def pass_time(until_ms):
    while clock.now < until_ms:
        for _ in range(3):  # whoever has slept enough goes on, and sleeps again
            await asyncio.sleep_ms(0)
        clock.now += 1

async def main():
    source = parse_source(sys.argv[2])
    Pin.low = "active_low=0" not in sys.argv[2]
    from leezenflow_device.transports import lamps
    transport = lamps.Transport(source, {}, clock)
    task = asyncio.create_task(transport.run(Sink()))
    await pass_time(1000)
    seen_ms, passed_ms = counted, clock.now
    await pass_time(3200)
    beats = transport.beats
    clock.now += 600
    await pass_time(clock.now + 300)
    print(json.dumps(["states", states]))
    print(json.dumps(["counters", transport.counters, beats > 10 and transport.listening]))
    print(json.dumps(["time", abs(passed_ms - seen_ms) <= 300]))
    print(json.dumps(["published", await transport.publish("health", b"")]))

asyncio.run(main())
"""
)


def run_lamps(micropython: str, source: str) -> dict[str, list[Any]]:
    """What the script tells, by its first word (of several pins the last)."""
    result = subprocess.run(
        [micropython, "-X", f"heapsize={HEAP_KB}k", "-c", _LAMPS, str(ROOT), source],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return {line[0]: line[1:] for line in map(json.loads, result.stdout.splitlines())}


@pytest.mark.parametrize(
    ("source", "pull"), [("lamps://?red=2&green=4", 1), ("lamps://?red=2&amber=3&green=4&active_low=0", 2)]
)
def test_lamps_on_pins(micropython: str, source: str, pull: int):
    told = run_lamps(micropython, source)
    assert told["states"] == [[3, 6, 0]] or told["states"] == [[0, 3, 6, 0]]
    assert told["pin"] == [4, pull]
    assert told["time"] == [True]
    assert told["published"] == [False]
    counters, alive = told["counters"]
    assert counters["messages"] >= 12
    assert counters["missed"] >= 1
    assert alive


@pytest.mark.parametrize(
    ("source", "said"),
    [("lamps://?red=2", "names no pins"), ("lamps://?red=2&green=99", "green"), ("clock://", "names no time server")],
)
def test_a_wrong_source_is_refused(micropython: str, source: str, said: str):
    with (
        TransportChild(micropython, source) as child,
        pytest.raises(AssertionError, match="the transport ended") as failure,
    ):
        child.wait_for("listening", True)
    assert said in str(failure.value)


@contextmanager
def time_server(answers: list[bytes | None]) -> Iterator[int]:
    """Answer SNTP questions on a loopback port: with these bytes (from byte 32 on 16 of the times), then not at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def serve() -> None:
            for answer in answers:
                question, address = sock.recvfrom(100)
                assert (len(question), question[0]) == (48, 0x23)
                if answer is not None:
                    sock.sendto(answer[:24] + question[40:48] + answer[32:], address)

        threading.Thread(target=serve, daemon=True).start()
        yield sock.getsockname()[1]


def ntp_answer(second: int, head: bytes = b"\x24\x02\x06\xec") -> bytes:
    """An answer that says so many seconds since 1900 (modulo an era), and a quarter."""
    return head + bytes(36) + (second % (1 << 32)).to_bytes(4, "big") + b"\x40\0\0\0"


_TICKS = (
    _CLOCK
    + """
from leezenflow.source_url import parse_source
from leezenflow_device import sntp
from leezenflow_device.transports.clock import Transport

if sys.argv[4] == "answers":
    sntp._ANSWER_MS = 20000  # a busy computer's server is no slow one

async def sleep_ms(span_ms):
    await asyncio.sleep_ms(0)
    clock.now += span_ms
clock.sleep_ms = sleep_ms

class Done(Exception):
    pass

class Sink:
    left = int(sys.argv[3])
    async def message(self, buffer, start, end, ticks):
        print(json.dumps(["tick", bytes(buffer[start:end]).decode()]))
        Sink.left -= 1
        if not Sink.left:
            raise Done

async def main():
    transport = Transport(parse_source(sys.argv[2]), {}, clock)
    try:
        await transport.run(Sink())
    except Done:
        print(json.dumps(["counters", transport.counters, transport.fault]))
    print(json.dumps(["published", await transport.publish("health", b"")]))

asyncio.run(main())
"""
)


def run_clock(micropython: str, answers: list[bytes | None], count: int) -> tuple[list[list[str]], dict[str, int], str]:
    """The ticks of a clock that gets these answers, its counters and its fault."""
    with time_server(answers) as port:
        result = subprocess.run(
            [
                *(micropython, "-X", f"heapsize={HEAP_KB}k", "-c", _TICKS, str(ROOT), f"clock://127.0.0.1:{port}"),
                *(str(count), "silent" if None in answers else "answers"),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert result.returncode == 0, result.stdout + result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[-1] == ["published", False]
    return [line[1].split() for line in lines if line[0] == "tick"], lines[-2][1], lines[-2][2]


# 2026-12-31T23:59:58Z, and the same instant of 2036 (which is in the next era of NTP).
LAST_OF_2026 = 1_798_761_598 + 2_208_988_800
LAST_OF_2036 = 2_114_380_798 + 2_208_988_800


@pytest.mark.parametrize(("second", "year", "minutes"), [(LAST_OF_2026, 2026, 525_600), (LAST_OF_2036, 2036, 527_040)])
def test_the_clock_ticks_from_what_the_server_says(micropython: str, second: int, year: int, minutes: int):
    ticks, counters, fault = run_clock(micropython, [ntp_answer(second)], 3)
    assert ticks == [
        [str(year), str(minutes - 1), "58250", "0"],
        # From then on at each full second, and into the new year.
        [str(year), str(minutes - 1), "59000", "0"],
        [str(year + 1), "0", "0", "1"],
    ]
    assert (counters, fault) == ({"messages": 3, "synced": 1, "refused": 0}, "")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "no answer"),
        (b"short", "something else"),
        (ntp_answer(LAST_OF_2026, b"\x23\x02\x06\xec"), "something else"),
        (ntp_answer(LAST_OF_2026, b"\xe4\x02\x06\xec"), "does not know"),
        (ntp_answer(LAST_OF_2026, b"\x24\x00\x06\xec"), "does not know"),
        (ntp_answer(LAST_OF_2026, b"\x24\x10\x06\xec"), "does not know"),
    ],
)
def test_without_a_good_answer_the_clock_was_never_set(micropython: str, answer: bytes | None, said: str):
    ticks, counters, fault = run_clock(micropython, [answer], 1)
    assert ticks[0][3] == "-"
    assert counters["refused"] == 1
    assert said in fault
