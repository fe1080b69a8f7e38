# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands around a UPER message on its way: GeoNetworking, BTP, IEEE 1609.2, ETSI header, J2735 MessageFrame.

`Wrapping.open` finds where the message itself starts and ends and which one it is, and builds nothing. Clauses: ETSI EN
302 636-4-1 clause 9 (GeoNetworking), EN 302 636-5-1 (BTP), IEEE 1609.2 clause 6.3 (security envelope, COER), ETSI
TS 103 301 annex A (ItsPduHeader), SAE J2735 (MessageFrame).
"""

from leezenflow.errors import SignalError

# What a message is (the numbers are ours).
SPAT = 1
MAP = 2
OTHER = 3

ETSI = 1
J2735 = 2

_ETSI_SPATEM = 4
_ETSI_MAPEM = 5
_J2735_MAP = 18
_J2735_SPAT = 19
_BTP_PORT_MAPEM = 2003
_BTP_PORT_SPATEM = 2004

# GeoNetworking extended header lengths by header type (EN 302 636-4-1 clause 9.8).
_GEO_UNICAST, _GEO_ANYCAST, _GEO_BROADCAST, _TOPOLOGY_BROADCAST = 2, 3, 4, 5
# How deep wrappers may nest: Ethernet, GeoNetworking, security, GeoNetworking again, BTP and one to spare.
_MAX_DEPTH = 6
# How far a payload behind an unknown header is looked for: longer than any header named above with its addresses.
_MAX_SEARCH = 128


class Wrapping:
    """Where the payload of one message lies: `start` and `end` (bytes), its `message` kind and its `standard`.

    `version` and `station_id` are those of the ETSI header, `message_id` is the number the header gives; None where
    the header has no such field. A J2735 payload starts after its length, an ETSI payload after its ItsPduHeader.
    """

    __slots__ = ("end", "message", "message_id", "standard", "start", "station_id_at", "version")

    def __init__(self):
        self.start = 0
        self.end = 0
        self.message = OTHER
        self.standard = ETSI
        self.message_id = 0
        self.version = None
        self.station_id_at = None

    def open(self, buffer, start, end):
        """Find the payload in `buffer[start:end]`.

        Raises SignalError "foreign" (nothing known stands there) or "truncated" (a length goes past the end).
        """
        at = start
        for _ in range(_MAX_DEPTH):
            if self._payload(buffer, at, end):
                return
            inside = self._layer(buffer, at, end)
            if inside < 0:
                break
            at = inside
        if not self._search(buffer, start, end):
            raise SignalError("foreign", "no SPATEM, MAPEM or MessageFrame found", start)

    def _payload(self, buffer, at, end):
        if end - at < 3:
            return False
        first = buffer[at]
        message_id = buffer[at + 1]
        if first == 0 and 16 <= message_id <= 50:
            self._frame(buffer, at, end)
            return True
        # Ids 1..20: the ItsPduHeader messages of ETSI TS 102 894-2.
        if 1 <= first <= 2 and 1 <= message_id <= 20 and end - at >= 7:
            self.standard = ETSI
            self.version = first
            self.message_id = message_id
            self.station_id_at = at + 2
            self.message = SPAT if message_id == _ETSI_SPATEM else MAP if message_id == _ETSI_MAPEM else OTHER
            self.start = at + 6
            self.end = end
            return True
        return False

    def _frame(self, buffer, at, end):
        message_id = buffer[at + 1]
        length = buffer[at + 2]
        start = at + 3
        if length >= 192:
            raise SignalError("malformed", "MessageFrame in fragments", at + 2)
        if length >= 128:
            if end - at < 4:
                raise SignalError("truncated", "MessageFrame length", at + 2)
            length = (length & 63) << 8 | buffer[at + 3]
            start += 1
        if start + length > end:
            raise SignalError("truncated", "MessageFrame says %d bytes" % length, at + 2)
        self.standard = J2735
        self.version = None
        self.station_id_at = None
        self.message_id = message_id
        self.message = SPAT if message_id == _J2735_SPAT else MAP if message_id == _J2735_MAP else OTHER
        self.start = start
        # Field messages carry filler behind the declared length; it is not part of the message.
        self.end = start + length

    def _layer(self, buffer, at, end):
        """Offset behind the wrapper that starts at `at`; -1 where none does."""
        left = end - at
        if left < 8:
            return -1
        first = buffer[at]
        second = buffer[at + 1]
        port = first << 8 | second
        if (port == _BTP_PORT_SPATEM or port == _BTP_PORT_MAPEM) and _is_etsi(buffer, at + 4):
            return at + 4
        if first == 3 and (second == 0x80 or second == 0x81):
            return _security(buffer, at, end)
        if left >= 18 and buffer[at + 12] == 0x89 and buffer[at + 13] == 0x47:
            return at + 14
        # GeoNetworking basic header: version 0 or 1, next header 1 common, 2 secured; second octet reserved.
        if second == 0 and first >> 4 <= 1 and 1 <= first & 15 <= 2:
            if first & 15 == 2:
                return at + 4
            return _common(buffer, at + 4, end)
        # GeoNetworking common header, as a secured packet carries it: next header 1 or 2 (BTP-A, BTP-B).
        if (first == 0x10 or first == 0x20) and 2 <= second >> 4 <= 5:
            return _common(buffer, at, end)
        return -1

    def _search(self, buffer, start, end):
        last = min(end - 8, start + _MAX_SEARCH)
        at = start
        while at < last:
            first = buffer[at]
            second = buffer[at + 1]
            if first == 0 and (second == _J2735_SPAT or second == _J2735_MAP):
                length = buffer[at + 2]
                # Shorter than 10 bytes no SPAT or MAP is; so a stray 00 13 is seldom taken for one.
                plausible = 10 <= length < 128 and at + 3 + length <= end
                if 128 <= length < 192:
                    length = (length & 63) << 8 | buffer[at + 3]
                    plausible = length >= 128 and at + 4 + length <= end
                if plausible:
                    self._frame(buffer, at, end)
                    return True
            port = first << 8 | second
            if (port == _BTP_PORT_SPATEM or port == _BTP_PORT_MAPEM) and _is_etsi(buffer, at + 4):
                return self._payload(buffer, at + 4, end)
            at += 1
        return False


def _is_etsi(buffer, at):
    return 1 <= buffer[at] <= 2 and (buffer[at + 1] == _ETSI_SPATEM or buffer[at + 1] == _ETSI_MAPEM)


def _security(buffer, at, end):
    """Offset of the payload of an IEEE 1609.2 Ieee1609Dot2Data: unsecured, or signed with the data inside; else -1.

    COER: version 3, choice 0x80 unsecuredData or 0x81 signedData; a signed one goes on with the hash id, a presence
    octet (bit 0x40: data inside) and the unsecured data itself.
    """
    if buffer[at + 1] == 0x81:
        if end - at < 8 or not buffer[at + 3] & 0x40 or buffer[at + 4] != 3 or buffer[at + 5] != 0x80:
            return -1
        at += 4
    length = buffer[at + 2]
    start = at + 3
    if length > 0x80:
        octets = length & 0x7F
        if octets > 2 or start + octets > end:
            return -1
        length = 0
        for _ in range(octets):
            length = length << 8 | buffer[start]
            start += 1
    return start if start + length <= end else -1


def _common(buffer, at, end):
    """Offset behind a GeoNetworking common header, its extended header and BTP; -1 where they do not fit."""
    if end - at < 8:
        return -1
    next_header = buffer[at] >> 4
    header_type = buffer[at + 1] >> 4
    at += 8
    if header_type == _TOPOLOGY_BROADCAST:
        at += 28
    elif header_type == _GEO_BROADCAST or header_type == _GEO_ANYCAST:
        at += 44
    elif header_type == _GEO_UNICAST:
        at += 48
    else:
        return -1
    if not 1 <= next_header <= 2 or end - at < 8:
        return -1
    return at + 4
