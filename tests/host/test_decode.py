# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding formats and decoding in full: every sample in every wrapping, XML beside UPER, bad input."""

import base64
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bit_writer import spatem
from leezenflow.errors import SignalError
from leezenflow_adapters import udap
from leezenflow_host.decoding import spatem_xml, tree
from leezenflow_host.decoding.detect import PayloadDecoder, decoder_names, find_decoder
from leezenflow_host.decoding.payloads import Payload, read_bytes, read_file, read_stream
from leezenflow_host.errors import InputError
from leezenflow_host.trace import TraceHeader, TraceWriter, format_message

SAMPLES = Path(__file__).parents[1] / "samples"


def rows(name: str) -> list[dict[str, Any]]:
    with gzip.open(SAMPLES / "spat_uper" / name, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


MUENSTER = rows("field_muenster.jsonl.gz")[0]
FIELD = rows("field_us.jsonl.gz")
HEX = [row["hex"] for row in FIELD]
EXPECTED = [row["expected"] for row in FIELD]
XML = (SAMPLES / "spatem_xml/captured-spat-lf-ms-j.xml").read_bytes()


def decoded(payloads: Iterator[Payload], adapter: str | None = None) -> list[Any]:
    """What all the payloads hold; the text of the error where one cannot be read."""
    decoder = PayloadDecoder(adapter)
    results: list[Any] = []
    for payload in payloads:
        if payload.error is not None:
            results.append(payload.error)
        else:
            results.extend(decoder.decode(payload.data, payload.adapter))
    results.extend(decoder.close())
    return [str(result) if isinstance(result, SignalError) else result for result in results]


def test_every_wire_format_has_a_full_decoder():
    assert decoder_names() == [
        "its_json",
        "mapem_uper",
        "rsmp",
        "sensorthings",
        "spatem_uper",
        "spatem_xml",
        "tscbm",
        "udap",
    ]
    with pytest.raises(InputError, match="Known: its_json"):
        find_decoder("detect")


def test_hexadecimal_a_message_a_line():
    text = "\n".join(HEX)
    assert decoded(read_bytes(text.encode())) == EXPECTED
    assert decoded(read_bytes(text.upper().replace("\n", "\r\n\r\n").encode())) == EXPECTED
    spaced = "# a comment\n" + "\n".join(" ".join(line[i : i + 2] for i in range(0, len(line), 2)) for line in HEX)
    assert decoded(read_bytes(spaced.encode())) == EXPECTED
    assert decoded(read_bytes(b"\xef\xbb\xbf0x" + HEX[0].encode())) == EXPECTED[:1]
    assert decoded(read_bytes(f"1765297041550 : {HEX[0]}\nPayload={HEX[1]}".encode())) == EXPECTED[:2]


def test_other_ways_to_write_octets():
    octets = [HEX[0][i : i + 2] for i in range(0, len(HEX[0]), 2)]
    for text in (" 0x".join(["", *octets]), ", ".join("0x" + octet for octet in octets) + ",", f'"{HEX[0]}",'):
        assert decoded(read_bytes(text.encode())) == EXPECTED[:1]
    assert decoded(read_bytes("\n".join(HEX).encode("utf-16"))) == EXPECTED
    assert decoded(read_bytes(b"\xff\xfe\x00\xd8\x00"))  # no text, but something to refuse


def test_dumps():
    data = bytes.fromhex(HEX[0])
    rows = [data[at : at + 16] for at in range(0, len(data), 16)]
    xxd = "\n".join(f"{16 * row:08x}: {part.hex(' ', -2)}  ..text.." for row, part in enumerate(rows))
    hexdump = "\n".join(
        f"{16 * row:08x}  {part[:8].hex(' ')}  {part[8:].hex(' ')}  |..|" for row, part in enumerate(rows)
    )
    for text in (xxd, hexdump + f"\n{len(data):08x}\n"):
        assert decoded(read_bytes(text.encode())) == EXPECTED[:1]
        # A line is missing: no dump any more.
        assert all(isinstance(line, str) for line in decoded(read_bytes(text[text.index("\n") + 1 :].encode())))


def test_an_odd_number_of_digits_is_not_taken_for_base64():
    (error,) = decoded(read_bytes(HEX[0][:-1].encode()))
    assert "odd number of hexadecimal digits" in error


def test_lists_and_single_lines_of_recordings():
    assert decoded(read_bytes(json.dumps(HEX).encode())) == EXPECTED
    assert decoded(read_stream(io.BytesIO(json.dumps(HEX).encode()))) == EXPECTED
    assert decoded(read_bytes(json.dumps([{"hex": line} for line in HEX]).encode())) == EXPECTED
    recorded = [format_message(5 + number, "a", bytes.fromhex(line)) for number, line in enumerate(HEX)]
    assert decoded(read_bytes("\n".join(recorded).encode())) == EXPECTED
    assert [payload.at_ms for payload in read_bytes(recorded[1].encode())] == [6]
    assert "at_ms is" in decoded(read_bytes(b'{"at_ms": "now", "payload": "a"}'))[0]


def test_messages_on_their_way_to_a_roadside_unit():
    text = "Version=0.7\nType=SPAT\nPSID=0x8002\nPriority=7\nTxMode=CONT\nSignature=False\nPayload={}\n"
    assert decoded(read_bytes(text.format(HEX[0]).encode())) == EXPECTED[:1]
    assert decoded(iter([Payload(text.format(HEX[1]).encode(), "packet 1")])) == EXPECTED[1:2]


def test_one_message_over_several_lines():
    lines = [HEX[0][i : i + 60] for i in range(0, len(HEX[0]), 60)]
    assert decoded(read_bytes("\n".join(lines).encode())) == EXPECTED[:1]
    wrapped = base64.encodebytes(bytes.fromhex(MUENSTER["hex"]))
    assert wrapped.count(b"\n") > 2
    assert decoded(read_bytes(wrapped)) == [MUENSTER["expected"]]


def test_base64_a_message_a_line():
    lines = [base64.b64encode(bytes.fromhex(line)).decode() for line in HEX]
    assert decoded(read_bytes("\n".join(lines).encode())) == EXPECTED
    url_safe = [base64.urlsafe_b64encode(bytes.fromhex(line)).decode().rstrip("=") for line in HEX]
    assert decoded(read_bytes("\n".join(url_safe).encode())) == EXPECTED


def test_binary():
    for row in FIELD:
        assert decoded(read_bytes(bytes.fromhex(row["hex"]))) == [row["expected"]]


def test_json_lines_with_hexadecimal_in_them():
    lines = [json.dumps({"hex": line, "standard": "j2735"}) for line in HEX]
    assert decoded(read_bytes("\n".join(lines).encode())) == EXPECTED
    ode = json.dumps({"metadata": {"asn1": HEX[0].upper()}, "payload": {}})
    assert decoded(read_bytes(ode.encode())) == EXPECTED[:1]
    assert decoded(read_bytes(json.dumps({"hex": HEX[0]}, indent=1).encode() * 2)) == EXPECTED[:1] * 2


def test_the_xml_capture_says_what_its_uper_form_says():
    assert decoded(read_bytes(XML)) == [MUENSTER["expected"]]
    assert decoded(read_bytes(XML * 3)) == [MUENSTER["expected"]] * 3
    bare = XML.split(b"?>", 1)[1]
    assert decoded(read_bytes(bare + bare)) == [MUENSTER["expected"]] * 2
    assert decoded(read_bytes(b"\xef\xbb\xbf" + XML)) == [MUENSTER["expected"]]


def test_xer_and_json_of_the_ode_say_what_their_octets_say():
    expected = next(row["expected"] for row in FIELD if row["name"] == "spat_12111_12")
    for name in ("spat.xml", "spat.json"):
        assert decoded(read_file(SAMPLES / "ode" / name)) == [expected]


def test_xml_with_comments_namespaces_and_every_optional_field():
    document = b"""<m:SPATEM xmlns:m="urn:x"><m:header><m:protocolVersion>2</m:protocolVersion>
      <m:messageId>4</m:messageId><m:stationId>7</m:stationId></m:header><m:spat><!-- x --><m:timeStamp>5</m:timeStamp>
      <m:intersections><m:IntersectionState><m:id><m:id>3</m:id></m:id><m:revision>1</m:revision>
      <m:status><m:off/><m:failureMode/></m:status><m:enabledLanes><m:LaneID>4</m:LaneID></m:enabledLanes><m:states>
      <m:MovementState><m:signalGroup>9</m:signalGroup><m:state-time-speed><m:MovementEvent>
      <m:eventState><m:pre-Movement/></m:eventState><m:timing><m:startTime>1</m:startTime><m:minEndTime>2</m:minEndTime>
      <m:nextTime>3</m:nextTime></m:timing>
      <m:speeds><m:AdvisorySpeed><m:type><m:ecoDrive/></m:type><m:speed>90</m:speed><m:confidence>3</m:confidence>
      <m:distance>70</m:distance><m:class>1</m:class></m:AdvisorySpeed></m:speeds>
      <m:regional><m:SEQUENCE><m:regionId>3</m:regionId><m:regExtValue><m:MovementEvent-addGrpC><m:stateChangeReason>
      <m:weather/></m:stateChangeReason></m:MovementEvent-addGrpC></m:regExtValue></m:SEQUENCE>
      <m:SEQUENCE><m:regionId>9</m:regionId><m:regExtValue>0A 0B</m:regExtValue></m:SEQUENCE></m:regional>
      </m:MovementEvent></m:state-time-speed><m:maneuverAssistList><m:ConnectionManeuverAssist>
      <m:connectionID>1</m:connectionID><m:queueLength>2</m:queueLength><m:waitOnStop><m:true/></m:waitOnStop>
      <m:pedBicycleDetect>0</m:pedBicycleDetect></m:ConnectionManeuverAssist></m:maneuverAssistList></m:MovementState>
      </m:states></m:IntersectionState></m:intersections></m:spat></m:SPATEM>"""
    (message,) = decoded(read_bytes(document))
    assert (message["message_id"], message["station_id"], message["spat_time_stamp_moy"]) == (4, 7, 5)
    (intersection,) = message["intersections"]
    assert intersection["status"] == ["failureMode", "off"]
    assert intersection["enabled_lanes"] == [4]
    (movement,) = intersection["movements"]
    assert movement["maneuver_assist"] == [
        {
            "connection_id": 1,
            "queue_length": 2,
            "available_storage": None,
            "wait_on_stop": True,
            "ped_bicycle_detect": False,
        }
    ]
    (event,) = movement["events"]
    assert (event["state"], event["start"], event["min_end"], event["next"]) == (4, 1, 2, 3)
    assert event["speeds"] == [{"type": "ecoDrive", "speed": 90, "confidence": "prec5ms", "distance": 70, "class": 1}]
    assert event["regional"] == [
        {"region_id": 3, "type": "MovementEvent-addGrpC", "value": {"stateChangeReason": "weather"}},
        {"region_id": 9, "hex": "0a0b"},
    ]


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><SPAT>&b;</SPAT>', "malformed"),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><SPAT/>'.encode("utf-16"), "malformed"),
        (b"<a>" * 50, "oversized"),
        (b"<a/>", "foreign"),
        (b"<SPAT/>", "malformed"),
        (b"<SPAT", "malformed"),
        (b'<?xml version="1.0" encoding="nowhere"?><SPAT/>', "malformed"),
        (XML.replace(b"<eventState>0<", b"<eventState>10<", 1), "malformed"),
        (XML.replace(b"<moy>203635<", b"<moy>twelve<"), "malformed"),
        (XML.replace(b"<moy>203635<", "<moy>²<".encode()), "malformed"),
        (XML.replace(b"<id>1090</id>", b""), "malformed"),
        (XML[: len(XML) // 2], "malformed"),
    ],
)
def test_xml_that_is_refused(document: bytes, kind: str):
    with pytest.raises(SignalError, match=kind):
        spatem_xml.decode(document)


