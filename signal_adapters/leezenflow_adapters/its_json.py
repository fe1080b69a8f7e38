# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPATEM and SPaT as JSON: Orange's its-client, the US ODE (schemas up to 8, and 9), Vanetza-NAP and plain JER.

They differ in spelling, not in content: names in snake_case, camelCase or with hyphens; lists plain or inside an
object (`movementList`); event states as number, name or CONSTANT_NAME; status as names, as an object of booleans, or
as digits. So every name is looked up in all its spellings, and what a dialect leaves out is absent.
"""

from leezenflow.errors import SignalError
from leezenflow.spatem import MAX_EVENTS, MOVEMENT_PHASE_STATES, STATUS_BITS
from leezenflow_adapters.one_step import OneStepDecoder, read_json

# Reading JSON builds all of it: some 60 kB of heap for an intersection, in one go.
RUNTIMES = ("host",)
OPTIONS = {}

_SPELLINGS = {
    "spat": ("SPAT", "spat"),
    "timeStamp": ("timeStamp", "timestamp", "time_stamp"),
    "intersections": ("intersections", "intersectionStateList"),
    "states": ("states", "movement_states", "movementStates"),
    "signalGroup": ("signalGroup", "signal_group"),
    "movementName": ("movementName", "movement_name"),
    "events": ("state-time-speed", "state_time_speed", "stateTimeSpeed"),
    "eventState": ("eventState", "event_state"),
    "startTime": ("startTime", "start_time"),
    "minEndTime": ("minEndTime", "min_end_time"),
    "maxEndTime": ("maxEndTime", "max_end_time"),
    "likelyTime": ("likelyTime", "likely_time"),
    "nextTime": ("nextTime", "next_time"),
    "enabledLanes": ("enabledLanes", "enabled_lanes"),
    "maneuverAssistList": ("maneuverAssistList", "maneuver_assist_list"),
    "connectionID": ("connectionID", "connection_id"),
    "queueLength": ("queueLength", "queue_length"),
    "availableStorageLength": ("availableStorageLength", "available_storage_length"),
    "waitOnStop": ("waitOnStop", "wait_on_stop"),
    "pedBicycleDetect": ("pedBicycleDetect", "ped_bicycle_detect"),
    "protocolVersion": ("protocolVersion", "protocol_version"),
    "stationID": ("stationID", "stationId", "station_id"),
    "messageID": ("messageID", "messageId", "message_id"),
    "regionId": ("regionId", "region_id"),
    "regExtValue": ("regExtValue", "reg_ext_value"),
}
# How deep the SPAT may lie in its envelopes: payload, data, value, SPAT.
_MAX_DEPTH = 6


class Decoder(OneStepDecoder):
    """Decodes one signal group of one intersection."""

    # Orange's form of a large intersection has 40 kB, the ODE's with its metadata 60 kB.
    MAX_BYTES = 262144

    def read(self, buffer, start, end):
        """Decode one JSON message; False where the intersection or the group is not in it."""
        spat, _ = find_spat(read_json(buffer, start, end))
        for intersection in items(field(spat, "intersections")):
            region, intersection_id = reference(intersection)
            if intersection_id == self.intersection_id and (self.region is None or region == self.region):
                for movement in items(field(intersection, "states")):
                    # One odd group must not blind the others.
                    if isinstance(movement, dict) and _group_of(movement) == self.signal_group:
                        self._fill(spat, intersection, region, movement)
                        return True
        return False

    def _fill(self, spat, intersection, region, movement):
        self.clear()
        state = self.state
        state.region = region
        state.revision = number(field(intersection, "revision"), 127) or 0
        state.status = status_bits(field(intersection, "status"))
        minute = number(field(intersection, "moy"), 0xFFFFF)
        if minute is None:
            minute = number(field(spat, "timeStamp"), 0xFFFFF)
        state.moy = minute if minute is not None and minute <= 527040 else None
        state.time_stamp = number(field(intersection, "timeStamp"), 0xFFFF)
        events = items(field(movement, "events"))
        if not 1 <= len(events) <= MAX_EVENTS:
            raise SignalError("malformed", "%d events" % len(events))
        for told in events:
            event = state.movement.add_event()
            event.event_state = event_state(field(told, "eventState"))
            timing = field(told, "timing")
            if timing is not None:
                event.start_time = number(field(timing, "startTime"), 0xFFFF)
                event.min_end_time = number(field(timing, "minEndTime"), 0xFFFF)
                event.max_end_time = number(field(timing, "maxEndTime"), 0xFFFF)
                event.likely_time = number(field(timing, "likelyTime"), 0xFFFF)
                event.confidence = number(field(timing, "confidence"), 15)
                event.next_time = number(field(timing, "nextTime"), 0xFFFF)


def _group_of(movement):
    try:
        return number(field(movement, "signalGroup"), 255)
    except SignalError:
        return None


def find_spat(document):
    """The SPAT in a document, and the object that holds its header (ids and versions); SignalError "foreign" if none.

    Raises it also for a message that says it is another one.
    """
    kind = document.get("message_type") if isinstance(document, dict) else None
    if kind not in (None, "spatem"):
        raise SignalError("foreign", "message_type is not spatem")
    found = _search(document, document, _MAX_DEPTH)
    if found is None:
        raise SignalError("foreign", "no SPAT in this JSON")
    return found


def _search(value, header, depth):
    if not isinstance(value, dict) or not depth:
        return None
    intersections = field(value, "intersections")
    if intersections is not None:
        # A MAP has intersections, too, but with lanes.
        for intersection in items(intersections):
            if isinstance(intersection, dict) and field(intersection, "states") is not None:
                return value, header
        return None
    for name in ("SPAT", "spat", "message", "payload", "data", "value", "MessageFrame", "fields"):
        inner = value.get(name)
        if isinstance(inner, dict):
            found = _search(inner, inner if field(inner, "stationID") is not None else value, depth - 1)
            if found is not None:
                return found
    return None


def field(value, name):
    """The member of an object under any spelling of `name`; None where it is missing or null."""
    if not isinstance(value, dict):
        raise SignalError("malformed", "no object around %s" % name)
    for spelling in _SPELLINGS.get(name, (name,)):
        found = value.get(spelling)
        if found is not None:
            return found
    return None


def items(value):
    """A list, whether plain, inside an object of its own, or a single element that stands for a list of one."""
    if value is None:
        return []
    if isinstance(value, dict):
        if len(value) == 1:
            inner = next(iter(value.values()))
            if isinstance(inner, list):
                return inner
            if isinstance(inner, dict):
                return [inner]
        return [value]
    if not isinstance(value, list):
        raise SignalError("malformed", "no list")
    return value


def reference(intersection):
    """(region, id) of an intersection; region None where it has none."""
    value = field(intersection, "id")
    if isinstance(value, dict):
        return number(field(value, "region"), 0xFFFF), number(field(value, "id"), 0xFFFF)
    return None, number(value, 0xFFFF)


def number(value, highest):
    """A number 0..`highest`, also as a text of digits; None stays None."""
    if value is None:
        return None
    if isinstance(value, str):
        if not value or len(value) > 10 or value.strip("0123456789"):
            raise SignalError("malformed", "a text where a number should be")
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= highest:
        raise SignalError("malformed", "no number from 0 to %d" % highest)
    return value


def plain(name):
    """A name without what the dialects write differently."""
    return name.replace("-", "").replace("_", "").lower()


_STATES = {}
for _code, _name in enumerate(MOVEMENT_PHASE_STATES):
    _STATES[plain(_name)] = _code


def event_state(value):
    """A MovementPhaseState 0..9 from its number, its name, or an object with the name as its only member."""
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value))
    if isinstance(value, str):
        code = _STATES.get(plain(value[:40]))
        if code is not None:
            return code
    code = number(value, 9)
    if code is None:
        raise SignalError("malformed", "no eventState")
    return code


def status_bits(value):
    """The 16 status bits (bit 0 is 0x8000) from names, an object of booleans, 16 binary or 4 hexadecimal digits."""
    if value is None:
        return 0
    if isinstance(value, dict):
        value = [name for name in value if value[name] is True or value[name] == 1]
    if isinstance(value, list):
        bits = 0
        for name in value:
            if name in STATUS_BITS:
                bits |= 0x8000 >> STATUS_BITS.index(name)
        return bits
    if isinstance(value, str):
        # Fewer digits than there are bits: the first digit is bit 0 all the same.
        binary = len(value) > 4
        digits = value.strip()
        if not digits or len(digits) > 16 or digits.strip("01" if binary else "0123456789abcdefABCDEF"):
            raise SignalError("malformed", "status is neither binary nor hexadecimal")
        return int(digits, 2) << (16 - len(digits)) if binary else int(digits, 16) << (16 - 4 * len(digits))
    return number(value, 0xFFFF) or 0
