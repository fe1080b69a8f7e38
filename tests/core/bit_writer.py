# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes SPAT messages in UPER for tests, from the normalised form; runs on both interpreters.

It knows what the decoders leave out as well: extension additions (`additions`), regional entries of speeds and assists.
"""


class BitWriter:
    """Collects bits, most significant first."""

    def __init__(self):
        self._bits = bytearray()

    def put(self, value, width):
        """Append `width` bits of `value`."""
        assert 0 <= value < 1 << width, (value, width)
        for shift in range(width - 1, -1, -1):
            self._bits.append(value >> shift & 1)

    def text(self, text):
        """Append an IA5String of 1..63 characters."""
        self.put(len(text) - 1, 6)
        for character in text:
            self.put(ord(character), 7)

    def open_type(self, content):
        """Append octets behind their length."""
        if len(content) < 128:
            self.put(len(content), 8)
        else:
            self.put(0x8000 | len(content), 16)
        for octet in content:
            self.put(octet, 8)

    def optional(self, value, width):
        """Append `value` unless it is None."""
        if value is not None:
            self.put(value, width)

    def flags(self, *values):
        """Append one presence bit for each of `values`: set unless it is None, False or empty."""
        for value in values:
            self.put(0 if value is None or value is False or value == [] or value == () else 1, 1)

    def additions(self, contents):
        """Append extension additions; a content None is an addition that is absent."""
        if not contents:
            return
        self.put(0, 1)
        self.put(len(contents) - 1, 6)
        for content in contents:
            self.put(0 if content is None else 1, 1)
        for content in contents:
            if content is not None:
                self.open_type(content)

    def to_bytes(self):
        """The bits so far, filled with zeros to whole octets."""
        bits = self._bits
        out = bytearray((len(bits) + 7) // 8)
        for i in range(len(bits)):
            if bits[i]:
                out[i >> 3] |= 0x80 >> (i & 7)
        return bytes(out)


def encode_spat(message):
    """The UPER of the SPAT in `message` (the normalised form; only `intersections` must be there)."""
    out = BitWriter()
    get = message.get
    out.flags(get("additions"), get("spat_time_stamp_moy"), get("spat_name"), get("spat_regional"))
    out.optional(get("spat_time_stamp_moy"), 20)
    if get("spat_name") is not None:
        out.text(get("spat_name"))
    out.put(len(get("intersections")) - 1, 5)
    for intersection in get("intersections"):
        _intersection(out, intersection)
    _regional(out, get("spat_regional"))
    out.additions(get("additions"))
    return out.to_bytes()


def spatem(message, version=2, station_id=1090):
    """An ETSI SPATEM: ItsPduHeader and SPAT."""
    return bytes([version, 4]) + station_id.to_bytes(4, "big") + encode_spat(message)


def message_frame(message):
    """A J2735 MessageFrame with a SPAT."""
    content = encode_spat(message)
    length = bytes([len(content)]) if len(content) < 128 else (0x8000 | len(content)).to_bytes(2, "big")
    return b"\x00\x13" + length + content


def _intersection(out, it):
    get = it.get
    out.flags(
        get("additions"),
        get("name"),
        get("moy"),
        get("time_stamp_ms"),
        get("enabled_lanes"),
        get("maneuver_assist"),
        get("regional"),
    )
    if get("name") is not None:
        out.text(get("name"))
    out.flags(get("region"))
    out.optional(get("region"), 16)
    out.put(it["id"], 16)
    out.put(get("revision", 0), 7)
    out.put(get("status_value", 0), 16)
    out.optional(get("moy"), 20)
    out.optional(get("time_stamp_ms"), 16)
    lanes = get("enabled_lanes")
    if lanes:
        out.put(len(lanes) - 1, 4)
        for lane in lanes:
            out.put(lane, 8)
    out.put(len(it["movements"]) - 1, 8)
    for movement in it["movements"]:
        _movement(out, movement)
    _assist(out, get("maneuver_assist"))
    _regional(out, get("regional"))
    out.additions(get("additions"))


def _movement(out, movement):
    get = movement.get
    out.flags(get("additions"), get("name"), get("maneuver_assist"), get("regional"))
    if get("name") is not None:
        out.text(get("name"))
    out.put(movement["signal_group"], 8)
    out.put(len(movement["events"]) - 1, 4)
    for event in movement["events"]:
        _event(out, event)
    _assist(out, get("maneuver_assist"))
    _regional(out, get("regional"))
    out.additions(get("additions"))


def _event(out, event):
    get = event.get
    timing = get("min_end") is not None
    out.flags(get("additions"), timing, get("speeds"), get("regional"))
    out.put(event["state"], 4)
    if timing:
        out.flags(get("start"), get("max_end"), get("likely"), get("confidence"), get("next"))
        out.optional(get("start"), 16)
        out.put(get("min_end"), 16)
        out.optional(get("max_end"), 16)
        out.optional(get("likely"), 16)
        out.optional(get("confidence"), 4)
        out.optional(get("next"), 16)
    speeds = get("speeds")
    if speeds:
        out.put(len(speeds) - 1, 4)
        for speed in speeds:
            _speed(out, speed)
    _regional(out, get("regional"))
    out.additions(get("additions"))


def _speed(out, speed):
    get = speed.get
    out.flags(get("additions"), get("speed"), get("confidence_code"), get("distance"), get("class"), get("regional"))
    out.put(0, 1)
    out.put(get("type_code", 0), 2)
    out.optional(get("speed"), 9)
    out.optional(get("confidence_code"), 3)
    out.optional(get("distance"), 14)
    out.optional(get("class"), 8)
    _regional(out, get("regional"))
    out.additions(get("additions"))


def _assist(out, entries):
    if not entries:
        return
    out.put(len(entries) - 1, 4)
    for entry in entries:
        get = entry.get
        out.put(1 if get("additions") else 0, 1)
        for key in ("queue_length", "available_storage", "wait_on_stop", "ped_bicycle_detect"):
            out.put(0 if get(key) is None else 1, 1)
        out.flags(get("regional"))
        out.put(entry["connection_id"], 8)
        out.optional(get("queue_length"), 14)
        out.optional(get("available_storage"), 14)
        for key in ("wait_on_stop", "ped_bicycle_detect"):
            if get(key) is not None:
                out.put(1 if get(key) else 0, 1)
        _regional(out, get("regional"))
        out.additions(get("additions"))


def _regional(out, entries):
    if not entries:
        return
    out.put(len(entries) - 1, 2)
    for entry in entries:
        out.put(entry["region_id"], 8)
        out.open_type(entry["content"])
