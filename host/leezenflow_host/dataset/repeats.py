# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML messages that differ from the one before in their time alone: most of a feed of ten a second.

Reading 14 kB of XML takes a millisecond, comparing them some microseconds.
"""

import dataclasses
import re

from leezenflow_host.dataset.instants import message_clock, message_instant
from leezenflow_host.dataset.observations import Observation
from leezenflow_host.trace import TraceMessage

_CLOCK = re.compile(rb"<moy>(\d{1,6})</moy>\s*<timeStamp>(\d{1,5})</timeStamp>")
# One for each topic; a feed of a whole city has some thousands.
_MAX_KEPT = 4_096


class XmlRepeats:
    """`find` before a message is decoded; `keep` what became of it, where nothing was found."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[bytes, Observation]] = {}
        self._asked: tuple[str, bytes, tuple[int, int]] | None = None

    def find(self, message: TraceMessage) -> Observation | None:
        """What the message says, if all but its time is, byte by byte, as in the last one of its topic."""
        self._asked = None
        payload = message.payload
        # Exactly one of each: the intersection's own, and so it holds one intersection.
        if payload.count(b"<moy>") != 1 or payload.count(b"<timeStamp>") != 1:
            return None
        clock = _CLOCK.search(payload)
        if clock is None:
            return None
        rest = payload[: clock.start()] + payload[clock.end() :]
        moy, time_stamp = int(clock[1]), int(clock[2])
        known = self._known.get(message.topic)
        if known is None or known[0] != rest:
            self._asked = message.topic, rest, (moy, time_stamp)
            return None
        message_at_ms, code = message_instant(moy, time_stamp, message.at_ms)
        return dataclasses.replace(known[1], at_ms=message.at_ms, message_at_ms=message_at_ms, clock=code)

    def keep(self, found: list[Observation]) -> None:
        """Keep what was decoded for the next one, if its time is the one that was seen."""
        if self._asked is None or len(found) != 1:
            return
        topic, rest, told = self._asked
        if message_clock(found[0].message_at_ms, found[0].clock) != told:
            return
        if topic not in self._known and len(self._known) >= _MAX_KEPT:
            self._known.clear()
        self._known[topic] = rest, found[0]
