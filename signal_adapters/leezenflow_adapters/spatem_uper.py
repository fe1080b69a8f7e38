# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPATEM (ETSI TS 103 301) and J2735 SPAT in UPER: one signal group, without building the rest.

The whole message is walked, so that a truncated one is always noticed, but only the wanted group is stored. Widths and
order follow ISO/TS 19091 and SAE J2735 (DF_SPAT ff.), the encoding is ITU-T X.691 unaligned PER. `v2x_wrappers` says
what may stand around the message.

Bits are read from windows of three octets, written out where they are needed: 17 bits always fit, the number stays a
small int on a board, nothing is allocated, and no call is paid for (a call costs more than the reading).
"""

from leezenflow.errors import SignalError
from leezenflow.spatem import IntersectionState
from leezenflow_adapters import v2x_wrappers
from leezenflow_adapters.uper_cursor import UperCursor

RUNTIMES = ("device", "host")
OPTIONS = {}

# Longest message taken. A GeoNetworking packet holds at most 1.4 kB, but UDAP and MQTT carry more: the generated
# message with three full intersections has 9.3 kB.
MAX_BYTES = 16384

# Events walked in one step: about 0.15 ms each on an RP2040, five times that with all optional parts.
_EVENTS_A_STEP = 12

# Bits of TimeChangeDetails behind its five presence bits (start, max, likely, confidence, next); min always there.
_TIMING_BITS = bytes(
    16 * (1 + (bits >> 4 & 1) + (bits >> 3 & 1) + (bits >> 2 & 1) + (bits & 1)) + 4 * (bits >> 1 & 1)
    for bits in range(32)
)
_REGION_ADDGRPC = 3


class Decoder(UperCursor):
    """Sans-IO decoder of one signal group of one intersection.

    `region` None takes any region, a number only that one (a message without region then does not match).
    `buffer` may be larger than the message: two spare bytes behind `end` save a copy.
    """

    def __init__(self, region, intersection_id, signal_group, options=None):
        super().__init__()
        self.state = IntersectionState()
        self._region = region
        self._intersection_id = intersection_id
        self._signal_group = signal_group
        self._wrapping = v2x_wrappers.Wrapping()
        self._at = 0  # the next bit to read
        self._intersections = 0  # still to come, the current one included
        self._groups = 0  # still to come in this intersection
        self._events = 0  # still to come in this group
        self._spat_flags = 0
        self._flags = 0  # presence bits of this intersection
        self._group_flags = 0
        self._minute = None
        self._here = False  # this intersection is ours
        self._wanted = False  # this group is ours
        self._found = False
        self._begun = False
        self._ended = True

    def decode(self, buffer, start, end):
        """Decode `buffer[start:end]` at once: True if `state` now holds the wanted group, False if it is not there."""
        self.begin(buffer, start, end)
        while True:
            done = self.step()
            if done is not None:
                return done

    def begin(self, buffer, start, end):
        """Take the message `buffer[start:end]`; `buffer` must stay unchanged until `step` has answered."""
        self._buffer = buffer
        self._at = start
        self._limit = end
        self._begun = True
        self._ended = False
        self._found = False

    def step(self):
        """Walk a few events more: None = call again, True = `state` is filled, False = the group is not there.

        Raises SignalError: "foreign" (no known message), "oversized", "truncated", or "malformed" where lengths or
        the wanted group contradict the standard.
        """
        if self._ended:
            return False
        try:
            if self._begun:
                self._begun = False
                if not self._open(self._buffer, self._at, self._limit):
                    return False
            return self._walk()
        except IndexError:
            self._ended = True
            raise SignalError("truncated", "", self._limit >> 3)
        except SignalError:
            self._ended = True
            raise

    def _open(self, buffer, start, end):
        """Find the SPAT and read its head; False where the message is another one."""
        if end - start > MAX_BYTES:
            raise SignalError("oversized", "%d bytes, at most %d" % (end - start, MAX_BYTES))
        wrapping = self._wrapping
        wrapping.open(buffer, start, end)
        if wrapping.message != v2x_wrappers.SPAT:
            self._ended = True
            return False
        start = wrapping.start
        end = wrapping.end
        if end + 2 > len(buffer):
            # The last windows look two octets past the end.
            self._buffer = bytes(buffer[start:end]) + b"\0\0"
            end -= start
            start = 0
        self._at = start << 3
        self._limit = end << 3
        self._open_spat()
        return True

    def _open_spat(self):
        at = self._at
        flags = self._read(at, 4)
        at += 4
        self._minute = None
        if flags & 4:
            self._minute = self._read(at, 4) << 16 | self._read(at + 4, 16)
            at += 20
        if flags & 2:
            at = self._skip_text(at)
        self._spat_flags = flags
        self._intersections = self._read(at, 5) + 1
        self._at = at + 5
        self._open_intersection()

    def _open_intersection(self):
        """Read from the head of an IntersectionState to its `states`."""
        at = self._at
        flags = self._read(at, 7)
        at += 7
        if flags & 0x20:
            at = self._skip_text(at)
        region = None
        at += 1
        if self._read(at - 1, 1):
            region = self._read(at, 16)
            at += 16
        intersection_id = self._read(at, 16)
        at += 16
        here = (
            not self._found
            and intersection_id == self._intersection_id
            and (self._region is None or region == self._region)
        )
        if here:
            state = self.state
            state.clear()
            state.region = region
            state.id = intersection_id
            state.revision = self._read(at, 7)
            state.status = self._read(at + 7, 16)
        at += 23
        minute = self._minute
        if flags & 0x10:
            minute = self._read(at, 4) << 16 | self._read(at + 4, 16)
            at += 20
        if flags & 8:
            if here:
                self.state.time_stamp = self._read(at, 16)
            at += 16
        if here and minute is not None and minute <= 527040:
            self.state.moy = minute
        if flags & 4:
            at += 12 + 8 * self._read(at, 4)
        groups = self._read(at, 8) + 1
        if groups > 255:
            raise SignalError("malformed", "256 movement states", at >> 3)
        if at > self._limit:
            raise SignalError("truncated", "IntersectionState", at >> 3)
        self._at = at + 8
        self._flags = flags
        self._here = here
        self._groups = groups
        self._events = 0

    def _walk(self):
        buffer = self._buffer
        at = self._at
        limit = self._limit
        events = self._events
        wanted = self._wanted
        timing_bits = _TIMING_BITS
        signal_group = self._signal_group if self._here else -1
        work = _EVENTS_A_STEP
        while True:
            if not events:
                if not self._groups:
                    self._at = at
                    if self._close_intersection():
                        return self._found
                    at = self._at
                    signal_group = self._signal_group if self._here else -1
                self._groups -= 1
                # Extension, name, assist list, regional; then the length of a name: ten bits.
                i = at >> 3
                bits = (buffer[i] << 16 | buffer[i + 1] << 8 | buffer[i + 2]) >> (14 - (at & 7))
                if bits & 0x100:
                    at += 17 + 7 * (bits & 63)
                else:
                    at += 4
                self._group_flags = bits >> 6 & 0xB
                # Signal group and number of events: twelve bits.
                i = at >> 3
                bits = (buffer[i] << 16 | buffer[i + 1] << 8 | buffer[i + 2]) >> (12 - (at & 7)) & 0xFFF
                at += 12
                events = (bits & 15) + 1
                wanted = bits >> 4 == signal_group
                if wanted:
                    # The first one counts, should a sender repeat the group.
                    signal_group = -1
                    self._here = False
                    self._found = True
                    self.state.movement.signal_group = bits >> 4
            # Extension, timing, speeds, regional, event state; then the presence bits of the timing: 13 bits.
            i = at >> 3
            bits = (buffer[i] << 16 | buffer[i + 1] << 8 | buffer[i + 2]) >> (11 - (at & 7))
            event = None
            if wanted:
                event = self._add_event(bits >> 5 & 15, at)
            if bits & 0x800:
                at += 13
                if wanted:
                    self._read_timing(event, bits, at)
                at += timing_bits[bits & 31]
            else:
                at += 8
            if bits & 0x1600:
                if bits & 0x400:
                    at = self._skip_speeds(at)
                if bits & 0x200:
                    at = self._skip_regional(at, event)
                if bits & 0x1000:
                    at = self._skip_additions(at)
                work -= 1
            events -= 1
            if not events:
                if self._group_flags:
                    at = self._close_group(at)
                if at > limit:
                    raise SignalError("truncated", "MovementState", limit >> 3)
            work -= 1
            if work <= 0:
                self._at = at
                self._events = events
                self._wanted = wanted
                return None

    def _add_event(self, event_state, at):
        if event_state > 9:
            raise SignalError("malformed", "eventState %d" % event_state, at >> 3)
        event = self.state.movement.add_event()
        event.event_state = event_state
        return event

    def _read_timing(self, event, bits, at):
        if bits & 16:
            event.start_time = self._read(at, 16)
            at += 16
        event.min_end_time = self._read(at, 16)
        at += 16
        if bits & 8:
            event.max_end_time = self._read(at, 16)
            at += 16
        if bits & 4:
            event.likely_time = self._read(at, 16)
            at += 16
        if bits & 2:
            event.confidence = self._read(at, 4)
            at += 4
        if bits & 1:
            event.next_time = self._read(at, 16)

    def _close_group(self, at):
        flags = self._group_flags
        if flags & 2:
            at = self._skip_assist(at)
        if flags & 1:
            at = self._skip_regional(at, None)
        if flags & 8:
            at = self._skip_additions(at)
        return at

    def _close_intersection(self):
        """Read what follows `states`, then open the next intersection; True after the last."""
        at = self._at
        flags = self._flags
        if flags & 2:
            at = self._skip_assist(at)
        if flags & 1:
            at = self._skip_regional(at, None)
        if flags & 0x40:
            at = self._skip_additions(at)
        self._intersections -= 1
        if self._intersections:
            self._at = at
            self._open_intersection()
            return False
        if self._spat_flags & 1:
            at = self._skip_regional(at, None)
        if self._spat_flags & 8:
            at = self._skip_additions(at)
        if at > self._limit:
            raise SignalError("truncated", "SPAT", self._limit >> 3)
        self._ended = True
        return True

    def _skip_regional(self, at, event):
        """Skip a list of regional extensions; `event` gets the reason the EU one (TS 103 301) may give."""
        count = self._read(at, 2) + 1
        at += 2
        while count:
            count -= 1
            if event is not None and self._read(at, 8) == _REGION_ADDGRPC:
                # A short length, then MovementEvent-addGrpC: extension, presence, then ENUMERATED with extension.
                bits = self._read(at + 8, 15)
                if 0 < bits >> 7 < 128 and bits & 0x20 and not bits & 0x10:
                    bits = self._read(at + 19, 4)
                    if bits <= 12:
                        event.state_change_reason = bits
            at = self._skip_open_type(at + 8)
            if at > self._limit:
                raise SignalError("truncated", "regional", self._limit >> 3)
        return at

    def _skip_speeds(self, at):
        count = self._read(at, 4) + 1
        at += 4
        while count:
            count -= 1
            # AdvisorySpeed: extension; speed, confidence, distance, class, regional present; extension of the type.
            bits = self._read(at, 7)
            at += 7
            if bits & 1:
                if self._read(at, 1):
                    raise SignalError("malformed", "AdvisorySpeedType", at >> 3)
                at += 7
            else:
                at += 2
            at += 9 * (bits >> 5 & 1) + 3 * (bits >> 4 & 1) + 14 * (bits >> 3 & 1) + 8 * (bits >> 2 & 1)
            if bits & 2:
                at = self._skip_regional(at, None)
            if bits & 0x40:
                at = self._skip_additions(at)
        return at

    def _skip_assist(self, at):
        count = self._read(at, 4) + 1
        at += 4
        while count:
            count -= 1
            # ConnectionManeuverAssist: extension; queue, storage, wait, detect, regional present; connection id.
            bits = self._read(at, 6)
            at += 14 + 14 * (bits >> 4 & 1) + 14 * (bits >> 3 & 1) + (bits >> 2 & 1) + (bits >> 1 & 1)
            if bits & 1:
                at = self._skip_regional(at, None)
            if bits & 0x20:
                at = self._skip_additions(at)
        return at
