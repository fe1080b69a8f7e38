# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""UART and UDP on a real MicroPython: whole messages, and everything else counted and survived."""

import binascii
import contextlib
import json
import os
import pty
import random
import socket
import termios
import time
from collections.abc import Iterator

import pytest
from brokers import free_port
from transport_child import TransportChild
from unix_device import run_script

from leezenflow.framing import encode_frame


def told(payload: bytes) -> tuple[str, int, int]:
    """What the child tells of a message."""
    return ("message", len(payload), binascii.crc32(payload))


@pytest.fixture
def line() -> Iterator[tuple[int, str]]:
    """A serial line: our end, and the name of the device's."""
    ours, theirs = pty.openpty()
    yield ours, os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def write_slowly(line_end: int, data: bytes, piece: int) -> None:
    """Write in pieces; a pty holds only 4 kB."""
    for start in range(0, len(data), piece):
        os.write(line_end, data[start : start + piece])
        time.sleep(0.003)


def test_frames_on_a_serial_line(micropython: str, line: tuple[int, str]) -> None:
    ours, device = line
    payloads = [b"\x00", bytes(range(256)) * 50, b"<SPAT/>", random.Random(1).randbytes(1000)]
    with TransportChild(micropython, f"uart://{device}") as child:
        child.wait_for("listening", True)
        for payload in payloads:
            write_slowly(ours, encode_frame(payload), 700)
            child.wait_for(*told(payload))
        # Several at once, then in drops.
        stream = b"".join(encode_frame(payload) for payload in (b"one", b"two", b"three"))
        os.write(ours, stream)
        for payload in (b"one", b"two", b"three"):
            child.wait_for(*told(payload))
        write_slowly(ours, stream, 1)
        for payload in (b"one", b"two", b"three"):
            child.wait_for(*told(payload))
        child.wait_for_counter("frames", 10)


def test_noise_on_a_serial_line_costs_the_frame_it_hits(micropython: str, line: tuple[int, str]) -> None:
    ours, device = line
    good = encode_frame(b"good")
    damaged = good[:3] + bytes((good[3] ^ 4,)) + good[4:]
    with TransportChild(micropython, f"uart://{device}?message_bytes=300&baud=57600") as child:
        child.wait_for("listening", True)
        os.write(
            ours, good[4:] + damaged + good[:3] + b"\x00" + encode_frame(bytes(301)) + b"\r\n\x03\x04" + b"\x00" + good
        )
        child.wait_for(*told(b"good"))
        child.wait_for_counter("frames", 1)
    assert child.counters["too_long"] == 1
    assert child.counters["bad_crc"] + child.counters["malformed"] == 4
    assert len([event for event in child.events if event[0] == "message"]) == 1


def test_the_line_is_set_to_the_speed_asked_for(micropython: str, line: tuple[int, str]) -> None:
    ours, device = line
    with TransportChild(micropython, f"uart://{device}?baud=230400") as child:
        child.wait_for("listening", True)
        settings = termios.tcgetattr(ours)
    assert settings[4] == settings[5] == termios.B230400


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("uart://", "names no UART"),
        ("uart://x", "names no UART"),
        ("uart:///dev/null?baud=12345", "no speed of this system"),
        ("uart:///dev/null", "not a serial device"),
        ("uart:///dev/nowhere", "not a serial device"),
        ("uart://0?baud=1", "baud"),
        ("udp://0.0.0.0", "names no port"),
        ("udp://0.0.0.0:9?from=10.0.0", "not an IPv4 address"),
        ("udp://0.0.0.0:9?from=10.0.0.256", "not an IPv4 address"),
        ("udp://0.0.0.0:9?from=10.0.0.2,", "not an IPv4 address"),
        ("udp://0.0.0.0:9?from=" + ",".join(["10.0.0.2"] * 9), "more than 8 addresses"),
        ("udp://239.0.0.256:9", "not an IPv4 address"),
        ("udp://239.0.0.5:9?interface=eth0", "not an IPv4 address"),
        ("udp://0.0.0.0:9?message_bytes=1", "message_bytes"),
    ],
)
def test_a_wrong_source_is_refused(micropython: str, source: str, said: str) -> None:
    with (
        TransportChild(micropython, source) as child,
        pytest.raises(AssertionError, match="the transport ended") as failure,
    ):
        child.wait_for("listening", True)
    assert said in str(failure.value)


