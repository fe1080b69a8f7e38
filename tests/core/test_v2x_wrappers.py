# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may stand around a SPATEM: GeoNetworking, BTP, IEEE 1609.2, filler; and what is another message or none."""

from bit_writer import message_frame, spatem
from leezenflow.errors import SignalError
from leezenflow_adapters import spatem_uper

RED = {"state": 3, "min_end": 33_450, "max_end": 33_590, "likely": 33_530, "confidence": 15}


def decode(payload):
    """Return (answer, state) of one message."""
    made = spatem_uper.Decoder(49, 1090, 12)
    return made.decode(payload, 0, len(payload)), made.state


def refused(payload):
    """Return the kind of the SignalError that `payload` gives, or None."""
    try:
        decode(payload)
    except SignalError as error:
        return error.kind
    return None


def group(signal_group, *events):
    return {"signal_group": signal_group, "events": list(events)}


def message(*movements):
    return {"intersections": [{"id": 1090, "region": 49, "movements": list(movements)}]}


def test_behind_geonetworking_btp_and_security():
    payload = spatem(message(group(12, RED)))
    btp = b"\x07\xd4\x00\x00" + payload
    common = b"\x20\x50\x02\x80" + len(btp).to_bytes(2, "big") + b"\x01\x00"
    shb = common + bytes(28) + btp
    gbc = b"\x20\x40\x02\x80" + len(btp).to_bytes(2, "big") + b"\x01\x00" + bytes(44) + btp
    unsecured = b"\x11\x00\x1a\x01" + shb
    signed = b"\x03\x81\x00\x40\x03\x80" + coer(shb) + b"\x40\x01\x24" + bytes(90)
    frame = bytes(12) + b"\x89\x47" + unsecured
    for wrapped in (
        btp,
        shb,
        unsecured,
        frame,
        b"\x11\x00\x1a\x01" + gbc,
        b"\x12\x00\x1a\x01" + signed,
        bytes(12) + b"\x89\x47\x12\x00\x1a\x01" + signed,
        b"\x03\x80" + coer(payload),
        b"\x03\x80" + coer(message_frame(message(group(12, RED)))),
        b"\x03\x81\x00\x40\x03\x80" + coer(message_frame(message(group(12, RED)))) + bytes(64),
        b"an RSU of its own: " + message_frame(message(group(12, RED))),
        b"another one 12345" + btp,
    ):
        found, state = decode(wrapped)
        assert found is True
        assert state.movement.events[0].likely_time == 33_530


def test_long_messages_in_wrappers():
    long = spatem(message(group(1, *[RED] * 16), group(12, RED), group(2, *[RED] * 16)))
    assert 256 < len(long)
    middle = spatem(message(group(1, *[RED] * 13), group(12, RED)))
    assert 127 < len(middle) < 256
    unicast = (
        b"\x20\x20\x02\x80" + (len(long) + 4).to_bytes(2, "big") + b"\x01\x00" + bytes(48) + b"\x07\xd4\0\0" + long
    )
    for wrapped in (
        b"\x03\x80" + coer(long),
        b"\x03\x80" + coer(middle),
        b"\x03\x81\x01\x40\x03\x80" + coer(long) + bytes(70),
        b"\x01\x00\x1a\x01" + unicast,
        message_frame(message(group(1, *[RED] * 16), group(12, RED))),
        b"header" + message_frame(message(group(1, *[RED] * 16), group(12, RED))),
    ):
        assert decode(wrapped)[0] is True


def test_wrappers_cut_short_or_of_another_kind():
    payload = spatem(message(group(12, RED)))
    for wrapped in (
        b"\x11\x00\x1a\x01" + b"\x20\x10" + bytes(60),  # a beacon carries nothing
        b"\x11\x00\x1a\x01" + b"\x00\x50" + bytes(60),  # no transport header
        b"\x11\x00\x1a\x01\x20\x50\x02",
        b"\x11\x00\x1a\x01\x20\x50\x02\x80" + bytes(26),
        b"\x03\x81\x00\x20\x03\x80" + coer(payload),  # signed, but only a hash inside
        b"\x03\x80\x83\x00\x00\x40" + bytes(70),
        b"\x03\x80\x50" + bytes(20),
        b"\x03\x82" + bytes(80),  # encrypted
        b"\x07\xd4\x00\x00" + bytes(40),
        b"\x12\x00\x1a\x01" * 12,
    ):
        assert refused(wrapped) == "foreign"
    assert decode(b"\x07\xd3\x00\x00\x02\x05" + bytes(40))[0] is False
    assert decode(b"some header " + b"\x07\xd3\x00\x00\x02\x05" + bytes(40))[0] is False
    assert refused(b"\x00\x13\x80") == "truncated"


def coer(content):
    """COER octets behind their length."""
    if len(content) < 128:
        return bytes([len(content)]) + content
    if len(content) < 256:
        return bytes([0x81, len(content)]) + content
    return b"\x82" + len(content).to_bytes(2, "big") + content


def test_filler_behind_a_message_is_ignored():
    payload = message_frame(message(group(12, RED)))
    for filler in (b"\0", b"\0" * 100, b"\xff" * 7):
        assert decode(payload + filler)[0] is True
    assert decode(spatem(message(group(12, RED))) + b"\0")[0] is True


def test_map_and_other_messages_are_sound_but_not_ours():
    assert decode(b"\x02\x05" + bytes(60))[0] is False
    assert decode(b"\x02\x01" + bytes(60))[0] is False
    assert decode(b"\x00\x12\x10" + bytes(16))[0] is False
    assert decode(b"\x00\x14\x10" + bytes(16))[0] is False


def test_what_is_no_message_at_all():
    for payload in (b"", b"\x02", b"<?xml version='1.0'?>", b"{}", bytes(300), b"\xff" * 300):
        assert refused(payload) == "foreign"
    assert refused(bytes(spatem_uper.MAX_BYTES + 1)) == "oversized"
