# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame loop on the unix MicroPython under a clock that only moves when the loop works or sleeps: no luck in it."""

import json
from typing import Any

import pytest
from unix_device import run_script

# Time passes by what things cost: a frame `draw_ms` (the frame number `slow` takes `slow_ms`), each of the `steps` of a
# message `step_ms`; a message comes `message_ms` after the one before. Nobody's sleep ends while somebody can work.
_SCRIPT = """
import asyncio, json
from leezenflow_device.app import App
from leezenflow_device.health import Health
plan = json.loads(sys.argv[1])
sleepers = []
working = []
frames = []

class Clock:
    def __init__(self):
        self.now = plan["start"]
        self.network = self
    def ticks(self):
        return self.now & 0x3FFFFFFF
    def diff(self, later, earlier):
        return ((later - earlier + 0x20000000) & 0x3FFFFFFF) - 0x20000000
    def add(self, ticks, span_ms):
        return (ticks + span_ms) & 0x3FFFFFFF
    async def sleep_ms(self, span_ms):
        until = self.now + span_ms
        sleepers.append(until)
        turns = 0
        while self.now < until:
            await asyncio.sleep_ms(0)
            # Three turns: who has just worked is about to work again, or to sleep.
            turns = turns + 1 if min(sleepers) == until and not working else 0
            if turns == 3:
                self.now = until
        sleepers.remove(until)

clock = Clock()

from leezenflow.advice import Advice
advice = Advice()

class Engine:
    counters = {}
    fault = ""
    def frame(self, ticks):
        frames.append(clock.now - plan["start"])
        clock.now += plan["slow_ms"] if len(frames) == plan["slow"] else plan["draw_ms"]
        if clock.now - plan["start"] >= plan["end_ms"]:
            raise SystemExit
        return advice
    def begin_message(self, buffer, start, end, ticks):
        self.left = plan["steps"]
    def step_message(self):
        clock.now += plan["step_ms"]
        self.left -= 1
        return True if not self.left else None

class Display:
    def show(self, canvas):
        pass

class Transport:
    listening = True
    beats = 0
    counters = {}
    fault = ""
    async def run(self, sink):
        while True:
            await clock.sleep_ms(plan["message_ms"])
            self.beats += 1
            working.append(1)
            await sink.message(b"x", 0, 1, clock.ticks())
            working.pop()

class Light:
    source, lux, brightness, fault = "sun", 350, 61, ""
    async def run(self):
        while True:
            dimmed.append(clock.now - plan["start"])
            await clock.sleep_ms(1000)

dimmed = []
unit = App(clock, Engine(), None, Display(), Transport(), plan["fps"])
if plan["light"]:
    unit.light = Light()
try:
    asyncio.run(unit.run())
except SystemExit:
    pass
report = Health().report(unit)
told = [report[key] for key in ("light", "lux", "brightness", "light_fault") if key in report]
print(json.dumps([frames, unit.frames, unit.late_frames, dimmed, told]))
"""

PLAN = {
    "start": 0,
    "end_ms": 4000,
    "fps": 25,
    "draw_ms": 4,
    "slow": 0,
    "slow_ms": 0,
    "message_ms": 100,
    "steps": 1,
    "step_ms": 5,
    "light": False,
}


def play(micropython: str, **plan: Any) -> tuple[list[int], int]:
    """The instants at which frames began, and how many were left out."""
    frames, drawn, late, dimmed, told = json.loads(run_script(micropython, _SCRIPT, json.dumps({**PLAN, **plan})))
    assert len(dimmed) == (4 if plan.get("light") else 0)
    assert told == (["sun", 350, 61, ""] if plan.get("light") else [])
    assert drawn == len(frames) - 1  # the last one ends the script
    return frames, late


@pytest.mark.parametrize(("fps", "period_ms"), [(25, 40), (50, 20)])
@pytest.mark.parametrize("start", [0, (1 << 30) - 1500])
def test_the_frame_rate_is_fixed(micropython: str, fps: int, period_ms: int, start: int) -> None:
    frames, late = play(micropython, fps=fps, start=start, message_ms=1200, step_ms=0, draw_ms=period_ms // 2)
    assert frames == list(range(0, 4001, period_ms))
    assert late == 0


@pytest.mark.parametrize("fps", [25, 50])
def test_long_messages_one_after_another_delay_a_frame_by_no_more_than_a_step(micropython: str, fps: int) -> None:
    frames, late = play(micropython, fps=fps, message_ms=1, steps=12, step_ms=8)
    period_ms = 1000 // fps
    delays = [at_ms - number * period_ms for number, at_ms in enumerate(frames)]
    assert late == 0
    assert len(frames) >= 4000 // period_ms
    assert min(delays) >= 0
    assert 0 < max(delays) <= 8, "a frame waits for one step, never for a whole message"


def test_dimming_goes_on_beside_the_frames(micropython: str) -> None:
    frames, late = play(micropython, light=True, end_ms=3500)
    assert late == 0
    assert [at_ms // 40 for at_ms in frames] == list(range(89))


def test_the_delay_of_one_frame_is_not_handed_on(micropython: str) -> None:
    frames, late = play(micropython, message_ms=90, steps=1, step_ms=30)
    assert late == 0
    assert any(at_ms % 40 for at_ms in frames)
    assert [at_ms // 40 for at_ms in frames] == list(range(len(frames)))


def test_frames_that_were_missed_are_counted_and_left_out(micropython: str) -> None:
    frames, late = play(micropython, slow=10, slow_ms=130, message_ms=1200, step_ms=0)
    # The tenth began at 360 ms and ended at 490: those of 400 and 440 ms were missed, that of 480 was late.
    assert late == 2
    assert frames[8:12] == [320, 360, 490, 520]


def test_work_that_takes_longer_than_a_frame_is_counted_again_and_again(micropython: str) -> None:
    frames, late = play(micropython, draw_ms=50, message_ms=1200, step_ms=0)
    assert late > 10
    assert abs(len(frames) + late - 4000 // 40) <= 2
