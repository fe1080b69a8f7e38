# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""V2X and UDP payloads in packet captures (pcap and pcapng); dpkt reads the files."""

from collections.abc import Iterator
from typing import BinaryIO

import dpkt
from dpkt import pcap, pcapng

from leezenflow_host.decoding.ip_fragments import Reassembly

_MAGICS = (
    b"\xa1\xb2\xc3\xd4",
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x4d\x3c\xb2\xa1",
    b"\x0a\x0d\x0d\x0a",
)
_PCAPNG = b"\x0a\x0d\x0d\x0a"

# Link types (tcpdump.org): what a packet of the capture begins with.
_NULL, _ETHERNET, _RAW_IP, _LOOP, _LINUX_COOKED, _RAW_IPV4, _RAW_IPV6, _LINUX_COOKED_2 = (
    0,
    1,
    101,
    108,
    113,
    228,
    229,
    276,
)
_GEONETWORKING = 0x8947
_WSMP = 0x88DC
_IP = (0x0800, 0x86DD)
# IEEE 802.1Q, 802.1ad, and what was used before the latter.
_VLANS = (0x8100, 0x88A8, 0x9100)
# LLC/SNAP in front of an Ethertype, as IEEE 802.11 frames have it.
_SNAP = b"\xaa\xaa\x03\x00\x00\x00"
# Radiotap, 802.11 QoS data and security headers together are shorter.
_MAX_LINK_HEADER = 160


# No packet and no block of a capture is as long; a damaged length must not ask for gigabytes.
_MAX_READ = 16 * 1024 * 1024


class CaptureError(Exception):
    """The capture is damaged from here on."""


class _BoundedFile:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, count: int = _MAX_READ) -> bytes:
        if not 0 <= count <= _MAX_READ:
            raise ValueError(f"a length of {count} bytes")
        return self._file.read(count)

    def seek(self, position: int) -> int:
        return self._file.seek(position)


def is_capture(head: bytes) -> bool:
    """Whether a file that begins with `head` is a pcap or pcapng."""
    return head[:4] in _MAGICS


def read_capture(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """(number as Wireshark counts, arrival in Unix ms, payload) of each packet that may carry a message.

    Raises CaptureError where the file is damaged.
    """
    number = 0
    try:
        if file.read(4) == _PCAPNG:
            file.seek(0)
            reader = pcapng.Reader(_BoundedFile(file))
        else:
            file.seek(0)
            reader = pcap.Reader(_BoundedFile(file))
        link = reader.datalink()
        reassembly = Reassembly()
        for time, packet in reader:
            number += 1
            for payload in payloads_of(link, bytes(packet), reassembly):
                yield number, int(time * 1000), payload
    except (dpkt.Error, ValueError, OverflowError, ArithmeticError, IndexError, KeyError, TypeError) as error:
        reason = str(error) or type(error).__name__
        raise CaptureError(f"the capture is damaged behind packet {number} ({reason})") from error


def payloads_of(link: int, packet: bytes, reassembly: Reassembly | None = None) -> Iterator[bytes]:
    """What a packet of that link type carries: a UDP payload, or the octets behind a V2X Ethertype.

    With the `reassembly` of the capture, a datagram in fragments comes with the packet that completes it.
    """
    kind, start = _network_layer(link, packet)
    if kind in _IP:
        content = (reassembly or Reassembly()).udp_payload(packet[start:])
        if content:
            yield content
    elif kind in (_GEONETWORKING, _WSMP):
        yield packet[start:]


def _network_layer(link: int, packet: bytes) -> tuple[int, int]:
    """The Ethertype of what a packet carries, and where it begins; 0 where that is not known."""
    if link in (_ETHERNET, _LINUX_COOKED):
        start = 14 if link == _ETHERNET else 16
        kind = int.from_bytes(packet[start - 2 : start], "big")
        while kind in _VLANS:
            start += 4
            kind = int.from_bytes(packet[start - 2 : start], "big")
        return kind, start
    if link == _LINUX_COOKED_2:
        return int.from_bytes(packet[:2], "big"), 20
    if link in (_RAW_IP, _RAW_IPV4, _RAW_IPV6, dpkt.pcap.DLT_RAW):
        return _IP[0], 0
    if link in (_NULL, _LOOP):
        # An address family in the byte order of some computer; the IP header itself says which version it is.
        return _IP[0], 4
    # 802.11 in its many dressings (105, 119, 127, 163, 192): the SNAP header shows where the payload begins.
    at = packet.find(_SNAP, 0, _MAX_LINK_HEADER)
    return (int.from_bytes(packet[at + 6 : at + 8], "big"), at + 8) if at >= 0 else (0, 0)
