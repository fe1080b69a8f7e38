# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole core as one object: messages in, advice and a drawn frame out; no clock, socket or event loop inside.

A board, a replay and the tests all drive this same object, so what one shows the others show.
"""

from leezenflow import calibration_memory, spatem
from leezenflow.advice import Adviser
from leezenflow.calibration import Calibration
from leezenflow.clock import CLOCK_FAULT, NEWS, ticks_diff
from leezenflow.errors import SignalError
from leezenflow.forecast import Forecast
from leezenflow.tracker import HEARTBEAT, SignalTracker

# The core's own time starts at 0 and is set back by this much before it leaves the small ints of a 32-bit board. It
# is a multiple of 2**20 ms, so that nothing that repeats with a power of two is seen to jump.
_REBASE_MS = 1 << 28

_PRIORITY = spatem.STATUS_PREEMPT_IS_ACTIVE | spatem.STATUS_SIGNAL_PRIORITY_IS_ACTIVE

ACCEPTED = "accepted"
OTHER = "other_signal"


class Engine:
    """One display's brain.

    `site` gives `cruise_ms`, `sprint_ms`, `max_wrong_permille` and `clearance`; `decoder` is an adapter's Decoder.
    With `canvas` and `look`, `frame` also draws. `counters` maps a word to how many messages earned it; `fault` is
    the text of the last message error.
    """

    def __init__(self, site, decoder, canvas=None, look=None):
        self.decoder = decoder
        self.canvas = canvas
        self.look = look
        self.tracker = SignalTracker()
        self.forecast = Forecast(site.clearance)
        self.calibration = Calibration()
        # Loaded only for feeds that tell no more than the present state: it costs a board some memory.
        self.learner = None
        if getattr(decoder, "state_only", False):
            from leezenflow.learner import Learner

            self.learner = Learner(self.tracker, self.forecast, self.calibration)
        self.adviser = Adviser(site)
        self.advice = self.adviser.advice
        self.counters = {}
        self.fault = ""
        self._now_ms = 0
        self._ticks = None
        self._message_at_ms = 0

    def message(self, buffer, start, end, ticks):
        """Take the message `buffer[start:end]` that arrived at `ticks` (ms, wrapping at 2**30); True if it was news."""
        self.begin_message(buffer, start, end, ticks)
        result = self.step_message()
        while result is None:
            result = self.step_message()
        return result

    def begin_message(self, buffer, start, end, ticks):
        """Begin a message; call `step_message` until it answers. `buffer` must not change meanwhile."""
        self._message_at_ms = self._instant(ticks)
        self.decoder.begin(buffer, start, end)

    def step_message(self):
        """Do a bounded piece of work; None: not finished, True: the message was news, False: it was not."""
        try:
            found = self.decoder.step()
        except SignalError as error:
            self._count(error.kind)
            self.fault = str(error)
            return False
        if found is None:
            return None
        if not found:
            self._count(OTHER)
            return False
        verdict = self.tracker.accept(self.decoder.state, self._message_at_ms)
        if verdict not in (NEWS, CLOCK_FAULT):
            self._count(verdict)
            return verdict == HEARTBEAT
        self._count(ACCEPTED if verdict == NEWS else verdict)
        if self.learner is not None:
            self.learner.observe(self.decoder.state, verdict)
        else:
            self.forecast.update(self.tracker)
            self._learn(verdict)
        return True

    def _learn(self, verdict):
        tracker = self.tracker
        if verdict == CLOCK_FAULT or tracker.blocked is not None:
            self.calibration.forget_phase()
        if tracker.blocked is None:
            self.calibration.learn(self.forecast, tracker.message_at_ms, tracker.status & _PRIORITY != 0)

    def memory(self):
        """Return what was learned about this signal group's forecasts (bytes), for `load_memory` after a restart."""
        return calibration_memory.to_bytes(self.calibration)

    def load_memory(self, data):
        """Take over what `memory` gave; False, and nothing changed, when it is damaged or of another version."""
        return calibration_memory.from_bytes(self.calibration, data)

    def reconnected(self):
        """The transport was lost and is back: what comes first may be old (rule F9)."""
        self.tracker.clock.reconnected()

    def set_utc(self, ticks, ms_of_hour):
        """Tell where in the UTC hour (0..3599999 ms) the unit was at `ticks`; it must be right within half a minute.

        Only messages without `moy` need it. A unit whose own clock was never set does not call it.
        """
        self.tracker.utc.set(self._instant(ticks), ms_of_hour)

    def frame(self, ticks):
        """Return the advice at `ticks`; draw it when there is a canvas. Allocates nothing in steady state."""
        now_ms = self._instant(ticks)
        if self.learner is not None:
            self.learner.refresh(now_ms)
        advice = self.adviser.advise(self.tracker, self.forecast, self.calibration, now_ms)
        if self.look is not None:
            self.look.draw(advice, self.canvas, now_ms)
        return advice

    def _count(self, word):
        self.counters[word] = self.counters.get(word, 0) + 1

    def _instant(self, ticks):
        """Return `ticks` on the core's own clock; an instant slightly in the past does not set that clock back."""
        if self._ticks is None:
            self._ticks = ticks
        ahead_ms = ticks_diff(ticks, self._ticks)
        if ahead_ms <= 0:
            return self._now_ms + ahead_ms
        self._ticks = ticks
        self._now_ms += ahead_ms
        if self._now_ms >= _REBASE_MS:
            self._now_ms -= _REBASE_MS
            self._message_at_ms -= _REBASE_MS
            self.tracker.rebase(_REBASE_MS)
            self.forecast.rebase(_REBASE_MS)
            self.calibration.rebase(_REBASE_MS)
            self.adviser.rebase(_REBASE_MS)
            if self.learner is not None:
                self.learner.rebase(_REBASE_MS)
        return self._now_ms
