# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth of a real unit, from a person at the kerb who presses a key at each change of the lamp.

A press comes some time after the change: that reaction time is taken off, and how it was found is stated in the file.
"""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from leezenflow.advice import Advice
from leezenflow.board import Site
from leezenflow_host.atomic_file import write_atomic
from leezenflow_host.errors import InputError
from leezenflow_host.evaluation.scoring import Score, Scorer
from leezenflow_host.evaluation.truth import load_truth

# A lamp that one waits for, a key under the finger: simple visual reactions take 0.2 to 0.4 s.
DEFAULT_REACTION_MS, DEFAULT_SPREAD_MS = 300, 100
# Faster than this is a guess, slower is somebody who looked away.
_EARLIEST_MS, _LATEST_MS = 100, 1_500
_LEAST_TRIES = 5

KEYS = {"g": 6, "r": 3, "a": 8}
"""Key -> event state: protected movement allowed, stop and remain, protected clearance (amber)."""
WORDS = {6: "green", 3: "red", 8: "amber"}


@dataclass(frozen=True)
class Reaction:
    """How late a person presses: mean and spread (one standard deviation) in ms, and how that is known."""

    ms: int = DEFAULT_REACTION_MS
    spread_ms: int = DEFAULT_SPREAD_MS
    method: str = "assumed"


def measure_reaction(delays_ms: Sequence[int]) -> Reaction:
    """The reaction time from tries of the exercise; InputError when too few of them count."""
    sound = [delay for delay in delays_ms if _EARLIEST_MS <= delay <= _LATEST_MS]
    if len(sound) < _LEAST_TRIES:
        raise InputError(
            f"only {len(sound)} of {len(delays_ms)} tries count ({_EARLIEST_MS} to {_LATEST_MS} ms). Repeat the "
            "exercise, or give the time with --reaction MS."
        )
    return Reaction(round(statistics.median(sound)), round(statistics.stdev(sound)), f"measured, {len(sound)} tries")


class KerbTruth:
    """Collects presses (Unix ms) for the signal group of `site` and writes them as a truth file."""

    def __init__(self, site: Site, reaction: Reaction) -> None:
        self.switches: list[tuple[int, int]] = []
        self._site = site
        self._reaction = reaction

    @property
    def state(self) -> int | None:
        """What the lamp shows by the last press."""
        return self.switches[-1][1] if self.switches else None

    def press(self, key: str, at_ms: int) -> bool:
        """Take a key; False for one that means nothing, or names the state that is already on."""
        state = KEYS.get(key.lower())
        if state is None or state == self.state:
            return False
        at_ms -= self._reaction.ms
        if self.switches and at_ms <= self.switches[-1][0]:
            return False
        self.switches.append((at_ms, state))
        return True

    def undo(self) -> None:
        """Forget the last press."""
        if self.switches:
            self.switches.pop()

    def as_dict(self, now_ms: int) -> dict[str, Any]:
        """The truth file's content, if the watch ended now.

        What the lamp shows is known until now; riders who pass later arrive when nobody looks, so frames are judged up
        to a travel time before.
        """
        longest_ms = max(self._site.cruise_ms, self._site.sprint_ms or 0)
        begin = self.switches[0][0] if self.switches else now_ms
        return {
            "from_ms": begin,
            "to_ms": max(begin, now_ms - longest_ms),
            "rx_offset_ms": 0,
            "signal_groups": {str(self._site.signal_group): [list(switch) for switch in self.switches]},
            "method": {
                "how": "a person at the kerb pressed a key at each change of the lamp",
                "reaction_ms": self._reaction.ms,
                "reaction_spread_ms": self._reaction.spread_ms,
                "reaction": self._reaction.method,
                "clock": "of the computer that the keys were pressed on; the advice log beside has the same",
            },
        }

    def write(self, path: Path, now_ms: int) -> None:
        """Write the file whole or not at all."""
        write_atomic(path, json.dumps(self.as_dict(now_ms)).encode() + b"\n")


def advice_log_of(truth: Path) -> Path:
    """The advice log that belongs to a truth file: kerb.json -> kerb.advice.jsonl."""
    return truth.with_name(f"{truth.stem}.advice.jsonl")


class AdviceLog:
    """Writes what the unit showed as an advice log, a line each time it told; complete at every moment."""

    def __init__(self, path: Path) -> None:
        self.frames = 0
        self._file: TextIO = path.open("w", encoding="utf-8", buffering=1)

    def note(self, at_ms: int, advice: dict[str, Any]) -> None:
        """One frame."""
        names = ("kind", "remaining_ms", "span_ms", "certainty", "reason")
        line = {"at_ms": at_ms, **{name: advice.get(name) for name in names}}
        line["certainty"] = line["certainty"] or 0
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self.frames += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def score_log(truth_file: Path, log: Path, site: Site, warmup_ms: int | None = None) -> Score:
    """Judge what a unit showed against the truth beside it (docs/timing.md, "How we judge")."""
    truth = load_truth(truth_file, site.signal_group)
    more = {} if warmup_ms is None else {"warmup_ms": warmup_ms}
    scorer = Scorer(truth, site.cruise_ms, site.sprint_ms, **more)
    advice = Advice()
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            values = json.loads(line)
            advice.kind, advice.remaining_ms = values["kind"], values["remaining_ms"]
            advice.span_ms, advice.certainty = values["span_ms"], values["certainty"]
            advice.reason = values["reason"]
            scorer.judge(values["at_ms"], advice)
    return scorer.finish()


def exercise(
    show: Callable[[str], None],
    read_key: Callable[[float], str],
    wait_s: Callable[[], float],
    now_ms: Callable[[], int],
) -> list[int]:
    """Run the reaction exercise; returns how late each press was, in ms.

    `show` tells the person what to do, `read_key(seconds)` waits for a key, `wait_s` gives the next random pause.
    """
    delays: list[int] = []
    for number in range(1, 9):
        show(f"{number} of 8: wait …")
        if read_key(wait_s()):
            delays.append(0)  # too early
            continue
        show("NOW: press any key")
        began_ms = now_ms()
        if read_key(_LATEST_MS / 1000):
            delays.append(now_ms() - began_ms)
    return delays
