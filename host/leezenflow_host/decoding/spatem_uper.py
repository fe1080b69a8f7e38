# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPATEM and J2735 SPAT in UPER, every field, into the normalised form.

The same layout as `leezenflow_adapters.spatem_uper`, which walks it for one signal group; a property test holds the two
against each other. Widths follow ISO/TS 19091 and SAE J2735 (DF_SPAT ff.), the encoding X.691 unaligned PER.
"""

from functools import lru_cache
from typing import Any

from leezenflow.errors import SignalError
from leezenflow_adapters import v2x_wrappers
from leezenflow_adapters.bit_reader import BitReader
from leezenflow_host.decoding.normal_form import STATE_NAMES, EventDict, Message, finish, status_names

SPEED_TYPES = ("none", "greenwave", "ecoDrive", "transit")
SPEED_CONFIDENCES = (
    "unavailable",
    "prec100ms",
    "prec10ms",
    "prec5ms",
    "prec1ms",
    "prec0-1ms",
    "prec0-05ms",
    "prec0-01ms",
)
STATE_CHANGE_REASONS = (
    "unknown",
    "publicTransportPriority",
    "emergencyVehiclePriority",
    "trainPriority",
    "bridgeOpen",
    "vehicleHeight",
    "weather",
    "trafficJam",
    "tunnelClosure",
    "meteringActive",
    "truckPriority",
    "bicyclePlatoonPriority",
    "vehiclePlatoonPriority",
)
PRIORITY_STATES = (
    "unknown",
    "requested",
    "processing",
    "watchOtherTraffic",
    "granted",
    "rejected",
    "maxPresence",
    "reserviceLocked",
)
# RegionId 3, addGrpC: Europe (ISO/TS 19091).
_ADDGRPC = 3
# A list of one (00), that region, one octet, no extension and nothing present in it (00): 20 bits.
_EMPTY = _ADDGRPC << 10 | 1 << 2


def decode(data: bytes) -> Message:
    """Decode one message, whatever stands around it, into the normalised form.

    Raises SignalError: "foreign" (no SPAT in it), "truncated" or "malformed" with the byte.
    """
    wrapping = v2x_wrappers.Wrapping()
    wrapping.open(data, 0, len(data))
    if wrapping.message != v2x_wrappers.SPAT:
        raise SignalError("foreign", f"message id {wrapping.message_id} is no SPAT")
    station_at = wrapping.station_id_at
    station_id = None if station_at is None else int.from_bytes(data[station_at : station_at + 4], "big")
    return decode_spat(data[wrapping.start : wrapping.end], wrapping.message_id, wrapping.version, station_id)


def decode_spat(
    payload: bytes, message_id: int | None = None, protocol_version: int | None = None, station_id: int | None = None
) -> Message:
    """Decode the SPAT that starts at the first bit of `payload`."""
    reader = _SpatReader(payload)
    try:
        spat_name, minute, intersections, regional = reader.spat()
    except IndexError:
        raise SignalError("truncated", "SPAT", len(payload)) from None
    return finish(message_id, protocol_version, station_id, spat_name, minute, intersections, regional)


class _SpatReader(BitReader):
    def spat(self) -> tuple[str | None, int | None, list[dict[str, Any]], list[dict[str, Any]]]:
        flags = self.read(4)
        minute = self.read(20) if flags & 4 else None
        name = self.text() if flags & 2 else None
        intersections = [self._intersection() for _ in range(self.read(5) + 1)]
        regional = self._regional() if flags & 1 else []
        if flags & 8:
            self.skip_additions()
        self.check()
        return name, minute, intersections, regional

    def _intersection(self) -> dict[str, Any]:
        flags = self.read(7)
        name = self.text() if flags & 0x20 else None
        region = self.read(16) if self.read(1) else None
        intersection_id = self.read(16)
        revision = self.read(7)
        status = self.read(16)
        minute = self.read(20) if flags & 0x10 else None
        time_stamp = self.read(16) if flags & 8 else None
        lanes = [self.read(8) for _ in range(self.read(4) + 1)] if flags & 4 else []
        count = self.read(8) + 1
        if count > 255:
            raise SignalError("malformed", "256 movement states", self.byte)
        movements = self._movements(count)
        assist = self._assist() if flags & 2 else []
        regional = self._regional(_intersection_state) if flags & 1 else []
        if flags & 0x40:
            self.skip_additions()
        self.check()
        return {
            "name": name,
            "region": region,
            "id": intersection_id,
            "revision": revision,
            "status": status_names(status),
            "status_value": status,
            "moy": minute,
            "time_stamp_ms": time_stamp,
            "enabled_lanes": lanes,
            "movements": movements,
            "maneuver_assist": assist,
            "regional": regional,
        }

    def _movements(self, count: int) -> list[dict[str, Any]]:
        # The loop everything is spent in: windows are written out, and the position is a local.
        data = self.data
        at = self.at
        limit = self.limit
        from_bytes = int.from_bytes
        movements = []
        for _ in range(count):
            # Eight octets: extension, name, assist list, regional, length of the name and up to seven characters.
            i = at >> 3
            bits = from_bytes(data[i : i + 8], "big") << (at & 7)
            flags = bits >> 60 & 15
            at += 4
            name = None
            if flags & 4:
                length = (bits >> 54 & 63) + 1
                at += 6
                if length <= 6:
                    name = _name(bits >> (54 - 7 * length) & _NAME_MASKS[length], length)
                    at += 7 * length
                else:
                    self.at = at
                    name = self.characters(length)
                    at = self.at
            i = at >> 3
            bits = (data[i] << 16 | data[i + 1] << 8 | data[i + 2]) >> (12 - (at & 7))
            signal_group = bits >> 4 & 255
            at += 12
            events: list[EventDict] = []
            for _ in range((bits & 15) + 1):
                i = at >> 3
                # Extension, timing, speeds, regional, event state; then the presence bits of the timing.
                bits = (data[i] << 16 | data[i + 1] << 8 | data[i + 2]) >> (11 - (at & 7))
                state = bits >> 5 & 15
                if state > 9:
                    raise SignalError("malformed", f"eventState {state}", at >> 3)
                start = min_end = max_end = likely = confidence = next_time = None
                timing = bits & 0x800 != 0
                if timing:
                    # At most 84 bits of timing, so that one window of twelve octets holds them all.
                    at += 13
                    i = at >> 3
                    times = from_bytes(data[i : i + 12], "big")
                    left = 96 - (at & 7)
                    end = left
                    if bits & 16:
                        left -= 16
                        start = times >> left & 0xFFFF
                    left -= 16
                    min_end = times >> left & 0xFFFF
                    if bits & 8:
                        left -= 16
                        max_end = times >> left & 0xFFFF
                    if bits & 4:
                        left -= 16
                        likely = times >> left & 0xFFFF
                    if bits & 2:
                        left -= 4
                        confidence = times >> left & 15
                    if bits & 1:
                        left -= 16
                        next_time = times >> left & 0xFFFF
                    at += end - left
                else:
                    at += 8
                speeds = regional = None
                if bits & 0x1600:
                    i = at >> 3
                    window = from_bytes(data[i : i + 5], "big") >> (20 - (at & 7)) & 0xFFFFF
                    if bits & 0x1600 == 0x200 and window == _EMPTY:
                        # What nearly every timed event of the field carries, read without a call.
                        at += 26
                        regional = [{"region_id": _ADDGRPC, "type": "MovementEvent-addGrpC", "value": {}}]
                    else:
                        self.at = at
                        if bits & 0x400:
                            speeds = self._speeds()
                        if bits & 0x200:
                            regional = self._regional(_movement_event)
                        if bits & 0x1000:
                            self.skip_additions()
                        at = self.at
                events.append(
                    {
                        "state": state,
                        "state_name": STATE_NAMES[state],
                        "timing": timing,
                        "start": start,
                        "min_end": min_end,
                        "max_end": max_end,
                        "likely": likely,
                        "confidence": confidence,
                        "next": next_time,
                        "speeds": speeds or [],
                        "regional": regional or [],
                    }
                )
            assist = regional = None
            if flags & 11:
                self.at = at
                if flags & 2:
                    assist = self._assist()
                if flags & 1:
                    regional = self._regional()
                if flags & 8:
                    self.skip_additions()
                at = self.at
            if at > limit:
                raise SignalError("truncated", "MovementState", limit >> 3)
            movements.append(
                {
                    "name": name,
                    "signal_group": signal_group,
                    "events": events,
                    "maneuver_assist": assist or [],
                    "regional": regional or [],
                }
            )
        self.at = at
        return movements

    def _speeds(self) -> list[dict[str, Any]]:
        speeds = []
        for _ in range(self.read(4) + 1):
            flags = self.read(6)
            if self.read(1):
                # An addition to the enumeration: a small number, and no name for it.
                self.addition()
                kind = None
            else:
                kind = SPEED_TYPES[self.read(2)]
            speeds.append(
                {
                    "type": kind,
                    "speed": self.read(9) if flags & 16 else None,
                    "confidence": SPEED_CONFIDENCES[self.read(3)] if flags & 8 else None,
                    "distance": self.read(14) if flags & 4 else None,
                    "class": self.read(8) if flags & 2 else None,
                }
            )
            if flags & 1:
                self._regional()
            if flags & 32:
                self.skip_additions()
        return speeds

    def _assist(self) -> list[dict[str, Any]]:
        entries = []
        for _ in range(self.read(4) + 1):
            flags = self.read(6)
            entries.append(
                {
                    "connection_id": self.read(8),
                    "queue_length": self.read(14) if flags & 16 else None,
                    "available_storage": self.read(14) if flags & 8 else None,
                    "wait_on_stop": bool(self.read(1)) if flags & 4 else None,
                    "ped_bicycle_detect": bool(self.read(1)) if flags & 2 else None,
                }
            )
            if flags & 1:
                self._regional()
            if flags & 32:
                self.skip_additions()
        return entries

    def _regional(self, known: Any = None) -> list[dict[str, Any]]:
        """A list of regional extensions; `known` decodes the EU one of this place, others stay hexadecimal."""
        entries = []
        for _ in range(self.read(2) + 1):
            region_id = self.read(8)
            content = self.open_type()
            entry = known(content) if known and region_id == _ADDGRPC else None
            entries.append({"region_id": region_id, **(entry or {"hex": content.hex()})})
        return entries


_NAME_MASKS = [(1 << 7 * length) - 1 for length in range(7)]


@lru_cache(maxsize=1024)
def _name(bits: int, length: int) -> str:
    # A controller sends the same few names ten times a second.
    return "".join([chr(bits >> shift & 127) for shift in range(7 * (length - 1), -1, -7)])


def _movement_event(content: bytes) -> dict[str, Any] | None:
    """MovementEvent-addGrpC (TS 103 301): why the phase changed; None where the content is something else."""
    reader = BitReader(content)
    try:
        reader.read(1)
        value = {}
        if reader.read(1):
            if reader.read(1):
                return None
            value["stateChangeReason"] = STATE_CHANGE_REASONS[reader.read(4)]
        reader.check()
    except (IndexError, SignalError):
        return None
    return {"type": "MovementEvent-addGrpC", "value": value}


def _intersection_state(content: bytes) -> dict[str, Any] | None:
    """IntersectionState-addGrpC (TS 103 301): priority requests being served; None where it is something else."""
    reader = BitReader(content)
    try:
        reader.read(1)
        value = {}
        if reader.read(1):
            value["activePrioritizations"] = [_prioritization(reader) for _ in range(reader.read(4) + 1)]
        reader.check()
    except (IndexError, SignalError):
        return None
    return {"type": "IntersectionState-addGrpC", "value": value}


def _prioritization(reader: BitReader) -> dict[str, Any]:
    extended = reader.read(1)
    entry: dict[str, Any] = {"stationID": reader.read(32)}
    if reader.read(1):
        raise SignalError("malformed", "PrioritizationResponseStatus")
    entry["priorState"] = PRIORITY_STATES[reader.read(3)]
    entry["signalGroup"] = reader.read(8)
    if extended:
        reader.skip_additions()
    return entry
