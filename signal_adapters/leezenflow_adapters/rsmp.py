# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSMP 3 status messages of Nordic traffic light controllers: S0001 (colours) and S0025 (time to green and red).

The stream is JSON texts, each ended by a form feed (0x0C); it is taken in any pieces. S0001 gives one character per
signal group, the leftmost for group 1. S0025 comes per signal group, from the component (`cId`) the option names;
without it, from the one whose id ends in SG and the number of the group. Both are kept, and each message fills the
state with what is known by then.

Statuses of another quality than "recent" are not used; one that is unknown by now ends what was known before. From the
SXL for traffic light controllers, "Signal group status" and "Time-of-green / time-of-red".
"""

from leezenflow import spatem
from leezenflow.errors import SignalError
from leezenflow_adapters.one_step import read_json
from leezenflow_adapters.utc import parse_instant

RUNTIMES = ("host",)
OPTIONS = {
    "component": {
        "type": "str",
        "default": "",
        "help": "cId of the signal group's component, for S0025 (empty: the one ending in SG and the group's number)",
    },
}

# One message: an S0025 answer has 1 kB, one with all statuses of a controller 20 kB.
MAX_BYTES = 65536

# The qualities of a status that the controller itself no longer knows ("old" ones were buffered: they say nothing).
_LOST = ("undefined", "unknown")
_MARK_UNKNOWN = 36001
_HALF_HOUR = 18000
# Per cent behind the confidence codes 0..15 of a SPATEM.
_CONFIDENCE_PERCENT = (21, 36, 47, 56, 62, 68, 73, 77, 81, 85, 88, 91, 94, 96, 98, 100)
_ESTIMATES = (
    "minToGEstimate",
    "maxToGEstimate",
    "likelyToGEstimate",
    "minToREstimate",
    "maxToREstimate",
    "likelyToREstimate",
)


def event_state(character):
    """The MovementPhaseState of one character of `signalgroupstatus`; None where the group does not exist."""
    if character == "-":
        return None
    if character in "gh" or "A" <= character <= "G" or character == "P":
        return spatem.STOP_AND_REMAIN
    if character == "0":
        return spatem.PRE_MOVEMENT
    # 9 is green flashing: riders may still enter.
    if "1" <= character <= "9":
        return spatem.PERMISSIVE_MOVEMENT_ALLOWED
    if character in "NO":
        return spatem.PERMISSIVE_CLEARANCE
    if character == "c":
        return spatem.CAUTION_CONFLICTING_TRAFFIC
    if character == "d":
        return spatem.STOP_THEN_PROCEED
    if character in "abe":
        return spatem.DARK
    # f (start-up) is yellow for some heads and red for others, and what else may come is unknown.
    return spatem.UNAVAILABLE


class Decoder:
    """Decodes one signal group out of an RSMP stream; `begin` takes the next piece of it."""

    def __init__(self, region, intersection_id, signal_group, options=None):
        self.state = spatem.IntersectionState()
        self._region = region
        self._intersection_id = intersection_id
        self._signal_group = signal_group
        self._component = (options or {}).get("component", "")
        self._event_state = None  # of the last S0001
        self._times = {}  # of the last S0025: tenths of the year by name
        self._confidence = {}
        self._kept = b""
        self._texts = []
        self._found = False
        self._fault = None

    def decode(self, buffer, start, end):
        """Take `buffer[start:end]` at once; returns and raises what `step` does."""
        self.begin(buffer, start, end)
        while True:
            done = self.step()
            if done is not None:
                return done

    def begin(self, buffer, start, end):
        """Take the next piece of the stream, `buffer[start:end]`."""
        data = self._kept + bytes(buffer[start:end])
        self._texts = data.split(b"\x0c")
        self._kept = self._texts.pop()
        self._found = False
        self._fault = None
        # Recordings and gateways may leave the form feed out: an object that is whole need not wait for it.
        if _is_whole(self._kept):
            self._texts.append(self._kept)
            self._kept = b""
        elif len(self._kept) > MAX_BYTES:
            self._kept = b""
            self._fault = SignalError("oversized", "a message of more than %d bytes" % MAX_BYTES)
        self._texts.reverse()

    def step(self):
        """Read one message: None = call again, True = `state` is filled, False = nothing about our group.

        Raises SignalError after the last message, if none was about our group and one of them was damaged.
        """
        if self._texts:
            text = self._texts.pop()
            try:
                if text.strip() and self._read(text):
                    self._found = True
            except SignalError as error:
                self._fault = self._fault or error
            return None
        fault, self._fault = self._fault, None
        if fault is not None and not self._found:
            raise fault
        found, self._found = self._found, False
        return found

    def _read(self, text):
        if len(text) > MAX_BYTES:
            raise SignalError("oversized", "a message of more than %d bytes" % MAX_BYTES)
        message = read_json(text, 0, len(text))
        if not isinstance(message, dict) or message.get("mType") != "rSMsg":
            raise SignalError("foreign", "no RSMP message")
        if message.get("type") not in ("StatusUpdate", "StatusResponse"):
            return False
        statuses = message.get("sS")
        if not isinstance(statuses, list):
            raise SignalError("malformed", "StatusUpdate without sS")
        ours = self._is_our_component(message.get("cId"))
        news = False
        for status in statuses:
            # One odd status must not hide the others.
            if not isinstance(status, dict):
                continue
            code, name, quality = status.get("sCI"), status.get("n"), status.get("q")
            if quality == "recent":
                if code == "S0001" and name == "signalgroupstatus":
                    news = self._take_colours(status.get("s")) or news
                elif code == "S0025" and ours:
                    news = self._take_estimate(name, status.get("s")) or news
            elif quality in _LOST:
                if code == "S0001" and name == "signalgroupstatus":
                    # What it showed before must not live on in the estimates that may still come.
                    self._event_state = spatem.UNAVAILABLE
                elif code == "S0025" and ours:
                    self._times.pop(name, None)
        if not news:
            return False
        told = message.get("sTs")
        if not isinstance(told, str):
            raise SignalError("malformed", "StatusUpdate without sTs")
        self._fill(parse_instant(told))
        return True

    def _is_our_component(self, component):
        if not isinstance(component, str):
            return False
        if self._component:
            return component == self._component
        _, mark, number = component.rpartition("SG")
        try:
            return bool(mark) and len(number) < 6 and int(number) == self._signal_group
        except ValueError:
            return False

    def _take_colours(self, characters):
        if not isinstance(characters, str) or not 1 <= self._signal_group <= len(characters):
            return False
        self._event_state = event_state(characters[self._signal_group - 1])
        return self._event_state is not None

    def _take_estimate(self, name, value):
        if name in ("ToGConfidence", "ToRConfidence"):
            try:
                self._confidence[name[:3]] = confidence_code(int(value))
            except (TypeError, ValueError):
                self._confidence.pop(name[:3], None)
            return True
        if name not in _ESTIMATES:
            return False
        try:
            self._times[name] = parse_instant(value).tenths()
        except SignalError:
            # An estimate that is not known comes as an empty text.
            self._times.pop(name, None)
        return True

    def _fill(self, told):
        state = self.state
        state.clear()
        state.region = self._region
        state.id = self._intersection_id
        state.moy = told.moy
        state.time_stamp = told.time_stamp
        movement = state.movement
        movement.signal_group = self._signal_group
        now = told.tenths()
        to_green = self._ahead("ToG", now)
        to_red = self._ahead("ToR", now)
        present = self._event_state
        if present is None:
            # Without S0001 the nearer of the two switches tells what is shown now.
            if to_green is None or to_red is None:
                present = spatem.UNAVAILABLE
            else:
                present = spatem.STOP_AND_REMAIN if to_green < to_red else spatem.PERMISSIVE_MOVEMENT_ALLOWED
        green = present == spatem.PERMISSIVE_MOVEMENT_ALLOWED
        event = movement.add_event()
        event.event_state = present
        if green:
            self._end(event, "ToR", now)
            if to_green is not None and (to_red is None or to_green > to_red):
                event = movement.add_event()
                event.event_state = spatem.STOP_AND_REMAIN
                self._end(event, "ToG", now)
        elif present in (spatem.STOP_AND_REMAIN, spatem.PRE_MOVEMENT, spatem.PERMISSIVE_CLEARANCE):
            if present == spatem.PERMISSIVE_CLEARANCE:
                # When amber ends is not told, only when the red behind it does.
                event.min_end_time = _MARK_UNKNOWN
                event = movement.add_event()
                event.event_state = spatem.STOP_AND_REMAIN
            self._end(event, "ToG", now)
            if to_red is not None and to_green is not None and to_red > to_green:
                event = movement.add_event()
                event.event_state = spatem.PERMISSIVE_MOVEMENT_ALLOWED
                self._end(event, "ToR", now)

    def _ahead(self, which, now):
        """Tenths of a second from `now` to the likely (else the earliest) switch, None if not known or long past."""
        time = self._times.get("likely" + which + "Estimate", self._times.get("min" + which + "Estimate"))
        if time is None or not -20 <= time - now < _HALF_HOUR:
            return None
        return time - now

    def _end(self, event, which, now):
        event.min_end_time = self._mark("min" + which + "Estimate", now)
        event.max_end_time = self._mark("max" + which + "Estimate", now)
        event.likely_time = self._mark("likely" + which + "Estimate", now)
        event.confidence = self._confidence.get(which)

    def _mark(self, name, now):
        time = self._times.get(name)
        return _MARK_UNKNOWN if time is None or not -20 <= time - now < _HALF_HOUR else time % 36000


def _is_whole(text):
    if text.strip()[-1:] != b"}":
        return False
    try:
        read_json(text, 0, len(text))
    except SignalError:
        return False
    return True


def confidence_code(percent):
    """The confidence code of a SPATEM (0..15) that promises no more than `percent`."""
    code = 0
    for i in range(16):
        if percent >= _CONFIDENCE_PERCENT[i]:
            code = i
    return code
