# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""V2X and UDP payloads in packet captures (pcap and pcapng); dpkt reads the files and IP."""

from collections.abc import Iterator
from typing import BinaryIO

import dpkt
from dpkt import ethernet, ip, ip6, pcap, pcapng, sll, udp

_MAGICS = (
    b"\xa1\xb2\xc3\xd4",
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x4d\x3c\xb2\xa1",
    b"\x0a\x0d\x0d\x0a",
)
_PCAPNG = b"\x0a\x0d\x0d\x0a"

# Link types (tcpdump.org): what a packet of the capture begins with.
_ETHERNET, _RAW_IP, _LINUX_COOKED, _RAW_IPV4 = 1, 101, 113, 228
_GEONETWORKING = 0x8947
_WSMP = 0x88DC
_VLAN = 0x8100
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
        for time, packet in reader:
            number += 1
            for payload in payloads_of(link, bytes(packet)):
                yield number, int(time * 1000), payload
    except (dpkt.Error, ValueError, OverflowError, ArithmeticError, IndexError, KeyError, TypeError) as error:
        reason = str(error) or type(error).__name__
        raise CaptureError(f"the capture is damaged behind packet {number} ({reason})") from error


def payloads_of(link: int, packet: bytes) -> Iterator[bytes]:
    """What a packet of that link type carries: a UDP payload, or the octets behind a V2X Ethertype."""
    try:
        inner = _network_layer(link, packet)
    except (dpkt.Error, IndexError, ValueError):
        return
    if isinstance(inner, bytes):
        yield inner
    elif inner is not None and isinstance(inner.data, udp.UDP):
        content = bytes(inner.data.data)
        if content:
            yield content


def _network_layer(link: int, packet: bytes) -> bytes | ip.IP | ip6.IP6 | None:
    """An IP packet, the octets of a V2X one, or None."""
    if link == _ETHERNET:
        kind = int.from_bytes(packet[12:14], "big")
        start = 14
        if kind == _VLAN:
            kind, start = int.from_bytes(packet[16:18], "big"), 18
        if kind in (_GEONETWORKING, _WSMP):
            return packet[start:]
        return _ip_only(ethernet.Ethernet(packet).data)
    if link == _LINUX_COOKED:
        kind = int.from_bytes(packet[14:16], "big")
        return packet[16:] if kind in (_GEONETWORKING, _WSMP) else _ip_only(sll.SLL(packet).data)
    if link in (_RAW_IP, _RAW_IPV4, dpkt.pcap.DLT_RAW):
        return ip6.IP6(packet) if packet[0] >> 4 == 6 else ip.IP(packet)
    # 802.11 in its many dressings (105, 119, 127, 163, 192): the SNAP header shows where the payload begins.
    at = packet.find(_SNAP, 0, _MAX_LINK_HEADER)
    if at >= 0:
        kind = int.from_bytes(packet[at + 6 : at + 8], "big")
        if kind in (_GEONETWORKING, _WSMP):
            return packet[at + 8 :]
        if kind == 0x0800:
            return ip.IP(packet[at + 8 :])
    return None


def _ip_only(data: object) -> ip.IP | ip6.IP6 | None:
    # What dpkt cannot take apart it hands on as octets.
    return data if isinstance(data, ip.IP | ip6.IP6) else None
