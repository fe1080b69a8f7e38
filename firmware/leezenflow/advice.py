# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to tell a rider who passes the display now: the colour on *arrival*, and how long it stays."""

from leezenflow import forecast as _forecast
from leezenflow.calibration import CERTAIN
from leezenflow.gate import Gate
from leezenflow.tracker import STALE

GREEN = "green"
SPRINT = "sprint"
RED = "red"
UNCERTAIN = "uncertain"
DARK = "dark"

KINDS = (GREEN, SPRINT, RED, UNCERTAIN, DARK)

# Why an advice is uncertain; the reasons for dark are the tracker's.
BEYOND_FORECAST = "beyond_forecast"
OVERDUE = "overdue"
DOUBTFUL = "doubtful"
LEARNING = "learning"

# Hurrying must work for at least this long when it is first advised.
_SPRINT_WORTH_MS = 2_000
# Equal marks this far apart on the local clock are not one end seen twice, but an hour apart.
_SAME_END_MS = 10_000


class Advice:
    """One frame's advice; made once, changed in place.

    `kind` is one of KINDS. `remaining_ms` is how long the colour at arrival stays (for SPRINT: how long sprinting
    still works), `span_ms` how long that colour is planned to last in all; both None for UNCERTAIN and DARK.
    `certainty` is 0..100 per cent; `reason` a word for UNCERTAIN and DARK, else None.
    """

    __slots__ = ("certainty", "kind", "reason", "remaining_ms", "span_ms")

    def __init__(self):
        self.kind = DARK
        self.remaining_ms = None
        self.span_ms = None
        self.certainty = 0
        self.reason = "no_data"

    def claim(self, kind, remaining_ms, span_ms, certainty):
        """Say GREEN, RED or SPRINT."""
        self.kind = kind
        self.remaining_ms = remaining_ms
        self.span_ms = span_ms
        self.certainty = certainty
        self.reason = None

    def decline(self, kind, reason):
        """Say UNCERTAIN or DARK, and why."""
        self.kind = kind
        self.remaining_ms = None
        self.span_ms = None
        self.certainty = 0
        self.reason = reason


class Adviser:
    """Turns a forecast into advice for one site and keeps the countdown steady between two frames."""

    def __init__(self, site):
        self.advice = Advice()
        limit = site.max_wrong_permille
        self._gate = Gate(None if limit is None else limit * CERTAIN // 1000)
        self._cruise_ms = site.cruise_ms
        self._sprint_ms = site.sprint_ms
        self._held_kind = None
        self._held_mark_ms = None
        self._held_end_ms = 0
        self._entered_ms = 0
        self._sprinting = False

    def advise(self, tracker, forecast, calibration, now_ms):
        """Return the advice for a rider who passes at `now_ms` (the same object every time)."""
        advice = self.advice
        reason = tracker.dark_reason(now_ms)
        if reason is not None:
            self._gate.close()
            advice.decline(DARK, reason)
            return advice
        arrival_ms = now_ms + self._cruise_ms
        calibration.judge(forecast, arrival_ms)
        index = calibration.index
        wrong = calibration.wrong
        if index < 0:
            self._gate.close()
            advice.decline(UNCERTAIN, BEYOND_FORECAST)
        elif not forecast.earned:
            self._gate.close()
            advice.decline(UNCERTAIN, LEARNING)
        elif forecast.overdue:
            self._gate.close()
            advice.decline(UNCERTAIN, OVERDUE)
        else:
            green = forecast.spans[index].colour == _forecast.GREEN
            allowed = self._gate.allows(now_ms, green, wrong)
            sprint_index = -1 if green and allowed else self._find_sprint(forecast, calibration, index, now_ms)
            if sprint_index >= 0:
                self._claim(forecast.spans[sprint_index], SPRINT, calibration.wrong, now_ms, now_ms + self._sprint_ms)
            elif allowed:
                self._claim(forecast.spans[index], GREEN if green else RED, wrong, now_ms, arrival_ms)
            else:
                advice.decline(UNCERTAIN, DOUBTFUL)
        self._sprinting = advice.kind == SPRINT
        if advice.kind != RED and not tracker.is_fresh(now_ms):
            # Red may outlive its last message for some seconds, green may not.
            self._gate.close()
            advice.decline(DARK, STALE)
        return advice

    def _find_sprint(self, forecast, calibration, index, now_ms):
        """Return the span of the green that only the faster pace surely reaches, or -1.

        Cruising likely meets the span `index`: the red after that green, or its end, which is too doubtful to claim.
        """
        if self._sprint_ms is None:
            return -1
        sprint_at_ms = now_ms + self._sprint_ms
        calibration.judge(forecast, sprint_at_ms)
        found = calibration.index
        if found < 0 or found < index - 1 or forecast.spans[found].colour != _forecast.GREEN:
            return -1
        end_ms = forecast.spans[found].end_at_ms
        if not self._sprinting and (end_ms is None or end_ms - sprint_at_ms < _SPRINT_WORTH_MS):
            return -1
        return found if self._gate.would_allow(calibration.wrong, not self._sprinting) else -1

    def _claim(self, span, kind, wrong, now_ms, arrival_ms):
        end_ms = self._hold_end(span, kind, now_ms)
        begin_ms = span.begin_at_ms
        if begin_ms is None:
            begin_ms = self._entered_ms + arrival_ms - now_ms
        # Never rounded up: a hundred per cent is for nobody.
        certainty = (CERTAIN - wrong) * 100 // CERTAIN
        self.advice.claim(kind, max(0, end_ms - arrival_ms), max(0, end_ms - begin_ms), certainty)

    def _hold_end(self, span, kind, now_ms):
        """Return the span's end, never later than last shown while the controller's own forecast stands (rule F5)."""
        end_ms = span.min_end_at_ms if span.end_at_ms is None else span.end_at_ms
        if kind != self._held_kind:
            self._entered_ms = now_ms
        elif span.end_mark_ms == self._held_mark_ms and end_ms - self._held_end_ms < _SAME_END_MS:
            end_ms = min(end_ms, self._held_end_ms)
        self._held_kind = kind
        self._held_mark_ms = span.end_mark_ms
        self._held_end_ms = end_ms
        return end_ms

    def rebase(self, shift_ms):
        """Move every stored instant back by `shift_ms`, when the local time base moves."""
        self._gate.rebase(shift_ms)
        self._held_end_ms -= shift_ms
        self._entered_ms -= shift_ms
