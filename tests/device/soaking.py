# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hours of a unit's life in minutes: a virtual board under a fast clock, a broker that fails, a feed full of faults."""

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from board_flash import write_flash
from brokers import AmqttBroker, MosquittoBroker, find_mosquitto, free_port
from paho.mqtt.enums import CallbackAPIVersion
from unix_device import HEAP_KB, UnixDevice, board, site
from waiting import wait_until

from leezenflow_host.boards.frames import Blanked, Frame, FrameReceiver, Health
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.simulation.recording import simulate
from leezenflow_host.simulation.scenario import load_scenario

TOPIC = "spat"
UNIT = "north"
WRAP = 1 << 30
_CLAIMS = ("green", "sprint")


@dataclass
class Outcome:
    """What a soak came across."""

    virtual_s: float = 0.0
    frames: int = 0
    wrapped: bool = False
    kinds: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)
    frozen: list[str] = field(default_factory=list)
    worst_still_s: float = 0.0
    lives: int = 0
    log: str = ""
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def growth(self) -> int:
        """Bytes that the last quarter's least use of memory is above the second quarter's."""
        quarter = len(self.memory) // 4
        return min(self.memory[-quarter:]) - min(self.memory[quarter : 2 * quarter])


class Soak:
    """One soak: `hours` of simulated time at `speed`, its faults drawn from `seed`."""

    def __init__(self, micropython: str, folder: Path, hours: float, speed: int, seed: int = 1) -> None:
        self.outcome = Outcome()
        self._random = random.Random(seed)
        self._speed = speed
        self._hours = hours
        # The broker of the field where it is installed: it dies at once, as in a power failure.
        self._broker = (MosquittoBroker if find_mosquitto() else AmqttBroker)(free_port(), folder)
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._flash = folder / "flash"
        self._ticks: int | None = None
        self._moved_at = time.monotonic()
        tree = UnixDevice(micropython, folder / "device")
        wrap_in_ms = int(hours * 3_600_000 / 2)
        tree.configure(
            site(f"mqtt://127.0.0.1:{self._broker.port}/{TOPIC}?unit_topic={UNIT}&keepalive_s=2"),
            board(ticks_start=WRAP - wrap_in_ms, ticks_speed=speed, fps=5, health_s=1),
        )
        write_flash(self._flash, tree.folder)
        recording = simulate(*load_scenario("actuated"), seed, 1200)
        self._messages = recording.messages

    def run(self) -> Outcome:
        """Run it to its end."""
        outcome = self.outcome
        self._broker.start()
        self._connect()
        with (
            FrameReceiver("udp") as receiver,
            VirtualBoard(self._flash, heap_kb=HEAP_KB, environment={"LEEZENFLOW_FRAMES": receiver.url}) as unit,
        ):
            receiver.wait_for(lambda frame: frame.listening, 60)
            end = time.monotonic() + self._hours * 3600 / self._speed
            while time.monotonic() < end:
                self._feed(receiver, end)
                self._fail_broker(receiver)
            count = len(outcome.memory)
            wait_until(lambda: self._drain(receiver) or len(outcome.memory) > count + 1, "a last report")
            outcome.lives = unit.lives
            outcome.log = unit.log
        self._client.disconnect()
        self._client.loop_stop()
        self._broker.stop()
        return outcome

    def _feed(self, receiver: FrameReceiver, end: float) -> None:
        """Play the recording once (the controller's clock jumps back each time), with faults."""
        chance = self._random
        began = time.monotonic()
        first = self._messages[0].at_ms
        held: list[bytes] = []
        hold_until = 0.0
        for message in self._messages:
            due = began + (message.at_ms - first) / 1000 / self._speed
            while (left := due - time.monotonic()) > 0:
                self._drain(receiver)
                time.sleep(min(left, 0.01))
            if time.monotonic() > end:
                return
            if chance.random() < 0.02:
                self.outcome.faults["lost"] += 1
                continue
            if chance.random() < 0.002:
                hold_until = message.at_ms + 15_000
                self.outcome.faults["bursts"] += 1
            if message.at_ms < hold_until:
                held.append(message.payload)
                continue
            for payload in held:
                self._publish(TOPIC, payload)
            held.clear()
            self._publish(TOPIC, message.payload)
            if chance.random() < 0.03:
                self._disturb(message.payload)
        self._drain(receiver)

    def _disturb(self, payload: bytes) -> None:
        """Send something wrong."""
        chance = self._random
        kind = chance.choice(
            ("noise", "torn", "flipped", "twice", "oversize", "foreign", "command", "retained", "empty")
        )
        self.outcome.faults[kind] += 1
        if kind == "noise":
            self._publish(TOPIC, chance.randbytes(chance.randrange(1, 4000)))
        elif kind == "torn":
            self._publish(TOPIC, payload[: chance.randrange(len(payload))])
        elif kind == "flipped":
            spoilt = bytearray(payload)
            for _ in range(8):
                spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
            self._publish(TOPIC, bytes(spoilt))
        elif kind == "twice":
            self._publish(TOPIC, payload)
        elif kind == "oversize":
            self._publish(TOPIC, payload * 5)
        elif kind == "foreign":
            self._publish(TOPIC, payload.replace(b"1090", b"1091"))
        elif kind == "command":
            word = chance.choice(
                (b"{}", b"[" * 300, chance.randbytes(50), b'{"do":"health"}', b'{"mac":"0","body":"{}"}')
            )
            self._publish(f"{UNIT}/command", word)
        elif kind == "retained":
            self._client.publish(TOPIC, payload, retain=True)
        else:
            self._publish(TOPIC, b"")

    def _fail_broker(self, receiver: FrameReceiver) -> None:
        """Take the broker away for two simulated minutes or more; nothing may be claimed at their end."""
        self.outcome.faults["broker restarts"] += 1
        self._client.disconnect()
        self._client.loop_stop()
        self._broker.stop()
        until = time.monotonic() + max(120 / self._speed, 1.0)
        while time.monotonic() < until:
            self._drain(receiver)
            time.sleep(0.01)
        self._drain(receiver)
        frame = receiver.latest
        if frame is not None and frame.kind in _CLAIMS:
            self.outcome.frozen.append(f"{frame.kind} without a broker at {frame.ticks}")
        self._broker.start()
        self._connect()
        wait_until(lambda: self._listens(receiver), "the unit is back at the broker", 60)

    def _listens(self, receiver: FrameReceiver) -> bool:
        self._drain(receiver)
        return receiver.latest is not None and receiver.latest.listening

    def _drain(self, receiver: FrameReceiver) -> None:
        """Take what the board sent, and see that its picture goes on."""
        outcome = self.outcome
        now = time.monotonic()
        for record in receiver.records(0):
            if isinstance(record, Frame):
                outcome.frames += 1
                outcome.kinds[record.kind] += 1
                if self._ticks is not None:
                    passed = (record.ticks - self._ticks) % WRAP
                    outcome.wrapped = outcome.wrapped or record.ticks < self._ticks
                    outcome.virtual_s += passed / 1000
                    if passed:
                        self._moved_at = now
                self._ticks = record.ticks
            elif isinstance(record, Health):
                outcome.memory.append(record.report["memory_used"])
                outcome.report = record.report
            elif isinstance(record, Blanked):
                outcome.frozen.append("the panel was darkened: the unit ended")
        outcome.worst_still_s = max(outcome.worst_still_s, now - self._moved_at)

    def _publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload)

    def _connect(self) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", self._broker.port)
        self._client.loop_start()
        wait_until(self._client.is_connected, "the feeder is connected")


def describe(outcome: Outcome, speed: int) -> str:
    """The figures of a soak, a line each."""
    shares = {kind: f"{count / max(1, outcome.frames):.3f}" for kind, count in outcome.kinds.most_common()}
    return "\n".join(
        (
            f"simulated {outcome.virtual_s / 3600:.2f} h at {speed} times real time, {outcome.frames} frames",
            f"faults {json.dumps(dict(outcome.faults))}",
            f"messages {json.dumps(outcome.report.get('transport'))}",
            f"engine {json.dumps(outcome.report.get('engine'))}",
            f"shares {json.dumps(shares)}",
            f"memory used: first {outcome.memory[0]}, growth from second to last quarter {outcome.growth:+d} bytes",
            f"longest time without a new frame {outcome.worst_still_s:.2f} s real; ticks wrapped: {outcome.wrapped}",
            f"starts {outcome.lives}; claims without a broker: {outcome.frozen or 'none'}",
        )
    )
