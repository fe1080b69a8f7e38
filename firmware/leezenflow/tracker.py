# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The latest state of one signal group on the local clock: how fresh it is, and whether it may be shown at all."""

from leezenflow import spatem
from leezenflow.clock import AGE_CEILING_MS, CLOCK_FAULT, DUPLICATE, LATE, NEWS, ControllerClock
from leezenflow.timemark import mark_ms, nearest
from leezenflow.utc_hint import UtcHint

# Why a display must be dark (rules F1, F3, F9).
NO_DATA = "no_data"
STARTING = "starting"
STALE = "stale"
SIGNAL_OFF = "signal_off"
FLASHING = "flashing"
FAILURE = "failure"
MANUAL = "manual"
STOPPED = "stopped"
IMPLAUSIBLE = "implausible"

# What `SignalTracker.accept` answers to a sign of life that leaves the state as it was.
HEARTBEAT = "heartbeat"
# A change cannot be news before it has happened, but for the jitter of the network.
_FUTURE_MS = 1_000

_FAILURES = spatem.STATUS_FAILURE_FLASH | spatem.STATUS_FAILURE_MODE | spatem.STATUS_NO_VALID_SPAT
_OFF = spatem.STATUS_OFF | spatem.STATUS_STANDBY_OPERATION


def status_reason(status):
    """Return why an IntersectionStatusObject forbids any advice (rule F3), or None when it does not."""
    if status & _FAILURES:
        return FAILURE
    if status & _OFF:
        return SIGNAL_OFF
    if status & spatem.STATUS_MANUAL_CONTROL_IS_ENABLED:
        return MANUAL
    if status & spatem.STATUS_STOP_TIME_IS_ACTIVATED:
        return STOPPED
    return None


def state_reason(event_state):
    """Return why an event state is no colour a rider could be told (rule F3), or None for red, amber and green."""
    if event_state in (spatem.UNAVAILABLE, spatem.DARK):
        return SIGNAL_OFF
    if event_state in (spatem.STOP_THEN_PROCEED, spatem.CAUTION_CONFLICTING_TRAFFIC):
        return FLASHING
    return None


class TimedEvent:
    """A MovementEvent on the local clock.

    `min_end_at_ms`, `likely_end_at_ms`, `max_end_at_ms` are local instants or None where the sender knows none;
    `likely_mark_ms` is the likely time as the controller wrote it (ms in its hour), by which two messages that say the
    same are recognised.
    """

    __slots__ = (
        "confidence",
        "event_state",
        "likely_end_at_ms",
        "likely_mark_ms",
        "max_end_at_ms",
        "min_end_at_ms",
    )

    def __init__(self):
        self.event_state = spatem.UNAVAILABLE
        self.confidence = None
        self.min_end_at_ms = None
        self.likely_end_at_ms = None
        self.max_end_at_ms = None
        self.likely_mark_ms = None