def test_where_one_document_ends():
    bare = XML.split(b"?>", 1)[1]
    for document in (
        b"<!-- <likelyTime>1</likelyTime> -->" + bare,
        XML.replace(b"<states>", b"<!-- </DATA> --><states a='/>x' b=\"1'2>\">").replace(b"</DATA>", b"</DATA >"),
        b"<DATA>" + bare + b"</DATA>",
        XML + b"<!-- sent by </DATA> -->\0\n",
    ):
        assert len(spatem_xml.split(document)) == 1
        assert decoded(read_bytes(document)) == [MUENSTER["expected"]]
        assert decoded(read_bytes(document.strip(b"\0\n") * 3)) == [MUENSTER["expected"]] * 3
    utf16 = XML.decode().replace('"1.0"?', '"1.0" encoding="UTF-16"?')
    assert decoded(read_bytes(utf16.encode("utf-16"))) == [MUENSTER["expected"]]
    assert decoded(iter([Payload(utf16.encode("utf-16"), "")])) == [MUENSTER["expected"]]
    first, second = decoded(read_bytes(XML + b"<a><b></a>"))
    assert first == MUENSTER["expected"]
    assert second.startswith("malformed")


@pytest.mark.parametrize("piece", [b"<a", b"</", b'<a "', b"<!--", b"<?", b"<a>", b"<a/>", b"</a ", b"'", b"<![CDATA["])
def test_a_hostile_text_is_divided_all_the_same(piece: bytes):
    text = piece * (100_000 // len(piece))
    assert b"".join(spatem_xml.split(text)) == text


def test_one_broken_document_does_not_hide_the_others():
    broken = XML.replace(b"<states>", b"<states ", 1)
    first, middle, last = decoded(read_bytes(XML + broken + XML))
    assert first == last == MUENSTER["expected"]
    assert middle.startswith("malformed")


def test_recordings(tmp_path: Path):
    for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst"):
        with TraceWriter(tmp_path / name, TraceHeader(adapter="spatem_uper")) as trace:
            for number, line in enumerate(HEX):
                trace.write(1_000 + number, "topic", bytes.fromhex(line))
        assert decoded(read_file(tmp_path / name)) == EXPECTED
        assert [payload.at_ms for payload in read_file(tmp_path / name)] == list(range(1_000, 1_000 + len(HEX)))
        with open(tmp_path / name, "rb") as file:
            assert decoded(read_stream(file)) == EXPECTED


def test_a_damaged_recording_still_gives_the_rest(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    with TraceWriter(path, TraceHeader(adapter="spatem_uper")) as trace:
        for line in HEX[:3]:
            trace.write(1, "", bytes.fromhex(line))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1], "{damaged", lines[3], '{"at_ms": 5']))
    first, damaged, last, cut = decoded(read_file(path))
    assert [first, last] == [EXPECTED[0], EXPECTED[2]]
    assert "no valid JSON" in damaged
    assert "cut off" in cut


