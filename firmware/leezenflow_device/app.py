# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running unit: tasks that receive, render, report and watch around one Engine. A thin shell; it decides nothing.

Whatever fails anywhere ends `run` with its exception, and the composition root darkens the panel (rule F8).
"""

import asyncio
import gc
import time

from leezenflow.advice import KINDS
from leezenflow.errors import LeezenflowError
from leezenflow_device.commands import Commands

OPTIONS = {
    "fps": {"type": "int", "range": [1, 50], "default": 25, "help": "frames per second"},
    "watchdog_ms": {
        "type": "int",
        "range": [0, 8388],
        "default": 0,
        "help": "hardware watchdog: reset after so long without progress (it cannot be stopped again); 0: none",
    },
    "watchdog_grace_s": {
        "type": "int",
        "range": [10, 3600],
        "default": 60,
        "help": "time after each start in which a laptop can connect before the hardware watchdog is armed",
    },
}

# A task without progress for this long is stuck: the unit darkens and starts again. Transports beat every second.
STALL_MS = 4_000
# Health counts seconds and reports in between; reading sensors and a large report may hold it up for a while.
HEALTH_STALL_MS = 12_000
# The chip's watchdog is fed only while picture and transport made progress in this time, and health in its own.
FEED_MS = 2_000
_GUARD_MS = 500
# Messages cost some 2 kB each, frames nothing: collecting once a second keeps the heap of a Pico W half empty at
# 20 messages a second, and its 7 to 17 ms fit behind a frame.
_COLLECT_MS = 1_000


class App:
    """`engine` draws onto `canvas` (a frame is `engine.frame(ticks)`), `display` shows it, `transport` (or None) feeds.

    `health` has a coroutine `run(app)` that moves `beats` on, `watchdog` has `feed()`, `network`, `memory`, `light` and
    `status` (set afterwards) a coroutine `run()`; each may be None. `reporters` have a coroutine `run()`, too, and
    add to the health report by `report(values)`.
    `message_at` are the ticks at which the last message arrived (None: none yet), `latency_ms` how long it then took
    until it was worked through; `shown` counts the frames of each kind of advice since the last report.
    """

    def __init__(
        self,
        clock,
        engine,
        canvas,
        display,
        transport=None,
        fps=25,
        health=None,
        watchdog=None,
        network=None,
        memory=None,
    ):
        self.clock = clock
        self.engine = engine
        self.canvas = canvas
        self.display = display
        self.transport = transport
        self.network = network
        self.memory = memory
        self.light = None
        self.status = None
        self.trial = None  # what must prove a new release
        self.commands = Commands(self)
        self.leaving = None
        self.health = health
        self.unit_name = ""
        self.secrets = {}
        self.message_at = None
        self.latency_ms = None
        self.advice = None
        self.frames = 0
        self.late_frames = 0
        self.worst_draw_us = 0
        self.worst_step_us = 0
        self.worst_late_ms = 0
        self.shown = {kind: 0 for kind in KINDS}
        self.reporters = []
        self._draw_us = 0
        self._period_ms = 1000 // fps
        self._gate = None
        self._remote = None
        self._watchdog = watchdog
        self._collected_at = clock.ticks()
        # Only the virtual panel wants to know more than the picture.
        self._note_frame = getattr(display, "note_frame", None)
        self._recorder = display if getattr(display, "records", False) else None

    async def run(self):
        """Run until something fails."""
        tasks = [self._render(), self._watch(), self.commands.run()]
        if self.transport is not None:
            tasks.append(self._receive())
        if self.network is not None:
            tasks.append(self.network.run())
        if self.memory is not None:
            tasks.append(self.memory.run())
        if self.light is not None:
            tasks.append(self.light.run())
        for part in self.reporters:
            tasks.append(part.run())
        if self.status is not None:
            tasks.append(self.status.run())
        if self.trial is not None:
            tasks.append(self.trial.run(self))
        if self.health is not None:
            tasks.append(self.health.run(self))
        await asyncio.gather(*tasks)

    # What a transport calls.

    async def message(self, buffer, start, end, ticks):
        """Work through one message in bounded steps, with a turn for the picture between them; was it news?"""
        engine = self.engine
        recorder = self._recorder
        if recorder is not None:
            recorder.note_message(ticks, memoryview(buffer)[start:end])
        engine.begin_message(buffer, start, end, ticks)
        while True:
            began_us = time.ticks_us()
            news = engine.step_message()
            step_us = time.ticks_diff(time.ticks_us(), began_us)
            if step_us > self.worst_step_us:
                self.worst_step_us = step_us
            if news is not None:
                break
            await asyncio.sleep_ms(0)
        self.message_at = ticks
        self.latency_ms = self.clock.diff(self.clock.ticks(), ticks)
        if recorder is not None:
            recorder.note_done(ticks, news)
        return news

    def reconnected(self):
        """The transport was lost and is back (rule F9)."""
        if self._recorder is not None:
            self._recorder.note_reconnected(self.clock.ticks())
        self.engine.reconnected()

    async def command(self, buffer, start, end):
        """Take a command that came over the network; it is worked through apart, and answered when that is done."""
        if self._remote is not None and not self._remote.done():
            await self.transport.publish("answer", b'{"id":null,"ok":false,"error":"busy with another command"}')
            return
        self._remote = asyncio.create_task(self._command(bytes(memoryview(buffer)[start:end])))

    async def _command(self, message):
        try:
            if self._gate is None:
                from leezenflow_device.remote import Gate

                self._gate = Gate(self.commands, self.secrets, self.unit_name)
            answer = await self._gate.handle(message)
        except Exception as error:  # no stranger's message ends the unit
            answer = b'{"id":null,"ok":false,"error":"the unit cannot take commands"}'
            print("command:", error)
        await self.transport.publish("answer", answer)

    # The tasks.

    async def _receive(self):
        await self.transport.run(self)
        raise LeezenflowError("the transport came to an end")

    def render(self, ticks):
        """Draw and show the frame of `ticks`; allocates nothing in steady state."""
        began_us = time.ticks_us()
        advice = self.advice = self.engine.frame(ticks)
        if self._note_frame is not None:
            listening = self.transport is not None and self.transport.listening
            self._note_frame(ticks, advice, listening, self._draw_us)
        self.display.show(self.canvas)
        self.shown[advice.kind] += 1
        self._draw_us = draw_us = time.ticks_diff(time.ticks_us(), began_us)
        if draw_us > self.worst_draw_us:
            self.worst_draw_us = draw_us
        self.frames = (self.frames + 1) & 0x3FFFFFFF

    def begin_period(self):
        """Begin the worst times and the shares of advice anew, for the next report."""
        self.worst_draw_us = self.worst_step_us = self.worst_late_ms = 0
        for kind in self.shown:
            self.shown[kind] = 0

    async def _render(self):
        clock = self.clock
        period_ms = self._period_ms
        due = clock.ticks()
        while True:
            now = clock.ticks()
            late_ms = clock.diff(now, due)
            if late_ms < 0:
                await clock.sleep_ms(-late_ms)
                continue
            if late_ms > self.worst_late_ms:
                self.worst_late_ms = late_ms
            if late_ms >= period_ms:
                self.late_frames = (self.late_frames + late_ms // period_ms) & 0x3FFFFFFF
                due = clock.add(due, late_ms - late_ms % period_ms)
            self.render(now)
            due = clock.add(due, period_ms)
            self._collect(due)
            await asyncio.sleep_ms(0)

    def _collect(self, due):
        """Collect garbage where it disturbs least: right behind a frame, when half a period or more is left."""
        clock = self.clock
        now = clock.ticks()
        if clock.diff(now, self._collected_at) >= _COLLECT_MS and clock.diff(due, now) >= self._period_ms // 2:
            self._collected_at = now
            gc.collect()

    async def _watch(self):
        """Feed the watchdog while frames are drawn, transport and health live; otherwise end everything."""
        network = self.clock.network
        health = self.health
        frames = self.frames
        beats = health_beats = -1
        frame_at = beat_at = health_at = network.ticks()
        while True:
            await network.sleep_ms(_GUARD_MS)
            now = network.ticks()
            if frames != self.frames:
                frames = self.frames
                frame_at = now
            if self.transport is None or beats != self.transport.beats:
                beats = 0 if self.transport is None else self.transport.beats
                beat_at = now
            if health is None or health_beats != health.beats:
                health_beats = 0 if health is None else health.beats
                health_at = now
            if network.diff(now, frame_at) > STALL_MS:
                raise LeezenflowError("no frame was drawn for %d ms" % STALL_MS)
            if network.diff(now, beat_at) > STALL_MS:
                raise LeezenflowError("the transport did nothing for %d ms" % STALL_MS)
            if network.diff(now, health_at) > HEALTH_STALL_MS:
                raise LeezenflowError("health did nothing for %d ms" % HEALTH_STALL_MS)
            stale_ms = max(network.diff(now, frame_at), network.diff(now, beat_at))
            if self._watchdog is not None and stale_ms < FEED_MS:
                self._watchdog.feed()


class StillPicture:
    """In the engine's place: draws a look (or leaves the canvas as it is) without any messages or network."""

    def __init__(self, advice, canvas, look=None):
        self.advice = advice
        self.counters = {}
        self.fault = ""
        self._canvas = canvas
        self._look = look

    def frame(self, ticks):
        """Draw the frame of `ticks`."""
        if self._look is not None:
            self._look.draw(self.advice, self._canvas, ticks)
        return self.advice


def make_watchdog(options, clock):
    """Return the watchdog that the device options ask for, or None."""
    if not options["watchdog_ms"]:
        return None
    return Watchdog(options["watchdog_ms"], options["watchdog_grace_s"], clock.network)


class Watchdog:
    """The chip's watchdog, armed only after a grace period: once armed it outlives Ctrl-C and soft resets."""

    def __init__(self, timeout_ms, grace_s, clock):
        self._timeout_ms = timeout_ms
        self._grace_ms = grace_s * 1000
        self._clock = clock
        self._began_at = clock.ticks()
        self._armed = None

    def feed(self):
        """Tell the chip that all is well; the first call after the grace period arms it."""
        if self._armed is None:
            if self._clock.diff(self._clock.ticks(), self._began_at) < self._grace_ms:
                return
            from machine import WDT

            self._armed = WDT(timeout=self._timeout_ms)
        self._armed.feed()
