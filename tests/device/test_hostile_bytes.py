# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole unit on a real MicroPython under hostile bytes, by every transport: it runs on, in the memory it had."""

import contextlib
import json
import os
import pty
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import free_port, wait_until
from test_mqtt_transport import ScriptedBroker
from unix_device import UnixDevice, board, recorded_messages, site

from leezenflow.framing import encode_frame
from leezenflow_device.mqtt_packets import publish_packet
from leezenflow_host.boards.frames import Blanked, Frame, FrameReceiver, Health

GREETING = b"\x20\x02\x00\x00\x90\x03\x00\x01\x00"
ROUNDS = 150


def damage(data: bytes, chance: random.Random) -> bytes:
    """`data` with bytes changed, taken away, doubled, cut off, or all of it replaced."""
    out = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(out) + 1)
        kind = chance.randrange(6)
        if kind == 0 and out:
            out[at % len(out)] = chance.randrange(256)
        elif kind == 1:
            del out[at : at + chance.randrange(1, 40)]
        elif kind == 2:
            out[at:at] = out[at : at + chance.randrange(1, 200)]
        elif kind == 3:
            del out[at:]
        elif kind == 4:
            out[at:at] = chance.randbytes(chance.randrange(1, 60))
        else:
            out[at : at + 4] = chance.choice([b"\xff\xff\xff\x7f", b"\0\0\0\0", b"<![C", b"&#x0", b'{"a"'])
    return bytes(out)


def messages(chance: random.Random) -> Iterator[bytes]:
    """Damaged messages of the recording, shortened to a length at which many are possible."""
    sound = [payload for _, payload in recorded_messages(20)]
    while True:
        yield damage(chance.choice(sound), chance)