def test_packed_texts(tmp_path: Path):
    path = tmp_path / "messages.hex.gz"
    path.write_bytes(gzip.compress("\n".join(HEX).encode()))
    assert decoded(read_file(path)) == EXPECTED
    path.write_bytes(gzip.compress("\n".join(HEX).encode())[:-20])
    assert decoded(read_file(path))


def test_pipes_are_read_line_by_line():
    class Endless(io.BytesIO):
        """A pipe nobody closes: whoever reads on when nothing is left would wait for ever."""

        def read(self, size: int | None = -1, /) -> bytes:
            raise AssertionError("read to the end of a pipe that has none")

    payloads = read_stream(Endless("\n".join(HEX).encode()))
    for expected in EXPECTED:
        assert decoded(iter([next(payloads)])) == [expected]


def test_other_things_from_a_pipe():
    for data, expected in (
        (bytes.fromhex(HEX[0]), EXPECTED[:1]),
        (XML, [MUENSTER["expected"]]),
        ("\n".join(HEX[0][i : i + 60] for i in range(0, len(HEX[0]), 60)).encode(), EXPECTED[:1]),
        (b"", []),
    ):
        assert decoded(read_stream(io.BytesIO(data))) == expected


def test_unreadable_lines_are_named_and_the_rest_is_read():
    first, odd, words, foreign, last = decoded(read_bytes(f"{HEX[0]}\nabc\nhello\n00000000\n{HEX[1]}".encode()))
    assert [first, last] == EXPECTED[:2]
    assert "odd number" in odd
    assert "hello" in words
    assert foreign.startswith("foreign")


