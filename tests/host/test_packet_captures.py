# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packet captures: link types, VLANs, both versions of IP, fragments, damage."""

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from dpkt import pcap, pcapng
from hypothesis import given
from hypothesis import strategies as st

from bit_writer import message_frame, spatem
from leezenflow_host.decoding import captures
from leezenflow_host.decoding.detect import PayloadDecoder
from leezenflow_host.decoding.ip_fragments import Reassembly
from leezenflow_host.decoding.payloads import Payload, read_bytes, read_file

XML = (Path(__file__).parents[1] / "samples/spatem_xml/captured-spat-lf-ms-j.xml").read_bytes()


def decoded(payloads: list[Payload]) -> list[Any]:
    decoder = PayloadDecoder()
    return [result for payload in payloads for result in decoder.decode(payload.data)]


def ethernet(kind: int, content: bytes) -> bytes:
    return bytes(12) + struct.pack(">H", kind) + content


def udp_packet(content: bytes) -> bytes:
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(content), 0, 0, 64, 17, 0, bytes(4), bytes(4))
    return head + struct.pack(">HHHH", 5000, 6053, 8 + len(content), 0) + content


def geonetworking(content: bytes) -> bytes:
    btp = b"\x07\xd4\x00\x00" + content
    return b"\x11\x00\x1a\x01\x20\x50\x02\x80" + struct.pack(">H", len(btp)) + b"\x01\x00" + bytes(28) + btp


@pytest.mark.parametrize("writer", [pcap.Writer, pcapng.Writer])
def test_packet_captures(writer: Any, tmp_path: Path):
    one = {"intersections": [{"id": 1, "movements": [{"signal_group": 1, "events": [{"state": 3}]}]}]}
    path = tmp_path / "capture"
    with open(path, "wb") as file:
        capture = writer(file)
        capture.writepkt(ethernet(0x0800, udp_packet(message_frame(one))), 1.5)
        capture.writepkt(ethernet(0x8947, geonetworking(spatem(one))), 2)
        capture.writepkt(ethernet(0x8100, b"\x00\x05\x89\x47" + geonetworking(spatem(one))), 3)
        capture.writepkt(ethernet(0x0806, bytes(28)), 4)
        capture.writepkt(ethernet(0x0800, b"\x45"), 5)
    payloads = list(read_file(path))
    assert [(payload.where, payload.at_ms) for payload in payloads] == [
        ("packet 1", 1500),
        ("packet 2", 2000),
        ("packet 3", 3000),
    ]
    assert [message["intersections"][0]["id"] for message in decoded(payloads)] == [1, 1, 1]


def test_link_types():
    inner = geonetworking(b"x")
    wave = b"\x88\x02" + bytes(24) + b"\xaa\xaa\x03\x00\x00\x00"
    assert list(captures.payloads_of(105, wave + b"\x89\x47" + inner)) == [inner]
    assert list(captures.payloads_of(127, bytes(20) + wave + b"\x88\xdc" + inner)) == [inner]
    assert list(captures.payloads_of(127, bytes(20) + wave + b"\x08\x00" + udp_packet(b"abc"))) == [b"abc"]
    assert list(captures.payloads_of(113, bytes(14) + b"\x89\x47" + inner)) == [inner]
    assert list(captures.payloads_of(101, udp_packet(b"abc"))) == [b"abc"]
    assert list(captures.payloads_of(276, b"\x08\x00" + bytes(18) + udp_packet(b"abc"))) == [b"abc"]
    assert list(captures.payloads_of(0, b"\x02\0\0\0" + udp_packet(b"abc"))) == [b"abc"]
    assert list(captures.payloads_of(1, bytes(12) + b"\x88\xa8\0\5\x81\0\0\6\x89\x47" + inner)) == [inner]
    assert list(captures.payloads_of(1, bytes(12) + b"\x81\0\0\5\x81")) == []
    assert list(captures.payloads_of(147, b"abc")) == []
    assert list(captures.payloads_of(101, b"")) == []


def datagram(content: bytes) -> bytes:
    return struct.pack(">HHHH", 5000, 6053, 8 + len(content), 0) + content


