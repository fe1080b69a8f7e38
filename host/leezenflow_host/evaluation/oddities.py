# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is odd about a recording that is evaluated on its own: the same that `leezenflow ingest` would say of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leezenflow_host.dataset.observations import Event, Observation, Problem
from leezenflow_host.dataset.reading import NEVER, GroupPart
from leezenflow_host.dataset.watching import IntersectionWatch, ProblemList

# Words of the engine's counters for messages that nobody can read.
_UNREADABLE = ("malformed", "oversized", "truncated")


def find_oddities(
    path: Path, intersection: str, signal_group: int, parts: Sequence[GroupPart], counters: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Rows for `problems`: silences, clocks that were set, time zones, a group without colour, unreadable messages."""
    found = ProblemList()
    watch = IntersectionWatch(intersection, found)
    for part in parts:
        begins, states = part.offsets.tolist(), part.states.tolist()
        columns = (part.at_ms.tolist(), part.message_at_ms.tolist(), part.run.tolist())
        for at_ms, message_at_ms, run in zip(*columns, strict=True):
            observation = Observation(at_ms, intersection, None if message_at_ms == NEVER else message_at_ms, 0)
            if run >= 0 and begins[run] < begins[run + 1]:
                event: Event = (states[begins[run]], None, None, None, None, None, None)
                observation.movements.append((signal_group, (event,)))
            watch.observe(observation)
    watch.finish()
    rows = summarise_problems(found.kept, str(path))
    unreadable = {word: counters[word] for word in _UNREADABLE if counters.get(word)}
    if unreadable:
        words = ", ".join(f"{count} {word}" for word, count in unreadable.items())
        text = f"{path}: messages that could not be read: {words}"
        rows.append({"kind": "unreadable_message", "count": sum(unreadable.values()), "text": text})
    return rows


def summarise_problems(problems: Sequence[Problem], source: str) -> list[dict[str, Any]]:
    """One row a kind: how many, and the first of them in words."""
    counts: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for problem in problems:
        counts[problem.kind] += problem.count
        texts.setdefault(problem.kind, f"{source}{say_when(problem.from_ms)}: {problem.text}")
    return [{"kind": kind, "count": counts[kind], "text": texts[kind]} for kind in sorted(counts)]


def say_when(at_ms: int | None) -> str:
    """An instant as words to put behind the name of a file; nothing for None."""
    return "" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime(", %Y-%m-%d %H:%M:%S UTC")


def find_repeated_time(before: Sequence[dict[str, Any]], result: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for `problems` where a recording covers the same time as one that was judged `before` it."""
    for other in before:
        from_ms, to_ms = max(other["from_ms"], result["from_ms"]), min(other["to_ms"], result["to_ms"])
        if from_ms < to_ms:
            same = f"the same {(to_ms - from_ms) / 1000:.0f} s as in {other['trace']}"
            text = (
                f"{result['trace']}{say_when(from_ms)}: {same} are judged twice; `leezenflow ingest` counts them once"
            )
            return [{"kind": "overlap", "count": 1, "text": text}]
    return []
