# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several sources in order of preference, on the unix MicroPython with sources that play a script in virtual time."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from brokers import MosquittoBroker, find_mosquitto, free_port, publish
from unix_device import SITE, UnixDevice, board, run_script

from leezenflow_host.boards.frames import FrameReceiver, Health

# A source says "m" (usable), "u" (not ours) or nothing, each 250 ms of its life; "x" ends it with an error.
_SCRIPT = """
import asyncio, gc, json
from leezenflow_device.transports import failover

plan = json.loads(PLAN)
log = []

class Clock:
    now = 0
    def ticks(self):
        return self.now & 0x3FFFFFFF
    def diff(self, later, earlier):
        return ((later - earlier + 0x20000000) & 0x3FFFFFFF) - 0x20000000
    async def sleep_ms(self, span_ms):
        until = self.now + span_ms
        while self.now < until:
            await asyncio.sleep_ms(0)
clock = Clock()
clock.network = clock
clock.now = plan["start"]

class Source:
    alive = 0
    def __init__(self, index):
        self.index = index
        self.listening = False
        self.fault = "fault of %d" % index
        self.beats = 0
        self.counters = {"messages": 0}
        log.append([clock.now - plan["start"], "made", index])
    async def run(self, sink):
        Source.alive += 1
        log.append([clock.now - plan["start"], "opened", self.index, Source.alive])
        self.listening = True
        try:
            while True:
                await clock.sleep_ms(250)
                self.beats += 1
                word = plan["sources"][self.index]
                at = (clock.now - plan["start"]) // 250
                word = word[at] if at < len(word) else word[-1]
                if word == "x":
                    raise OSError(5)
                if word in "mu":
                    self.counters["messages"] += 1
                    await sink.message(word.encode(), 0, 1, clock.ticks())
        finally:
            Source.alive -= 1
            log.append([clock.now - plan["start"], "closed", self.index])
    async def publish(self, word, payload, retain=False):
        return self.index

class Sink:
    async def message(self, buffer, start, end, ticks):
        return buffer == b"m"
    def reconnected(self):
        log.append([clock.now - plan["start"], "reconnected"])
    async def command(self, buffer, start, end):
        pass

room = plan["room"]
failover._has_room = lambda: room
feed = failover.Transport([lambda i=i: Source(i) for i in range(len(plan["sources"]))], plan["failover_s"], clock)

async def main():
    task = asyncio.create_task(feed.run(Sink()))
    beats = feed.beats
    beat_at = clock.now
    while clock.now < plan["start"] + plan["until_ms"]:
        for _ in range(12):
            await asyncio.sleep_ms(0)
        assert not task.done()
        if feed.beats != beats:
            beats = feed.beats
            beat_at = clock.now
        assert clock.now - beat_at <= 1000, "the watchdog would bite"
        clock.now += 250
    end = [clock.now - plan["start"], "end", feed.counters, feed.fault, await feed.publish("a", b"")]
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    log.append(end)

asyncio.run(main())
print(json.dumps(log))
"""


def play(micropython: str, *sources: str, until_s: int, failover_s: int = 5, room: bool = True) -> list[list[Any]]:
    """What happened, as [virtual ms, what, ...]; the clock wraps after 20 s."""
    plan = {
        "sources": sources,
        "failover_s": failover_s,
        "until_ms": until_s * 1000,
        "room": room,
        "start": (1 << 30) - 20_000,
    }
    said = run_script(micropython, f"PLAN = {json.dumps(plan)!r}\n{_SCRIPT}")
    return json.loads(said.splitlines()[-1])


def used(log: list[list[Any]]) -> list[int]:
    """The sources in the order they were made."""
    return [entry[2] for entry in log if entry[1] == "made"]


def test_the_preferred_source_stays_while_it_is_of_use(micropython: str) -> None:
    log = play(micropython, "m", "m", until_s=60)
    assert used(log) == [0]
    assert log[-1][2:] == [
        {"source": 0, "switches": 0, "probes": 0, "messages": log[-1][2]["messages"]},
        "fault of 0",
        0,
    ]


