# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated controller and network for the safety properties: what was true, what was sent, what arrived when.

All instants are true milliseconds since the start of a run, unless a name says `controller`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from signals import Program

FRAME_MS = 250
ORIGIN_MINUTE = 137_285
_YEAR_MS = 525_600 * 60_000
_MASK = (1 << 30) - 1


@dataclass(frozen=True)
class Faults:
    """Which misfortunes a run may meet."""

    jitter: bool = False
    loss: bool = False
    reordering: bool = False
    outage: bool = False
    reconnects: bool = False
    out_of_service: bool = False
    vague: bool = False


EVERYTHING = Faults(True, True, True, True, True, True, True)


@dataclass(frozen=True)
class Telegram:
    """One message: when made and arrived, its own clock, its phases as (state, min, likely, max)."""

    sent_ms: int
    arrives_ms: int
    controller_ms: int
    status: int
    events: tuple[tuple[int, int | None, int | None, int | None], ...]
    offset_ms: int = 0

    @property
    def out_of_service(self) -> bool:
        """Whether rule F3 forbids any advice after this message."""
        return bool(self.status) or self.events[0][0] in (0, 1, 2, 9)

    def last_green_end_ms(self, clearance: str) -> int:
        """The last instant (true ms) that this message calls green by any of its ends; -1 for none."""
        green = (5, 6, 7, 8) if clearance == "green" else (5, 6)
        ends = [end for state, *times in self.events if state in green for end in times if end is not None]
        return max(ends, default=-1)

    def again(self, arrives_ms: int) -> "Telegram":
        """The same message, arriving (once more) at another instant."""
        return replace(self, arrives_ms=arrives_ms)

    def with_clock_set(self, step_ms: int) -> "Telegram":
        """The same message from a controller whose clock was set by `step_ms`: its time and its marks move."""
        return replace(self, controller_ms=self.controller_ms + step_ms, offset_ms=self.offset_ms + step_ms)

    def op(self, shift_ms: int, ticks: int) -> list[Any]:
        """This message for a script, its controller's clock moved by `shift_ms` (whole minutes)."""
        clock_ms = (self.controller_ms + shift_ms) % _YEAR_MS
        base_ms = self.controller_ms - self.sent_ms - self.offset_ms + shift_ms + self.offset_ms
        events = [[state, *(_mark(end, base_ms) for end in times), 15] for state, *times in self.events]
        return ["m", ticks & _MASK, clock_ms // 60_000, clock_ms % 60_000, self.status, events]


def _mark(end_ms: int | None, base_ms: int) -> int:
    return 36_001 if end_ms is None else (end_ms + base_ms) // 100 % 36_000


@dataclass(frozen=True)
class Run:
    """A stretch of an intersection's life and how it reached the display."""

    lasting_ms: int
    telegrams: tuple[Telegram, ...]
    program: Program
    least_delay_ms: int
    cruise_ms: int = 22_000
    sprint_ms: int = 16_500
    clearance: str = "red"
    reconnects: tuple[int, ...] = ()
    origin_ms: int = ORIGIN_MINUTE * 60_000
    frame_times: range = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame_times", range(0, self.lasting_ms, FRAME_MS))

    def delivered_before(self, at_ms: int) -> list[Telegram]:
        """The messages that had arrived by an instant."""
        return [t for t in self.telegrams if t.arrives_ms <= at_ms]

    def with_telegrams(self, telegrams: list[Telegram], lasting_ms: int | None = None) -> "Run":
        """The same run with other messages."""
        return replace(self, telegrams=tuple(telegrams), lasting_ms=lasting_ms or self.lasting_ms)

    def same_phase(self, earlier_ms: int, later_ms: int, kind: str) -> bool:
        """Whether a rider passing at either instant meets the same green or red (or sprints to the same green)."""
        travel = self.sprint_ms if kind == "sprint" else self.cruise_ms
        cycle = self.program.cycle_ms
        origin = self.program.origin_ms - self.origin_ms - travel
        # Red counts from the amber before it, and the instants may be off by the delays of the network.
        shift = self.program.lengths[0][1] + 1_000 + self.program.lengths[2][1]
        if kind == "red":
            return abs((earlier_ms - origin + 2_000) // cycle - (later_ms - origin + 2_000) // cycle) == 0
        return (
            abs((earlier_ms - origin - shift + cycle // 2) // cycle - (later_ms - origin - shift + cycle // 2) // cycle)
            == 0
        )

    def script(self, start_minute: int = ORIGIN_MINUTE, ticks_zero: int = 0) -> dict[str, Any]:
        """The run as a script for `script_player`, begun at any minute of the year and any count of ticks."""
        shift_ms = (start_minute - ORIGIN_MINUTE) * 60_000
        timed: list[tuple[int, int, list[Any]]] = []
        for telegram in self.telegrams:
            timed.append((telegram.arrives_ms, 1, telegram.op(shift_ms, ticks_zero + telegram.arrives_ms)))
        timed += [(at_ms, 0, ["r"]) for at_ms in self.reconnects]
        timed += [(at_ms, 2, ["f", (ticks_zero + at_ms) & _MASK]) for at_ms in self.frame_times]
        timed.sort(key=lambda entry: entry[:2])
        site = {"cruise_ms": self.cruise_ms, "sprint_ms": self.sprint_ms, "clearance": self.clearance}
        return {"site": site, "ops": [op for _, _, op in timed]}


def clean_run(lasting_ms: int, period_ms: int, delay_ms: int = 80) -> Run:
    """A fixed program heard through a perfect network."""
    program = Program(ORIGIN_MINUTE * 60_000 - 20_000)
    telegrams = tuple(make_telegram(program, at, at + delay_ms) for at in range(0, lasting_ms - delay_ms, period_ms))
    return Run(lasting_ms, telegrams, program, delay_ms)


def make_telegram(program: Program, sent_ms: int, arrives_ms: int) -> Telegram:
    """What a fixed program says at `sent_ms`, arriving at `arrives_ms`."""
    origin = ORIGIN_MINUTE * 60_000
    # Marks are tenths of a second: an end is written down as the tenth it lies in.
    events = program.events_at(origin + sent_ms)
    relative = tuple((state, *(end - origin for end in ends)) for state, *ends in events)
    return Telegram(sent_ms, arrives_ms, origin + sent_ms, 0, relative)


@st.composite
def run_scripts(draw: st.DrawFn, faults: Faults = EVERYTHING) -> Run:
    """Runs of half a minute to two minutes with the given faults."""
    origin = ORIGIN_MINUTE * 60_000
    red_ms = draw(st.integers(10, 60), label="red") * 1_000
    green_ms = draw(st.integers(5, 30), label="green") * 1_000
    program = Program(origin - draw(st.integers(0, 900), label="phase") * 100, red_ms, green_ms)
    period_ms = draw(st.sampled_from((200, 1_000, 1_000, 2_000, 5_000)), label="period")
    least_ms = draw(st.sampled_from((20, 150)), label="least delay")
    lasting_ms = draw(st.integers(20, 80), label="lasting") * 1_000
    telegrams = tuple(_arrivals(draw, program, period_ms, least_ms, lasting_ms, faults))
    count = draw(st.integers(0, 2)) if faults.reconnects else 0
    reconnects = sorted(draw(st.integers(0, lasting_ms)) for _ in range(count))
    cruise_ms = draw(st.sampled_from((0, 8_000, 22_000, 40_000)), label="cruise")
    clearance = draw(st.sampled_from(("red", "green"))) if faults.vague else "red"
    return Run(lasting_ms, telegrams, program, least_ms, cruise_ms, cruise_ms * 3 // 4, clearance, tuple(reconnects))


def _arrivals(
    draw: st.DrawFn, program: Program, period_ms: int, least_ms: int, lasting_ms: int, faults: Faults
) -> Iterator[Telegram]:
    # One stream of small numbers decides about every message: simple to shrink, and fast to draw.
    count = lasting_ms // period_ms
    luck = draw(st.binary(min_size=count, max_size=count), label="luck")
    outage = (
        draw(st.tuples(st.integers(0, lasting_ms), st.integers(0, 20_000)), label="outage") if faults.outage else (0, 0)
    )
    broken = (
        draw(st.tuples(st.integers(0, lasting_ms), st.integers(0, 20_000)), label="broken")
        if faults.out_of_service
        else (0, 0)
    )
    fault_status = draw(st.sampled_from((0x8000, 0x4000, 0x2000, 0x0100, 0x0080, 0x0040, 0x0004, 0)))
    fault_state = draw(st.sampled_from((0, 1, 2, 9)))
    arrives_before = 0
    for i in range(count):
        sent_ms = i * period_ms
        byte = luck[i]
        if faults.loss and byte % 5 == 0:
            continue
        if outage[0] <= sent_ms < outage[0] + outage[1]:
            continue
        delay = least_ms + (byte * 3 if faults.jitter else 0)
        if faults.reordering and byte % 7 == 0:
            delay += 1_500
        arrives_ms = sent_ms + delay
        if not faults.reordering:
            arrives_ms = max(arrives_ms, arrives_before)
            arrives_before = arrives_ms
        telegram = make_telegram(program, sent_ms, arrives_ms)
        if broken[0] <= sent_ms < broken[0] + broken[1]:
            events = telegram.events if fault_status else ((fault_state, None, None, None), *telegram.events[1:])
            telegram = replace(telegram, status=fault_status, events=events)
        if faults.vague and byte % 3 == 0:
            telegram = replace(telegram, events=tuple((s, lo, None, hi) for s, lo, _, hi in telegram.events))
        yield telegram
