# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is odd about a recording's messages: silences, clocks that jump, mixed time zones, groups without colour."""

from collections import Counter

from leezenflow_host.dataset.observations import Observation, Problem

SILENCE_MS = 60_000
HOUR_MS = 3_600_000
# Networks delay by less; what stays changed by more is a clock that was set.
_JUMP_MS = 5_000
_AGREE_MS = 2_000
_WITNESSES = 3
# The same instant in message after message for longer than this is a clock that stands.
_STANDS_MS = 6_000
# Clocks this far apart do not show the same time; a whole number of quarters of an hour is another time zone.
_FAR_MS = 600_000
_QUARTER_MS = 900_000
_ROUND_MS = 60_000
# Between UTC-12 and UTC+14.
_ZONES_MS = 26 * HOUR_MS
_COLOURLESS = (0, 1)
# Of one kind; what comes later is counted in one row.
MAX_KEPT = 100


class ProblemList:
    """Problems of one source, so many of a kind and the number of the others."""

    def __init__(self) -> None:
        self.kept: list[Problem] = []
        self.counts: Counter[str] = Counter()
        self._more: dict[str, Problem] = {}

    def add(self, problem: Problem) -> None:
        """Keep a problem, or count it where there are enough of its kind."""
        self.counts[problem.kind] += problem.count
        if self.counts[problem.kind] <= MAX_KEPT or problem.kind not in self._more:
            self.kept.append(problem)
            if self.counts[problem.kind] > MAX_KEPT:
                problem.text += " (the rest of this kind is counted in this row)"
                self._more[problem.kind] = problem
            return
        more = self._more[problem.kind]
        more.count += problem.count
        if problem.to_ms is not None:
            more.to_ms = max(more.to_ms or problem.to_ms, problem.to_ms)


class IntersectionWatch:
    """Watches the messages of one intersection in the order they are recorded."""

    def __init__(self, intersection: str, problems: ProblemList) -> None:
        self._intersection = intersection
        self._problems = problems
        self._last_at_ms: int | None = None
        self._offset_ms: int | None = None
        self._rival_ms = 0
        self._rival_since_ms = 0
        self._rivals = 0
        self._first_at_ms = 0
        self._seen: dict[int, bool] = {}
        self._told_ms: int | None = None
        self._told_since_ms = self._told_until_ms = 0

    def observe(self, observation: Observation) -> None:
        """Take the next message."""
        at_ms = observation.at_ms
        if self._last_at_ms is None:
            self._first_at_ms = at_ms
        else:
            gap_ms = at_ms - self._last_at_ms
            if gap_ms < -1_000:
                self._note("clock_jump", f"the recorder's clock went back by {-gap_ms / 1000:g} s", at_ms, at_ms)
                self._offset_ms = None
            elif gap_ms >= HOUR_MS:
                text = f"no message for {gap_ms / HOUR_MS:.1f} hours"
                self._note("missing_hours", text, self._last_at_ms, at_ms)
            elif gap_ms > SILENCE_MS:
                self._note("silence", f"no message for {gap_ms / 1000:.0f} s", self._last_at_ms, at_ms)
        self._last_at_ms = at_ms
        if observation.message_at_ms is not None and not self._stands(observation, observation.message_at_ms):
            self._compare_clocks(at_ms, at_ms - observation.message_at_ms)
        for group, events in observation.movements:
            if not self._seen.get(group):
                self._seen[group] = any(event[0] not in _COLOURLESS for event in events)

    def _stands(self, observation: Observation, message_at_ms: int) -> bool:
        """Whether the controller's clock shows what it showed in the message before."""
        if message_at_ms == self._told_ms and not observation.on_change and not observation.heartbeat:
            self._told_until_ms = observation.at_ms
            return True
        self._note_standstill()
        self._told_ms = message_at_ms
        self._told_since_ms = self._told_until_ms = observation.at_ms
        return False

    def _note_standstill(self) -> None:
        stood_ms = self._told_until_ms - self._told_since_ms
        if stood_ms > _STANDS_MS:
            text = f"the controller's clock stands still for {stood_ms / 1000:.0f} s while messages come"
            self._note("clock_stopped", text, self._told_since_ms, self._told_until_ms)

    def _compare_clocks(self, at_ms: int, offset_ms: int) -> None:
        base_ms = self._offset_ms
        if base_ms is None:
            self._offset_ms = offset_ms
            self._judge_offset(at_ms, offset_ms)
            return
        if abs(offset_ms - base_ms) <= _JUMP_MS:
            # Follows a drift, and forgets what was late.
            self._offset_ms = base_ms + (offset_ms - base_ms) // 8
            self._rivals = 0
            return
        if self._rivals and abs(offset_ms - self._rival_ms) <= _AGREE_MS:
            self._rivals += 1
        else:
            self._rivals, self._rival_ms, self._rival_since_ms = 1, offset_ms, at_ms
        if self._rivals >= _WITNESSES:
            change_ms = offset_ms - base_ms
            quarters = _is_time_zone(change_ms)
            kind = "time_zone" if quarters else "clock_jump"
            text = f"recorder and controller clock differ by {change_ms / 1000:+.1f} s more from here on"
            self._note(
                kind, text + (", as after a change of time zone" if quarters else ""), self._rival_since_ms, at_ms
            )
            self._offset_ms = offset_ms
            self._rivals = 0

    def _judge_offset(self, at_ms: int, offset_ms: int) -> None:
        if abs(offset_ms) < _FAR_MS:
            return
        if _is_time_zone(offset_ms):
            text = (
                f"recorder and controller clock differ by {offset_ms / HOUR_MS:+.2f} h: one of them is not set to UTC"
            )
            self._note("time_zone", text, at_ms, at_ms)
        else:
            text = f"recorder and controller clock differ by {offset_ms / 1000:+.0f} s"
            self._note("clock_offset", text, at_ms, at_ms)

    def finish(self) -> None:
        """Say which groups never showed a colour, and whether the clock stands at the end."""
        self._note_standstill()
        for group, coloured in sorted(self._seen.items()):
            if not coloured:
                text = f"signal group {group} is unavailable or dark in every message"
                problem = Problem("empty_group", text, None, self._intersection, group)
                problem.from_ms, problem.to_ms = self._first_at_ms, self._last_at_ms
                self._problems.add(problem)

    def _note(self, kind: str, text: str, from_ms: int, to_ms: int) -> None:
        self._problems.add(Problem(kind, text, None, self._intersection, None, from_ms, to_ms))


def _is_time_zone(difference_ms: int) -> bool:
    rest = (difference_ms + _QUARTER_MS // 2) % _QUARTER_MS - _QUARTER_MS // 2
    return _FAR_MS < abs(difference_ms) <= _ZONES_MS and abs(rest) <= _ROUND_MS
