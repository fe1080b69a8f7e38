# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides whether a colour may be claimed at its chance of being wrong.

It may delay entering a claim, never leaving one. A site may give the limit. Without one, the limit follows the
forecasts: the strictest at which the display still speaks most of the time (docs/adr/0005-when-to-speak.md).
"""

from array import array

# Chances are in 1/1024, as in `calibration`; bands of 16 keep how they were spread in the last half hour or so.
_BANDS = 32
_BAND_SHIFT = 4
_MEMORY_S = 2_400
# Share of the time, in per cent, that the display is to speak if its forecasts allow it.
_SPEAKING = 86
# The limit stays low enough that the claimed instants have no higher chance than this on average (11 %).
_BUDGET = 110
# A chance this small may always be claimed, and one above the other never, unless the site allows it.
_STRICTEST = 40
_LAXEST = 400
_AT_START = 160
# A wrong green harms more than a wrong red: its chance weighs this much, in per cent.
_WEIGHT_OF_GREEN = 150
# The colour just left is claimed again only when its chance is below this share of the limit, in per cent ...
_AGAIN = 30
# ... and any claim between this share and the limit only after it has been possible for a while.
_SURE = 62
_HOLD_MS = 2_000
_WATCH_MS = 1_000


class Gate:
    """`max_wrong` is the site's limit in 1/1024, None to let it follow the forecasts; `limit` is the present one."""

    def __init__(self, max_wrong=None):
        self.limit = _AT_START if max_wrong is None else max_wrong
        self._follows = max_wrong is None
        self._bands = array("H", [10] * 12 + [1] * (_BANDS - 11))
        self._watched_ms = None
        # The colour claimed now, the one claimed last, and the one that could be claimed since an instant.
        self._claimed = None
        self._left = None
        self._leaning = None
        self._leaning_since_ms = 0

    def allows(self, now_ms, green, wrong):
        """Say whether green (True) or red (False) may be claimed at a chance `wrong` of being wrong."""
        if green:
            wrong = wrong * _WEIGHT_OF_GREEN // 100
        self._watch(now_ms, wrong)
        if wrong > self.limit:
            self.close()
            return False
        if self._claimed is green:
            return True
        self._claimed = None
        if self._leaning is not green:
            self._leaning = green
            self._leaning_since_ms = now_ms
        if wrong > self.limit * _SURE // 100 and now_ms - self._leaning_since_ms < _HOLD_MS:
            return False
        if self._left is green and wrong > self.limit * _AGAIN // 100:
            return False
        self._claimed = self._left = green
        return True

    def would_allow(self, wrong, entering):
        """Say whether a green at this chance may be claimed beside the gate's own claim: only when quite sure."""
        share = _AGAIN if entering else _SURE
        return wrong * _WEIGHT_OF_GREEN <= self.limit * share

    def close(self):
        """Nothing is claimed now."""
        self._claimed = self._leaning = None

    def _watch(self, now_ms, wrong):
        """Once a second, take in how uncertain this instant is, and let the limit follow."""
        if not self._follows or (self._watched_ms is not None and now_ms - self._watched_ms < _WATCH_MS):
            return
        self._watched_ms = now_ms
        bands = self._bands
        bands[min(wrong >> _BAND_SHIFT, _BANDS)] += 1
        total = 0
        for number in bands:
            total += number
        if total > _MEMORY_S:
            total = 0
            for i in range(_BANDS + 1):
                bands[i] >>= 1
                total += bands[i]
        self.limit = min(max(self._strictest_to_speak(total * _SPEAKING // 100), _STRICTEST), _LAXEST)

    def _strictest_to_speak(self, wanted):
        """Return the limit below which `wanted` of the counted instants lie, or fewer, if they would cost too much."""
        bands = self._bands
        band = 0
        claimed = 0
        cost = 0
        while band < _BANDS and claimed + bands[band] <= wanted:
            middle = (band << _BAND_SHIFT) + (1 << _BAND_SHIFT >> 1)
            if cost + bands[band] * middle > _BUDGET * (claimed + bands[band]):
                return band << _BAND_SHIFT
            claimed += bands[band]
            cost += bands[band] * middle
            band += 1
        return (band << _BAND_SHIFT) + min((wanted - claimed << _BAND_SHIFT) // max(bands[band], 1), 15)

    def rebase(self, shift_ms):
        """Move every stored instant back by `shift_ms`, when the local time base moves."""
        self._leaning_since_ms -= shift_ms
        if self._watched_ms is not None:
            self._watched_ms -= shift_ms
