# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPATEM as JSON (Orange, ODE, JER) into the normalised form; `leezenflow_adapters.its_json` knows the spellings."""

from typing import Any

from leezenflow.errors import SignalError
from leezenflow_adapters.its_json import (
    Decoder,
    event_state,
    field,
    find_spat,
    items,
    number,
    plain,
    reference,
    status_bits,
)
from leezenflow_adapters.one_step import read_json
from leezenflow_host.decoding import normal_form
from leezenflow_host.decoding.normal_form import Message
from leezenflow_host.decoding.spatem_uper import SPEED_CONFIDENCES, SPEED_TYPES

_ETSI_SPATEM = 4
_J2735_SPAT = 19
_MOY = 0xFFFFF
_WORD = 0xFFFF


def recognises(payload: bytes) -> bool:
    """Whether `payload` is JSON with a SPAT in it."""
    try:
        find_spat(read_json(payload, 0, len(payload)))
    except SignalError:
        return False
    return True


def decode(payload: bytes) -> Message:
    """Decode one JSON message; raises SignalError "foreign", "malformed" or "oversized"."""
    if len(payload) > Decoder.MAX_BYTES:
        raise SignalError("oversized", f"{len(payload)} bytes, at most {Decoder.MAX_BYTES}")
    spat, header = find_spat(read_json(payload, 0, len(payload)))
    holder = header.get("header") if isinstance(header.get("header"), dict) else header
    version = number(field(holder, "protocolVersion"), 255)
    station_id = number(field(holder, "stationID"), 0xFFFFFFFF)
    message_id = number(field(holder, "messageID"), 32767)
    if message_id is None:
        # No dialect but JER writes the number: who gives a station is ETSI.
        message_id = _J2735_SPAT if station_id is None else _ETSI_SPATEM
    intersections = [_intersection(item) for item in items(field(spat, "intersections"))]
    if not intersections:
        raise SignalError("malformed", "SPAT without intersections")
    return normal_form.finish(
        message_id,
        version,
        station_id,
        _text(spat, "name"),
        number(field(spat, "timeStamp"), _MOY),
        intersections,
        _regional(spat, None),
    )


def _intersection(value: Any) -> dict[str, Any]:
    region, intersection_id = reference(value)
    return normal_form.intersection(
        intersection_id,
        [_movement(item) for item in items(field(value, "states"))],
        name=_text(value, "name"),
        region=region,
        revision=number(field(value, "revision"), 127),
        status_value=status_bits(field(value, "status")),
        moy=number(field(value, "moy"), _MOY),
        time_stamp_ms=number(field(value, "timeStamp"), _WORD),
        enabled_lanes=[number(lane, 255) for lane in items(field(value, "enabledLanes"))],
        maneuver_assist=_assist(value),
        regional=_regional(value, "IntersectionState-addGrpC"),
    )


def _movement(value: Any) -> dict[str, Any]:
    events = [_event(item) for item in items(field(value, "events"))]
    signal_group = number(field(value, "signalGroup"), 255)
    if signal_group is None or not events:
        raise SignalError("malformed", "a movement state without signal group or events")
    return normal_form.movement(
        signal_group,
        events,
        name=_text(value, "movementName"),
        maneuver_assist=_assist(value),
        regional=_regional(value, None),
    )


def _event(value: Any) -> dict[str, Any]:
    timing = field(value, "timing")
    times = timing if timing is not None else {}
    return normal_form.event(
        event_state(field(value, "eventState")),
        timing=timing is not None,
        start=number(field(times, "startTime"), _WORD),
        min_end=number(field(times, "minEndTime"), _WORD),
        max_end=number(field(times, "maxEndTime"), _WORD),
        likely=number(field(times, "likelyTime"), _WORD),
        confidence=number(field(times, "confidence"), 15),
        next=number(field(times, "nextTime"), _WORD),
        speeds=[_speed(item) for item in items(field(value, "speeds"))],
        regional=_regional(value, "MovementEvent-addGrpC"),
    )


def _speed(value: Any) -> dict[str, Any]:
    return {
        "type": _name(field(value, "type"), SPEED_TYPES),
        "speed": number(field(value, "speed"), 511),
        "confidence": _name(field(value, "confidence"), SPEED_CONFIDENCES),
        "distance": number(field(value, "distance"), 16383),
        "class": number(field(value, "class"), 255),
    }


def _assist(value: Any) -> list[dict[str, Any]]:
    return [
        {
            "connection_id": number(field(item, "connectionID"), 255),
            "queue_length": number(field(item, "queueLength"), 16383),
            "available_storage": number(field(item, "availableStorageLength"), 16383),
            "wait_on_stop": _boolean(field(item, "waitOnStop")),
            "ped_bicycle_detect": _boolean(field(item, "pedBicycleDetect")),
        }
        for item in items(field(value, "maneuverAssistList"))
    ]


def _regional(value: Any, known: str | None) -> list[dict[str, Any]]:
    entries = []
    for item in items(field(value, "regional")):
        content = field(item, "regExtValue")
        entry: dict[str, Any] = {"region_id": number(field(item, "regionId"), 255)}
        if isinstance(content, str):
            entry["hex"] = content.lower()
        else:
            entry |= {"type": known, "value": content or {}}
        entries.append(entry)
    return entries


def _name(value: Any, names: tuple[str, ...]) -> str | None:
    """A name out of `names`, from its number or any spelling."""
    if value is None:
        return None
    if isinstance(value, str):
        for name in names:
            if plain(name) == plain(value):
                return name
    code = number(value, len(names) - 1)
    return None if code is None else names[code]


def _text(value: Any, name: str) -> str | None:
    text = field(value, name)
    if text is not None and not isinstance(text, str):
        raise SignalError("malformed", f"{name} is no text")
    return text


def _boolean(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise SignalError("malformed", "neither true nor false")
