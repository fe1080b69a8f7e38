# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories of an intersection as a state machine: any order of good days and misfortunes, judged against the lamp.

The controller is simulated, and its forecasts are exact; what happens to its messages, its clock and its service is up
to Hypothesis. Whatever the display claims is compared with what that lamp really does, on both interpreters.
"""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from properties_model import FRAME_MS, ORIGIN_MINUTE, Run, Telegram, make_telegram
from script_player import play

import leezenflow
from signals import Program

# A receiver cannot tell the least delay it knows from a clock that is behind; nor a step of less than 2.5 s from delay.
TOLERANCE_MS = 3_000
OUT_OF_SERVICE = ((0x2000, 3), (0x0040, 3), (0x0004, 3), (0, 1), (0, 9))


class SignalStory(RuleBasedStateMachine):
    """Adds to a run, one happening after the other; `teardown` plays it and judges every frame."""

    interpreter = ""

    @initialize(
        red_s=st.integers(12, 50),
        green_s=st.integers(6, 25),
        phase_ms=st.integers(0, 900),
        cruise_ms=st.sampled_from((0, 9_000, 22_000)),
    )
    def begin(self, red_s: int, green_s: int, phase_ms: int, cruise_ms: int) -> None:
        origin_ms = ORIGIN_MINUTE * 60_000
        self.program = Program(origin_ms - phase_ms * 100, red_s * 1_000, green_s * 1_000)
        self.cruise_ms = cruise_ms
        self.now_ms = 0
        self.step_ms = 0
        self.arrived_ms = 0
        self.telegrams: list[Telegram] = []
        self.reconnects: list[int] = []
        self.broken: list[tuple[int, int]] = []

    def send(self, delay_ms: int, service: tuple[int, int] | None = None) -> None:
        """Let the controller speak now; the message arrives after `delay_ms`, not before the one before it."""
        self.arrived_ms = max(self.arrived_ms, self.now_ms + delay_ms)
        telegram = make_telegram(self.program, self.now_ms, self.arrived_ms)
        if service is not None:
            status, state = service
            events = telegram.events if status else ((state, None, None, None), *telegram.events[1:])
            telegram = replace(telegram, status=status, events=events)
        self.telegrams.append(telegram.with_clock_set(self.step_ms) if self.step_ms else telegram)
        self.now_ms += 1_000

    @rule(count=st.integers(3, 25), delay_ms=st.sampled_from((30, 80)))
    def speak(self, count: int, delay_ms: int) -> None:
        """Some good seconds."""
        for _ in range(count):
            self.send(delay_ms)

    @rule(delays=st.lists(st.integers(20, 2_400), min_size=1, max_size=8))
    def stutter(self, delays: list[int]) -> None:
        """A bad network: every message late by its own time."""
        for delay_ms in delays:
            self.send(delay_ms)

    @rule(lasting_s=st.integers(1, 40))
    def fall_silent(self, lasting_s: int) -> None:
        """Messages are lost."""
        self.now_ms += lasting_s * 1_000

    @rule(count=st.integers(2, 12))
    def queue_up(self, count: int) -> None:
        """A queue fills, then everything in it arrives at once."""
        arrives_ms = self.now_ms + count * 1_000
        for _ in range(count):
            self.send(max(50, arrives_ms - self.now_ms))

    @rule(count=st.integers(1, 6), back=st.integers(1, 10))
    def repeat(self, count: int, back: int) -> None:
        """Old messages come once more."""
        for telegram in self.telegrams[-back:][:count]:
            self.arrived_ms = max(self.arrived_ms + 1, self.now_ms)
            self.telegrams.append(telegram.again(self.arrived_ms))

    @rule(step_ms=st.sampled_from((-3_600_000, -60_000, -5_000, 5_000, 60_000, 7_200_000)))
    def set_clock(self, step_ms: int) -> None:
        """The controller's clock is set."""
        self.step_ms += step_ms

    @rule(lasting_s=st.integers(3, 15), service=st.sampled_from(OUT_OF_SERVICE))
    def go_out_of_service(self, lasting_s: int, service: tuple[int, int]) -> None:
        """The controller fails, flashes or is switched off, and says so."""
        self.broken.append((self.now_ms, self.now_ms + lasting_s * 1_000))
        for _ in range(lasting_s):
            self.send(60, service)

    @rule()
    def reconnect(self) -> None:
        """The transport was lost and is back."""
        self.reconnects.append(max(self.now_ms, self.arrived_ms))

    def teardown(self) -> None:
        """Play the story on both interpreters, and judge it."""
        if not getattr(self, "telegrams", None):
            return
        lasting_ms = self.arrived_ms + 8_000
        run = Run(lasting_ms, tuple(self.telegrams), self.program, 30, self.cruise_ms, self.cruise_ms * 3 // 4)
        run = replace(run, reconnects=tuple(self.reconnects))
        shown = play(run.script())
        assert shown == _play_there(self.interpreter, run.script())
        for at_ms, frame in zip(run.frame_times, shown, strict=True):
            self.judge(run, at_ms, frame)

    def judge(self, run: Run, at_ms: int, frame: list[Any]) -> None:
        """Never green while the lamp is provably red at the arrival, nor without two messages, nor on old ones."""
        if frame[0] not in ("green", "sprint"):
            return
        arrival_ms = run.origin_ms + at_ms + (run.cruise_ms if frame[0] == "green" else run.sprint_ms)
        around = range(arrival_ms - TOLERANCE_MS, arrival_ms + TOLERANCE_MS + 1, 250)
        assert any(run.program.colour_at(moment) != "red" for moment in around), (at_ms, frame)
        since = max((moment for moment in run.reconnects if moment <= at_ms), default=-1)
        delivered = run.delivered_before(at_ms)
        assert any(t.arrives_ms >= at_ms - 6_000 for t in delivered), (at_ms, frame)
        assert len({t.sent_ms for t in delivered if t.arrives_ms >= since}) >= 2, (at_ms, frame)
        for begin_ms, end_ms in self.broken:
            assert not begin_ms + 1_500 < at_ms < end_ms - FRAME_MS, (at_ms, frame)


def _play_there(interpreter: str, script: dict[str, Any]) -> list[list[Any]]:
    here = Path(__file__).parent
    result = subprocess.run(
        [interpreter, "-X", "heapsize=16m", str(here / "script_player.py")],
        input=json.dumps(script) + "\n",
        capture_output=True,
        text=True,
        env={"MICROPYPATH": f"{Path(leezenflow.__file__).parents[1]}:{here}"},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("examples", [40])
def test_no_story_makes_the_display_lie(micropython: str, examples: int) -> None:
    SignalStory.interpreter = micropython
    run_state_machine_as_test(
        SignalStory, settings=settings(max_examples=examples, stateful_step_count=14, deadline=None)
    )
