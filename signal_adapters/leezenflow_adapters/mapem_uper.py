# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MAPEM (ETSI TS 103 301) and J2735 MAP in UPER: which lanes an intersection has and which signal group each obeys.

For hosts: a technician asks for it once, with `leezenflow map`. No signal states are in it, so there is no Decoder.
Widths and order follow ISO/TS 19091 and SAE J2735 (DF_MapData ff.). What follows the last intersection is not read.
"""

from leezenflow.errors import SignalError
from leezenflow_adapters import v2x_wrappers
from leezenflow_adapters.bit_reader import BitReader

LAYER_TYPES = (
    "none",
    "mixedContent",
    "generalMapData",
    "intersectionData",
    "curveData",
    "roadwaySectionData",
    "parkingAreaData",
    "sharedLaneData",
)
LANE_TYPES = (
    "vehicle",
    "crosswalk",
    "bikeLane",
    "sidewalk",
    "median",
    "striping",
    "trackedVehicle",
    "parking",
)
# LaneSharing, bit 0 first.
SHARED_WITH = (
    "overlappingLaneDescriptionProvided",
    "multipleLanesTreatedAsOneLane",
    "otherNonMotorizedTrafficTypes",
    "individualMotorizedVehicleTraffic",
    "busVehicleTraffic",
    "taxiVehicleTraffic",
    "pedestriansTraffic",
    "cyclistVehicleTraffic",
    "trackedVehicleTraffic",
    "pedestrianTraffic",
)
# AllowedManeuvers, bit 0 first.
MANEUVERS = (
    "straight",
    "left",
    "right",
    "uTurn",
    "leftOnRed",
    "rightOnRed",
    "laneChange",
    "noStopping",
    "yieldAlwaysRequired",
    "goWithHalt",
    "caution",
    "reserved",
)
DIRECTIONS = ("ingress", "egress")

# Widths of the offsets x and y by the choice of NodeOffsetPointXY; 6 and 7 are absolute and regional.
_OFFSET_WIDTHS = (10, 11, 12, 13, 14, 16)


def decode_map(payload):
    """Decode a MAPEM or MAP, whatever stands around it, into a dict of the names in this module, cm and 1e-7 degrees.

    Raises SignalError: "foreign" (no MAP in it), "truncated" or "malformed".
    """
    wrapping = v2x_wrappers.Wrapping()
    wrapping.open(payload, 0, len(payload))
    if wrapping.message != v2x_wrappers.MAP:
        raise SignalError("foreign", "message id %d is no MAP" % wrapping.message_id)
    station_at = wrapping.station_id_at
    reader = _MapReader(payload[wrapping.start : wrapping.end], wrapping.standard)
    try:
        message = reader.map_data()
    except IndexError:
        raise SignalError("truncated", "MAP", wrapping.end)
    return {
        "message_id": wrapping.message_id,
        "protocol_version": wrapping.version,
        "station_id": None if station_at is None else int.from_bytes(payload[station_at : station_at + 4], "big"),
        "map": message,
    }


def bit_names(bits, width, names):
    """Names of the bits set in a bit string of `width` bits, bit 0 (the most significant) first."""
    return [names[i] for i in range(min(width, len(names))) if bits >> (width - 1 - i) & 1]


class _MapReader(BitReader):
    def __init__(self, data, standard):
        super().__init__(data)
        # The two standards begin counting one unit (1 cm) apart.
        self._west = 1800000000 if standard == v2x_wrappers.ETSI else 1799999999

    def map_data(self):
        flags = self.read(9)
        minute = self.read(20) if flags & 0x80 else None
        revision = self.read(7)
        layer_type = None
        if flags & 0x40:
            layer_type = self._enumerated(3, LAYER_TYPES)
        layer_id = self.read(7) if flags & 0x20 else None
        if not flags & 0x10:
            raise SignalError("malformed", "a MAP without intersections")
        return {
            "time_stamp_moy": minute,
            "msg_issue_revision": revision,
            "layer_type": layer_type,
            "layer_id": layer_id,
            "intersections": [self._intersection() for _ in range(self.read(5) + 1)],
        }

    def _intersection(self):
        flags = self.read(6)
        name = self.text() if flags & 16 else None
        region, intersection_id = self._reference()
        revision = self.read(7)
        lat, long, elevation = self._position()
        lane_width = self.read(15) if flags & 8 else None
        limits = self._speed_limits() if flags & 4 else []
        count = self.read(8) + 1
        if count > 255:
            raise SignalError("malformed", "256 lanes", self.byte)
        lanes = [self._lane() for _ in range(count)]
        if flags & 2:
            for _ in range(self.read(5) + 1):
                extended = self.read(1)
                self.read(8)
                self.open_type()
                if extended:
                    self.skip_additions()
        if flags & 1:
            self._skip_regional()
        if flags & 32:
            self.skip_additions()
        self.check()
        return {
            "name": name,
            "region": region,
            "id": intersection_id,
            "revision": revision,
            "lat": lat,
            "long": long,
            "elevation": elevation,
            "lane_width": lane_width,
            "speed_limits": limits,
            "lanes": lanes,
        }

    def _reference(self):
        region = self.read(16) if self.read(1) else None
        return region, self.read(16)

    def _position(self):
        flags = self.read(3)
        lat = self.read(31) - 900000000
        long = self.read(32) - self._west
        elevation = self.read(16) - 4096 if flags & 2 else None
        if flags & 1:
            self._skip_regional()
        if flags & 4:
            self.skip_additions()
        return lat, long, elevation

    def _speed_limits(self):
        limits = []
        for _ in range(self.read(4) + 1):
            if self.read(1):
                self.addition()
                kind = None
            else:
                kind = self.read(4)
            limits.append({"type": kind, "speed": self.read(13)})
        return limits

    def _lane(self):
        flags = self.read(8)
        lane = {
            "lane_id": self.read(8),
            "name": self.text() if flags & 64 else None,
            "ingress_approach": self.read(4) if flags & 32 else None,
            "egress_approach": self.read(4) if flags & 16 else None,
        }
        self._lane_attributes(lane)
        lane["maneuvers"] = bit_names(self.read(12), 12, MANEUVERS) if flags & 8 else []
        if self.read(1):
            raise SignalError("malformed", "a node list of an unknown kind", self.byte)
        if self.read(1):
            lane["nodes"] = []
            lane["computed"] = self._computed_lane()
        else:
            lane["nodes"] = [self._node() for _ in range(self.read(6) + 2)]
            lane["computed"] = None
        lane["connects_to"] = [self._connection() for _ in range(self.read(4) + 1)] if flags & 4 else []
        lane["overlays"] = [self.read(8) for _ in range(self.read(3) + 1)] if flags & 2 else []
        if flags & 1:
            self._skip_regional()
        if flags & 128:
            self.skip_additions()
        return lane

    def _lane_attributes(self, lane):
        regional = self.read(1)
        lane["directional_use"] = bit_names(self.read(2), 2, DIRECTIONS)
        lane["shared_with"] = bit_names(self.read(10), 10, SHARED_WITH)
        if self.read(1):
            # A kind of lane from a later edition.
            self.addition()
            self.open_type()
            lane["lane_type"], lane["lane_attributes"] = None, 0
        else:
            kind = self.read(3)
            lane["lane_type"] = LANE_TYPES[kind]
            if kind:
                lane["lane_attributes"] = self.read(16)
            elif self.read(1):
                width = self.read(8)
                lane["lane_attributes"] = self.read(width) if 0 < width < 58 else 0
            else:
                lane["lane_attributes"] = self.read(8)
        if regional:
            self.read(8)
            self.open_type()

    def _node(self):
        flags = self.read(2)
        kind = self.read(3)
        node = {}
        if kind < 6:
            width = _OFFSET_WIDTHS[kind]
            node["x"] = self.read(width) - (1 << (width - 1))
            node["y"] = self.read(width) - (1 << (width - 1))
        elif kind == 6:
            node["long"] = self.read(32) - self._west
            node["lat"] = self.read(31) - 900000000
        else:
            self.read(8)
            self.open_type()
        if flags & 1:
            self._node_attributes(node)
        if flags & 2:
            self.skip_additions()
        return node

    def _node_attributes(self, node):
        flags = self.read(8)
        if flags & 64:
            for _ in range(self.read(3) + 1):
                self._enumerated(4, ())
        for flag in (32, 16):
            if flags & flag:
                for _ in range(self.read(3) + 1):
                    self._enumerated(6, ())
        if flags & 8:
            for _ in range(self.read(3) + 1):
                self._lane_data()
        if flags & 4:
            node["d_width"] = self.read(10) - 512
        if flags & 2:
            node["d_elevation"] = self.read(10) - 512
        if flags & 1:
            self._skip_regional()
        if flags & 128:
            self.skip_additions()

    def _lane_data(self):
        if self.read(1):
            self.addition()
            self.open_type()
            return
        kind = self.read(3)
        if kind == 5:
            self._speed_limits()
        elif kind == 6:
            self._skip_regional()
        elif kind < 5:
            self.read(9 if kind in (0, 4) else 8)
        else:
            raise SignalError("malformed", "LaneDataAttribute", self.byte)

    def _computed_lane(self):
        flags = self.read(5)
        computed = {"reference_lane_id": self.read(8)}
        for axis in ("x", "y"):
            computed[axis] = self.read(16) - 32767 if self.read(1) else self.read(12) - 2047
        # 0.0125 degrees; per cent in steps of 0.05, less 100.
        computed["rotate"] = self.read(15) if flags & 8 else None
        computed["scale_x"] = self.read(12) - 2048 if flags & 4 else None
        computed["scale_y"] = self.read(12) - 2048 if flags & 2 else None
        if flags & 1:
            self._skip_regional()
        if flags & 16:
            self.skip_additions()
        return computed

    def _connection(self):
        flags = self.read(4)
        has_maneuver = self.read(1)
        connection = {
            "lane": self.read(8),
            "maneuvers": bit_names(self.read(12), 12, MANEUVERS) if has_maneuver else [],
            "remote_intersection": None,
        }
        if flags & 8:
            region, intersection_id = self._reference()
            connection["remote_intersection"] = {"region": region, "id": intersection_id}
        connection["signal_group"] = self.read(8) if flags & 4 else None
        connection["user_class"] = self.read(8) if flags & 2 else None
        connection["connection_id"] = self.read(8) if flags & 1 else None
        return connection

    def _enumerated(self, width, names):
        """An extensible enumeration; None for an addition, and for a value that has no name here."""
        if self.read(1):
            self.addition()
            return None
        value = self.read(width)
        return names[value] if value < len(names) else None

    def _skip_regional(self):
        for _ in range(self.read(2) + 1):
            self.read(8)
            self.open_type()
