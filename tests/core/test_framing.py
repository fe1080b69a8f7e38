# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames on a byte stream: every split, every kind of damage, on both interpreters."""

from leezenflow.framing import FrameDecoder, crc16, encode_frame


def _messages(stream, size=600, piece=1):
    """Return the messages that a decoder finds in `stream`, fed in pieces of `piece` bytes."""
    decoder = FrameDecoder(size)
    found = []
    for start in range(0, len(stream), piece):
        end = min(start + piece, len(stream))
        at = decoder.feed(stream, start, end)
        while at >= 0:
            found.append(bytes(decoder.payload[: decoder.length]))
            at = decoder.feed(stream, at, end)
    return found, decoder.counters


def _bytes_from(seed, count, zeros_in_256):
    out = bytearray()
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0x3FFFFFFF
        out.append(0 if (seed >> 8) & 255 < zeros_in_256 else (seed >> 16) & 255)
    return bytes(out)


def test_crc_has_the_published_check_value():
    assert crc16(b"123456789") == 0x29B1


def test_a_frame_has_one_zero_and_it_is_the_last_byte():
    for payload in (b"a", b"\0", b"\0\0", bytes(300), bytes(range(256)) * 2):
        frame = encode_frame(payload)
        assert frame.find(b"\0") == len(frame) - 1


def test_known_frame():
    # 11 00 + CRC 0xFA35, written down by hand: blocks [11] and [crc crc].
    crc = crc16(b"\x11\x00")
    assert encode_frame(b"\x11\x00") == bytes((2, 0x11, 3, crc >> 8, crc & 255, 0))


def test_every_length_around_the_block_limit_comes_back():
    for count in list(range(1, 6)) + list(range(248, 260)) + list(range(504, 514)):
        for zeros in (0, 3, 200, 256):
            payload = _bytes_from(count, count, zeros)
            found, counters = _messages(encode_frame(payload), piece=7)
            assert found == [payload], (count, zeros)
            assert counters["frames"] == 1


def test_a_block_that_is_full_at_the_very_end():
    for count in (252, 506):
        payload = b"\x01" * count
        crc = crc16(payload)
        assert crc >> 8 and crc & 255, "only without a zero in the CRC does the last block fill up"
        frame = encode_frame(payload)
        assert len(frame) == count + 2 + (count + 2) // 254 + 1
        assert _messages(frame)[0] == [payload]


def test_every_split_gives_the_same_messages():
    messages = [b"one", bytes(260), b"\x01\0\x02", _bytes_from(5, 259, 1)]
    stream = b"".join(encode_frame(message) for message in messages)
    for piece in list(range(1, 40)) + [len(stream)]:
        assert _messages(stream, piece=piece)[0] == messages, piece


def test_a_flipped_bit_anywhere_loses_that_frame_only():
    good = encode_frame(b"hello \0 world")
    for index in range(len(good) - 1):
        for bit in (1, 16, 128):
            bad = bytearray(good)
            bad[index] ^= bit
            found, counters = _messages(bytes(bad) + good)
            assert found == [b"hello \0 world"], (index, bit)
            assert counters["bad_crc"] + counters["malformed"] >= 1


def test_a_cut_frame_is_malformed_and_the_next_one_is_found():
    good = encode_frame(b"0123456789")
    for cut in range(1, len(good) - 1):
        found, counters = _messages(good[:cut] + b"\0" + good)
        assert found == [b"0123456789"], cut
        assert counters["malformed"] + counters["bad_crc"] == 1


def test_idle_delimiters_are_nothing():
    found, counters = _messages(b"\0\0\0" + encode_frame(b"x") + b"\0\0")
    assert found == [b"x"]
    assert counters == {"frames": 1, "bad_crc": 0, "too_long": 0, "malformed": 0}


def test_an_empty_message_is_malformed():
    crc = crc16(b"")
    found, counters = _messages(bytes((3, crc >> 8, crc & 255, 0)))
    assert found == []
    assert counters["malformed"] == 1


def test_a_frame_longer_than_the_buffer_is_skipped_and_memory_stays():
    decoder = FrameDecoder(64)
    longest = bytes(64)
    stream = encode_frame(_bytes_from(1, 65, 9)) + encode_frame(_bytes_from(2, 5000, 9)) + encode_frame(longest)
    at = decoder.feed(stream, 0, len(stream))
    assert at == len(stream)
    assert decoder.length == 64
    assert len(decoder.payload) == 66
    assert decoder.counters["too_long"] == 2


def test_feeding_allocates_nothing_on_the_board():
    import gc

    if not hasattr(gc, "mem_alloc"):  # CPython counts references instead
        return
    decoder = FrameDecoder(600)
    frame = encode_frame(_bytes_from(3, 500, 9))
    decoder.feed(frame, 0, len(frame))
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    decoder.feed(frame, 0, len(frame))
    after = gc.mem_alloc()
    gc.enable()
    assert after - before == 0