def test_datagrams(micropython: str) -> None:
    port = free_port()
    with (
        TransportChild(micropython, f"udp://127.0.0.1:{port}?message_bytes=3000") as child,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        child.wait_for("listening", True)
        # All are there before the first is read: none may be joined to its neighbour.
        for payload in (b"a", b"b" * 3000, b"", b"c" * 3001, b"d" * 60_000, b"e" * 17):
            sender.sendto(payload, ("127.0.0.1", port))
        for payload in (b"a", b"b" * 3000, b"e" * 17):
            child.wait_for(*told(payload))
        child.wait_for_counter("messages", 4)
    assert child.counters == {"messages": 4, "oversize": 2, "strangers": 0}


@pytest.mark.parametrize(("source", "expected"), [("127.0.0.2", "messages"), ("127.0.0.3", "strangers")])
def test_only_the_named_sender_is_listened_to(micropython: str, source: str, expected: str) -> None:
    port = free_port()
    with (
        TransportChild(micropython, f"udp://0.0.0.0:{port}?from=127.0.0.2") as child,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        child.wait_for("listening", True)
        sender.bind((source, 0))
        sender.sendto(b"hello", ("127.0.0.1", port))
        child.wait_for_counter(expected, 1)
    assert sum(child.counters.values()) == 1


def test_several_senders_may_be_named(micropython: str) -> None:
    port = free_port()
    with TransportChild(micropython, f"udp://0.0.0.0:{port}?from=127.0.0.2,127.0.0.4") as child:
        child.wait_for("listening", True)
        for source in ("127.0.0.3", "127.0.0.4", "127.0.0.2"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind((source, 0))
                sender.sendto(source.encode(), ("127.0.0.1", port))
        child.wait_for(*told(b"127.0.0.4"))
        child.wait_for(*told(b"127.0.0.2"))
        child.wait_for_counter("messages", 2)
    assert child.counters["strangers"] == 1


def test_a_group_is_joined_and_two_units_on_one_machine_hear_it(micropython: str) -> None:
    port = free_port()
    source = f"udp://239.7.7.7:{port}?interface=127.0.0.1&from=127.0.0.1"
    with TransportChild(micropython, source) as one, TransportChild(micropython, source) as other:
        for child in (one, other):
            child.wait_for("listening", True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            sender.bind(("127.0.0.1", 0))
            sender.sendto(b"another group", ("239.7.7.8", port))
            sender.sendto(b"to all", ("239.7.7.7", port))
        for child in (one, other):
            child.wait_for(*told(b"to all"))


def test_an_address_that_is_not_there_yet_is_tried_again(micropython: str) -> None:
    # No machine has an address of the block for documentation (RFC 5737).
    with TransportChild(micropython, "udp://203.0.113.7:4711") as child:
        child.wait_for_output("udp: port 4711: ")
        with contextlib.suppress(AssertionError):
            child.wait_for("listening", True, timeout_s=3)
    assert ["listening", True] not in child.events
    assert len(child.other_output) == 1, "the same fault is told once"


_NO_ROOM = """
import asyncio, json
from leezenflow.source_url import parse_source
from leezenflow_device import ticks
from leezenflow_device.transports import udp
udp._BEAT_MS = 10
seen = []

class Tight(udp.Transport):
    def _receive(self, sock):
        if len(seen) < 2:
            seen.append(self.fault)
            raise MemoryError
        return udp.Transport._receive(self, sock)

class Sink:
    async def message(self, buffer, start, end, ticks):
        print(json.dumps([seen, unit.fault]))
        raise SystemExit

clock = ticks.make_clock({"ticks_start": 0, "ticks_speed": 1})
port = int(sys.argv[1])
unit = Tight(parse_source("udp://127.0.0.1:%d" % port), {}, clock)

async def send():
    sock = udp.socket.socket(udp.socket.AF_INET, udp.socket.SOCK_DGRAM)
    while True:
        sock.sendto(b"x", udp.socket.getaddrinfo("127.0.0.1", port)[0][-1])
        await asyncio.sleep_ms(20)

async def main():
    asyncio.create_task(send())
    await unit.run(Sink())

asyncio.run(main())
"""


def test_a_datagram_without_room_in_memory_is_a_fault_and_not_the_end(micropython: str) -> None:
    *said, last = run_script(micropython, _NO_ROOM, str(free_port())).splitlines()
    assert json.loads(last) == [["", ""], ""], "it listens again, and says so"
    assert len(said) == 2 and all("no room in memory" in line for line in said)
