# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain correct arithmetic as a baseline: the colour that `likelyTime` gives for the arrival, and nothing else.

Clearance counts as red, and events of one colour are one span; where the likely time is missing, a span ends in the
middle between its earliest and latest end, or at the earliest where there is no latest. Only a message whose time is
later than all before is news, and it is placed by its own arrival. Dark when the newest one arrived more than 2.6 s
ago; no calibration, no doubt, no memory. The whole definition: docs/reference/evaluation.md.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from leezenflow.board import Site
from leezenflow.errors import SignalError
from leezenflow_host.dataset.reading import NEVER, GroupPart
from leezenflow_host.evaluation.frames import DARK_KIND, GREEN_KIND, NO_REMAINING, RED_KIND, UNCERTAIN_KIND, Frames
from leezenflow_host.evaluation.stored_messages import KeepingDecoder
from leezenflow_host.replay import build_decoder
from leezenflow_host.trace import TraceMessage

Ints = NDArray[np.int64]

STALE_MS = 2_600
REASONS = ["no_data", "stale", "signal_off", "beyond_forecast"]
_NO_DATA, _STALE, _OFF, _BEYOND = range(4)
_KINDS = np.full(16, -1)
_KINDS[[5, 6]] = GREEN_KIND
_KINDS[[3, 4, 7, 8]] = RED_KIND


class PlainDisplay:
    """Shows frames on the raster of a recording's first message; parts in the order of time, one life at a time."""

    def __init__(self, cruise_ms: int, fps: int = 10) -> None:
        self._cruise_ms = cruise_ms
        self._fps = fps
        self._first_ms: int | None = None
        self._frame = 0
        self._before: tuple[GroupPart, int] | None = None

    def show(self, part: GroupPart) -> Frames:
        """The frames from the last message of the part before to the last one of this."""
        rows = np.flatnonzero((part.run >= 0) & (part.message_at_ms != NEVER))
        if len(rows):
            # What was overtaken is no news.
            newest = np.maximum.accumulate(part.message_at_ms[rows])
            rows = rows[np.r_[True, part.message_at_ms[rows][1:] > newest[:-1]]]
        concerned = part.at_ms[(part.run >= 0) | part.heartbeat]
        if not len(concerned):
            return _empty()
        if self._first_ms is None:
            self._first_ms = int(concerned[0])
        last_frame = (int(concerned[-1]) - self._first_ms) * self._fps // 1000
        numbers = np.arange(self._frame, last_frame + 1)
        self._frame = last_frame + 1
        at_ms = self._first_ms + numbers * 1000 // self._fps
        return self._frames(part, rows, at_ms)

    def _frames(self, part: GroupPart, rows: Ints, at_ms: Ints) -> Frames:
        kind = np.full(len(at_ms), DARK_KIND)
        reason = np.full(len(at_ms), _NO_DATA)
        remaining = np.full(len(at_ms), NO_REMAINING)
        newest = np.searchsorted(part.at_ms[rows], at_ms, side="right") - 1
        known = [(part, newest >= 0, rows[newest[newest >= 0]] if len(rows) else rows)]
        if self._before is not None:
            # Until its first message, what the part before said last still holds.
            waiting = newest < 0
            known.append((self._before[0], waiting, np.full(int(waiting.sum()), self._before[1])))
        for told, chosen, row in known:
            if not len(row):
                continue
            heard = np.flatnonzero(chosen)
            offset = told.at_ms[row] - told.message_at_ms[row]
            meets_ms = at_ms[heard] - offset + self._cruise_ms
            kind[heard], remaining[heard], reason[heard] = _predict(told, told.run[row], meets_ms)
            stale = heard[at_ms[heard] - told.at_ms[row] > STALE_MS]
            kind[stale], remaining[stale], reason[stale] = DARK_KIND, NO_REMAINING, _STALE
        if len(rows):
            self._before = part, int(rows[-1])
        claimed = np.where(kind <= RED_KIND, 100, 0)
        return Frames(at_ms, kind, remaining, claimed, reason, list(REASONS))


def heard_part(messages: Iterable[TraceMessage], site: Site) -> GroupPart:
    """What a recording tells about the site's signal group."""
    decoder = KeepingDecoder(build_decoder(site), site.adapter)
    for message in messages:
        decoder.at_ms = message.at_ms
        decoder.begin(message.payload, 0, len(message.payload))
        try:
            while decoder.step() is None:
                pass
        except SignalError:
            continue
    return decoder.part()


def plain_frames(messages: Iterable[TraceMessage], site: Site, fps: int = 10) -> Frames:
    """What plain arithmetic shows for the site's signal group in a recording."""
    return PlainDisplay(site.cruise_ms, fps).show(heard_part(messages, site))


def _predict(part: GroupPart, run: Ints, meets_ms: Ints) -> tuple[Ints, Ints, Ints]:
    """Kind, remaining ms and reason for riders who arrive at `meets_ms` by the controller's clock."""
    begin, end = part.offsets[run], part.offsets[run + 1]
    shades, ends_ms = _spans(part)
    kind = np.full(len(run), UNCERTAIN_KIND)
    reason = np.full(len(run), _BEYOND)
    remaining = np.full(len(run), NO_REMAINING)
    off = np.zeros(len(run), dtype=bool)
    for step in range(int((end - begin).max(initial=0))):
        place = np.minimum(begin + step, len(shades) - 1)
        there = begin + step < end
        if step == 0:
            off = there & (shades[place] < 0)
        found = there & (kind == UNCERTAIN_KIND) & (ends_ms[place] != NEVER) & (meets_ms < ends_ms[place])
        kind[found], reason[found] = shades[place][found], -1
        remaining[found] = (ends_ms[place] - meets_ms)[found]
    kind[off], reason[off], remaining[off] = DARK_KIND, _OFF, NO_REMAINING
    return kind, remaining, reason


def _spans(part: GroupPart) -> tuple[Ints, Ints]:
    """Of every event its colour (-1: none) and the end of the span of that colour; NEVER from where nothing is told."""
    shades = _KINDS[np.minimum(part.states, 15)]
    bounded = (part.min_end != NEVER) & (part.max_end != NEVER)
    middle = np.where(bounded, part.min_end + (part.max_end - part.min_end) // 2, part.min_end)
    told = np.where(part.likely_end != NEVER, part.likely_end, middle)
    run = np.repeat(np.arange(len(part.offsets) - 1), np.diff(part.offsets))
    # Behind an event without end or colour nothing is known.
    gaps = np.r_[0, np.cumsum((told == NEVER) | (shades < 0))]
    known = np.flatnonzero(gaps[1:] == gaps[part.offsets[run]])
    ends_ms = np.full(len(shades), NEVER)
    if len(known):
        last = np.r_[(shades[known][1:] != shades[known][:-1]) | (run[known][1:] != run[known][:-1]), True]
        span = np.r_[0, np.cumsum(last)[:-1]]
        ends_ms[known] = told[known][last][span]
    return shades, ends_ms


def _empty() -> Frames:
    nothing = np.zeros(0, dtype=np.int64)
    return Frames(nothing, nothing, nothing, nothing, nothing, list(REASONS))
