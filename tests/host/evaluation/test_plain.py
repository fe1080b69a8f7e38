# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The baseline: plain arithmetic as docs/reference/evaluation.md defines it, frame by frame."""

from pathlib import Path

import numpy as np
import pytest
from dataset_recordings import write_scenario

from leezenflow.advice import DARK, GREEN, KINDS, RED, UNCERTAIN
from leezenflow.board import Site
from leezenflow_host.dataset.reading import NEVER, GroupPart
from leezenflow_host.evaluation.frames import NO_REMAINING
from leezenflow_host.evaluation.plain import PlainDisplay, heard_part
from leezenflow_host.trace import TraceReader

SITE = Site(12, 1090, 49, cruise_ms=22_000, adapter="spatem_xml")
COLOURS = {3: RED, 4: RED, 5: GREEN, 6: GREEN, 7: RED, 8: RED}
# (event state, minimum, likely, maximum end); None: not told.
Event = tuple[int, int | None, int | None, int | None]


def read_part(trace: Path) -> GroupPart:
    with TraceReader(trace) as reader:
        return heard_part(reader, SITE)


def told_spans(part: GroupPart, run: int) -> list[tuple[str, int]]:
    """(colour, end) of each span, by the definition, in the slow and obvious way."""
    spans: list[tuple[str, int]] = []
    for place in range(part.offsets[run], part.offsets[run + 1]):
        least, likely, most = (int(column[place]) for column in (part.min_end, part.likely_end, part.max_end))
        end = likely
        if end == NEVER:
            end = (least + most) // 2 if NEVER not in (least, most) else least
        colour = COLOURS.get(int(part.states[place]))
        if end == NEVER or colour is None:
            break
        if spans and spans[-1][0] == colour:
            spans.pop()
        spans.append((colour, end))
    return spans


def expected(part: GroupPart, at_ms: int, newest: int | None) -> tuple[str, int]:
    """(kind, remaining ms) of one frame; `newest` is the row of the newest message."""
    if newest is None or at_ms - part.at_ms[newest] > 2_600:
        return DARK, NO_REMAINING
    meets_ms = at_ms - int(part.at_ms[newest]) + int(part.message_at_ms[newest]) + SITE.cruise_ms
    for colour, end_ms in told_spans(part, int(part.run[newest])):
        if meets_ms < end_ms:
            return colour, end_ms - meets_ms
    return UNCERTAIN, NO_REMAINING


@pytest.mark.parametrize("name", ["actuated", "likely_unknown", "lossy"])
def test_every_frame_is_what_the_definition_says(name: str, tmp_path: Path):
    part = read_part(write_scenario(tmp_path / "a.jsonl.gz", name, 60 if name == "lossy" else 400))
    frames = PlainDisplay(SITE.cruise_ms).show(part)
    row, newest = 0, None
    shown: list[tuple[str, int]] = []
    for at_ms in frames.at_ms.tolist():
        while row < len(part.at_ms) and part.at_ms[row] <= at_ms:
            if newest is None or part.message_at_ms[row] > part.message_at_ms[newest]:
                newest = row
            row += 1
        shown.append(expected(part, at_ms, newest))
    kinds = [KINDS[code] for code in frames.kind.tolist()]
    assert list(zip(kinds, frames.remaining_ms.tolist(), strict=True)) == shown
    assert {kind for kind, _ in shown} >= {GREEN, RED}


def made_part(events: list[Event], age_ms: int = 1_000) -> GroupPart:
    """One message at 0 and the same again `age_ms` later; the controller's clock is the arrival."""
    count = np.array([0, age_ms])
    nothing = np.zeros(2, dtype=np.int64)
    columns = [
        np.array([NEVER if event[i] is None else event[i] for event in events], dtype=np.int64) for i in range(4)
    ]
    unknown = np.full(len(events), NEVER)
    flags = np.zeros(2, dtype=bool)
    offsets = np.array([0, len(events)])
    return GroupPart(
        "spatem_xml", "", count, count, nothing, nothing, nothing, flags, flags, nothing, offsets,
        columns[0], unknown, columns[1], columns[2], columns[3], unknown, unknown,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("events", "kind", "remaining_ms"),
    [
        ([(5, 20_000, 23_000, 30_000)], GREEN, 1_000),
        # Red with amber is red, amber too; one span ends where its last event does.
        ([(3, None, 10_000, None), (4, None, 23_500, None)], RED, 1_500),
        ([(7, None, 21_000, None), (3, None, 25_000, None), (4, None, 24_000, None)], RED, 2_000),
        # No likely time: the middle of the bounds, or the earliest end.
        ([(6, 20_000, None, 30_000)], GREEN, 3_000),
        ([(6, 24_000, None, None)], GREEN, 2_000),
        ([(6, 20_000, None, 23_000), (7, None, 40_000, None)], RED, 18_000),
        # Behind an end that is not told, and behind the last one, nothing is known.
        ([(5, None, 10_000, None), (3, None, None, 50_000), (5, None, 60_000, None)], UNCERTAIN, NO_REMAINING),
        ([(5, None, 10_000, None)], UNCERTAIN, NO_REMAINING),
        ([(5, None, 10_000, None), (9, None, 60_000, None)], UNCERTAIN, NO_REMAINING),
        # Flashing or dark now.
        ([(9, None, 60_000, None)], DARK, NO_REMAINING),
        ([(0, None, None, None), (5, None, 60_000, None)], DARK, NO_REMAINING),
        ([], UNCERTAIN, NO_REMAINING),
    ],
)
def test_one_message(events: list[Event], kind: str, remaining_ms: int):
    frames = PlainDisplay(22_000).show(made_part(events))
    assert KINDS[frames.kind[0]] == kind
    assert frames.remaining_ms[0] == remaining_ms
    assert {frames.reasons[code] if code >= 0 else None for code in frames.reason[:1].tolist()} == {
        {UNCERTAIN: "beyond_forecast", DARK: "signal_off"}.get(kind)
    }


def test_an_old_message_is_not_believed():
    frames = PlainDisplay(22_000).show(made_part([(5, None, 60_000, None)], age_ms=4_000))
    assert [KINDS[code] for code in frames.kind[24:28].tolist()] == [GREEN, GREEN, GREEN, DARK]
    assert KINDS[frames.kind[40]] == GREEN