@pytest.mark.parametrize("mute", [".", "u"], ids=["silent", "not ours"])
def test_a_source_without_use_is_left_for_the_next(micropython: str, mute: str) -> None:
    log = play(micropython, mute, "m", until_s=30)
    assert used(log) == [0, 1]
    switched = next(entry for entry in log if entry[1] == "reconnected")
    assert 5_000 < switched[0] < 6_500
    assert [entry[3] for entry in log if entry[1] == "opened"] == [1, 1], "never two at a time"
    assert log[-1][2]["source"] == 1 and log[-1][4] == 1


def test_a_source_that_breaks_off_later_is_left(micropython: str) -> None:
    log = play(micropython, "m" * 40 + ".", "m", until_s=30)
    assert used(log) == [0, 1]
    assert 15_000 <= next(entry for entry in log if entry[1] == "reconnected")[0] < 16_500


def test_an_error_of_a_source_ends_nothing(micropython: str) -> None:
    log = play(micropython, "x", "m", until_s=20)
    assert used(log) == [0, 1]
    assert next(entry for entry in log if entry[1] == "reconnected")[0] < 3_000


def test_all_are_tried_in_turn_for_ever(micropython: str) -> None:
    log = play(micropython, ".", "x", ".", until_s=40)
    assert used(log)[:7] == [0, 1, 2, 0, 1, 2, 0]
    assert log[-1][2]["switches"] >= 6


def test_the_better_one_is_watched_beside_the_present_feed(micropython: str) -> None:
    # The preferred one is back after 100 s; the present one goes on until it has proven itself.
    log = play(micropython, "." * 400 + "m", "m", until_s=400)
    assert log[-1][2]["source"] == 0
    assert log[-1][2]["switches"] == 2
    openings = [entry for entry in log if entry[1] == "opened"]
    assert max(entry[3] for entry in openings) == 2
    returned = [entry for entry in log if entry[1] == "reconnected"][-1]
    closed = next(entry for entry in log if entry[1] == "closed" and entry[2] == 1)
    assert closed[0] == returned[0], "until then, the lesser one fed"


def test_a_better_one_that_stays_mute_is_asked_less_and_less(micropython: str) -> None:
    log = play(micropython, ".", "m", until_s=2_000)
    probes = [entry[0] // 1000 for entry in log if entry[1] == "made" and entry[2] == 0][1:]
    pauses = [later - earlier for earlier, later in itertools.pairwise(probes)]
    assert len(probes) >= 3 and all(later >= 2 * earlier - 10 for earlier, later in itertools.pairwise(pauses))
    assert log[-1][2]["source"] == 1 and log[-1][2]["switches"] == 1


def test_without_room_for_two_it_changes_over_now_and_then(micropython: str) -> None:
    log = play(micropython, "." * 800 + "m", "m", until_s=2_000, room=False)
    assert all(entry[3] == 1 for entry in log if entry[1] == "opened"), "never two at a time"
    assert log[-1][2]["source"] == 0
    changes = [entry[0] for entry in log if entry[1] == "reconnected"]
    assert changes[1] - changes[0] > 600_000, "a trial costs the feed: not often"


@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed: failover is not covered end to end")
def test_a_unit_changes_to_the_second_broker_and_says_so(micropython: str, tmp_path: Path) -> None:
    ports = free_port(), free_port()
    device = UnixDevice(micropython, tmp_path / "device")
    site = json.loads(json.dumps(SITE))
    sources = [f"mqtt://127.0.0.1:{port}/spat/1?unit_topic=u&reserve_bytes=2048" for port in ports]
    site["signal"].update(source=sources[0], more_sources=sources[1:], failover_s=8)
    device.configure(site, board(health_s=1))
    (tmp_path / "second").mkdir()
    second = MosquittoBroker(ports[1], tmp_path / "second")
    second.start()
    try:
        with FrameReceiver() as receiver, device.running(receiver.url):
            reports = (record.report for record in receiver.records(60) if isinstance(record, Health))
            listening = next(report for report in reports if report["listening"])
            assert (listening["transport"]["source"], listening["transport"]["switches"]) == (1, 1)
            # Nothing of it is of use, so that the unit goes on to and fro between its sources.
            for report in reports:
                if report["transport"].get("messages", 0) >= 1:
                    break
                publish(ports[1], "spat/1", b"x")
            else:
                pytest.fail("no message came by the second broker")
            assert report["transport"]["source"] == 1
    finally:
        second.stop()
