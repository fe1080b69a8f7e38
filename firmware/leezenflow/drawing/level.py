# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a field is left: follows the forecast exactly, and eases when the forecast jumps."""

from leezenflow.advice import DARK, UNCERTAIN

# Longer pauses between two frames than this are not animated through: everything arrives at once.
LONGEST_STEP_MS = 1000
# A jump has shrunk to 1/e after this time, to 5 % after three times of it: visible, and over within a second.
EASE_MS = 300
# `shown` and `target` count in 1/32768 of the whole. 2^15 x LONGEST_STEP_MS stays far below 2^30.
WHOLE = 32768
# 17 minutes: no phase is longer.
LONGEST_SPAN_MS = 1 << 20
# Off by more than this (3 %), the plan has visibly changed.
CHANGED = WHOLE * 3 // 100


class Stopwatch:
    """Milliseconds between frames, whatever the clock does."""

    def __init__(self):
        self._last_ms = None

    def lap(self, now_ms):
        """Milliseconds since the last call, 0..LONGEST_STEP_MS; 0 at the first, and when the clock went back."""
        last_ms = self._last_ms
        self._last_ms = now_ms
        if last_ms is None or now_ms < last_ms:
            return 0
        elapsed_ms = now_ms - last_ms
        return elapsed_ms if elapsed_ms < LONGEST_STEP_MS else LONGEST_STEP_MS


def measure(remaining_ms, span_ms):
    """remaining_ms / span_ms in 1/WHOLE, 0..WHOLE; the whole where either is unknown."""
    if remaining_ms is None or not span_ms:
        return WHOLE
    if remaining_ms <= 0:
        return 0
    if remaining_ms >= span_ms:
        return WHOLE
    # Keep the product below 2^30: 15 bits of each carry more than a display of 96 rows can show.
    while span_ms >= 32768:
        span_ms >>= 1
        remaining_ms >>= 1
    return remaining_ms * WHOLE // span_ms


class Level:
    """The shown length of a phase's remaining time, 0..WHOLE.

    The colour belongs to the caller and switches at once. The length counts down with the clock; where a new forecast
    contradicts it (F5), the difference fades within a second instead of jumping, without lag in between. Entering
    "uncertain" the length grows to the whole in the same way: the scale dissolves.
    """

    def __init__(self):
        self.shown = WHOLE
        self.changing = False
        self._kind = None

    def update(self, advice, elapsed_ms):
        """Take over one frame's advice, `elapsed_ms` (0..LONGEST_STEP_MS) after the last one; returns `shown`."""
        kind = advice.kind
        if kind == UNCERTAIN or kind == DARK:
            target = WHOLE
        else:
            target = measure(advice.remaining_ms, advice.span_ms)
        if kind == self._kind:
            expected = self.shown
            span_ms = advice.span_ms
            if target < WHOLE and span_ms:
                expected -= elapsed_ms * WHOLE // span_ms
        elif kind == UNCERTAIN and self._kind != DARK and self._kind is not None:
            expected = self.shown
        else:
            expected = target
        self._kind = kind
        offset = expected - target
        offset -= offset * elapsed_ms // EASE_MS
        if elapsed_ms >= EASE_MS:
            offset = 0
        self.changing = kind != UNCERTAIN and (offset > CHANGED or offset < -CHANGED)
        shown = target + offset
        if shown < 0:
            shown = 0
        self.shown = shown
        return shown

    def remaining_ms(self, advice):
        """The remaining time to put into figures: the advice's own, but while the plan changes the length shown."""
        span_ms = advice.span_ms
        if not self.changing or not span_ms:
            return advice.remaining_ms
        if span_ms >= LONGEST_SPAN_MS:
            span_ms = LONGEST_SPAN_MS - 1
        # In two steps, to stay below 2^30.
        return (self.shown * (span_ms >> 5)) >> 10
