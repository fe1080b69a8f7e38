# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's end of a virtual panel, fed byte by byte and with what a panel never sends."""

import json
import socket
import struct
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leezenflow.advice import KINDS
from leezenflow_host.boards.frames import (
    Blanked,
    Frame,
    FrameReceiver,
    Health,
    Message,
    MessageDone,
    Reconnected,
    Record,
    RecordReader,
)
from leezenflow_host.errors import BoardError

PALETTE = bytes(range(256)) * 3


def record(kind: int, ticks: int, body: bytes = b"", flags: int = 0) -> bytes:
    """A record as the driver packs it."""
    return struct.pack("<4sBBHII", b"LZFR", kind, flags, 0, len(body) + 4, ticks) + body


def frame(ticks: int, number: int = 0, kind: str = "red", remaining_ms: int = 1200, reason: bytes = b"") -> bytes:
    """A frame of 2 x 3 pixels."""
    head = struct.pack("<IIBBHHii24s", number, 350, KINDS.index(kind), 87, 2, 3, remaining_ms, 30_000, reason)
    return record(1, ticks, head + PALETTE + b"pixels", flags=1)


STREAM = (
    record(4, 5)
    + frame(40)
    + record(2, 50, b"<SPAT/>")
    + record(3, 50, b"\1")
    + record(2, 60)
    + record(3, 60, b"\0")
    + frame(80, 1, "dark", -1, b"no_data")
    + record(5, 90, json.dumps({"frames": 2}).encode())
    + record(6, 0)
)


def expected_frame(ticks: int, number: int, kind: str, remaining_ms: int | None, reason: str | None) -> Frame:
    """What `frame` is on the host."""
    return Frame(ticks, number, 350, True, kind, remaining_ms, 30_000, 87, reason, 2, 3, PALETTE, b"pixels")


RECORDS: list[Record] = [
    Reconnected(5),
    expected_frame(40, 0, "red", 1200, None),
    Message(50, b"<SPAT/>"),
    MessageDone(50, True),
    Message(60, b""),
    MessageDone(60, False),
    expected_frame(80, 1, "dark", None, "no_data"),
    Health(90, {"frames": 2}),
    Blanked(),
]


@given(st.lists(st.integers(1, 900), max_size=20))
def test_any_split_gives_the_same_records(pieces: list[int]) -> None:
    reader = RecordReader()
    found: list[Record] = []
    at = 0
    for piece in [*pieces, len(STREAM)]:
        found += reader.feed(STREAM[at : at + piece])
        at += piece
    assert found == RECORDS


def test_the_advice_has_the_names_of_the_advice_log() -> None:
    shown = RecordReader().feed(frame(40, kind="sprint"))[0]
    assert isinstance(shown, Frame)
    assert shown.advice == {
        "kind": "sprint",
        "remaining_ms": 1200,
        "span_ms": 30_000,
        "certainty": 87,
        "reason": None,
    }


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="another protocol"),
        pytest.param(record(9, 0), id="unknown type"),
        pytest.param(struct.pack("<4sBBHII", b"LZFR", 2, 0, 0, 1 << 20, 0), id="absurd length"),
        pytest.param(struct.pack("<4sBBHII", b"LZFR", 2, 0, 0, 3, 0), id="no room for ticks"),
        pytest.param(record(5, 0, b"{"), id="half a report"),
        pytest.param(record(1, 0, b"short"), id="half a frame"),
        pytest.param(record(1, 0, struct.pack("<IIBBHHii24s", 0, 0, 99, 0, 0, 0, 0, 0, b"") + PALETTE), id="kind 99"),
    ],
)
def test_what_is_no_record_is_said_to_be_so(stream: bytes) -> None:
    with pytest.raises(BoardError):
        RecordReader().feed(stream)


def connect(receiver: FrameReceiver) -> socket.socket:
    """A board's connection to a receiver."""
    url = urlsplit(receiver.url)
    kind = socket.SOCK_STREAM if url.scheme == "tcp" else socket.SOCK_DGRAM
    board = socket.socket(socket.AF_INET, kind)
    assert url.port is not None
    board.connect(("127.0.0.1", url.port))
    return board


def await_true(is_true: Callable[[], bool]) -> None:
    """Wait for the receiver's thread."""
    until = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_a_board_may_come_and_go() -> None:
    with FrameReceiver(record=True) as receiver:
        assert receiver.url.endswith("?record=1")
        for start in (0, 100):
            with connect(receiver) as board:
                board.sendall(frame(start))
                board.sendall(frame(start + 40, 1)[:100])  # and the power is gone
            assert receiver.wait_for(lambda shown, start=start: shown.ticks == start, 10).number == 0
        ticks = [shown.ticks for shown in receiver.records(0.1) if isinstance(shown, Frame)]
    assert ticks == [0, 100]


def test_a_dark_panel_has_no_latest_frame() -> None:
    with FrameReceiver() as receiver, connect(receiver) as board:
        board.sendall(frame(0))
        receiver.wait_for(lambda shown: True, 10)
        board.sendall(record(6, 0))
        await_true(lambda: receiver.latest is None)


def test_datagrams_hold_whole_records() -> None:
    with FrameReceiver("udp") as receiver, connect(receiver) as board:
        assert receiver.url.startswith("udp://127.0.0.1:")
        board.send(frame(7))
        board.send(record(6, 0))
        assert next(receiver.records(10)) == expected_frame(7, 0, "red", 1200, None)
        assert next(receiver.records(10)) == Blanked()


def test_only_so_many_records_are_kept() -> None:
    with FrameReceiver(keep=3) as receiver, connect(receiver) as board:
        for number in range(10):
            board.sendall(frame(number, number))
        receiver.wait_for(lambda shown: shown.number == 9, 10)
        kept = [shown.number for shown in receiver.records(0) if isinstance(shown, Frame)]
    assert kept == [7, 8, 9]


def test_waiting_in_vain_says_what_was_shown() -> None:
    with FrameReceiver() as receiver:
        with pytest.raises(BoardError, match="no frame came at all"):
            receiver.wait_for(lambda shown: True, 0.05)
        with connect(receiver) as board:
            board.sendall(frame(0))
            await_true(lambda: receiver.latest is not None)
            with pytest.raises(BoardError, match=r"the last was .*'red'"):
                receiver.wait_for(lambda shown: shown.kind == "green", 0.05)
        assert list(receiver.records(0.05))[1:] == []


def test_nonsense_reaches_whoever_reads() -> None:
    with FrameReceiver() as receiver, connect(receiver) as board:
        board.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        with pytest.raises(BoardError, match="not what a virtual panel sends"):
            list(receiver.records(10))
        with pytest.raises(BoardError, match="not what a virtual panel sends"):
            receiver.wait_for(lambda shown: True, 10)


def test_closing_ends_the_reading() -> None:
    receiver = FrameReceiver()
    receiver.close()
    assert list(receiver.records(10)) == []
    with pytest.raises(BoardError):
        receiver.wait_for(lambda shown: True, 10)


def test_a_taken_port_is_named() -> None:
    with FrameReceiver() as receiver:
        port = urlsplit(receiver.url).port
        assert port is not None
        with pytest.raises(BoardError, match=f"127.0.0.1:{port}"):
            FrameReceiver(port=port)