def ipv4_fragments(content: bytes, size: int, number: int = 7) -> list[bytes]:
    whole = datagram(content)
    packets = []
    for at in range(0, len(whole), size):
        body = whole[at : at + size]
        flags = at // 8 | (0x2000 if at + size < len(whole) else 0)
        head = struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), number, flags, 64, 17, 0, b"\x0a\0\0\1", b"\x0a\0\0\2"
        )
        packets.append(head + body)
    return packets


def ipv6_packets(content: bytes, size: int | None = None, before: bytes = b"") -> list[bytes]:
    """In fragments of `size`, or whole with the hop-by-hop options `before` it."""
    whole = datagram(content)
    addresses = bytes(15) + b"\1" + bytes(15) + b"\2"
    if size is None:
        return [
            struct.pack(">IHBB", 6 << 28, len(before + whole), 0 if before else 17, 64) + addresses + before + whole
        ]
    packets = []
    for at in range(0, len(whole), size):
        body = whole[at : at + size]
        place = struct.pack(">BBHI", 17, 0, at | (at + size < len(whole)), 99)
        packets.append(struct.pack(">IHBB", 6 << 28, 8 + len(body), 44, 64) + addresses + place + body)
    return packets


@pytest.mark.parametrize("fragments", [ipv4_fragments(XML, 1480), ipv6_packets(XML, 1232)], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("order", [1, -1])
def test_datagrams_in_fragments(fragments: list[bytes], order: int):
    reassembly = Reassembly()
    other = ipv4_fragments(b"another" * 40, 64, number=8)
    found = [reassembly.udp_payload(packet) for packet in [other[0], *fragments[::order], *other[1:]]]
    assert [payload for payload in found if payload] == [XML, b"another" * 40]
    # The first and the last of it alone are nothing.
    assert [reassembly.udp_payload(packet) for packet in (fragments[0], fragments[-1])] == [None, None]


def test_packets_of_both_versions_of_ip():
    reassembly = Reassembly()
    options = b"\x11\0\x01\x04\0\0\0\0"
    for packet in (*ipv6_packets(b"abc"), *ipv6_packets(b"abc", before=options), *ipv6_packets(b"abc", 64)):
        assert reassembly.udp_payload(packet) == b"abc"
        for end in range(len(packet)):
            assert reassembly.udp_payload(packet[:end]) in (None, b"a", b"ab")
    padded = udp_packet(b"abc") + bytes(20)
    assert reassembly.udp_payload(padded) == b"abc"
    for end in range(len(udp_packet(b"abc"))):
        assert reassembly.udp_payload(padded[:end]) in (None, b"a", b"ab")


def test_fragments_without_end_are_given_up():
    reassembly = Reassembly()
    for number in range(200):
        assert reassembly.udp_payload(ipv4_fragments(bytes(3000), 1480, number)[0]) is None
    assert len(reassembly._pending) <= 64
    # One datagram that never stops growing: places overlap, or go beyond what a datagram can hold.
    for place in range(100):
        packet = bytearray(ipv4_fragments(bytes(3000), 1480)[0])
        packet[6:8] = struct.pack(">H", 0x2000 | place)
        assert reassembly.udp_payload(bytes(packet)) is None
    assert sum(len(part) for parts in reassembly._pending.values() for part in parts.values()) <= 65 * 65_535


@given(st.binary(max_size=120))
def test_any_packet_is_taken_or_left(packet: bytes):
    for link in (0, 1, 101, 113, 127, 276):
        list(captures.payloads_of(link, packet))


def capture_bytes(writer: Any) -> bytes:
    file = io.BytesIO()
    capture = writer(file)
    capture.writepkt(ethernet(0x0800, udp_packet(b"abcdef")), 1)
    capture.writepkt(ethernet(0x8947, geonetworking(b"abcdef")), 2)
    return file.getvalue()


CAPTURES = [capture_bytes(pcap.Writer), capture_bytes(pcapng.Writer)]


@given(st.sampled_from(CAPTURES), st.data())
def test_damaged_captures_end_with_an_error_at_most(capture: bytes, data: st.DataObject):
    damaged = bytearray(capture)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(4, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    del damaged[data.draw(st.integers(4, len(damaged))) :]
    payloads = list(read_bytes(bytes(damaged)))
    assert all(payload.error is None for payload in payloads[:-1])