def test_a_map_among_signal_messages():
    map_hex = (SAMPLES / "map_uper/map_6320_04.hex").read_text().strip()
    first, geometry, last = decoded(read_bytes(f"{HEX[0]}\n{map_hex}\n{HEX[1]}".encode()), "spatem_uper")
    assert [first, last] == EXPECTED[:2]
    assert geometry["message_id"] == 18
    assert len(geometry["map"]["intersections"][0]["lanes"]) == 27


def test_tscbm():
    lines = (SAMPLES / "tscbm/carma_streets.hex").read_bytes()
    messages = decoded(read_bytes(lines))
    assert len(messages) == 4
    assert [movement["signal_group"] for movement in messages[0]["movements"]] == [2, 4, 6, 8, 102, 104, 106, 108]
    assert messages[0]["intersections"][0]["movements"][0]["name"] == "phase 2"
    assert messages[0]["movements"][0]["events"][0]["min_end"] == 16_445
    (message,) = decoded(read_file(SAMPLES / "tscbm/v2x_hub_241.bin"))
    assert message["movements"][1]["events"][0]["state"] == 6


def test_streams_go_on_across_payloads():
    one = spatem({"intersections": [{"id": 1, "movements": [{"signal_group": 1, "events": [{"state": 3}]}]}]})
    stream = udap.frame(udap.PAYLOAD, bytes(9) + one) * 3 + udap.frame(udap.KEEP_ALIVE)
    for size in (1, 7, 30, 1000):
        pieces = [Payload(stream[i : i + size], "") for i in range(0, len(stream), size)]
        messages = decoded(iter(pieces), "udap")
        assert [message["intersections"][0]["id"] for message in messages] == [1, 1, 1]
    assert decoded(iter([Payload(stream[:-10], "")]))[-1].startswith("truncated")


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes):
    for payloads in (read_bytes(data), read_stream(io.BytesIO(data))):
        try:
            results = decoded(payloads)
        except InputError as error:
            # What begins as packed data must be such.
            assert data[:2] == b"\x1f\x8b" or data[:4] == b"\x28\xb5\x2f\xfd", error
        else:
            assert all(isinstance(result, str | dict) for result in results)


@pytest.mark.parametrize("data", [b"\x1f\x8b", b"\x1f\x8bgarbage", b"\x28\xb5\x2f\xfdgarbage"])
def test_packed_data_that_is_none(data: bytes, tmp_path: Path):
    path = tmp_path / "a.gz"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"packed|empty|cut off|damaged"):
        decoded(read_file(path))


@given(st.sampled_from([*HEX, MUENSTER["hex"]]), st.data())
def test_trees_can_be_drawn_of_everything_that_decodes(line: str, data: st.DataObject):
    payload = bytearray.fromhex(line)
    for _ in range(data.draw(st.integers(0, 6))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    for message in PayloadDecoder().decode(bytes(payload)):
        if not isinstance(message, SignalError):
            assert tree.message_tree(message, "here").children
