# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit's time from a time server, on the unix MicroPython: what the engine is told, and when it no longer is."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from unix_device import run_script

# 2026-11-21 23:59:58.5 UTC, in seconds since 1900.
SECOND = 4_004_294_398

_SCRIPT = """
import asyncio, json
from leezenflow_device import sntp, ticks, timekeeping
from leezenflow_device.timekeeping import Timekeeper

sntp._ANSWER_MS = int(sys.argv[3])

class Clock(ticks.VirtualClock):
    looks = 0
    def ticks(self):
        # 60 ms from each look to the next: the answer is on its way for so long, too.
        self.looks += 1
        return (0x3FFFFFF0 + 60 * self.looks) & 0x3FFFFFFF

class Tracker:
    utc = "theirs"

class Engine:
    def __init__(self):
        self.told = []
        self.tracker = Tracker()
    def set_utc(self, ticks, ms_of_hour):
        self.told.append((clock.diff(clock.ticks(), ticks), ms_of_hour))

port, speed = int(sys.argv[1]), int(sys.argv[2])
clock = Clock(0, speed)
engine = Engine()
keeper = Timekeeper("127.0.0.1", clock, engine, port)
answered = asyncio.run(keeper._ask())
first = {}
keeper.report(first)
for _ in range(timekeeping._DISCIPLINED_S):
    keeper._grow_older()
aged = {}
keeper.report(aged)
kept = type(engine.tracker.utc).__name__
keeper._grow_older()
lost = {}
keeper.report(lost)
print(json.dumps([answered, engine.told, first, aged["utc_age_s"], kept, lost, type(engine.tracker.utc).__name__]))
"""


@contextmanager
def time_server(head: bytes = b"\x24\x02\x06\xec", *, foreign: bool = False) -> Iterator[int]:
    """A server on a free port that answers one question with SECOND and a half."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)

        def serve() -> None:
            try:
                question, sender = server.recvfrom(100)
            except OSError:
                return
            asked = bytes(8) if foreign else question[40:48]
            now = SECOND.to_bytes(4, "big") + b"\x80\x00\x00\x00"
            server.sendto(head + bytes(12) + now + asked + now + now, sender)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def keep(micropython: str, port: int, speed: int = 1, answer_ms: int = 20_000) -> list[Any]:
    """What a Timekeeper made of one question; the server of a busy computer is no slow one."""
    return json.loads(run_script(micropython, _SCRIPT, str(port), str(speed), str(answer_ms)).splitlines()[-1])


def test_the_engine_is_told_where_in_the_hour_it_is(micropython: str) -> None:
    with time_server() as port:
        answered, told, first, aged_s, kept, lost, after = keep(micropython, port)
    assert answered is True
    # Half a second and half of what the answer took, as it was when it came.
    assert told == [[60, 3_598_530]]
    assert first["utc_age_s"] == 0
    assert first["utc_fault"] == ""
    assert first["utc"].endswith("Z") and len(first["utc"]) == 20
    # Two days without an answer: no longer disciplined, and messages without a minute have none again.
    assert (aged_s, kept) == (172_800, "str")
    assert (lost["utc_age_s"], lost["utc"], after) == (None, None, "UtcHint")


def test_a_clock_that_runs_fast_tells_nobody_the_time(micropython: str) -> None:
    with time_server() as port:
        answered, told, *_ = keep(micropython, port, speed=100)
    assert answered is True
    assert told == []


@pytest.mark.parametrize(
    ("head", "foreign", "said"),
    [
        (b"\x23\x02\x06\xec", False, "answers something else"),
        (b"\x24\x02\x06\xec", True, "answers something else"),
        (b"\xe4\x02\x06\xec", False, "does not know the time itself"),
        (b"\x24\x10\x06\xec", False, "does not know the time itself"),
    ],
)
def test_what_is_no_time_sets_nothing(micropython: str, head: bytes, foreign: bool, said: str) -> None:
    with time_server(head, foreign=foreign) as port:
        answered, told, first, *_ = keep(micropython, port)
    assert (answered, told, first["utc"], first["utc_age_s"]) == (False, [], None, None)
    assert said in first["utc_fault"]


def test_no_server_is_a_fault_text(micropython: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    answered, told, first, *_ = keep(micropython, port, answer_ms=500)
    assert (answered, told) == (False, [])
    assert first["utc_fault"].startswith("no answer from 127.0.0.1")
