# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""UDP datagrams out of IP packets, put together where they travelled in fragments (RFC 791, RFC 8200 clause 4.5)."""

_UDP = 17
_UDP_HEAD = 8
_IPV4_HEAD = 20
_IPV6_HEAD = 40
# Hop-by-hop and destination options, routing and fragment headers stand before what an IPv6 packet carries.
_FRAGMENT = 44
_EXTENSIONS = (0, 43, _FRAGMENT, 60)
# A SPATEM in XML has 33 kB; more datagrams than these do not travel at once on one network.
_MAX_DATAGRAM = 65_535
_MAX_PENDING = 64

_Key = tuple[bytes, bytes, int]


class Reassembly:
    """Takes the IP packets of one network in order; keeps at most _MAX_PENDING begun datagrams."""

    def __init__(self) -> None:
        self._pending: dict[_Key, dict[int, bytes]] = {}
        self._sizes: dict[_Key, int] = {}

    def udp_payload(self, packet: bytes) -> bytes | None:
        """The payload of the UDP datagram that is complete with this IP packet; None where there is none."""
        version = packet[0] >> 4 if packet else 0
        if version == 4 and len(packet) >= _IPV4_HEAD:
            return self._of_ipv4(packet)
        if version == 6 and len(packet) >= _IPV6_HEAD:
            return self._of_ipv6(packet)
        return None

    def _of_ipv4(self, packet: bytes) -> bytes | None:
        head = (packet[0] & 15) * 4
        number, flags = _word(packet, 4), _word(packet, 6)
        # What stands behind the packet's own length is padding; 0 is what a network card fills in later.
        body = packet[head : _word(packet, 2) or len(packet)]
        if packet[9] != _UDP or head < _IPV4_HEAD:
            return None
        if flags & 0x3FFF:
            return self._join((packet[12:16], packet[16:20], number), (flags & 0x1FFF) * 8, bool(flags & 0x2000), body)
        return _payload(body)

    def _of_ipv6(self, packet: bytes) -> bytes | None:
        kind, at = packet[6], _IPV6_HEAD
        end = _IPV6_HEAD + _word(packet, 4)
        fragment = None
        while kind in _EXTENSIONS and at + 8 <= len(packet):
            if kind == _FRAGMENT:
                fragment = (_word(packet, at + 2), int.from_bytes(packet[at + 4 : at + 8], "big"))
            kind, at = packet[at], at + (8 if kind == _FRAGMENT else 8 + packet[at + 1] * 8)
            if fragment is not None:
                break  # all that follows may be in another fragment
        if kind != _UDP:
            return None
        if fragment is not None and fragment[0] & 0xFFF9:
            place, number = fragment
            return self._join((packet[8:24], packet[24:40], number), place & 0xFFF8, bool(place & 1), packet[at:end])
        return _payload(packet[at:end])

    def _join(self, key: _Key, offset: int, more: bool, body: bytes) -> bytes | None:
        parts = self._pending.setdefault(key, {})
        parts[offset] = body
        if not more:
            self._sizes[key] = offset + len(body)
        size = self._sizes.get(key)
        if sum(map(len, parts.values())) > _MAX_DATAGRAM:
            self._forget(key)
        elif size is not None:
            whole = b""
            for at in sorted(parts):
                if at != len(whole):
                    break
                whole += parts[at]
            if len(whole) == size:
                self._forget(key)
                return _payload(whole)
        if len(self._pending) > _MAX_PENDING:
            self._forget(next(iter(self._pending)))
        return None

    def _forget(self, key: _Key) -> None:
        self._pending.pop(key, None)
        self._sizes.pop(key, None)


def _payload(datagram: bytes) -> bytes | None:
    if len(datagram) < _UDP_HEAD:
        return None
    # A length of 0 (jumbograms) means all of it.
    return datagram[_UDP_HEAD : _word(datagram, 4) or len(datagram)] or None


def _word(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]
