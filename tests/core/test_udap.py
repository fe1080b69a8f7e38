# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""UDAP streaming frames: payloads in any pieces, resynchronisation after damage, and what a client sends."""

import gc

from bit_writer import spatem
from leezenflow.errors import SignalError
from leezenflow_adapters import udap

ORIGIN = bytes(8)


def message(likely, intersection_id=1090, signal_group=12):
    event = {"state": 3, "min_end": likely, "likely": likely}
    movements = [{"signal_group": signal_group, "events": [event]}]
    return spatem({"intersections": [{"id": intersection_id, "region": 49, "movements": movements}]})


def payload_frame(likely, **more):
    return udap.frame(udap.PAYLOAD, b"\x04" + ORIGIN + message(likely, **more))


def decode(decoder, piece):
    return decoder.decode(piece, 0, len(piece))


def likely_of(decoder):
    return decoder.state.movement.events[0].likely_time


def test_a_frame_of_each_kind_of_payload():
    decoder = udap.Decoder(49, 1090, 12)
    assert decode(decoder, payload_frame(100)) is True
    assert likely_of(decoder) == 100
    assert decode(decoder, udap.frame(udap.PAYLOAD_WITH_ID, b"TLC1\0\0\0\0\x04" + ORIGIN + message(200))) is True
    assert likely_of(decoder) == 200


def test_frames_without_payload_are_nothing_of_ours():
    decoder = udap.Decoder(49, 1090, 12)
    for kind in (udap.KEEP_ALIVE, udap.BYE, udap.RECONNECT, udap.TIMESTAMP_REQUEST, 0xF0):
        assert decode(decoder, udap.frame(kind, bytes(8))) is False
    assert decode(decoder, b"\xaa\xbb\0\0") is False
    assert decode(decoder, udap.frame(udap.PAYLOAD, b"\x04")) is False
    assert decode(decoder, b"") is False


def test_the_last_message_of_ours_in_a_piece_counts():
    decoder = udap.Decoder(49, 1090, 12)
    piece = payload_frame(100) + payload_frame(200) + payload_frame(300, intersection_id=1091)
    assert decode(decoder, piece) is True
    assert likely_of(decoder) == 200
    # A later message without our group does not spoil the earlier one.
    assert decode(decoder, payload_frame(400) + payload_frame(500, signal_group=13)) is True
    assert likely_of(decoder) == 400


def test_every_cut_of_two_frames():
    stream = payload_frame(100) + udap.frame(udap.KEEP_ALIVE) + payload_frame(200)
    for cut in range(len(stream) + 1):
        decoder = udap.Decoder(49, 1090, 12)
        answers = [decode(decoder, stream[:cut]), decode(decoder, stream[cut:])]
        assert True in answers
        assert likely_of(decoder) == 200


def test_octet_by_octet():
    decoder = udap.Decoder(49, 1090, 12)
    seen = []
    for octet in payload_frame(100) + payload_frame(200) + payload_frame(300):
        if decode(decoder, bytes([octet])):
            seen.append(likely_of(decoder))
    assert seen == [100, 200, 300]


def test_damage_costs_one_frame():
    decoder = udap.Decoder(49, 1090, 12)
    good = payload_frame(100)
    broken = bytearray(payload_frame(200))
    broken[20] ^= 0xFF
    assert decode(decoder, b"noise" + good) is True
    assert decode(decoder, bytes(broken) + good) is True
    for piece in (b"noise", bytes(broken), b"\xaa\xaa\xbb\xbb"):
        try:
            kind = str(decode(decoder, piece))
        except SignalError as error:
            kind = error.kind
        assert kind in ("malformed", "foreign", "truncated", "False")
        assert decode(decoder, good) is True


def test_a_beginning_that_is_none():
    decoder = udap.Decoder(49, 1090, 12)
    assert decode(decoder, b"\xaa") is False
    try:
        kind = str(decode(decoder, b"\x01"))
    except SignalError as error:
        kind = error.kind
    assert kind == "malformed"
    assert decode(decoder, payload_frame(100)) is True


def test_a_frame_too_long_to_keep_is_refused_and_memory_stays_bounded():
    decoder = udap.Decoder(49, 1090, 12)
    try:
        kind = str(decode(decoder, b"\xaa\xbb\xff\xff" + bytes(udap.MAX_KEPT_BYTES)))
    except SignalError as error:
        kind = error.kind
    assert kind == "oversized"
    assert decode(decoder, b"\xaa\xbb\xff\xff") is False
    try:
        kind = str(decode(decoder, bytes(100)))
    except SignalError as error:
        kind = error.kind
    assert kind == "oversized"
    assert decode(decoder, payload_frame(100)) is True


def test_a_piece_given_up_in_the_middle():
    decoder = udap.Decoder(49, 1090, 12)
    frame = payload_frame(100)
    assert decode(decoder, frame[:30]) is False
    rest = frame[30:]
    decoder.begin(rest, 0, len(rest))
    decoder.step()
    assert decode(decoder, payload_frame(200)) is True
    assert likely_of(decoder) == 200


def test_what_a_client_sends():
    assert udap.token_frame("abc") == b"\xaa\xbb\x00\x04\x01abc"
    request = udap.frame(udap.TIMESTAMP_REQUEST, b"12345678")
    assert udap.timestamp_request_of(request, 0, len(request)) == b"12345678"
    assert udap.timestamp_request_of(udap.frame(udap.KEEP_ALIVE), 0, 5) is None
    answer = udap.timestamp_response(b"12345678", 1, 2)
    assert answer == b"\xaa\xbb\x00\x19\x0712345678" + bytes(7) + b"\x01" + bytes(7) + b"\x02"


def test_nothing_is_allocated_in_steady_state():
    if not hasattr(gc, "mem_alloc"):
        return
    decoder = udap.Decoder(49, 1090, 12)
    first = bytearray(payload_frame(100))
    room = bytearray(len(first) + 2)
    room[: len(first)] = first
    half = len(first) // 2
    for _ in range(2):
        decoder.decode(room, 0, half)
        decoder.decode(room, half, len(first))
    gc.collect()
    before = gc.mem_alloc()
    decoder.decode(room, 0, len(first))
    decoder.decode(room, 0, half)
    decoder.decode(room, half, len(first))
    assert gc.mem_alloc() == before
