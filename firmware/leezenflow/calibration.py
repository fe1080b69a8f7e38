# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far this controller's forecasts can be trusted, learned from the switches it really made (docs/timing.md).

A forecast of a switch is remembered; when the switch is seen, its error (relative to how far ahead the forecast was)
is counted in the row of forecasts of the same kind. Before anything was learned a prior stands in. From a row follows
the chance that a switch comes before an instant, and from two switches the chance that a claim is wrong.

Chances are in 1/1024 (`CERTAIN`), instants are local ms. No float, no true division.
"""

from array import array

from leezenflow.forecast import GREEN
from leezenflow.prior import SHAPE_OF, SHAPES

CERTAIN = 1024

# Errors in 1/128 of their scale (how far ahead, plus 2 s): 13 edges make 14 bins. The outer two end at the limits.
EDGES = (-45, -32, -23, -15, -9, -4, 4, 9, 15, 23, 32, 45, 80)
BINS = 14
_LOWEST = -128
_HIGHEST = 256
_SCALE_MS = 2_000

# A row is: quality of the forecast (5), next switch or a later one, to red or to green, priority requested or not,
# how far ahead (6).
_AHEAD_MS = (6_000, 12_000, 20_000, 30_000, 50_000)
_AHEADS = 6
ROWS = 5 * 2 * 2 * 2 * _AHEADS
_FIRM, _EVEN, _SOFT, _OPEN, _GUESS = range(5)
_TO_RED, _TO_GREEN = 0, 1

# Samples the prior is worth in a row: so many less what the row has seen, but never less than (some 12 cycles).
_YOUNG_WEIGHT = 240
_PRIOR_WEIGHT = 60
# Switches looked at: nobody rides so slowly that a fifth one matters.
_SLOTS = 4
# Only the next two switches teach, and no forecast further ahead than this.
_TAUGHT_SLOTS = 2
_TAUGHT_AHEAD_MS = 90_000
_SAMPLE_MS = 2_000
_RING = 64
# An error beyond this is in the last bin anyway, and its multiple must stay a small int.
_MOST_MS = 600_000
# Samples counted per message: the work after a switch is spread over several.
_DRAIN = 6
# A switch seen across a longer silence teaches nothing.
_GAP_MS = 7_000

# An end whose bounds are this close is the controller's decision; so close to now it is no forecast any more.
_EXACT_MS = 300
_DECIDED_MS = 10_000
# Round a promised bound nothing is certain: marks are tenths of a second, lamps and clocks lag.
_GUARD_MS = 300
_AT_EXACT_BOUND = 300
_AT_BOUND = 50
# A promise was broken when the switch missed it by more than this.
_BROKEN_MS = 500
_PROMISES = 96


class Calibration:
    """The learned errors of one signal group's forecasts.

    After `judge`, `index` is the span that a rider is likely to meet (-1: the forecast does not say) and `wrong` the
    chance in 1/1024 that its colour is wrong. `cycles` counts the greens watched, `rows` are the counted errors (ROWS x
    BINS), `kept` and `broken` the promises by kind of switch: what `calibration_memory` keeps over a restart.
    """

    def __init__(self):
        self.index = -1
        self.wrong = CERTAIN
        self.cycles = 0
        self.rows = bytearray(ROWS * BINS)
        # Promises (the bounds of a running phase) kept and broken, by kind of switch.
        self.kept = [0, 0]
        self.broken = [0, 0]
        # Forecasts that wait for their switch, in a ring for each kind: what was forecast, its scale, its row.
        self._likely = array("i", [0] * (2 * _RING))
        self._scale = array("i", [0] * (2 * _RING))
        self._row = array("H", [0] * (2 * _RING))
        self._head = [0, 0]
        self._tail = [0, 0]
        # Those before this place have met their switch, which was at this instant.
        self._due = [0, 0]
        self._switched_at_ms = [0, 0]
        # For each switch ahead: cumulative chances of its row, the row (-1: draw it anew), scale, exactness.
        self._curve = array("h", [0] * (_SLOTS * (BINS + 1)))
        self._curve_row = [-1] * _SLOTS
        self._curve_scale = [1] * _SLOTS
        self._exact = [False] * _SLOTS
        self._colour = None
        self._at_ms = 0
        self._sampled_at_ms = None
        # The strictest promises of the running phase, and its end where that was decided.
        self._floor_ms = None
        self._ceiling_ms = None
        self._decided_ms = None

    # -- messages

    def forget_phase(self):
        """Evidence was interrupted (signal off, clock fault): what is pending teaches nothing."""
        self._colour = None
        for kind in (_TO_RED, _TO_GREEN):
            self._drop_pending(kind)

    def learn(self, forecast, at_ms, priority):
        """Take in the `Forecast` of a message that the controller made at `at_ms`.

        `priority` is True while a bus or tram asks for the signal. The work is bounded: a few samples, and one curve
        for each switch whose row has changed.
        """
        if forecast.span_count == 0:
            self.forget_phase()
            return
        if at_ms - self._at_ms > _GAP_MS:
            self.forget_phase()
        shade = forecast.spans[0].colour
        if shade != self._colour:
            if self._colour is not None:
                self._note_switch(at_ms, _TO_GREEN if shade == GREEN else _TO_RED)
            self._colour = shade
            self._floor_ms = None
            self._ceiling_ms = None
        sample = self._sampled_at_ms is None or at_ms - self._sampled_at_ms >= _SAMPLE_MS
        if sample:
            self._sampled_at_ms = at_ms
        for slot in range(min(forecast.span_count, _SLOTS)):
            if forecast.spans[slot].end_at_ms is None:
                break
            self._rate(slot, forecast.spans[slot], at_ms, priority, sample)
        self._note_promises(forecast.spans[0])
        self._at_ms = at_ms
        self._drain(_DRAIN)

    def _rate(self, slot, span, at_ms, priority, sample):
        """Find the row of the forecast of a span's end; remember it as a sample."""
        ahead_ms = max(0, span.end_at_ms - at_ms)
        bounded = span.max_end_at_ms is not None
        exact = bounded and span.min_end_at_ms is not None and span.max_end_at_ms - span.min_end_at_ms <= _EXACT_MS
        self._exact[slot] = exact
        kind = _TO_RED if span.colour == GREEN else _TO_GREEN
        near = 0
        while near < _AHEADS - 1 and ahead_ms >= _AHEAD_MS[near]:
            near += 1
        row = ((_quality(span, exact, bounded) * 2 + (1 if slot else 0)) * 2 + kind) * 2 + (1 if priority else 0)
        row = row * _AHEADS + near
        self._curve_scale[slot] = ahead_ms + _SCALE_MS
        if row != self._curve_row[slot]:
            self._curve_row[slot] = row
            self._draw(slot, row)
        if not sample or slot >= _TAUGHT_SLOTS or ahead_ms >= _TAUGHT_AHEAD_MS or (exact and ahead_ms <= _DECIDED_MS):
            return
        head = self._head[kind]
        self._head[kind] = head + 1
        if head + 1 - self._tail[kind] > _RING:
            self._tail[kind] += 1
        place = kind * _RING + head % _RING
        self._likely[place] = span.end_at_ms
        self._scale[place] = ahead_ms + _SCALE_MS
        self._row[place] = row

    def _note_promises(self, span):
        earliest = span.min_end_at_ms
        latest = span.max_end_at_ms
        if earliest is not None and (self._floor_ms is None or earliest > self._floor_ms):
            self._floor_ms = earliest
        if latest is not None and (self._ceiling_ms is None or latest < self._ceiling_ms):
            self._ceiling_ms = latest
        self._decided_ms = span.end_at_ms if self._exact[0] else None

    def _note_switch(self, at_ms, kind):
        """The lamp was seen in a new colour: it switched after the message before and before this one."""
        before = self._at_ms
        self._drain(2 * _RING)
        decided = self._decided_ms
        if decided is not None and before <= decided + _BROKEN_MS and decided <= at_ms:
            self._switched_at_ms[kind] = decided
        else:
            self._switched_at_ms[kind] = (before + at_ms) >> 1
        self._due[kind] = self._head[kind]
        if kind == _TO_GREEN:
            self.cycles = (self.cycles + 1) & 0xFFFF
        early = self._floor_ms is not None and at_ms < self._floor_ms - _BROKEN_MS
        late = self._ceiling_ms is not None and before > self._ceiling_ms + _BROKEN_MS
        if early or late:
            self.broken[kind] += 1
        elif self._floor_ms is not None or self._ceiling_ms is not None:
            self.kept[kind] += 1
        if self.kept[kind] + self.broken[kind] > _PROMISES:
            self.kept[kind] >>= 1
            self.broken[kind] >>= 1

    def _drop_pending(self, kind):
        self._head[kind] = self._tail[kind] = self._due[kind] = 0

    def _drain(self, most):
        """Count up to `most` samples whose switch has been seen."""
        for kind in (_TO_RED, _TO_GREEN):
            while most > 0 and self._tail[kind] < self._due[kind]:
                place = kind * _RING + self._tail[kind] % _RING
                self._tail[kind] += 1
                most -= 1
                error = min(self._switched_at_ms[kind] - self._likely[place], _MOST_MS) * 128 // self._scale[place]
                bin_ = 0
                while bin_ < BINS - 1 and error >= EDGES[bin_]:
                    bin_ += 1
                row = self._row[place]
                _count(self.rows, row * BINS, bin_)
                for slot in range(_SLOTS):
                    if self._curve_row[slot] == row:
                        self._curve_row[slot] = -1

    def _draw(self, slot, row):
        """Write a row's cumulative chances into the slot's curve: what was counted, drawn towards the prior."""
        prior = SHAPE_OF[row] * BINS
        first = row * BINS
        samples = 0
        for i in range(BINS):
            samples += self.rows[first + i]
        weight = max(_PRIOR_WEIGHT, _YOUNG_WEIGHT - samples)
        samples += weight
        total = 0
        place = slot * (BINS + 1)
        for i in range(BINS):
            self._curve[place + i] = total >> 4
            total += (self.rows[first + i] * 16384 + SHAPES[prior + i] * 64 * weight) // samples
        self._curve[place + BINS] = CERTAIN

    # -- frames

    def judge(self, forecast, arrival_ms):
        """Set `index` to the span likely met at `arrival_ms`, and `wrong` to the chance that its colour is wrong."""
        self.index = index = forecast.index_at(arrival_ms)
        self.wrong = CERTAIN
        if index < 0 or index >= _SLOTS:
            self.index = -1
            return
        spans = forecast.spans
        span = spans[index]
        green = span.colour == GREEN
        wrong = 1
        if index:
            wrong += self._chance_not_yet(index - 1, spans[index - 1], arrival_ms, _TO_GREEN if green else _TO_RED)
        if green:
            # Amber is no wrong green: a rider may still pass.
            arrival_ms -= forecast.clearance_ms
        wrong += self._chance_already(index, span, arrival_ms, _TO_RED if green else _TO_GREEN)
        self.wrong = min(wrong, CERTAIN)

    def _chance_not_yet(self, slot, span, at_ms, kind):
        """Return the chance that `span` has not ended at `at_ms`, though it is likely to have."""
        chance = CERTAIN - self._chance_before(slot, (at_ms - span.end_at_ms) * 128 // self._curve_scale[slot])
        if span.max_end_at_ms is not None:
            past_ms = at_ms - span.max_end_at_ms
            if past_ms > _GUARD_MS:
                return min(chance, self._chance_broken(kind))
            if past_ms > -_GUARD_MS:
                return max(chance, _AT_EXACT_BOUND if self._exact[slot] else _AT_BOUND)
        return chance

    def _chance_already(self, slot, span, at_ms, kind):
        """Return the chance that `span` has ended at `at_ms`, though it is likely not to have."""
        chance = CERTAIN
        if span.end_at_ms is not None:
            chance = self._chance_before(slot, (at_ms - span.end_at_ms) * 128 // self._curve_scale[slot])
        if span.min_end_at_ms is not None:
            ahead_ms = span.min_end_at_ms - at_ms
            if ahead_ms > _GUARD_MS:
                return min(chance, self._chance_broken(kind))
            if ahead_ms > -_GUARD_MS:
                return max(chance, _AT_EXACT_BOUND if self._exact[slot] else _AT_BOUND)
        return chance

    def _chance_before(self, slot, error):
        """Return the chance that a switch comes earlier than its forecast plus `error`/128 of its scale."""
        place = slot * (BINS + 1)
        if error <= _LOWEST:
            return 0
        if error >= _HIGHEST:
            return CERTAIN
        i = 0
        while i < BINS - 1 and error >= EDGES[i]:
            i += 1
        low = EDGES[i - 1] if i else _LOWEST
        high = EDGES[i] if i < BINS - 1 else _HIGHEST
        chance = self._curve[place + i]
        return chance + (self._curve[place + i + 1] - chance) * (error - low) // (high - low)

    def _chance_broken(self, kind):
        """Return the chance that a promised bound is broken."""
        return (2048 * self.broken[kind] + 24) // (self.kept[kind] + self.broken[kind] + 8)

    def forget_curves(self):
        """Draw every curve anew: `rows` were replaced."""
        for slot in range(_SLOTS):
            self._curve_row[slot] = -1

    def rebase(self, shift_ms):
        """Move every stored instant back by `shift_ms`, when the local time base moves."""
        self._at_ms -= shift_ms
        if self._sampled_at_ms is not None:
            self._sampled_at_ms -= shift_ms
        for i in range(2 * _RING):
            # Places without a pending forecast must not run out of the array's numbers.
            self._likely[i] = max(self._likely[i] - shift_ms, -shift_ms)
        for kind in (_TO_RED, _TO_GREEN):
            self._switched_at_ms[kind] -= shift_ms
        if self._floor_ms is not None:
            self._floor_ms -= shift_ms
        if self._ceiling_ms is not None:
            self._ceiling_ms -= shift_ms
        if self._decided_ms is not None:
            self._decided_ms -= shift_ms


def _quality(span, exact, bounded):
    """Return how good the controller itself makes a forecast: FIRM, EVEN, SOFT, OPEN (no latest end) or GUESS."""
    if span.guessed:
        return _GUESS
    if exact:
        return _FIRM
    if not bounded:
        return _OPEN
    if span.confidence is None or span.confidence < 3:
        return _SOFT
    return _EVEN if span.confidence == 3 else _FIRM


def _count(rows, first, bin_):
    """Count one sample; a full bin halves its row, so that old samples fade with the switches watched."""
    number = rows[first + bin_] + 1
    if number > 255:
        for i in range(first, first + BINS):
            rows[i] >>= 1
        number = 128
    rows[first + bin_] = number
