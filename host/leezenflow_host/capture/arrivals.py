# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every source of messages offers to the recorder, and how a source ends."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

# Adapters and transports take no longer message; as JSON text, six times as long at worst, it still is one line of a
# recording (packing.MAX_LINE_BYTES).
MAX_PAYLOAD_BYTES = 128 * 1024
# One turn of the recorder: few enough that the status line and a signal get their turn.
BATCH = 256

Clock = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as it came: Unix ms, its topic ("" where there is none), the payload; `retained` as MQTT means it."""

    at_ms: int
    topic: str
    payload: bytes
    retained: bool = False


class SourceLostError(Exception):
    """The source went away and may come back; the text says how it left."""


class MessageSource(Protocol):
    """Somewhere messages come from."""

    @property
    def hint(self) -> str:
        """What to check when nothing arrives."""
        ...

    @property
    def oversized(self) -> int:
        """Messages that were too long."""
        ...

    @property
    def damaged(self) -> int:
        """Messages that could not be read."""
        ...

    def open(self) -> None:
        """Connect, again after a loss; `SourceLostError` when nobody is there, `LeezenflowError` for good."""

    def receive(self, timeout_s: float) -> list[Arrival]:
        """Messages that came within `timeout_s`, some BATCH at most; `SourceLostError` when the source has gone."""
        ...

    def close(self) -> None:
        """Let go of it; may be called twice."""


@runtime_checkable
class VisitedSource(Protocol):
    """A source that listens, so that senders come and go without its being lost: it tells of them by `say`."""

    say: Callable[[str], None]
    losses: int


def unix_ms() -> int:
    """The time of arrival, as recordings hold it."""
    return time.time_ns() // 1_000_000
