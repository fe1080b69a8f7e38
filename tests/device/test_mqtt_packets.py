# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MQTT packets from bytes: every split, every malformed beginning, and memory that stays bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leezenflow.errors import SignalError
from leezenflow_device import mqtt_packets
from leezenflow_device.mqtt_packets import MAX_SKIPPED_BYTES, MAX_TOPIC_BYTES, PacketReader

LIMIT = 300


def read_all(stream: bytes, piece: int = 1, limit: int = LIMIT) -> list[tuple[object, ...]]:
    """What a reader makes of `stream`, given at most `piece` bytes at a time."""
    reader = PacketReader(limit)
    found: list[tuple[object, ...]] = []
    at = 0
    while at < len(stream):
        space = reader.space()
        assert len(space) > 0
        count = min(len(space), piece, len(stream) - at)
        space[:count] = stream[at : at + count]
        at += count
        if reader.take(count):
            message = (
                bytes(reader.buffer[reader.start : reader.end]) if reader.kind == 3 and not reader.oversize else None
            )
            found.append((reader.kind, reader.qos, reader.retained, reader.packet_id if reader.qos else 0, message))
    assert len(reader.buffer) == limit + MAX_TOPIC_BYTES + 4
    return found


def remaining_length(count: int) -> bytes:
    """The variable-length encoding of 2.2.3."""
    out = bytearray()
    while True:
        count, digit = divmod(count, 128)
        out.append(digit | (0x80 if count else 0))
        if not count:
            return bytes(out)


def publish(topic: bytes, payload: bytes, qos: int = 0, retain: bool = False, packet_id: int = 7) -> bytes:
    """A PUBLISH as a broker sends it."""
    body = len(topic).to_bytes(2, "big") + topic + (packet_id.to_bytes(2, "big") if qos else b"") + payload
    return bytes((0x30 | qos << 1 | retain,)) + remaining_length(len(body)) + body


STREAM = (
    b"\x20\x02\x00\x00"
    + b"\x90\x03\x00\x01\x01"
    + publish(b"/spat/1090", b"<first>")
    + b"\xd0\x00"
    + publish(b"a", b"", qos=1)
    + publish(b"/spat/1090", bytes(range(256)) + b"x" * 44, qos=1, packet_id=65535)
    + publish(b"t", b"old", retain=True)
    + publish(b"t", b"x" * 301)
    + publish(b"t", b"x" * 4000, qos=1, packet_id=9)
    + b"\x40\x02\x00\x05"
    + publish(b"t", b"last")
)
FOUND = [
    (2, 0, False, 0, None),
    (9, 0, False, 0, None),
    (3, 0, False, 0, b"<first>"),
    (13, 0, False, 0, None),
    (3, 1, False, 7, b""),
    (3, 1, False, 65535, bytes(range(256)) + b"x" * 44),
    (3, 0, True, 0, b"old"),
    (3, 0, False, 0, None),
    (3, 1, False, 9, None),
    (4, 0, False, 0, None),
    (3, 0, False, 0, b"last"),
]


@pytest.mark.parametrize("piece", [*range(1, 40), 1000, len(STREAM)])
def test_every_split_gives_the_same_packets(piece: int) -> None:
    assert read_all(STREAM, piece) == FOUND


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_the_buffer_grows_up_to_the_longest_message(piece: int) -> None:
    reader = PacketReader(5000, reserve_bytes=300)
    small = len(reader.buffer)
    payloads = [b"x" * 200, b"y" * 4000, b"z" * 5000, b"a" * 5001, b"b" * 9000, b"c"]
    seen = []
    for payload in payloads:
        stream = publish(b"t", payload)
        at = 0
        while at < len(stream):
            space = reader.space()
            count = min(len(space), piece, len(stream) - at)
            space[:count] = stream[at : at + count]
            at += count
            if reader.take(count):
                seen.append(None if reader.oversize else bytes(reader.buffer[reader.start : reader.end]))
        if len(payload) == 200:
            assert len(reader.buffer) == small
    assert seen == [*payloads[:3], None, None, b"c"]
    assert len(reader.buffer) <= 5000 + MAX_TOPIC_BYTES + 4


def test_without_room_to_grow_a_message_is_skipped_and_the_next_one_read(monkeypatch) -> None:
    def refuse(size: int) -> bytearray:
        raise MemoryError

    reader = PacketReader(5000, reserve_bytes=300)
    monkeypatch.setattr(mqtt_packets, "bytearray", refuse, raising=False)
    for payload, oversize in ((b"x" * 4000, True), (b"y" * 300, False)):
        stream = publish(b"t", payload)
        at = 0
        done = False
        while at < len(stream):
            space = reader.space()
            count = min(len(space), len(stream) - at)
            space[:count] = stream[at : at + count]
            at += count
            done = reader.take(count)
        assert done and reader.oversize == oversize
    assert bytes(reader.buffer[reader.start : reader.end]) == b"y" * 300


@given(st.lists(st.integers(1, 400), max_size=200))
def test_any_split_gives_the_same_packets(pieces: list[int]) -> None:
    reader = PacketReader(LIMIT)
    kinds = []
    at = 0
    for piece in [*pieces, *[len(STREAM)] * len(STREAM)]:
        if at == len(STREAM):
            break
        count = min(piece, len(reader.space()), len(STREAM) - at)
        reader.space()[:count] = STREAM[at : at + count]
        at += count
        if reader.take(count):
            kinds.append(reader.kind)
    assert kinds == [packet[0] for packet in FOUND]


