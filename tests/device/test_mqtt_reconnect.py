# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the MQTT transport comes back: to a broker that moved, after a week, where a network only seems to be there."""

import itertools
import json
import socket
from typing import Any

from test_mqtt_transport import ScriptedBroker, serve_well
from unix_device import run_script

_MOVED = """
import asyncio, json, socket
import leezenflow_device
from leezenflow.source_url import parse_source
from leezenflow_device import ticks
from leezenflow_device.transports import mqtt
ports = json.loads(sys.argv[1])
looked = []

class names:
    @staticmethod
    async def find(host, port):
        looked.append((host, port))
        return socket.getaddrinfo("127.0.0.1", ports[min(len(looked), len(ports)) - 1], 0, socket.SOCK_STREAM)[0]

leezenflow_device.names = sys.modules["leezenflow_device.names"] = names
mqtt.forget = lambda module: None
mqtt._ANSWER_MS = 2000

class Sink:
    async def message(self, buffer, start, end, ticks):
        print(json.dumps(looked))
        raise SystemExit
    def reconnected(self):
        pass

clock = ticks.make_clock({"ticks_start": 0, "ticks_speed": 1})
asyncio.run(mqtt.Transport(parse_source("mqtt://moved.example/t"), {}, clock).run(Sink()))
"""


def test_a_broker_that_moved_is_looked_up_again(micropython: str) -> None:
    # At its old address something takes the connection and says nothing, or lets it run into the void.
    with (
        socket.create_server(("127.0.0.1", 0)) as old,
        ScriptedBroker(lambda connection, number: serve_well(connection)) as new,
    ):
        said = run_script(micropython, _MOVED, json.dumps([old.getsockname()[1], new.port])).splitlines()
    assert json.loads(said[-1])[:2] == [["moved.example", 1883]] * 2


_LOSSES = """
import asyncio, json
from leezenflow.source_url import parse_source
from leezenflow_device import networks
from leezenflow_device.transports import mqtt

class Clock:
    now = 0x3FFFFF00
    def ticks(self):
        return self.now & 0x3FFFFFFF
    def add(self, ticks, span_ms):
        return (ticks + span_ms) & 0x3FFFFFFF
    def diff(self, later, earlier):
        return ((later - earlier + 0x20000000) & 0x3FFFFFFF) - 0x20000000
    async def sleep_ms(self, span_ms):
        self.now += span_ms
        await asyncio.sleep_ms(0)
clock = Clock()
clock.network = clock
spans = json.loads(sys.argv[1])
seen = []

class Running:
    def __init__(self, span_ms):
        self.until = clock.now + span_ms
    def done(self):
        return clock.now >= self.until

class Lossy(mqtt.Transport):
    async def _send(self, packet):
        self._heard_at = self._sent_at = clock.ticks()  # and the answer is there
    async def _serve(self, sink):
        seen.append([clock.now, networks.doubted])
        networks.doubted = False
        if not spans:
            raise SystemExit
        span_ms = spans.pop(0)
        if span_ms:
            self.listening = True
            await self._send(None)
            await self._keep(Running(span_ms))
            self.listening = False
        raise OSError(104, "lost")

try:
    asyncio.run(Lossy(parse_source("mqtt://127.0.0.1/t"), {}, clock).run(None))
except SystemExit:
    pass
print(json.dumps(seen))
"""
_DAY_MS = 86_400_000


def serve_for(micropython: str, *spans_ms: int) -> list[list[Any]]:
    """When each connection was tried, and whether the network was doubted then; each holds for one of the spans."""
    said = run_script(micropython, _LOSSES, json.dumps(spans_ms)).splitlines()
    return json.loads(said[-1])


def test_a_connection_that_held_for_a_week_was_a_good_one(micropython: str) -> None:
    # Ticks wrap: after more than six days a difference to the beginning is negative.
    tried = serve_for(micropython, *[0] * 8, 7 * _DAY_MS, 0)
    before, lost, again = tried[8][0], tried[8][0] + 7 * _DAY_MS, tried[9][0]
    assert before - tried[7][0] > 10_000, "the pauses have grown"
    assert 0 < again - lost < 1_500
    assert not any(doubted for _, doubted in tried)


def test_who_reaches_nobody_for_long_doubts_the_network(micropython: str) -> None:
    tried = serve_for(micropython, 60_000, *[0] * 80)
    doubts = [at - tried[0][0] for at, doubted in tried if doubted]
    assert len(doubts) >= 2, "and again, as long as it lasts"
    assert 600_000 <= doubts[0] - 60_000 < 700_000
    assert all(later - earlier >= 600_000 for earlier, later in itertools.pairwise(doubts))