class SignalTracker:
    """Keeps what the newest trustworthy message said about the signal group.

    `events[:event_count]` are its phases, the present one first; `status` are the raw status bits; `blocked` is why the
    newest message forbids any advice (rule F3), or None; `message_at_ms` is the instant on the local clock at which
    the controller spoke (its best recent delay still included). `changed_at_ms` is since when the lamp shows the
    present state, where the feed tells, else None; `utc` supplies the minute to messages that leave it out.
    """

    def __init__(self):
        self.clock = ControllerClock()
        self.events = [TimedEvent() for _ in range(spatem.MAX_EVENTS)]
        self.event_count = 0
        self.status = 0
        self.message_at_ms = 0
        self.blocked = NO_DATA
        self.utc = UtcHint()
        self.changed_at_ms = None
        self._on_change = False

    def accept(self, state, at_ms):
        """Take an `IntersectionState` that arrived at `at_ms`; return NEWS, or the word for why it is none.

        The words are those of `ControllerClock.observe`, and HEARTBEAT. CLOCK_FAULT and NEWS replace what was known,
        the others change nothing but, for HEARTBEAT, its age.
        """
        moy = state.moy
        if moy is None:
            moy = self.utc.minute(state.time_stamp, at_ms)
        verdict = self.clock.observe(moy, state.time_stamp, at_ms)
        self._on_change = state.on_change
        if state.heartbeat:
            return HEARTBEAT if verdict in (NEWS, CLOCK_FAULT) else verdict
        if state.on_change:
            verdict = self._judge_change(state, verdict, at_ms)
        if verdict not in (NEWS, CLOCK_FAULT):
            return verdict
        movement = state.movement
        self.status = state.status
        self.event_count = movement.event_count
        self.blocked = status_reason(state.status)
        if movement.event_count == 0:
            self.blocked = self.blocked or IMPLAUSIBLE
            return verdict
        self.message_at_ms = at_ms - self.clock.excess_ms
        for i in range(movement.event_count):
            self._place(movement.events[i], self.events[i])
        self.blocked = self.blocked or state_reason(self.events[0].event_state)
        return verdict

    def _judge_change(self, state, verdict, at_ms):
        """Say NEWS to a change that was only overtaken by other signs of life, LATE to one older than what is known.

        A feed that speaks on change sends each state once: passing it over would cost a whole phase.
        """
        mark = mark_ms(state.movement.events[0].start_time) if state.movement.event_count else None
        changed_at_ms = None if mark is None else self.clock.local_ms(mark)
        if verdict not in (NEWS, DUPLICATE, LATE) or changed_at_ms is None or changed_at_ms > at_ms + _FUTURE_MS:
            # Nothing to compare by: the message's own time decides.
            if verdict in (NEWS, CLOCK_FAULT):
                self.changed_at_ms = None
            return verdict
        if self.changed_at_ms is not None and changed_at_ms <= self.changed_at_ms:
            return LATE if verdict == NEWS else verdict
        self.changed_at_ms = changed_at_ms
        return NEWS

    def _place(self, event, timed):
        local_ms = self.message_at_ms
        message_ms = self.clock.controller_ms
        timed.event_state = event.event_state
        timed.confidence = event.confidence
        mark = mark_ms(event.min_end_time)
        timed.min_end_at_ms = None if mark is None else local_ms + nearest(mark - message_ms)
        timed.likely_mark_ms = mark = mark_ms(event.likely_time)
        timed.likely_end_at_ms = None if mark is None else local_ms + nearest(mark - message_ms)
        mark = mark_ms(event.max_end_time)
        timed.max_end_at_ms = None if mark is None else local_ms + nearest(mark - message_ms)

    def dark_reason(self, now_ms):
        """Return why nothing may be shown at `now_ms` (rules F1, F3, F9), or None when the state may be used.

        What is usable is not yet fresh enough for green: see `is_fresh`.
        """
        if not self.clock.started:
            return NO_DATA
        if self.clock.age_ms(now_ms) > AGE_CEILING_MS:
            return STALE
        if not self.clock.confirmed:
            return STARTING
        return self.blocked

    def is_fresh(self, now_ms):
        """Is the newest message young enough to be evidence for green (rule F1)?"""
        return self.clock.age_ms(now_ms) <= (AGE_CEILING_MS if self._on_change else self.clock.age_limit_ms)

    def rebase(self, shift_ms):
        """Move every stored instant back by `shift_ms`, when the local time base moves."""
        self.clock.rebase(shift_ms)
        self.utc.rebase(shift_ms)
        self.message_at_ms -= shift_ms
        if self.changed_at_ms is not None:
            self.changed_at_ms -= shift_ms
        for i in range(self.event_count):
            timed = self.events[i]
            if timed.min_end_at_ms is not None:
                timed.min_end_at_ms -= shift_ms
            if timed.likely_end_at_ms is not None:
                timed.likely_end_at_ms -= shift_ms
            if timed.max_end_at_ms is not None:
                timed.max_end_at_ms -= shift_ms
