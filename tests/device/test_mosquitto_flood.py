# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole unit behind a real mosquitto with TLS, in a flood of foreign messages: right or dark, never wrong."""

import json
import random
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

from brokers import wait_until
from mosquitto_fleet import Fleet
from unix_device import SITE, UnixDevice, board

from leezenflow_device.mqtt_packets import connect_packet, publish_packet
from leezenflow_host.boards.frames import Frame, FrameReceiver, Health
from leezenflow_host.secrets_file import secret_files
from leezenflow_host.simulation.recording import Recording, simulate
from leezenflow_host.simulation.scenario import load_scenario

CRUISE_MS = 5_000
GROUP = 12
FLOOD_S = 5
FLOOD_PER_S = 10_000
# Between a message's due time and its sending this machine may do something else; nearer to a switch nothing is said
# about a frame.
MARGIN_MS = 2_500
GREEN, RED = (5, 6), (2, 3, 4)


def states_around(recording: Recording, at_ms: int) -> set[int]:
    """The event states of the signal group within the margin around an instant."""
    states: set[int] = set()
    switches = recording.truth["signal_groups"][str(GROUP)]
    for index, (since_ms, state) in enumerate(switches):
        until_ms = switches[index + 1][0] if index + 1 < len(switches) else recording.truth["to_ms"]
        if since_ms - MARGIN_MS < at_ms < until_ms + MARGIN_MS:
            states.add(state)
    return states


class Feed(threading.Thread):
    """Publishes a recording in real time until it is told to stop."""

    def __init__(self, fleet: Fleet, recording: Recording) -> None:
        super().__init__(daemon=True)
        self._fleet = fleet
        self._recording = recording
        self._ended = threading.Event()
        self.began = time.monotonic()

    def now_ms(self) -> int:
        """The controller's present, in ms since 1970."""
        return self._recording.messages[0].at_ms + round((time.monotonic() - self.began) * 1000)

    def run(self) -> None:
        """Publish."""
        with self._fleet.client("feeder") as client:
            self.began = time.monotonic()
            for message in self._recording.messages:
                if self._ended.wait(max(0, message.at_ms - self.now_ms()) / 1000):
                    return
                client.publish("spat/1090", message.payload)

    def stop(self) -> None:
        """End it."""
        self._ended.set()
        self.join()


def flood(fleet: Fleet) -> int:
    """Publish foreign messages for FLOOD_S at FLOOD_PER_S through one connection; how many there were."""
    chance = random.Random(7)
    foreign = [
        publish_packet("spat/4711", b"<SPAT><id>4711</id>" + chance.randbytes(chance.randrange(20, 250)))
        for _ in range(FLOOD_PER_S // 10)
    ]
    batch = b"".join(foreign)
    credentials = fleet.secrets("feeder")["mqtt"]
    context = ssl.create_default_context(cafile=str(fleet.folder / "broker/ca.pem"))
    with (
        socket.create_connection(("127.0.0.1", fleet.port), 10) as bare,
        context.wrap_socket(bare, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(connect_packet("flood", 60, credentials["user"], credentials["password"]))
        assert connection.recv(4) == b"\x20\x02\x00\x00"
        began = time.monotonic()
        for number in range(FLOOD_S * 10):
            time.sleep(max(0.0, began + number / 10 - time.monotonic()))
            connection.sendall(batch)
    return FLOOD_S * 10 * len(foreign)


def unit_in(fleet: Fleet, micropython: str, folder: Path) -> UnixDevice:
    """A unit of the fleet that listens to all signals, as it would be installed."""
    device = UnixDevice(micropython, folder)
    values: dict[str, Any] = json.loads(json.dumps(SITE))
    values["signal"]["source"] = (
        f"mqtts://127.0.0.1:{fleet.port}/spat/%23?unit_topic=leezenflow/unit-a&message_bytes=16384"
    )
    values["signal"].update(region=None, signal_group=GROUP)
    values["rider"] = {"cruise_ms": CRUISE_MS, "sprint_ms": None}
    device.configure(values, board(health_s=1))
    for path, content in secret_files((fleet.folder / "units/unit-a.json").read_bytes()).items():
        device.write(path[1:], content)
    return device


def test_a_flood_of_foreign_messages(micropython: str, tmp_path: Path) -> None:
    recording = simulate(*load_scenario("fixed_time"), seed=3, duration_s=300)
    frames: list[tuple[int, Frame]] = []
    reports: list[dict[str, Any]] = []
    with Fleet(tmp_path / "fleet") as fleet, FrameReceiver() as receiver:
        device = unit_in(fleet, micropython, tmp_path / "device")
        feed = Feed(fleet, recording)
        with device.running(receiver.url):

            def note() -> None:
                for record in receiver.records(60):
                    if isinstance(record, Frame):
                        frames.append((feed.now_ms(), record))
                    elif isinstance(record, Health):
                        reports.append(record.report)

            threading.Thread(target=note, daemon=True).start()
            wait_until(lambda: bool(frames) and frames[-1][1].listening, "the unit listens")
            feed.start()
            wait_until(lambda: frames[-1][1].kind in ("green", "red"), "the unit answers", 60)
            wait_until(lambda: len(reports) > 2, "it reports")
            before = reports[-1]
            shown_before = frames[-1][1].number
            sent = flood(fleet)
            after_flood = len(reports)
            wait_until(lambda: len(reports) > after_flood + 3, "it still reports", 60)
            wait_until(lambda: frames[-1][1].kind in ("green", "red"), "it answers again", 60)
            after = reports[-1]
            feed.stop()
    assert sent >= FLOOD_S * FLOOD_PER_S
    assert after["transport"]["messages"] > before["transport"]["messages"] + 1000, "the flood reached the unit"
    assert frames[-1][1].number > shown_before + 25, "the picture went on"
    # A frame may have waited here, but never came before it was made: the least wait tells the unit's clock.
    ahead_ms = min(at_ms - frame.ticks for at_ms, frame in frames)
    answered = wrong = 0
    for _, frame in frames:
        at_ms = frame.ticks + ahead_ms
        if frame.kind in ("green", "sprint", "red"):
            answered += 1
            states = states_around(recording, at_ms + CRUISE_MS)
            wrong += not states & set(GREEN if frame.kind != "red" else (*RED, 7, 8))
    assert answered > 25
    assert wrong == 0, f"{wrong} of {answered} frames were wrong"
    assert after["memory_used"] < before["memory_used"] + 16_384
