# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPATEM as XML into the normalised form: Münster's receivers (numbers, underscores) and XER (names, hyphens).

Read with the standard library's parser, since all of it is wanted here; `leezenflow_adapters.spatem_xml` scans for one
signal group. The broker is a trust boundary: document types are refused before an entity can be declared, and depth
and number of elements are bounded.
"""

import re
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from leezenflow.errors import SignalError
from leezenflow.spatem import MOVEMENT_PHASE_STATES, STATUS_BITS
from leezenflow_host.decoding import normal_form
from leezenflow_host.decoding.normal_form import Message
from leezenflow_host.decoding.spatem_uper import SPEED_CONFIDENCES, SPEED_TYPES, STATE_CHANGE_REASONS

# The largest message of the field has 33 kB and 1,900 elements, 13 deep.
MAX_DEPTH = 40
MAX_ELEMENTS = 500_000

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF16_TAGS = (b"\xff\xfe<\0", b"\xfe\xff\0<")
_ROOT = re.compile(rb"(?:<\?xml\s[^>]*+>)?\s*+<([A-Za-z_][^\s/<>]*+)")
# A declaration; comments, CDATA and instructions, in which tags are none; end tags; tags with all behind their names.
# Nothing in it is tried twice (possessive), or a hostile text would take for ever.
_MARKUP = re.compile(
    rb"(<\?xml\s)|<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)|</([^\s<>]++)\s*+>"
    rb"|<([A-Za-z_][^\s/<>]*+)((?:[^<>\"\']|\"[^\"<]*+\"|\'[^\'<]*+\')*+)>",
    re.DOTALL,
)
_J2735_SPAT = 19
_ADDGRPC = 3


def recognises(payload: bytes) -> bool:
    """Whether `payload` can be XML at all."""
    return payload.removeprefix(_BOM).lstrip()[:1] == b"<" or payload[:4] in _UTF16_TAGS


def split(payload: bytes) -> list[bytes]:
    """The documents of a stream of them, with or without XML declarations between them, as old logs have it.

    Comments and the like between two are left out.
    """
    if payload[:2] in _UTF16:
        return [payload]  # the parser knows it, and nobody writes several into one
    payload = payload.replace(_BOM, b"")
    if _is_one(payload):
        return [payload]
    documents: list[bytes] = []
    start = 0
    name = b""
    depth = 0
    for found in _MARKUP.finditer(payload):
        if found.group(1) is not None:
            # A declaration begins a document, whatever came before it.
            piece = payload[start : found.start()]
            if name or not _is_empty(piece):
                documents.append(piece)
            start, name, depth = found.start(), b"", 0
        elif found.group(3) is not None and found.group(3) == (name or found.group(3)):
            name = found.group(3)
            depth += not found.group(4).endswith(b"/")
        elif name and found.group(2) == name:
            depth -= 1
        if name and depth == 0:
            documents.append(payload[start : found.end()])
            start, name = found.end(), b""
    rest = payload[start:]
    if name or not _is_empty(rest) or (rest.strip() and not documents):
        documents.append(rest)
    return documents


def _is_empty(piece: bytes) -> bool:
    """Whether what stands behind a document holds nothing: spaces, comments, and what buffers are filled with."""
    return not _MARKUP.sub(b"", piece).strip(b"\0 \t\r\n")


def _is_one(payload: bytes) -> bool:
    """Whether it is plain to see that this is one document, as nearly every payload is."""
    root = _ROOT.match(payload)
    if root is None or b"<!" in payload or payload.find(b"<?xml", 1) >= 0:
        return False
    end = b"</" + root.group(1) + b">"
    return payload.count(end) == 1 and payload.rstrip().endswith(end)


class _BoundedBuilder(ElementTree.TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._count = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise SignalError("oversized", f"more than {MAX_DEPTH} levels or {MAX_ELEMENTS} elements")
        return super().start(tag.rpartition("}")[2], attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag.rpartition("}")[2])

    def doctype(self, name: str, pubid: str, system: str) -> None:
        raise SignalError("malformed", "a document type declaration; SPATEM needs none")


def decode(payload: bytes) -> Message:
    """Decode one document; raises SignalError: "foreign" (no SPAT in it), "malformed", "oversized"."""
    parser = ElementTree.XMLParser(target=_BoundedBuilder())
    try:
        parser.feed(payload)
        root = parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise SignalError("malformed", f"XML: {error}") from None
    return _message(root)


def _message(root: Element) -> Message:
    spat = root if root.tag in ("SPAT", "spat") else root.find(".//SPAT")
    if spat is None:
        spat = root.find(".//spat")
    if spat is None:
        raise SignalError("foreign", f"no SPAT below <{root.tag}>")
    header = next((found for tag in ("ItsPduHeader", "header") if (found := root.find(f".//{tag}")) is not None), None)
    message_id = _J2735_SPAT
    version = station_id = None
    if header is not None:
        message_id = _number(header, "messageID", "messageId")
        version = _number(header, "protocolVersion")
        station_id = _number(header, "stationID", "stationId")
    intersections = [_intersection(element) for element in spat.findall("intersections/IntersectionState")]
    if not intersections:
        raise SignalError("malformed", "SPAT without intersections")
    return normal_form.finish(
        message_id,
        version,
        station_id,
        _text(spat, "name"),
        _number(spat, "timeStamp"),
        intersections,
        _regional(spat, None),
    )


def _intersection(element: Element) -> dict[str, Any]:
    reference = element.find("id")
    movements = [_movement(state) for state in element.findall("states/MovementState")]
    return normal_form.intersection(
        _required(reference, "id") if reference is not None else None,
        movements,
        name=_text(element, "name"),
        region=_number(reference, "region"),
        revision=_number(element, "revision"),
        status_value=_status(element.find("status")),
        moy=_number(element, "moy"),
        time_stamp_ms=_number(element, "timeStamp"),
        enabled_lanes=[_integer(lane) for lane in element.findall("enabledLanes/*")],
        maneuver_assist=_assist(element),
        regional=_regional(element, None),
    )


def _movement(element: Element) -> dict[str, Any]:
    events = element.findall("state_time_speed/MovementEvent") or element.findall("state-time-speed/MovementEvent")
    if not events:
        raise SignalError("malformed", "MovementState without events")
    return normal_form.movement(
        _required(element, "signalGroup"),
        [_event(event) for event in events],
        name=_text(element, "movementName"),
        maneuver_assist=_assist(element),
        regional=_regional(element, None),
    )


def _event(element: Element) -> dict[str, Any]:
    timing = element.find("timing")
    return normal_form.event(
        _enumerated(element, "eventState", MOVEMENT_PHASE_STATES),
        timing=timing is not None,
        start=_number(timing, "startTime"),
        min_end=_number(timing, "minEndTime"),
        max_end=_number(timing, "maxEndTime"),
        likely=_number(timing, "likelyTime"),
        confidence=_number(timing, "confidence"),
        next=_number(timing, "nextTime"),
        speeds=[_speed(speed) for speed in element.findall("speeds/AdvisorySpeed")],
        regional=_regional(element, "MovementEvent-addGrpC"),
    )


def _speed(element: Element) -> dict[str, Any]:
    confidence = element.find("confidence")
    return {
        "type": SPEED_TYPES[_enumerated(element, "type", SPEED_TYPES)],
        "speed": _number(element, "speed"),
        "confidence": None
        if confidence is None
        else SPEED_CONFIDENCES[_enumerated(element, "confidence", SPEED_CONFIDENCES)],
        "distance": _number(element, "distance"),
        "class": _number(element, "class"),
    }


def _assist(element: Element) -> list[dict[str, Any]]:
    entries = element.findall("maneuverAssistList/ConnectionManeuverAssist")
    return [
        {
            "connection_id": _required(entry, "connectionID"),
            "queue_length": _number(entry, "queueLength"),
            "available_storage": _number(entry, "availableStorageLength"),
            "wait_on_stop": _boolean(entry, "waitOnStop"),
            "ped_bicycle_detect": _boolean(entry, "pedBicycleDetect"),
        }
        for entry in entries
    ]


def _regional(element: Element, known: str | None) -> list[dict[str, Any]]:
    """Regional extensions; `known` is the EU's type of this place, whose content XML spells out or leaves empty."""
    entries = []
    for entry in element.findall("regional/*"):
        region_id = _required(entry, "regionId")
        value = entry.find("regExtValue")
        text = "" if value is None else (value.text or "").strip()
        if text or known is None or region_id != _ADDGRPC:
            entries.append({"region_id": region_id, "hex": text.replace(" ", "").lower()})
            continue
        content: dict[str, Any] = {}
        reason = None if value is None else value.find(".//stateChangeReason")
        if value is not None and reason is not None:
            parent = value if value.find("stateChangeReason") is not None else value[0]
            content["stateChangeReason"] = STATE_CHANGE_REASONS[
                _enumerated(parent, "stateChangeReason", STATE_CHANGE_REASONS)
            ]
        entries.append({"region_id": region_id, "type": known, "value": content})
    return entries


