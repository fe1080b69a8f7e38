# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a learned forecast where a controller's would be, for a feed that tells only the present state.

Time passes between its messages, and with it what can be expected: so the forecast is made anew twice a second.
"""

from leezenflow.clock import CLOCK_FAULT
from leezenflow.learned import LearnedForecast

_REFRESH_MS = 500
# Forecast switches of each kind that must have been watched before anything is claimed (rule F2).
_EARNED = 6
# Doubt in advance: so many broken promises of each kind are taken for granted.
_DOUBT = 1


class Learner:
    """Feeds a `Forecast` and a `Calibration` from what a `SignalTracker` sees."""

    def __init__(self, tracker, forecast, calibration):
        self.learned = LearnedForecast()
        self._tracker = tracker
        self._forecast = forecast
        self._calibration = calibration
        self._refreshed_at_ms = None
        self._event_state = None
        forecast.earned = False
        calibration.broken[0] = calibration.broken[1] = _DOUBT

    def observe(self, state, verdict):
        """Take in the message that the tracker has just accepted; `state` is the decoder's."""
        tracker = self._tracker
        if verdict == CLOCK_FAULT or tracker.blocked is not None:
            self.learned.interrupt()
            self._calibration.forget_phase()
        if tracker.blocked is None:
            event_state = tracker.events[0].event_state
            self.learned.observe(event_state, tracker.message_at_ms, tracker.changed_at_ms, state.program)
            if event_state != self._event_state:
                self._expect(tracker.message_at_ms)
        self._event_state = tracker.events[0].event_state

    def refresh(self, now_ms):
        """Make the forecast anew where it is time to, and the state is still known."""
        since_ms = self._refreshed_at_ms
        if (since_ms is None or now_ms - since_ms >= _REFRESH_MS) and self._tracker.dark_reason(now_ms) is None:
            self._expect(now_ms)

    def _expect(self, now_ms):
        self._refreshed_at_ms = now_ms
        calibration = self._calibration
        forecast = self._forecast
        self.learned.expect(now_ms)
        forecast.update(self.learned)
        for i in range(forecast.span_count):
            forecast.spans[i].guessed = True
        calibration.learn(forecast, now_ms, False)
        kept, broken = calibration.kept, calibration.broken
        forecast.earned = min(kept[0] + broken[0], kept[1] + broken[1]) >= _EARNED + _DOUBT

    def rebase(self, shift_ms):
        """Move every stored instant back by `shift_ms`, when the local time base moves."""
        self.learned.rebase(shift_ms)
        if self._refreshed_at_ms is not None:
            self._refreshed_at_ms -= shift_ms
