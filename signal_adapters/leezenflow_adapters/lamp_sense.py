# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lamps themselves as the only source: potential-free inputs for red, amber and green, sampled by the unit.

A message (transport `lamps`) is a run of samples at a fixed interval: the ms counter of the first (4 bytes, little
endian, wraps at 2**30), the interval in ms (1 byte), then one byte a sample: bit 0 red, bit 1 amber, bit 2 green.

Lamps are fed with alternating current and may be dimmed by cutting its phase: a lamp counts as on until it was seen
off for `hold_ms`. A colour counts once it has stood for `settle_ms`, so that two lamps that overlap while they change
are no state. Lamps that come and go about once a second flash. What is no signal (none lit for longer than a flash, red
and green together) is unavailable. There is no forecast here; what comes next is learned.
"""

from leezenflow import spatem
from leezenflow.errors import SignalError
from leezenflow_adapters.one_step import OneStepDecoder

RUNTIMES = ("device", "host")
OPTIONS = {
    "hold_ms": {"type": "int", "range": [40, 100], "default": 80, "help": "how long a lamp may seem off and is on"},
    "settle_ms": {"type": "int", "range": [0, 500], "default": 120, "help": "how long a colour must stand to count"},
    "amber": {
        "type": "bool",
        "default": True,
        "help": "is the amber lamp sensed? Without it, dark after green is amber",
    },
}

RED = 1
AMBER = 2
GREEN = 4

_STATES = {
    RED: spatem.STOP_AND_REMAIN,
    RED | AMBER: spatem.PRE_MOVEMENT,
    GREEN: spatem.PROTECTED_MOVEMENT_ALLOWED,
    AMBER: spatem.PROTECTED_CLEARANCE,
}
# A flash is on and off for 0.3 to 1.2 s each; after two it is flashing, and without a change for longer no more.
_FLASH_MOST_MS = 1_200
_FLASH_LEAST_MS = 250
_FLASHES = 2
# Amber is never longer (VwV-StVO to section 37: 3 to 5 s).
_AMBER_MOST_MS = 6_000
# A pause between samples in which anything may have happened.
_PAUSE_MS = 500
_WRAP = 0x3FFFFFFF
_MINUTE_MS = 60_000
_YEAR_MINUTES = 525_600
_HEAD_BYTES = 5


class Decoder(OneStepDecoder):
    """Turns samples of three lamps into the state of the signal; `moy` and `time_stamp` count from the first one."""

    # The engine learns a forecast for it.
    state_only = True
    # Two seconds of samples at the shortest interval; transports send several times a second.
    MAX_BYTES = _HEAD_BYTES + 400

    def __init__(self, region, intersection_id, signal_group, options=None):
        super().__init__(region, intersection_id, signal_group, options)
        options = options or {}
        self._hold_ms = options.get("hold_ms", OPTIONS["hold_ms"]["default"])
        self._settle_ms = options.get("settle_ms", OPTIONS["settle_ms"]["default"])
        self._without_amber = not options.get("amber", True)
        # Time since the first sample, as a SPATEM tells it; the counter of the last sample, None before the first.
        self._moy = 0
        self._ms = 0
        self._counter = None
        self._off_ms = [0, 0, 0]
        self._forget()

    def _forget(self):
        """What was before tells nothing about what is now."""
        self._lit = 0
        self._lit_for_ms = 0
        self._shown = 0
        self._flashes = 0
        self._flashing = 0
        self._event_state = spatem.UNAVAILABLE

    def read(self, buffer, start, end):
        """Take one run of samples; SignalError where it is none."""
        if end - start <= _HEAD_BYTES:
            raise SignalError("truncated", "%d bytes, at least %d" % (end - start, _HEAD_BYTES + 1), end)
        interval_ms = buffer[start + 4]
        if buffer[start + 3] & 0xC0 or not 1 <= interval_ms <= 100:
            raise SignalError("malformed", "no counter of 30 bits, or no interval of 1 to 100 ms", start + 3)
        for i in range(start + _HEAD_BYTES, end):
            if buffer[i] > 7:
                raise SignalError("malformed", "more than three lamps", i)
        counter = buffer[start] | buffer[start + 1] << 8 | buffer[start + 2] << 16 | buffer[start + 3] << 24
        for i in range(start + _HEAD_BYTES, end):
            self._sample(counter, buffer[i])
            counter = (counter + interval_ms) & _WRAP
        self.clear()
        state = self.state
        state.moy = self._moy
        state.time_stamp = self._ms
        state.movement.add_event().event_state = self._event_state
        return True

    def _sample(self, counter, mask):
        """Take one sample in."""
        step_ms = 0 if self._counter is None else (counter - self._counter) & _WRAP
        self._counter = counter
        if step_ms > _PAUSE_MS:
            self._forget()
            # A counter that went back moves no further than it takes to notice.
            step_ms = min(step_ms, _MINUTE_MS)
        self._ms += step_ms
        if self._ms >= _MINUTE_MS:
            self._ms -= _MINUTE_MS
            self._moy = (self._moy + 1) % _YEAR_MINUTES
        lit = 0
        off_ms = self._off_ms
        for lamp in range(3):
            if mask >> lamp & 1:
                off_ms[lamp] = 0
                lit |= 1 << lamp
            else:
                off_ms[lamp] = min(off_ms[lamp] + step_ms, _MINUTE_MS)
                if off_ms[lamp] < self._hold_ms and self._lit >> lamp & 1:
                    lit |= 1 << lamp
        if lit != self._lit:
            self._change(lit)
        else:
            self._lit_for_ms = min(self._lit_for_ms + step_ms, _MINUTE_MS)
        self._judge()

    def _change(self, lit):
        """The lamps changed: note flashes, that is, one lamp that goes out and comes on again."""
        lasted_ms = self._lit_for_ms
        if self._lit == 0 and lit == self._shown and _FLASH_LEAST_MS <= lasted_ms <= _FLASH_MOST_MS:
            self._flashes = min(self._flashes + 1, _FLASHES)
            if self._flashes == _FLASHES:
                self._flashing = lit
        elif self._lit and (lit or not _FLASH_LEAST_MS <= lasted_ms <= _FLASH_MOST_MS):
            self._flashes = 0
        if self._lit:
            self._shown = self._lit
        self._lit = lit
        self._lit_for_ms = 0

    def _judge(self):
        """Set the state by what is lit, and for how long."""
        lit_ms = self._lit_for_ms
        if self._flashing:
            if lit_ms > _FLASH_MOST_MS or self._lit not in (0, self._flashing):
                self._flashing = self._flashes = 0
            else:
                self._event_state = _flashing_state(self._flashing)
                return
        if self._lit:
            if lit_ms >= self._settle_ms:
                self._event_state = _STATES.get(self._lit, spatem.UNAVAILABLE)
        elif self._without_amber and self._shown == GREEN and self._settle_ms <= lit_ms < _AMBER_MOST_MS:
            self._event_state = spatem.PROTECTED_CLEARANCE
        elif lit_ms > _FLASH_MOST_MS:
            # Up to here it might be the pause of a flash.
            self._event_state = spatem.UNAVAILABLE


def _flashing_state(lamps):
    """Flashing green still lets riders enter (Austria); flashing red means stop, flashing amber mind the others."""
    if lamps == GREEN:
        return spatem.PROTECTED_MOVEMENT_ALLOWED
    return spatem.STOP_THEN_PROCEED if lamps & RED else spatem.CAUTION_CONFLICTING_TRAFFIC