def _status(element: Element | None) -> int:
    """The status as 16 digits (XER), as an element per bit (Münster), or as empty elements named by the set bits."""
    if element is None:
        return 0
    text = re.sub(r"\s", "", element.text or "")
    if text:
        if len(text) > 16 or set(text) - {"0", "1"}:
            raise SignalError("malformed", f"status {text[:20]!r}")
        return int(text.ljust(16, "0"), 2)
    value = 0
    for child in element:
        name = child.tag.rpartition(".")[2]
        if name in STATUS_BITS and (child.text or "1").strip() in ("1", "true"):
            value |= 0x8000 >> STATUS_BITS.index(name)
    return value


def _text(element: Element, tag: str) -> str | None:
    child = element.find(tag)
    return None if child is None else child.text or ""


def _number(element: Element | None, *tags: str) -> int | None:
    if element is None:
        return None
    for tag in tags:
        child = element.find(tag)
        if child is not None:
            return _integer(child)
    return None


def _required(element: Element, tag: str) -> int:
    number = _number(element, tag)
    if number is None:
        raise SignalError("malformed", f"<{element.tag}> without <{tag}>")
    return number


def _integer(element: Element) -> int:
    text = (element.text or "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise SignalError("malformed", f"<{element.tag}> is {text[:20]!r}, not a number")
    return int(text)


def _boolean(element: Element, tag: str) -> bool | None:
    child = element.find(tag)
    if child is None:
        return None
    word = child[0].tag if len(child) else (child.text or "").strip()
    if word not in ("true", "false", "1", "0"):
        raise SignalError("malformed", f"<{tag}> is {word[:20]!r}, neither true nor false")
    return word in ("true", "1")


def _enumerated(element: Element, tag: str, names: tuple[str, ...]) -> int:
    """An enumeration as an empty element (XER), a name, or its number (Münster)."""
    child = element.find(tag)
    if child is None:
        raise SignalError("malformed", f"<{element.tag}> without <{tag}>")
    word = child[0].tag if len(child) else (child.text or "").strip()
    if word in names:
        return names.index(word)
    if word.isascii() and word.isdigit() and len(word) < 4 and int(word) < len(names):
        return int(word)
    raise SignalError("malformed", f"<{tag}> is {word[:40]!r}")
