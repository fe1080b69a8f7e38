# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only weeks or a heap without room show: reports and commands on the unix MicroPython, with both played."""

import json
import subprocess

from unix_device import ROOT, run_script

_REPORTS = """
import asyncio, json
from leezenflow_device import health
DAY = 86_400_000

class Clock:
    now = 0
    def ticks(self):
        return self.now & 0x3FFFFFFF
    def diff(self, later, earlier):
        return ((later - earlier + 0x20000000) & 0x3FFFFFFF) - 0x20000000

class App:
    clock = Clock()
    message_at = 0
"""


def test_a_message_of_two_weeks_ago_is_not_young_again(micropython: str) -> None:
    script = """
app = App()
ages = []
for hour in range(14 * 24):
    app.clock.now = hour * 3_600_000 + 1
    ages.append(health._age_ms(app))
app.message_at = app.clock.ticks()
app.clock.now += 1_000
print(json.dumps([ages[0], ages[6 * 24], ages[7 * 24], ages[13 * 24], health._age_ms(app)]))
"""
    said = run_script(micropython, _REPORTS + script)
    # Milliseconds wrap after 12.4 days, and half of that is what can be told.
    assert json.loads(said) == [1, 6 * 86_400_000 + 1, None, None, 1_000]


def test_a_report_without_room_in_memory_is_left_out_and_the_next_one_comes(micropython: str) -> None:
    script = """
class Short(health.Health):
    tried = 0
    def report(self, app, fresh=True):
        self.tried += 1
        if self.tried < 3:
            raise MemoryError
        raise SystemExit

class Network:
    async def sleep_ms(self, span_ms):
        await asyncio.sleep_ms(0)
Clock.network = Network()
reports = Short(1)
try:
    asyncio.run(reports.run(App()))
except SystemExit:
    print(json.dumps([reports.tried, reports.unsent]))
"""
    assert json.loads(run_script(micropython, _REPORTS + script)) == [3, 2]


def test_a_question_for_the_time_without_room_in_memory_is_a_fault(micropython: str) -> None:
    script = """
import asyncio, json
from leezenflow.source_url import parse_source
from leezenflow_device import sntp, ticks, timekeeping
from leezenflow_device.transports import clock
async def no_room(host, port, clock):
    raise MemoryError
sntp.ask = no_room
time = ticks.make_clock({"ticks_start": 0, "ticks_speed": 1})
keeper = timekeeping.Timekeeper("127.0.0.1", time, None)
feed = clock.Transport(parse_source("clock://127.0.0.1"), {}, time)
async def ask():
    await feed._synchronise()
    return await keeper._ask()
print(json.dumps([asyncio.run(ask()), keeper.fault, feed.fault, feed.counters["refused"]]))
"""
    words = "no room in memory for the question"
    assert json.loads(run_script(micropython, script)) == [False, words, words, 1]


_COMMANDS = """
import asyncio, json
from leezenflow_device.commands import Commands
async def ask(line):
    return (await Commands(None, {"echo": lambda app, command: {}}).handle(line)).decode()
for line in %r:
    print(asyncio.run(ask(line)))
"""


def test_lists_within_lists_come_back_from_nowhere(micropython: str) -> None:
    deep = b"[" * 3_000 + b"]" * 3_000
    lines = [
        b'{"do":"echo","id":' + deep + b"}",
        b'{"id":7,"do":' + deep + b"}",
        b'{"id":' + deep + b',"do":' + deep + b"}",
        b'{"do":"echo","id":8}',
        b'{"do":"echo","id":"nine"}',
    ]
    answers = [json.loads(line) for line in run_script(micropython, _COMMANDS % lines).splitlines()]
    assert [(answer["id"], answer["ok"]) for answer in answers] == [
        *((None, True), (7, False), (None, False), (8, True), ("nine", True))
    ]
    assert "names no verb" in answers[1]["error"]


_LINES = """
import asyncio, json
from leezenflow_device.commands import Commands

class Short(Commands):
    tried = 0
    async def handle(self, line):
        self.tried += 1
        if self.tried == 1:
            raise MemoryError
        return b'{"id":2,"ok":true}'
asyncio.run(Short(None).run())
print("the line ended")
"""


def test_a_command_without_room_in_memory_is_refused(micropython: str) -> None:
    head = f"import sys\nsys.path[:0] = [{str(ROOT / 'firmware')!r}]\n"
    done = subprocess.run(
        [micropython, "-c", head + _LINES],
        input='{"do":"health","id":1}\n{"do":"health","id":2}\n',
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    first, second, last = done.stdout.splitlines()
    assert first.startswith("answer ") and "no room" in first and json.loads(first[7:])["ok"] is False
    assert second == 'answer {"id":2,"ok":true}'
    assert last == "the line ended"
