# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The safety rules F1..F7 and F9, each with a property that tries to break it, on both interpreters.

The truth the claims are judged against is a simulated controller and network, not the core's own view of them.
(F8, a dark panel after any exception, is the device's: tests/device.)
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties_model import FRAME_MS, Faults, Run, Telegram, clean_run, run_scripts
from script_player import play

import leezenflow

MASK = (1 << 30) - 1
CLAIMS_GREEN = ("green", "sprint")

Player = Callable[[dict[str, Any]], list[list[Any]]]


@pytest.fixture(scope="module")
def both(micropython: str) -> Iterator[Player]:
    """Play a script on CPython and on MicroPython; both must show the same."""
    # The heap holds the whole script as json and as objects; what the core itself needs is tested on the device side.
    firmware = Path(leezenflow.__file__).parents[1]
    here = Path(__file__).parent
    child = subprocess.Popen(
        [micropython, "-X", "heapsize=16m", str(here / "script_player.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"MICROPYPATH": f"{firmware}:{here}"},
    )
    assert child.stdin and child.stdout

    def play_both(script: dict[str, Any]) -> list[list[Any]]:
        assert child.stdin and child.stdout
        shown = play(script)
        child.stdin.write(json.dumps(script) + "\n")
        child.stdin.flush()
        answer = child.stdout.readline()
        assert answer, "MicroPython ended; its traceback is above"
        assert json.loads(answer) == shown
        return shown

    yield play_both
    child.stdin.close()
    child.stdout.close()
    assert child.wait(timeout=30) == 0


def green_frames(run: Run, shown: list[list[Any]]) -> Iterator[tuple[int, list[Any]]]:
    """The frames that claim green, with their instants (true ms)."""
    for at_ms, frame in zip(run.frame_times, shown, strict=True):
        if frame[0] in CLAIMS_GREEN:
            yield at_ms, frame


@given(run_scripts())
def test_f1_never_green_without_fresh_evidence(both: Player, run: Run) -> None:
    for at_ms, _ in green_frames(run, both(run.script())):
        fresh = [t for t in run.delivered_before(at_ms) if t.arrives_ms >= at_ms - 6_000]
        assert fresh, f"green at {at_ms} without a message from the last 6 s"


@given(run_scripts())
def test_f2_never_green_beyond_the_last_usable_end(both: Player, run: Run) -> None:
    for at_ms, frame in green_frames(run, both(run.script())):
        arrival_ms = at_ms + (run.cruise_ms if frame[0] == "green" else run.sprint_ms)
        supported = [t for t in run.delivered_before(at_ms) if t.last_green_end_ms(run.clearance) + 8_000 > arrival_ms]
        assert supported, f"green at {at_ms} for an arrival at {arrival_ms} that no message's green reaches"


@given(run_scripts())
def test_f3_a_controller_that_is_not_in_service_is_dark(both: Player, run: Run) -> None:
    for at_ms, frame in zip(run.frame_times, both(run.script()), strict=True):
        recent = [t for t in run.delivered_before(at_ms) if t.sent_ms >= at_ms - 7_000]
        if recent and all(t.out_of_service for t in recent):
            assert frame[0] == "dark" and frame[4], f"{frame} at {at_ms}, though the controller is out of service"


any_mark = st.one_of(st.none(), st.integers(0, 35_999), st.sampled_from([36_000, 36_001, 36_111, 65_535]))
any_event = st.tuples(st.integers(0, 9), any_mark, any_mark, any_mark, st.one_of(st.none(), st.integers(0, 15)))
any_message = st.tuples(
    st.integers(0, 3_000),
    st.one_of(st.none(), st.integers(0, 527_040)),
    st.one_of(st.none(), st.integers(0, 65_535)),
    st.integers(0, 65_535),
    st.lists(any_event, max_size=16),
)


@given(st.lists(any_message, max_size=20), st.integers(0, MASK))
def test_f4_whatever_is_sent_gives_advice_and_no_exception(both: Player, messages: list[Any], zero: int) -> None:
    ops: list[list[Any]] = []
    ticks = zero
    for wait_ms, *values in messages:
        ticks += wait_ms
        ops += [["m", ticks & MASK, *values], ["f", ticks & MASK], ["f", (ticks + 700) & MASK]]
    for frame in both({"site": {"sprint_ms": 15_000}, "ops": ops}):
        kind, remaining_ms, span_ms, certainty, reason = frame
        assert kind in ("green", "sprint", "red", "uncertain", "dark")
        claims = kind in ("green", "sprint", "red")
        assert (reason is None) == claims
        assert (remaining_ms is not None and span_ms is not None) == claims
        if remaining_ms is not None and span_ms is not None:
            assert 0 <= remaining_ms < 3_600_000 and span_ms >= 0
        assert 0 <= certainty <= 100


@given(run_scripts(Faults(jitter=True, loss=True)))
def test_f5_remaining_time_never_grows_while_the_forecast_stands(both: Player, run: Run) -> None:
    # The program is fixed, so the controller's forecast never moves: only the network's delays do.
    last_kind, last_ms, last_at = None, 0, 0
    for at_ms, (kind, remaining_ms, *_) in zip(run.frame_times, both(run.script()), strict=True):
        if kind in ("dark", "uncertain"):
            continue
        # The same colour may also come round again: then the whole other colour lay in between, unseen.
        if kind == last_kind and run.same_phase(last_at, at_ms, kind):
            assert remaining_ms <= max(0, last_ms - (at_ms - last_at)), (last_at, at_ms, kind, last_ms, remaining_ms)
        last_kind, last_ms, last_at = kind, remaining_ms, at_ms


YEAR_MINUTES = 525_600


@given(run_scripts(Faults(jitter=True, loss=True)), st.integers(0, YEAR_MINUTES - 1), st.integers(0, MASK))
def test_f6_hour_day_year_and_ticks_wrap_change_nothing(both: Player, run: Run, minute: int, zero: int) -> None:
    assert both(run.script()) == both(run.script(start_minute=minute, ticks_zero=zero))


@given(run_scripts(Faults(jitter=True, loss=True)), st.data())
def test_f7_duplicates_and_overtaken_messages_change_nothing(both: Player, run: Run, data: st.DataObject) -> None:
    repeated = list(run.telegrams)
    if run.telegrams:
        for telegram in data.draw(st.lists(st.sampled_from(run.telegrams), max_size=8), label="repeated"):
            later_ms = telegram.arrives_ms + data.draw(st.integers(1, 2_000), label="later by")
            if any(telegram.sent_ms <= other.sent_ms and other.arrives_ms <= later_ms for other in run.telegrams):
                repeated.append(telegram.again(later_ms))
    assert both(run.script()) == both(run.with_telegrams(repeated).script())


@given(run_scripts())
def test_f9_after_start_and_reconnect_green_needs_two_messages(both: Player, run: Run) -> None:
    for at_ms, _ in green_frames(run, both(run.script())):
        since = max((r for r in run.reconnects if r <= at_ms), default=0)
        heard = {t.controller_ms for t in run.delivered_before(at_ms) if t.arrives_ms >= since}
        assert len(heard) >= 2, f"green at {at_ms} after a reconnect at {since} with {len(heard)} message(s)"


@given(st.integers(3, 20), st.sampled_from((200, 1_000, 5_000)))
def test_f9_a_clock_that_stands_still_under_fresh_arrivals_is_stale(both: Player, count: int, period_ms: int) -> None:
    run = clean_run(count * period_ms, period_ms)
    frozen = run.telegrams[-1]
    stuck = [frozen.again(frozen.arrives_ms + i * period_ms) for i in range(1, 12_000 // period_ms + 2)]
    run = run.with_telegrams([*run.telegrams, *stuck], lasting_ms=stuck[-1].arrives_ms + FRAME_MS)
    shown = both(run.script())
    for at_ms, frame in zip(run.frame_times, shown, strict=True):
        if at_ms > frozen.arrives_ms + 6_000:
            assert frame[0] == "dark" and frame[4] == "stale"
    assert shown[-1][0] == "dark"


@given(st.sampled_from((-60_000, -5_000, 3_000, 5_000, 60_000, 86_400_000)))
def test_f9_a_clock_that_was_set_is_believed_again_within_ten_seconds(both: Player, step_ms: int) -> None:
    run = clean_run(60_000, 1_000)
    half = len(run.telegrams) // 2
    stepped: list[Telegram] = [t if i < half else t.with_clock_set(step_ms) for i, t in enumerate(run.telegrams)]
    run = run.with_telegrams(stepped)
    step_at = stepped[half].arrives_ms
    shown = both(run.script())
    for at_ms, frame in zip(run.frame_times, shown, strict=True):
        if 3_000 < at_ms < step_at or at_ms > step_at + 10_000:
            assert frame[0] in ("green", "sprint", "red") or frame[4] == "doubtful", (at_ms, frame)
        if frame[0] == "green" and at_ms > step_at + 10_000:
            assert run.program.colour_at(run.origin_ms + at_ms + run.cruise_ms - run.least_delay_ms) != "red"
