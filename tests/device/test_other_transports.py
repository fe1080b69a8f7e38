# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""UART and UDP on a real MicroPython: whole messages, and everything else counted and survived."""

import binascii
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
