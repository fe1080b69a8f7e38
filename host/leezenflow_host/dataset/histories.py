# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Histories of single signal heads, one code a second, as PrioBike's predictability study of Hamburg published them.

`{"Name": "30_6", "Cycles": [[{"Start": <Unix s>, "End": …, "Results": "[1 1 3 …]"}, …], …]}`: node and connection, then
hours of cycles. They become what a subscriber of the SensorThings feed would have got: a message a change, and signs of
life between.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from leezenflow.spatem import (
    CAUTION_CONFLICTING_TRAFFIC,
    DARK,
    PERMISSIVE_CLEARANCE,
    PERMISSIVE_MOVEMENT_ALLOWED,
    PRE_MOVEMENT,
    STOP_AND_REMAIN,
    UNAVAILABLE,
)
from leezenflow_host.dataset.instants import instant_mark, message_instant
from leezenflow_host.dataset.observations import Observation
from leezenflow_host.errors import InputError

# primary_signal of the SensorThings feed.
EVENT_STATES = {
    0: DARK,
    1: STOP_AND_REMAIN,
    2: PERMISSIVE_CLEARANCE,
    3: PERMISSIVE_MOVEMENT_ALLOWED,
    4: PRE_MOVEMENT,
    5: CAUTION_CONFLICTING_TRAFFIC,
    6: PERMISSIVE_MOVEMENT_ALLOWED,
}
# Assumed, and typical of that feed: from the lamp to the platform, from there to us, and how often anything is heard
# of the controller.
TOLD_MS, DELAY_MS, HEARTBEAT_S = 900, 200, 2
_HEAD_BYTES = 4096


def is_history(path: Path) -> bool:
    """Whether a file is such a history, to judge by its beginning."""
    if path.suffix.lower() != ".json":
        return False
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES).lstrip()
    return head[:1] == b"{" and b'"Cycles"' in head and b'"Name"' in head


def read_seconds(path: Path) -> Iterator[tuple[int, int]]:
    """(Unix second, code), ascending within each hour; `InputError` for what is no history."""
    for hour in _load(path)["Cycles"]:
        for cycle in hour:
            try:
                start, codes = int(cycle["Start"]), [int(code) for code in cycle["Results"].strip("[]").split()]
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise InputError(
                    f"{path}: a cycle without Start or Results ({error}). Fetch the file again."
                ) from error
            for second, code in enumerate(codes):
                yield start + second, code


def read_history(path: Path) -> Iterator[Observation]:
    """What a subscriber would have got, in the order of arrival."""
    intersection, group = _place(path)
    shown: int | None = None
    last: int | None = None
    for second, code in read_seconds(path):
        if last is not None and second <= last:
            continue  # hours that overlap
        if code != shown or (last is not None and second != last + 1):
            shown = code
            yield _observation(second, intersection, group, code)
        elif second % HEARTBEAT_S == 0:
            yield _observation(second, intersection, group, None)
        last = second


def _observation(second: int, intersection: str, group: int, code: int | None) -> Observation:
    told_ms = second * 1000 + TOLD_MS
    message_at_ms, clock = message_instant(None, told_ms % 60_000, told_ms)
    observation = Observation(told_ms + DELAY_MS, intersection, message_at_ms, clock, on_change=True)
    observation.clock = 0
    if code is None:
        observation.heartbeat = True
    else:
        state = EVENT_STATES.get(code, UNAVAILABLE)
        event = (state, instant_mark(second * 1000), None, None, None, None, None)
        observation.movements.append((group, (event,)))
    return observation


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: no JSON ({error}). Fetch the file again.") from error
    if not isinstance(document, dict) or not isinstance(document.get("Cycles"), list):
        raise InputError(f"{path}: holds no Cycles. Fetch the file again.")
    return document


def _place(path: Path) -> tuple[str, int]:
    name = _load(path).get("Name")
    node, _, connection = str(name).partition("_")
    if not node.isdigit() or not connection.isdigit():
        raise InputError(f"{path}: Name is {name!r}, not node_connection such as 30_6. Correct it.")
    return node, int(connection)
