# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running Linux unit: messages to the engine, frames to the display at a fixed rate, and a sign of life.

It decides nothing about riders; whatever fails ends `run` with its exception, after the panel went dark (rule F8).
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from leezenflow.advice import KINDS, Advice
from leezenflow.canvas import Canvas
from leezenflow.timemark import HOUR_MS
from leezenflow_host.capture.arrivals import Arrival
from leezenflow_host.errors import LeezenflowError
from leezenflow_host.linux_unit import clocks
from leezenflow_host.linux_unit.dimming import Dimming
from leezenflow_host.linux_unit.memory import UnitMemory
from leezenflow_host.linux_unit.notifier import Notifier
from leezenflow_host.linux_unit.receiver import Receiver, Reconnected

# The service manager is told that we live only while a frame was drawn in this time ...
ALIVE_MS = 2_000
# ... and the receiver's thread went round in this: a look-up of a name may take so long where the network is down.
RECEIVER_STALL_MS = 60_000
_CHORE_MS = 1_000
_CLOCK_CHECK_MS = 60_000


class Display(Protocol):
    """What shows the picture (leezenflow_host.displays); `note_frame` and `set_brightness` are optional."""

    def show(self, canvas: Canvas) -> None:
        """Show it."""

    def deinit(self) -> None:
        """Make the panel dark."""


class StillPicture:
    """In the engine's place: draws a look without any messages."""

    def __init__(self, canvas: Canvas, look: Any) -> None:
        self.advice = Advice()
        self.counters: dict[str, int] = {}
        self.fault = ""
        self._canvas = canvas
        self._look = look

    def frame(self, ticks: int) -> Advice:
        """Draw the frame of `ticks`."""
        self._look.draw(self.advice, self._canvas, ticks)
        return self.advice


