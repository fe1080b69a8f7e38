# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which signal group did a person watch? How well presses of a key agree with each group's switches to green.

The model is stated, so that its percentages can be argued with. A person presses some time after each switch, with a
delay that is their own (reaction, and how late messages arrive: 0.5 s, one standard deviation 1 s, the same for all
presses) and a jitter of 0.4 s; misses one switch in ten, and presses once in two minutes for no reason. Every group is
as likely as any other at first, and "none of them" as all together: then the presses came at any time.

So groups that always switch together share what there is, and pressing more often does not tell them apart; nor does
it for groups whose switches are a constant second apart.
"""

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DELAY_S, DELAY_SPREAD_S, JITTER_S = 0.5, 1.0, 0.4
MISSED = 0.1
IDLE_PRESSES_PER_S = 1 / 120
# A press can belong to a switch that is so far away.
EARLIEST_S, LATEST_S = -2.5, 3.5
# From here on, the guide takes an answer without asking.
SURE = 0.9

Group = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How one group agrees: `hits` of `presses` were near a switch, `unpressed` switches had no press.

    `delay_s` is the mean of press minus switch (None without hits), `confidence` 0..1 that this is the group.
    """

    group: Group
    hits: int
    presses: int
    unpressed: int
    delay_s: float | None
    confidence: float


def rank_groups(
    switches: Mapping[Group, Sequence[int]], presses: Sequence[int], from_ms: int, to_ms: int
) -> list[Agreement]:
    """Return every group, the most likely first.

    `switches` are each group's switches to green, `presses` those of the key, ascending, all in ms of one clock;
    `from_ms` to `to_ms` is when somebody watched. Without a press everything is equally likely, and that is little.
    """
    watched_s = max((to_ms - from_ms) / 1000, 1.0)
    pairs = {group: _match(times, presses, from_ms, to_ms) for group, times in switches.items()}
    logs = {group: _log_likelihood(offsets, len(presses), unpressed) for group, (offsets, unpressed) in pairs.items()}
    none = len(presses) * math.log(max(len(presses), 1) / watched_s) + math.log(max(len(logs), 1))
    top = max([none, *logs.values()])
    total = math.exp(none - top) + sum(math.exp(value - top) for value in logs.values())
    found = [
        Agreement(
            group,
            len(offsets),
            len(presses),
            unpressed,
            sum(offsets) / len(offsets) if offsets else None,
            math.exp(logs[group] - top) / total if presses else 0.0,
        )
        for group, (offsets, unpressed) in pairs.items()
    ]
    return sorted(found, key=lambda agreement: (-agreement.confidence, -agreement.hits, agreement.group))


def twins(ranked: Sequence[Agreement], switches: Mapping[Group, Sequence[int]]) -> list[Group]:
    """Return the groups that switched exactly when the best one did: watching cannot tell them apart."""
    if not ranked:
        return []
    best = ranked[0].group
    return [other.group for other in ranked[1:] if list(switches[other.group]) == list(switches[best])]


def _match(switches: Sequence[int], presses: Sequence[int], from_ms: int, to_ms: int) -> tuple[list[float], int]:
    """Give each press the nearest switch that has none yet; return the offsets in s, and how many switches are left."""
    offsets: list[float] = []
    taken: set[int] = set()
    for press in presses:
        near = bisect.bisect_left(switches, press)
        best: tuple[float, int] | None = None
        for index in (near - 2, near - 1, near, near + 1):
            if 0 <= index < len(switches) and index not in taken:
                offset_s = (press - switches[index]) / 1000
                if EARLIEST_S <= offset_s <= LATEST_S and (best is None or abs(offset_s) < abs(best[0])):
                    best = (offset_s, index)
        if best is not None:
            offsets.append(best[0])
            taken.add(best[1])
    # Nobody can have pressed for a switch just before the end yet.
    due = [
        index
        for index, at_ms in enumerate(switches)
        if from_ms <= at_ms <= to_ms - LATEST_S * 1000 and index not in taken
    ]
    return offsets, len(due)


def _log_likelihood(offsets: Sequence[float], presses: int, unpressed: int) -> float:
    """Log density of the presses, if this was the group that was watched (per second)."""
    count = len(offsets)
    value = unpressed * math.log(MISSED) + (presses - count) * math.log(IDLE_PRESSES_PER_S)
    if not count:
        return value
    # Offsets with a shared normal delay and independent normal jitter: a multivariate normal in closed form.
    jitter, shared = JITTER_S**2, DELAY_SPREAD_S**2
    deviations = [offset - DELAY_S for offset in offsets]
    squares, total = sum(deviation**2 for deviation in deviations), sum(deviations)
    log_determinant = (count - 1) * math.log(jitter) + math.log(jitter + count * shared)
    distance = squares / jitter - shared * total**2 / (jitter * (jitter + count * shared))
    value += count * math.log(1 - MISSED)
    return value - (count * math.log(2 * math.pi) + log_determinant + distance) / 2
