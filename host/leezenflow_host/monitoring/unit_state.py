# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a watched unit, put together from what it says bit by bit."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from leezenflow_host.preview import Snapshot

# The message rate is that of the last reports within this time.
_RATE_MS = 15_000
_ADVICE_FIELDS = ("kind", "remaining_ms", "certainty", "reason")


@dataclass
class UnitState:
    """`advice` has the names of the advice log; instants are Unix ms of this computer; None is unknown yet."""

    advice: dict[str, Any] | None = None
    advice_at_ms: int | None = None
    message_age_ms: int | None = None
    latency_ms: int | None = None
    health: dict[str, Any] | None = None
    picture: Snapshot | None = None
    status: str = ""
    _counts: deque[tuple[int, int]] = field(default_factory=deque)

    def take_advice(self, values: dict[str, Any], at_ms: int) -> None:
        """A line of a unit that is watched."""
        self.advice = {name: values.get(name) for name in _ADVICE_FIELDS}
        self.advice_at_ms = at_ms
        self.message_age_ms = values.get("message_age_ms")
        self.latency_ms = values.get("latency_ms")

    def take_health(self, report: dict[str, Any], at_ms: int, is_all: bool = False) -> None:
        """A health report; `is_all`: nothing else tells of the advice."""
        self.health = report
        if is_all:
            kind, reason = report.get("advice"), report.get("reason")
            self.advice = {"kind": kind, "remaining_ms": None, "certainty": None, "reason": reason}
            self.advice_at_ms = at_ms
            self.message_age_ms = report.get("message_age_ms")
            self.latency_ms = report.get("latency_ms")
        count = _count_messages(report)
        if count is not None:
            if self._counts and count < self._counts[-1][1]:
                self._counts.clear()  # the unit has started anew
            self._counts.append((at_ms, count))
            while len(self._counts) > 2 and at_ms - self._counts[0][0] > _RATE_MS:
                self._counts.popleft()

    @property
    def messages_per_s(self) -> float | None:
        """Messages a second between the last reports."""
        if len(self._counts) < 2:
            return None
        (from_ms, first), (to_ms, last) = self._counts[0], self._counts[-1]
        return (last - first) * 1000 / (to_ms - from_ms) if to_ms > from_ms else None

    def as_dict(self, at_ms: int) -> dict[str, Any]:
        """One line of --json."""
        rate = self.messages_per_s
        return {
            "at_ms": at_ms,
            "advice": self.advice,
            "message_age_ms": self.message_age_ms,
            "latency_ms": self.latency_ms,
            "messages_per_s": None if rate is None else round(rate, 2),
            "status": self.status or None,
            "health": self.health,
        }


def _count_messages(report: dict[str, Any]) -> int | None:
    transport = report.get("transport")
    if not isinstance(transport, dict):
        return None
    return transport.get("messages", transport.get("frames"))