class LinuxUnit:
    """`engine` draws onto `canvas`, `display` shows it `fps` times a second, `receiver` (or None) feeds.

    `report` is called each `health_s` seconds with the unit and gives its health. `clock` (monotonic ms), `wall_ms`
    (Unix ms) and `is_synchronised` are replaced by tests only.
    """

    def __init__(
        self,
        engine: Any,
        canvas: Canvas,
        display: Display,
        receiver: Receiver | None,
        *,
        fps: int = 25,
        memory: UnitMemory | None = None,
        dimming: Dimming | None = None,
        notifier: Notifier | None = None,
        report: Callable[["LinuxUnit"], dict[str, Any]] | None = None,
        health_s: int = 60,
        say: Callable[[str], None] = print,
        clock: Callable[[], int] = clocks.monotonic_ms,
        wall_ms: Callable[[], int] = clocks.unix_ms,
        is_synchronised: Callable[[], bool] = clocks.is_synchronised,
    ) -> None:
        self.engine = engine
        self.canvas = canvas
        self.display = display
        self.receiver = receiver
        self.dimming = dimming
        self.memory = memory
        self.advice: Advice = engine.advice
        self.frames = 0
        self.late_frames = 0
        self.worst_draw_us = 0
        self.worst_message_us = 0
        self.message_at_ms: int | None = None
        self.latency_ms: int | None = None
        self.shown = _no_frames()
        self.synchronised = False
        self.fps = fps
        self._notifier = notifier or Notifier({})
        self._report = report
        self._health_ms = health_s * 1000
        self._say = say
        self._clock = clock
        self._wall_ms = wall_ms
        self._is_synchronised = is_synchronised
        self.began_ms = clock()
        self.frame_at_ms = self.began_ms
        self._note_frame = getattr(display, "note_frame", None)
        self._draw_us = 0

    @property
    def message_age_ms(self) -> int | None:
        """How long ago the last message came, None before the first."""
        return None if self.message_at_ms is None else self._clock() - self.message_at_ms

    @property
    def uptime_s(self) -> int:
        """Seconds since the unit was made."""
        return (self._clock() - self.began_ms) // 1000

    def run(self, stop: threading.Event) -> None:
        """Run until `stop` is set or something fails; the panel is dark afterwards in any case."""
        try:
            if self.receiver is not None:
                self.receiver.start()
            self._check_clock()
            self._run(stop)
            self._notifier.ending()
        finally:
            try:
                self.display.deinit()
            finally:
                if self.receiver is not None:
                    self.receiver.stop()
                if self.memory is not None:
                    self.memory.save()

    def _run(self, stop: threading.Event) -> None:
        began_ms = due_ms = self._clock()
        frame = 0
        chore_ms = clock_ms = began_ms
        health_ms = began_ms + self._health_ms
        while not stop.is_set():
            now_ms = self._clock()
            if now_ms < due_ms:
                self._wait((due_ms - now_ms) / 1000, stop)
                continue
            late = (now_ms - due_ms) * self.fps // 1000
            self.late_frames += late
            self.render(now_ms)
            if frame == 0:
                self._notifier.ready(f"{self.advice.kind}")
            frame += 1 + late
            due_ms = began_ms + frame * 1000 // self.fps
            if now_ms >= chore_ms:
                chore_ms = now_ms + _CHORE_MS
                self._do_chores(now_ms)
            if now_ms >= clock_ms + _CLOCK_CHECK_MS:
                clock_ms = now_ms
                self._check_clock()
            if now_ms >= health_ms:
                health_ms = now_ms + self._health_ms
                self.tell_health()

    def render(self, now_ms: int) -> None:
        """Draw and show one frame."""
        began = time.perf_counter_ns()
        ticks = clocks.ticks_of(now_ms)
        self.advice = self.engine.frame(ticks)
        if self._note_frame is not None:
            listening = self.receiver is not None and self.receiver.listening
            self._note_frame(ticks, self.advice, listening, self._draw_us)
        self.display.show(self.canvas)
        self.shown[self.advice.kind] += 1
        self._draw_us = (time.perf_counter_ns() - began) // 1000
        self.worst_draw_us = max(self.worst_draw_us, self._draw_us)
        self.frames += 1
        self.frame_at_ms = self._clock()

    def tell_health(self) -> None:
        """One report: a line in the journal, and to the broker; the worst times begin anew."""
        if self._report is None:
            return
        line = json.dumps(self._report(self), separators=(",", ":"))
        self.worst_draw_us = self.worst_message_us = 0
        self.shown = _no_frames()
        self._say("health " + line)
        if self.receiver is not None:
            self.receiver.publish("health", line.encode())

    def _wait(self, wait_s: float, stop: threading.Event) -> None:
        """Until the next frame is due: take what comes."""
        if self.receiver is None:
            stop.wait(wait_s)
            return
        item = self.receiver.take(wait_s)
        if isinstance(item, Reconnected):
            self.engine.reconnected()
        elif item is not None:
            self._take(item)

    def _take(self, arrival: Arrival) -> None:
        began = time.perf_counter_ns()
        ticks = clocks.ticks_of(arrival.at_ms)
        if self.synchronised:
            unix_at_ms = self._wall_ms() - (self._clock() - arrival.at_ms)
            self.engine.set_utc(ticks, unix_at_ms % HOUR_MS)
        self.engine.message(arrival.payload, 0, len(arrival.payload), ticks)
        self.message_at_ms = arrival.at_ms
        self.latency_ms = self._clock() - arrival.at_ms
        self.worst_message_us = max(self.worst_message_us, (time.perf_counter_ns() - began) // 1000)

    def _check_clock(self) -> None:
        self.synchronised = self._is_synchronised()

    def _do_chores(self, now_ms: int) -> None:
        """Once a second: brightness, memory, the sign of life."""
        if self.dimming is not None:
            self.dimming.step()
        if self.memory is not None:
            self.memory.save_if_due(now_ms)
        if self.receiver is not None and now_ms - self.receiver.progress_at_ms > RECEIVER_STALL_MS:
            raise LeezenflowError(f"the receiver did nothing for {RECEIVER_STALL_MS // 1000} s")
        if self._clock() - self.frame_at_ms < ALIVE_MS:
            self._notifier.alive()


def _no_frames() -> dict[str, int]:
    """Frames of each kind of advice, none yet."""
    return dict.fromkeys(KINDS, 0)


class Guard:
    """Ends the process when no frame has been drawn for `patience_s`: a picture that stands still is a lie (rule F8).

    The display is asked to go dark first, for a second at most, since it may be what hangs. `end` is for tests.
    """

    def __init__(self, unit: LinuxUnit, patience_s: float, end: Callable[[], None], say: Callable[[str], None]) -> None:
        self._unit = unit
        self._patience_ms = round(patience_s * 1000)
        self._end = end
        self._say = say
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="guard", daemon=True)

    def __enter__(self) -> "Guard":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(0.25):
            if clocks.monotonic_ms() - self._unit.frame_at_ms > self._patience_ms:
                self._say(f"no frame was drawn for {self._patience_ms / 1000:g} s: ending")
                darkening = threading.Thread(target=self._unit.display.deinit, daemon=True)
                darkening.start()
                darkening.join(1)
                self._end()
                return
