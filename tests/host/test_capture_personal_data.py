# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CAMs and their kin are found in every dress, and no signal message is taken for one."""

import gzip
import json
from pathlib import Path

import pytest

from leezenflow_adapters import udap
from leezenflow_host.capture.personal_data import personal_kind
from leezenflow_host.trace import TraceReader

ROOT = Path(__file__).resolve().parents[2]
CAM = bytes.fromhex("0202000004d2") + bytes(40)
BSM = b"\x00\x14\x24" + bytes(36)
BTP_CAM = bytes.fromhex("07d10000") + CAM
# GeoNetworking single-hop broadcast: basic header, common header (BTP-B, TSB), position of the sender, media.
SHORT = bytes.fromhex("11000501") + bytes.fromhex("2050028000320100") + bytes(28) + BTP_CAM
SIGNED = bytes.fromhex("0381004003802a") + SHORT[4:][:42]


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (CAM, "CAM"),
        (b"\x01" + CAM[1:], "CAM"),
        (b"\x02\x01" + CAM[2:], "DENM"),
        (b"\x02\x0e" + CAM[2:], "CPM"),
        (b"\x02\x10" + CAM[2:], "VAM"),
        (b"\x02\x09" + CAM[2:], "SREM"),
        (BSM, "BSM"),
        (b"\x00\x1d" + BSM[2:], "SRM"),
        (b"\x00\x20" + BSM[2:], "PSM"),
        (BTP_CAM, "CAM"),
        (SHORT, "CAM"),
        (bytes(12) + b"\x89\x47" + SHORT, "CAM"),
        (b"\xee" * 33 + BTP_CAM, "CAM"),
        (udap.frame(udap.PAYLOAD, bytes(9) + CAM), "CAM"),
        (CAM.hex().encode(), "CAM"),
        (CAM.hex(" ").upper().encode() + b"\n", "CAM"),
        (json.dumps({"payload": {"data": {"bytes": BSM.hex()}}}).encode(), "BSM"),
        (json.dumps({"metadata": {"asn1": BSM.hex()}}).encode(), "BSM"),
        (
            b"<DATA><ItsPduHeader><protocolVersion>2</protocolVersion><messageID>2</messageID></ItsPduHeader></DATA>",
            "CAM",
        ),
        (b'<?xml version="1.0"?><CAM><header><messageID><cam/></messageID></header></CAM>', "CAM"),
        (b"\xef\xbb\xbf <ns:CAM xmlns:ns='x'/>", "CAM"),
        (b"<MessageFrame><messageId>20</messageId><value/></MessageFrame>", "BSM"),
        (b"<OdeBsmData><BasicSafetyMessage/></OdeBsmData>", "BSM"),
        (b'{"message_type": "cam", "message": {}}', "CAM"),
        (b'{"type":"cam","origin":"self","message":{"protocol_version":1}}', "CAM"),
        (b'{"header": {"protocolVersion": 2, "messageId": 2, "stationId": 7}, "cam": {}}', "CAM"),
        (b'{"metadata": {"payloadType": "us.dot.its.jpo.ode.model.OdeBsmPayload"}}', "BSM"),
        (b'{"messageId": "DSRCmsgID 20"}', "BSM"),
    ],
)
def test_found(payload: bytes, kind: str):
    assert personal_kind(payload) == kind


@pytest.mark.parametrize("payload", [b"", b"\x02", b"plain text", b"{", b"<", b"[]", b"\xff" * 400, b'{"type": "x"}'])
def test_harmless(payload: bytes):
    assert personal_kind(payload) is None


def test_no_signal_message_is_left_out():
    seen = 0
    for path in sorted((ROOT / "tests/traces").glob("*.jsonl.gz")):
        with TraceReader(path) as reader:
            for message in reader:
                seen += 1
                assert personal_kind(message.payload) is None, (path.name, message.line)
    for path in sorted((ROOT / "tests/samples").rglob("*")):
        if path.name.endswith(".jsonl.gz"):
            for line in gzip.decompress(path.read_bytes()).splitlines():
                seen += 1
                assert personal_kind(bytes.fromhex(json.loads(line)["hex"])) is None, path.name
        elif path.is_file() and path.suffix != ".license":
            seen += 1
            assert personal_kind(path.read_bytes()) is None, path.name
    assert seen > 1000