@pytest.mark.parametrize("topic_bytes", [1, 127, MAX_TOPIC_BYTES])
@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("length", [LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + 2000])
def test_the_longest_message_fits_whatever_its_topic(length: int, qos: int, topic_bytes: int) -> None:
    payload = b"m" * length
    stream = publish(b"t" * topic_bytes, payload, qos) + publish(b"t", b"next")
    expected = payload if length <= LIMIT else None
    assert [packet[4] for packet in read_all(stream, 64)] == [expected, b"next"]


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16383, 16384, 70000])
def test_lengths_around_the_steps_of_their_encoding(length: int) -> None:
    packets = read_all(publish(b"t", b"p" * length), 4096, limit=80_000)
    assert packets == [(3, 0, False, 0, b"p" * length)]


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"\x00\x00", id="kind 0"),
        pytest.param(b"\xf0\x00", id="kind 15"),
        pytest.param(b"\x10\x00", id="a client's CONNECT"),
        pytest.param(b"\x50\x02\x00\x01", id="PUBREC, of QoS 2"),
        pytest.param(b"\x20\x03\x00\x00\x00", id="CONNACK too long"),
        pytest.param(b"\x20\x00", id="CONNACK empty"),
        pytest.param(b"\x21\x02\x00\x00", id="CONNACK with flags"),
        pytest.param(b"\x90\x04\x00\x01\x00\x00", id="SUBACK for two filters"),
        pytest.param(b"\xd0\x01\x00", id="PINGRESP with a body"),
        pytest.param(b"\x30\x02\x00\x00", id="PUBLISH without a topic"),
        pytest.param(b"\x30\x05\x00\x04abc", id="topic longer than the packet"),
        pytest.param(b"\x32\x05\x00\x02ab\x00", id="QoS 1 cut in its identifier"),
        pytest.param(b"\x32\x05\x00\x01a\x00\x00", id="packet identifier 0"),
        pytest.param(publish(b"a", b"x", qos=2), id="QoS 2"),
        pytest.param(publish(b"a", b"x", qos=3), id="QoS 3"),
        pytest.param(publish(b"a" * (MAX_TOPIC_BYTES + 1), b"x"), id="topic too long"),
        pytest.param(b"\x30\x80\x80\x80\x80\x01", id="length of five bytes"),
        pytest.param(b"\x30" + remaining_length(MAX_SKIPPED_BYTES + 1), id="too long even to skip"),
    ],
)
def test_what_breaks_the_protocol_is_a_fault_of_the_sender(stream: bytes) -> None:
    with pytest.raises(SignalError, match="malformed"):
        read_all(stream)


@given(st.binary(max_size=400), st.integers(1, 50))
def test_no_bytes_at_all_do_worse_than_a_signal_error(stream: bytes, piece: int) -> None:
    try:
        read_all(stream, piece)
    except SignalError as error:
        assert error.kind == "malformed"


def test_a_reset_forgets_half_a_packet() -> None:
    reader = PacketReader(LIMIT)
    reader.space()[:2] = b"\x30\x20"
    assert not reader.take(2)
    reader.space()[:3] = b"\x00\x01t"
    assert not reader.take(3)
    reader.reset()
    reader.space()[:2] = b"\xd0\x00"
    assert reader.take(2)
    assert reader.kind == mqtt_packets.PINGRESP


def test_packets_that_we_send() -> None:
    # Written down from the standard's own figures (3.1, 3.8, 3.3, 3.4).
    assert mqtt_packets.connect_packet("id", 10) == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x0a\x00\x02id"
    assert mqtt_packets.connect_packet("i", 258, "u", "pw", ("w", b"off")) == (
        b"\x10\x1c\x00\x04MQTT\x04\xee\x01\x02\x00\x01i\x00\x01w\x00\x03off\x00\x01u\x00\x02pw"
    )
    assert mqtt_packets.connect_packet("i", 10, "u")[9] == 0x82
    assert mqtt_packets.subscribe_packet(1, "a/#", 1) == b"\x82\x08\x00\x01\x00\x03a/#\x01"
    assert mqtt_packets.publish_packet("a/ü", b"x") == b"\x30\x07\x00\x04a/\xc3\xbcx"
    assert mqtt_packets.publish_packet("a", b"x" * 200, retain=True)[:3] == b"\x31\xcb\x01"
    acknowledgement = bytearray(4)
    mqtt_packets.fill_puback(acknowledgement, 0x1234)
    assert acknowledgement == b"\x40\x02\x12\x34"


@pytest.mark.parametrize("topic_filter", ["a", "/spat/1090", "#", "+", "a/+/b", "+/#", "/", "a//b"])
def test_sound_filters(topic_filter: str) -> None:
    assert mqtt_packets.filter_fault(topic_filter) is None


@pytest.mark.parametrize("topic_filter", ["", "a#", "#/a", "a+/b", "a/b+", "a\0b", "x" * (MAX_TOPIC_BYTES + 1)])
def test_unsound_filters(topic_filter: str) -> None:
    assert mqtt_packets.filter_fault(topic_filter)
