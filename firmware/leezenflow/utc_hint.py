# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The minute for controllers that send none: many US feeds give only the millisecond in it (DSecond).

Everything behind the clock works on TimeMarks in the hour, so the unit's own idea of UTC is enough if it is right
within half a minute: the minute is the one that puts the message nearest to it. Which hour it is does not matter; the
minutes simply count on.
"""

from leezenflow.timemark import FIRST_UNUSABLE_TIME_STAMP, HALF_HOUR_MS, HOUR_MS, MINUTE_MS

_HALF_MINUTE_MS = 30_000
# A year of exactly this many minutes has no leap day: `timemark.advance_ms` passes its end without a trace.
_YEAR_MINUTES = 525_600
# The zero moves on by whole hours before the distance to it leaves the small ints.
_FAR_MS = 1 << 27


class UtcHint:
    """Where in the UTC hour the local clock stands; unknown until `set`."""

    def __init__(self):
        self._known = False
        # At local instant `_at_ms` it was `_ms` behind the full hour that ended the minute `_hour_moy` of our count.
        self._hour_moy = 0
        self._ms = 0
        self._at_ms = 0

    def set(self, at_ms, ms_of_hour):
        """Note that at local instant `at_ms` it was `ms_of_hour` (0..3599999) of a UTC hour."""
        if self._known:
            # Whatever was counted goes on; only the position in the hour is corrected, by the shorter way.
            now_ms = self._now_ms(at_ms)
            correction = (ms_of_hour - now_ms) % HOUR_MS
            if correction >= HALF_HOUR_MS:
                correction -= HOUR_MS
            ms_of_hour = now_ms + correction
        self._known = True
        self._at_ms = at_ms
        self._ms = ms_of_hour

    def minute(self, time_stamp, at_ms):
        """Return the minute (0..525599, as a moy) of a message with this DSecond that arrived at `at_ms`, or None."""
        if not self._known or time_stamp is None or not 0 <= time_stamp < FIRST_UNUSABLE_TIME_STAMP:
            return None
        now_ms = self._now_ms(at_ms)
        minute = (now_ms - time_stamp + _HALF_MINUTE_MS) // MINUTE_MS
        return (self._hour_moy + minute) % _YEAR_MINUTES

    def _now_ms(self, at_ms):
        now_ms = self._ms + at_ms - self._at_ms
        if now_ms >= _FAR_MS:
            hours = now_ms // HOUR_MS
            self._hour_moy = (self._hour_moy + hours * 60) % _YEAR_MINUTES
            self._ms -= hours * HOUR_MS
            now_ms -= hours * HOUR_MS
        return now_ms

    def rebase(self, shift_ms):
        """Move the stored instant back by `shift_ms`, when the local time base moves."""
        self._at_ms -= shift_ms
