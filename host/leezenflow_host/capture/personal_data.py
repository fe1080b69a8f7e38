# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vehicles and people send about themselves, and a recording of signals must not hold.

CAMs and their kin carry a station's id, place and speed: personal data, even under changing names. They are found by
what they say they are, in UPER (behind GeoNetworking, BTP and security, too), XML, JSON and hexadecimal text.
"""

import re

from leezenflow.errors import SignalError
from leezenflow_adapters import udap, v2x_wrappers
from leezenflow_host.decoding.detect import unpack_text

# ItsPduHeader.messageID (ETSI TS 102 894-2); SPATEM 4, MAPEM 5, IVIM 6, SSEM 10 and RTCMEM 13 come from the roadside.
_ETSI = {1: "DENM", 2: "CAM", 9: "SREM", 14: "CPM", 16: "VAM"}
# DSRCmsgID (SAE J2735).
_J2735 = {20: "BSM", 26: "PVD", 29: "SRM", 32: "PSM"}
_BY_NUMBER = {**_ETSI, **_J2735}
_BY_NAME = {name.lower(): name for name in _BY_NUMBER.values()} | {
    "basicsafetymessage": "BSM",
    "signalrequestmessage": "SRM",
    "personalsafetymessage": "PSM",
    "probevehicledata": "PVD",
}

# BTP ports of those (ETSI TS 103 248), the port's info, then version and messageID, behind headers nobody knows.
_BEHIND_BTP = re.compile(rb"\x07[\xd1\xd2\xd7\xd9\xe2]..[\x01\x02]([\x01\x02\x09\x0e\x10])", re.DOTALL)
_MAX_HEADERS = 256
_XML_ID = re.compile(rb"<(?:\w+:)?messageI[dD]\b[^>]*>\s*<?\s*(\w+)")
_XML_NAME = re.compile(
    rb"<(?:\w+:)?(CAM|DENM|SREM|CPM|VAM|BasicSafetyMessage|SignalRequestMessage|PersonalSafetyMessage|ProbeVehicleData)\b"
)
_JSON_KIND = re.compile(
    rb'"(?:message_?[iI][dD]|message_?[tT]ype|message-id|type)"\s*:\s*"?(?:DSRCmsgID\s+)?(\w+)|OdeB(?=sm)|"(cam|bsm)"\s*:'
)
_JSON_OCTETS = re.compile(rb'"(?:hex|asn1|bytes)"')


def personal_kind(payload: bytes) -> str | None:
    """Which message about a vehicle or a person this is ("CAM"), None for any other."""
    if payload[:1].isascii() and payload[:1] > b"\x08":
        text = payload.lstrip(b" \t\r\n\f")
        if text[:1] == b"<":
            return _xml_kind(text)
        if text[:1] in (b"{", b"["):
            return _json_kind(text)
        octets = unpack_text(payload)
        if octets is not None:
            return _binary_kind(octets)
    elif payload.startswith(b"\xef\xbb\xbf"):
        return personal_kind(payload[3:])
    return _binary_kind(payload)


def _xml_kind(text: bytes) -> str | None:
    for found in _XML_ID.finditer(text):
        kind = _named(found.group(1))
        if kind:
            return kind
    found = _XML_NAME.search(text)
    return _named(found.group(1)) if found else None


def _json_kind(text: bytes) -> str | None:
    for found in _JSON_KIND.finditer(text):
        if found.group() == b"OdeB":
            return "BSM"
        kind = _named(found.group(1) or found.group(2))
        if kind:
            return kind
    if _JSON_OCTETS.search(text):
        octets = unpack_text(text)
        if octets is not None:
            return _binary_kind(octets)
    return None


def _named(word: bytes) -> str | None:
    if word.isdigit():
        return _BY_NUMBER.get(int(word[:4]))
    return _BY_NAME.get(word.decode("ascii", "replace").lower())


def _binary_kind(payload: bytes) -> str | None:
    if payload[:2] == b"\xaa\xbb":
        start = udap.payload_start(payload, 0, len(payload))
        payload = payload[start:] if start >= 0 else b""
    wrapping = v2x_wrappers.Wrapping()
    try:
        wrapping.open(payload, 0, len(payload))
    except SignalError:
        found = _BEHIND_BTP.search(payload, 0, _MAX_HEADERS)
        return _ETSI[found.group(1)[0]] if found else None
    if wrapping.message != v2x_wrappers.OTHER:
        return None
    kinds = _ETSI if wrapping.standard == v2x_wrappers.ETSI else _J2735
    return kinds.get(wrapping.message_id)
