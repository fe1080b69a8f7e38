# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in byte streams: every split, too long ones, damage; and a real serial line."""

import os
import pty
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from capturing import RunningCapture, capturing, payloads_so_far
from hypothesis import given
from hypothesis import strategies as st
from waiting import wait_until

from leezenflow.framing import encode_frame
from leezenflow_adapters import udap
from leezenflow_host.capture.arrivals import MAX_PAYLOAD_BYTES, SourceLostError
from leezenflow_host.capture.stream_framing import FRAMINGS, recognise
from leezenflow_host.errors import LeezenflowError

UDAP_MESSAGES = [udap.frame(udap.PAYLOAD, bytes(9) + b"\x02\x04%d" % number) for number in range(3)]
RSMP_MESSAGES = [b'{"mType": "rSMsg", "type": "StatusUpdate", "n": %d}\x0c' % number for number in range(3)]
# A stream of each framing, and the messages in it.
STREAMS = {
    "lines": (b"one\r\n\ntwo\nthree\n", [b"one", b"two", b"three"]),
    "hex": (b"0102 03\r\n\nno digits\n0\nFF:ee\n", [b"\x01\x02\x03", b"\xff\xee"]),
    "cobs": (b"rest\0" + b"".join(map(encode_frame, (b"a\0b", b"c" * 600))), [b"a\0b", b"c" * 600]),
    "udap": (
        b"\x01" + UDAP_MESSAGES[0] + udap.frame(udap.KEEP_ALIVE) + b"noise" + UDAP_MESSAGES[1] + UDAP_MESSAGES[2],
        UDAP_MESSAGES,
    ),
    "rsmp": (
        RSMP_MESSAGES[0] + b'{"mType": "rSMsg", "type": "Watchdog"}\x0c' + RSMP_MESSAGES[1] + RSMP_MESSAGES[2],
        RSMP_MESSAGES,
    ),
}


def test_every_framing_is_tested():
    assert set(STREAMS) == set(FRAMINGS)


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_every_split_of_a_stream(name: str):
    stream, messages = STREAMS[name]
    for at in range(len(stream) + 1):
        framing = FRAMINGS[name]()
        assert framing.feed(stream[:at]) + framing.feed(stream[at:]) == messages
    framing = FRAMINGS[name]()
    assert [message for octet in stream for message in framing.feed(bytes([octet]))] == messages
    assert framing.oversized == 0
    assert framing.damaged == {"hex": 2, "cobs": 1}.get(name, 0)


@pytest.mark.parametrize("name", sorted(STREAMS))
@given(noise=st.binary(max_size=400), pieces=st.lists(st.integers(1, 60), max_size=20))
def test_noise_is_survived(name: str, noise: bytes, pieces: list[int]):
    framing = FRAMINGS[name]()
    at = 0
    for size in [*pieces, len(noise)]:
        for message in framing.feed(noise[at : at + size]):
            assert 0 < len(message) <= MAX_PAYLOAD_BYTES
        at += size


@pytest.mark.parametrize(("name", "end"), [("lines", b"\n"), ("rsmp", b"\x0c"), ("cobs", b"\0")])
def test_what_is_too_long_is_skipped_and_counted(name: str, end: bytes):
    framing = FRAMINGS[name]()
    assert framing.feed(end) == []
    before = framing.damaged
    for _ in range(5):
        assert framing.feed(b"\x05" * (MAX_PAYLOAD_BYTES // 2)) == []
    assert framing.feed(end) == []
    assert (framing.oversized, framing.damaged) == (1, before)
    stream, messages = STREAMS[name]
    assert framing.feed(stream) == messages


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"", None),
        (b"\x01", None),
        (b"\xaa", None),
        (b"\x01\xaa", None),
        (b"\xaa\xbb", "udap"),
        (b"\x01\xaa\xbb\x00", "udap"),
        (RSMP_MESSAGES[0][:20], None),
        (RSMP_MESSAGES[0], "rsmp"),
        (b"0204\n", "lines"),
        (b'{"message_type": "spatem"}\n', "lines"),
        (b"<SPAT/>", None),
    ],
)
def test_a_stream_is_known_by_its_beginning(head: bytes, name: str | None):
    assert recognise(head) == name


@pytest.fixture
def line() -> Iterator[tuple[int, str]]:
    """A serial line: our end as a descriptor, the name of the other."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    try:
        yield ours, os.ttyname(theirs)
    finally:
        os.close(theirs)


@pytest.mark.parametrize(("framing", "stream"), [("cobs", STREAMS["cobs"][0]), ("hex", STREAMS["hex"][0])])
def test_a_serial_line(tmp_path: Path, line: tuple[int, str], framing: str, stream: bytes):
    ours, name = line
    out = tmp_path / "a.jsonl"
    with capturing(f"serial://{name}?framing={framing}", out) as running:
        wait_until(lambda: "listening" in running.log or running.fault, "the recorder listens")
        os.write(ours, stream)
        wait_until(lambda: payloads_so_far(out) == STREAMS[framing][1], "the messages")
        summary = running.end()
    os.close(ours)
    assert summary.left_out == {"damaged": {"cobs": 1, "hex": 2}[framing]}


def test_a_serial_line_that_is_pulled_out(tmp_path: Path, line: tuple[int, str]):
    ours, name = line
    out = tmp_path / "a.jsonl"
    with capturing(f"serial://{name}?framing=lines", out) as running:
        wait_until(lambda: "listening" in running.log or running.fault, "the recorder listens")
        os.write(ours, b"one\n")
        wait_until(lambda: payloads_so_far(out) == [b"one"], "a message")
        os.close(ours)
        wait_until(lambda: "was the cable pulled" in running.log, "the loss is told")


def test_ports_that_are_not_there(tmp_path: Path):
    with pytest.raises(SourceLostError, match="cannot be opened"):
        RunningCapture(f"serial://{tmp_path}/ttyUSB9", tmp_path / "a.jsonl").join()
    with pytest.raises(LeezenflowError, match="names no port"):
        RunningCapture("serial://", tmp_path / "a.jsonl")
    with pytest.raises(LeezenflowError, match="baud"):
        RunningCapture("serial:///dev/ttyUSB0?baud=7", tmp_path / "a.jsonl")
