# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging columns of frames gives what judging them one by one gives, in whatever pieces they come."""

from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from leezenflow.advice import KINDS, Advice
from leezenflow_host.evaluation.cycles import TruthArrays
from leezenflow_host.evaluation.display import _cut_frames
from leezenflow_host.evaluation.frame_scoring import FrameScorer
from leezenflow_host.evaluation.frames import FrameLog, Frames
from leezenflow_host.evaluation.scoring import Scorer
from leezenflow_host.evaluation.truth import AMBER, GREEN, NONE, RED, UNKNOWN, Truth

ORIGIN_MS = 1_700_000_000_000
SHIFT_MS, SPRINT_MS = 9_000, 6_000

PHASES = st.lists(
    st.tuples(st.integers(500, 20_000), st.sampled_from([GREEN, RED, AMBER, NONE, UNKNOWN])), min_size=1, max_size=25
)
SHOWN = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.sampled_from(KINDS),
        st.none() | st.integers(0, 30_000),
        st.integers(0, 100),
    ),
    min_size=1,
    max_size=60,
)


def make_truth(phases: list[tuple[int, str]], offset_ms: int) -> Truth:
    starts = [ORIGIN_MS, *(ORIGIN_MS + at for at in accumulate(length for length, _ in phases))]
    truth = Truth(ORIGIN_MS - 35_000, starts[-1], offset_ms)
    for at_ms, (_, colour) in zip(starts, phases, strict=False):
        truth.append(at_ms, colour)
    return truth


def make_frames(shown: list[tuple[int, str, int | None, int]], step_ms: int) -> Frames:
    log = FrameLog()
    at_ms = ORIGIN_MS - 12_000
    for count, kind, remaining_ms, certainty in shown:
        claims = kind in ("green", "red", "sprint")
        for number in range(count):
            left = None if remaining_ms is None or not claims else max(0, remaining_ms - number * step_ms)
            log.append(at_ms, kind, left, certainty if claims else 0, None if claims else "doubtful")
            at_ms += step_ms
    return log.take()


def one_by_one(frames: Frames, truth: Truth) -> dict[str, object]:
    scorer = Scorer(truth, SHIFT_MS, SPRINT_MS)
    advice = Advice()
    for at_ms, kind, left, certainty, reason in zip(
        frames.at_ms.tolist(),
        frames.kind.tolist(),
        frames.remaining_ms.tolist(),
        frames.certainty.tolist(),
        frames.reason.tolist(),
        strict=True,
    ):
        if reason < 0:
            advice.claim(KINDS[kind], None if left < 0 else left, None, certainty)
        else:
            advice.decline(KINDS[kind], frames.reasons[reason])
        scorer.judge(at_ms, advice)
    return scorer.finish().as_dict()


@settings(max_examples=150, deadline=None)
@given(PHASES, SHOWN, st.sampled_from([100, 700, 1_900]), st.sampled_from([0, 400, -250]), st.data())
def test_columns_and_single_frames_are_judged_alike(
    phases: list[tuple[int, str]],
    shown: list[tuple[int, str, int | None, int]],
    step_ms: int,
    offset_ms: int,
    data: st.DataObject,
):
    truth = make_truth(phases, offset_ms)
    frames = make_frames(shown, step_ms)
    arrays = TruthArrays.of(truth)
    scorer = FrameScorer(SHIFT_MS, SPRINT_MS)
    cut = data.draw(st.integers(0, len(frames)))
    for piece in (_cut_frames(frames, 0, cut), _cut_frames(frames, cut, len(frames))):
        scorer.judge(piece, arrays, truth.from_ms, truth.to_ms)
    scorer.end_life(arrays, truth.from_ms, truth.to_ms)
    assert scorer.as_dict() == one_by_one(frames, truth)


@settings(max_examples=40, deadline=None)
@given(PHASES, SHOWN)
def test_cycles_add_up_to_the_whole(phases: list[tuple[int, str]], shown: list[tuple[int, str, int | None, int]]):
    truth = make_truth(phases, 0)
    scorer = FrameScorer(SHIFT_MS, SPRINT_MS)
    scorer.judge(make_frames(shown, 700), TruthArrays.of(truth), truth.from_ms, truth.to_ms)
    cycles, counts = scorer.cycles.by_cycle()
    assert len(set(cycles.tolist())) == len(cycles)
    assert counts.sum(axis=0).tolist() == list(scorer.cycles.sums().values())
    greens = {at_ms for at_ms, colour in zip(truth.starts, truth.colours, strict=True) if colour == GREEN}
    assert set(cycles.tolist()) <= greens | {truth.starts[0]}


def test_two_lives_do_not_flow_into_one_another():
    truth = make_truth([(20_000, GREEN), (20_000, RED)], 0)
    arrays = TruthArrays.of(truth)
    once, twice = FrameScorer(SHIFT_MS), FrameScorer(SHIFT_MS)
    frames = make_frames([(30, "green", 20_000, 90), (30, "red", 20_000, 90)], 500)
    for scorer, lives in ((once, 1), (twice, 2)):
        for _ in range(lives):
            scorer.begin_life()
            scorer.judge(frames, arrays, truth.from_ms, truth.to_ms)
            scorer.end_life(arrays, truth.from_ms, truth.to_ms)
    one, two = once.as_dict(), twice.as_dict()
    assert one["shown_changes"] == 1 and two["shown_changes"] == 2 and two["true_changes"] == 2 * one["true_changes"]
    assert two["frames"] == 2 * one["frames"] and two["wrong_colour_share"] == one["wrong_colour_share"]
