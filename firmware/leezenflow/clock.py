# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's clock seen through a network: a minimum-delay filter and a judge of what counts as news.

Delay only ever adds. So of all recent messages the one that arrived earliest relative to the time written in it
tells best how the controller's clock maps to ours; the others were late by their *excess*. The filter keeps the best
of the last one to two windows, which follows a drift of 500 ppm within 20 ms and forgets a wrong belief within 40 s.

`ticks_diff` is the one place that knows that MicroPython's millisecond counter wraps at 2**30.
"""

from leezenflow.timemark import advance_ms, message_ms, nearest

_HALF_PERIOD = 1 << 29

# What `ControllerClock.observe` answers; all but NEWS are also the names of counters.
NEWS = "news"
NO_TIME = "no_time"
DUPLICATE = "duplicate"
LATE = "late"
CLOCK_FAULT = "clock_fault"

_WINDOW_MS = 20_000
# A message later than this is no news: at the longest its content would be stale before it could be shown.
_LATE_MS = 2_500
# A controller that is suddenly this much ahead of all recent messages has been set, not delayed.
_STEP_MS = 1_500
# Two messages agree when the controller's clock advanced as ours did, but for the jitter of a bad network.
_AGREE_MS = 1_000
# A clock set back looks like lateness that stays; believed after this many messages over this time.
_RIVAL_MESSAGES = 4
_RIVAL_SPAN_MS = 3_000

_GAPS = 5
_AGE_FLOOR_MS = 2_000
# Older than this, nothing is evidence for anything.
AGE_CEILING_MS = 6_000


def ticks_diff(ticks, earlier):
    """Return `ticks - earlier` for counters that wrap at 2**30 ms, within +-2**29, without leaving small ints."""
    difference = ticks - earlier
    if difference >= _HALF_PERIOD:
        return difference - _HALF_PERIOD - _HALF_PERIOD
    if difference < -_HALF_PERIOD:
        return difference + _HALF_PERIOD + _HALF_PERIOD
    return difference


class ControllerClock:
    """Follows one controller's clock; all instants are local monotonic milliseconds.

    `excess_ms` is by how much the newest message was later than the best recent one (>= 0); `age_limit_ms` the age up
    to which a message is evidence for green (rule F1): 2.5 observed periods, within 2..6 s, 2 s until one is known;
    `confirmed` is True once two messages since the start, a reconnect or a clock fault advanced as the local clock
    did (rule F9).
    """

    def __init__(self):
        self._forget()

    def _forget(self):
        self.started = False
        self.confirmed = False
        self.age_limit_ms = _AGE_FLOOR_MS
        self.excess_ms = 0
        self.controller_ms = 0
        self._moy = 0
        self._time_stamp = 0
        self._at_ms = 0
        # Offsets (arrival minus controller time) are kept relative to an arbitrary zero: only differences count.
        self._offset_ms = 0
        self._best_ms = 0
        self._previous_best_ms = 0
        self._window_began_ms = 0
        self._witnesses = 0
        self._rivals = 0
        self._rival_moy = 0
        self._rival_time_stamp = 0
        self._rival_at_ms = 0
        self._rival_since_ms = 0
        self._gaps = []

    def reconnected(self):
        """Demand fresh evidence: what arrives now may have waited in a queue. The known delay is kept."""
        self.confirmed = False
        self._witnesses = 0

    def observe(self, moy, time_stamp, at_ms):
        """Judge a message by its own time and its arrival; NEWS when it is newer than all before and not late.

        Returns NEWS, NO_TIME, DUPLICATE (same controller time: repeated, or a clock that stands still), LATE
        (delayed or overtaken) or CLOCK_FAULT (the controller's clock was set; this message starts a new belief).
        """
        controller_ms = message_ms(moy, time_stamp)
        if controller_ms is None:
            return NO_TIME
        if not self.started:
            self._begin(moy, time_stamp, controller_ms, at_ms)
            return NEWS
        advance = advance_ms(self._moy, self._time_stamp, moy, time_stamp)
        if advance is None:
            return self._doubt(moy, time_stamp, controller_ms, at_ms)
        if advance == 0:
            return DUPLICATE
        elapsed = at_ms - self._at_ms
        offset = self._offset_ms + elapsed - advance
        excess = offset - self.best_offset_ms()
        if advance < 0 or excess > _LATE_MS:
            return self._doubt(moy, time_stamp, controller_ms, at_ms)
        if excess < -_STEP_MS:
            self._begin(moy, time_stamp, controller_ms, at_ms)
            return CLOCK_FAULT
        self._accept(moy, time_stamp, controller_ms, at_ms, offset, advance, elapsed)
        return NEWS

    def best_offset_ms(self):
        """Return the smallest offset of the last one to two windows (relative to an arbitrary zero)."""
        return min(self._previous_best_ms, self._best_ms)

    def _begin(self, moy, time_stamp, controller_ms, at_ms):
        self._forget()
        self.started = True
        self._witnesses = 1
        self.controller_ms = controller_ms
        self._moy = moy
        self._time_stamp = time_stamp
        self._at_ms = at_ms
        self._window_began_ms = at_ms

    def _accept(self, moy, time_stamp, controller_ms, at_ms, offset, advance, elapsed):
        if at_ms - self._window_began_ms >= _WINDOW_MS:
            # After a silence longer than a window both windows are over, and only this message speaks.
            silent = elapsed >= _WINDOW_MS
            self._previous_best_ms = offset if silent else self._best_ms
            self._best_ms = offset
            self._window_began_ms = at_ms
        elif offset < self._best_ms:
            self._best_ms = offset
        # The zero is moved to the best offset, so that drift over months never makes these numbers grow.
        best = self.best_offset_ms()
        self._best_ms -= best
        self._previous_best_ms -= best
        self._offset_ms = offset - best
        self.excess_ms = self._offset_ms
        if self._witnesses == 0:
            self._witnesses = 1
        elif -_AGREE_MS <= advance - elapsed <= _AGREE_MS:
            self.confirmed = True
        self._measure_period(advance)
        self.controller_ms = controller_ms
        self._moy = moy
        self._time_stamp = time_stamp
        self._at_ms = at_ms
        self._rivals = 0

    def _doubt(self, moy, time_stamp, controller_ms, at_ms):
        """Reject a message that does not fit, unless such ones have long enough agreed among themselves."""
        agree = False
        if self._rivals:
            advance = advance_ms(self._rival_moy, self._rival_time_stamp, moy, time_stamp)
            if advance is not None and advance > 0:
                agree = -_AGREE_MS <= advance - (at_ms - self._rival_at_ms) <= _AGREE_MS
        if not agree:
            self._rivals = 0
            self._rival_since_ms = at_ms
        self._rivals += 1
        self._rival_moy = moy
        self._rival_time_stamp = time_stamp
        self._rival_at_ms = at_ms
        if self._rivals >= _RIVAL_MESSAGES and at_ms - self._rival_since_ms >= _RIVAL_SPAN_MS:
            self._begin(moy, time_stamp, controller_ms, at_ms)
            return CLOCK_FAULT
        return LATE

    def local_ms(self, mark):
        """Return the local instant of a mark (ms in the controller's hour), as the newest message places it."""
        return self._at_ms - self.excess_ms + nearest(mark - self.controller_ms)

    def age_ms(self, now_ms):
        """Return how old the newest message is, its excess delay included."""
        return now_ms - self._at_ms + self.excess_ms

    def _measure_period(self, gap_ms):
        """Note the controller time between two messages; the median of the last five is the period of the feed."""
        self._gaps.append(gap_ms)
        if len(self._gaps) > _GAPS:
            del self._gaps[0]
        period_ms = sorted(self._gaps)[len(self._gaps) >> 1]
        self.age_limit_ms = max(_AGE_FLOOR_MS, min(AGE_CEILING_MS, period_ms * 5 >> 1))

    def rebase(self, shift_ms):
        """Move every stored instant back by `shift_ms`, when the local time base moves."""
        self._at_ms -= shift_ms
        self._window_began_ms -= shift_ms
        self._rival_at_ms -= shift_ms
        self._rival_since_ms -= shift_ms