class Watched:
    """A running unit: how it is by its reports, and that its panel never went dark by an exception."""

    def __init__(self, receiver: FrameReceiver) -> None:
        self._records = receiver.records(60)
        self.reports: list[dict[str, Any]] = []
        self.frames = 0

    def wait_for_report(self, is_wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The next report that is as wanted; fails when none came within two minutes."""
        deadline = time.monotonic() + 120
        for record in self._records:
            assert time.monotonic() < deadline, f"waited in vain: {self.reports[-3:]}"
            assert not isinstance(record, Blanked), "an exception ended the unit"
            if isinstance(record, Frame):
                self.frames += 1
            elif isinstance(record, Health):
                self.reports.append(record.report)
                if is_wanted(record.report):
                    return record.report
        raise AssertionError(f"no such report: {self.reports[-3:]}")


@contextlib.contextmanager
def unit(micropython: str, folder: Path, source: str) -> Iterator[Watched]:
    """A unit with this source."""
    device = UnixDevice(micropython, folder / "device")
    device.configure(site(source), board(health_s=1))
    (device.folder / "dev").symlink_to("/dev")  # its root is its own folder
    with FrameReceiver() as receiver, device.running(receiver.url):
        watched = Watched(receiver)
        yield watched


def expect_unharmed(watched: Watched, before: dict[str, Any]) -> None:
    """After the attack: frames go on, and the memory is what it was."""
    frames = watched.frames
    uptime_s = before["uptime_s"] + 1
    after = watched.wait_for_report(lambda report: report["uptime_s"] > uptime_s and watched.frames > frames + 10)
    # What an adapter learns of a feed and the words of a last fault come on top once.
    assert after["memory_used"] < before["memory_used"] + 24_576
    assert sum(after["engine"].values()) >= 0


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_datagrams(micropython: str, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    port = free_port()
    with (
        unit(micropython, tmp_path, f"udp://127.0.0.1:{port}?message_bytes=16384") as watched,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        before = watched.wait_for_report(lambda report: report["listening"])
        for payload in (message for message, _ in zip(messages(chance), range(ROUNDS), strict=False)):
            sender.sendto(payload[:60_000], ("127.0.0.1", port))
            sender.sendto(chance.randbytes(chance.randrange(300)), ("127.0.0.1", port))
            time.sleep(0.005)  # a socket's buffer holds a handful
        watched.wait_for_report(
            lambda report: sum(report["transport"].values()) > 20 and sum(report["engine"].values()) > 0
        )
        expect_unharmed(watched, before)


@pytest.mark.parametrize("seed", [3, 4])
def test_hostile_bytes_on_a_serial_line(micropython: str, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    ours, theirs = pty.openpty()
    try:
        source = f"uart://{os.ttyname(theirs)}?message_bytes=16384"
        with unit(micropython, tmp_path, source) as watched:
            before = watched.wait_for_report(lambda report: report["listening"])
            for _ in range(ROUNDS // 5):
                message = next(messages(chance))
                stream = damage(encode_frame(message), chance) + encode_frame(message[:500] or b"x")
                stream += chance.randbytes(chance.randrange(300)) + b"\0"
                for start in range(0, len(stream), 1000):
                    os.write(ours, stream[start : start + 1000])
                    time.sleep(0.004)
            arrived = watched.wait_for_report(
                lambda report: (
                    report["transport"]["frames"] >= 1
                    and report["transport"]["bad_crc"] + report["transport"]["malformed"] > 0
                )
            )
            os.write(ours, b"\0" + encode_frame(b"the end"))
            count = arrived["transport"]["frames"]
            watched.wait_for_report(lambda report: report["transport"]["frames"] > count)
            expect_unharmed(watched, before)
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("seed", [5, 6])
def test_a_hostile_broker(micropython: str, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)

    def serve(connection: socket.socket, number: int) -> None:
        connection.recv(1000)
        sound = b"".join(publish_packet("t", message) for message, _ in zip(messages(chance), range(3), strict=False))
        packets = GREETING + sound + bytes((0x32, 6, 0, 1, 116, 0, 9, 120)) + b"\xd0\x00"
        if number % 3 == 0:
            packets = damage(packets, chance)
        elif number % 3 == 1:
            packets = GREETING + damage(packets[len(GREETING) :], chance)
        else:
            packets = GREETING + sound + chance.randbytes(2000)
        with contextlib.suppress(OSError):
            for start in range(0, len(packets), 1500):
                connection.sendall(packets[start : start + 1500])
        connection.shutdown(socket.SHUT_RDWR)

    with ScriptedBroker(serve) as server:
        source = f"mqtt://127.0.0.1:{server.port}/%23?message_bytes=16384&unit_topic=t"
        with unit(micropython, tmp_path, source) as watched:
            before = watched.wait_for_report(lambda report: report["transport"]["connects"] > 0)
            wait_until(lambda: server.connections >= 5, "it came again and again", 60)
            # Reports of the first, wholly damaged connections may still be waiting to be read.
            watched.wait_for_report(
                lambda report: report["transport"]["messages"] > 0 and report["transport"]["losses"] > 0
            )
            expect_unharmed(watched, before)


def test_hostile_commands_by_mqtt(micropython: str, tmp_path: Path) -> None:
    chance = random.Random(7)
    order = json.dumps({"body": json.dumps({"do": "health", "id": 1, "n": 1}), "mac": "0" * 64}).encode()
    sent: list[bytes] = []

    def serve(connection: socket.socket, number: int) -> None:
        connection.recv(1000)
        connection.sendall(b"\x20\x02\x00\x00\x90\x03\x00\x02\x01\x90\x03\x00\x01\x00")
        for _ in range(40):
            payload = chance.choice(
                [damage(order, chance), order, chance.randbytes(50), b"[" * 3000, b'{"do":"restart"}']
            )
            connection.sendall(publish_packet("t/command", payload))
            sent.append(payload)
            time.sleep(0.02)
        while connection.recv(1000):
            pass

    with ScriptedBroker(serve) as server:
        source = f"mqtt://127.0.0.1:{server.port}/%23?message_bytes=16384&unit_topic=t"
        with unit(micropython, tmp_path, source) as watched:
            before = watched.wait_for_report(lambda report: report["listening"])
            wait_until(lambda: len(sent) == 40, "all are sent")
            expect_unharmed(watched, before)
    assert server.connections == 1, "no command of a stranger ended the connection, or restarted the unit"
