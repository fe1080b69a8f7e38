# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop of a recording: takes what arrives, leaves out what may not be kept, survives losses of the source."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from leezenflow_host.capture.arrivals import Arrival, MessageSource, SourceLostError, VisitedSource, unix_ms
from leezenflow_host.capture.output import BudgetSpentError, Output
from leezenflow_host.capture.personal_data import personal_kind
from leezenflow_host.capture.status import Status
from leezenflow_host.decoding.detect import detect
from leezenflow_host.errors import LeezenflowError

# What is on its way when we are asked to end is taken along, but a busy source must not keep us.
_DRAIN_BATCHES = 40
_TURN_S = 0.25
# After a power cut at most this much is missing; more often would wear out memory cards.
_SYNC_S = 10.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_SILENCE_S = 15.0
# MAPEM is sent beside SPATEM, and read by the adapter of the same encoding.
_ADAPTERS = {"mapem_uper": "spatem_uper"}


@dataclass
class Summary:
    """What a recording came to; `left_out` counts by reason, `ended` says why it is over."""

    messages: int = 0
    payload_bytes: int = 0
    losses: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    ended: str = ""
    last_at_s: float | None = None


class Recorder:
    """Records from `source` into `output` until `stop` is set, `seconds` are over or `count` messages are written.

    `source` and `summary` may be looked at; `hand_on` is given each message that was written. `monotonic` and `pause`
    are the clock and the sleep of everything but the arrivals, which bring their own time.
    """

    def __init__(
        self,
        source: MessageSource,
        output: Output,
        status: Status,
        stop: threading.Event,
        count: int | None = None,
        seconds: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] | None = None,
        hand_on: Callable[[Arrival], object] | None = None,
    ) -> None:
        self.summary = Summary()
        self.source = source
        self._output = output
        self._status = status
        self._stop = stop
        self._count = count
        self._seconds = seconds
        self._monotonic = monotonic
        # A signal sets the event, but does not wake a wait of the main thread on every system: wait in short pieces.
        self._pause = pause or (lambda wait_s: stop.wait(min(wait_s, _TURN_S)))
        self._hand_on = hand_on
        self._told_silence = False
        self._told_unknown = False
        if isinstance(source, VisitedSource):
            source.say = status.say

    def run(self) -> Summary:
        """Record; `LeezenflowError` for what cannot be survived, `SourceLostError` if nobody was there at all."""
        self._output.check(unix_ms())
        self.source.open()
        self._status.say("listening")
        started = synced = self._monotonic()
        try:
            while not self._ended(started):
                try:
                    self._take(self.source.receive(self._turn_s(started)))
                except SourceLostError as error:
                    self._reconnect(error, started)
                now = self._monotonic()
                self._warn_of_silence(now - started)
                self._status.show(self.summary, self._output.size, now)
                if now - synced >= _SYNC_S:
                    self._output.sync()
                    synced = now
            self._drain()
        except BudgetSpentError as error:
            self.summary.ended = str(error)
        finally:
            self.source.close()
            self._output.close()
            self._note_skipped()
        return self.summary

    def _ended(self, started: float) -> bool:
        if self._stop.is_set():
            self.summary.ended = "asked to end"
        elif self._seconds is not None and self._monotonic() - started >= self._seconds:
            self.summary.ended = f"{self._seconds:g} s are over"
        elif self._full():
            self.summary.ended = f"{self._count} messages are recorded"
        return bool(self.summary.ended)

    def _full(self) -> bool:
        return self._count is not None and self.summary.messages >= self._count

    def _turn_s(self, started: float) -> float:
        if self._seconds is None:
            return _TURN_S
        return max(0.001, min(_TURN_S, started + self._seconds - self._monotonic()))

    def _take(self, arrivals: list[Arrival]) -> None:
        for arrival in arrivals:
            if self._full():
                return
            reason = "retained" if arrival.retained else personal_kind(arrival.payload)
            if reason:
                self.summary.left_out[reason] += 1
                continue
            if self._output.adapter is None:
                self._output.adapter = self._find_adapter(arrival.payload)
            # Counted first: at the limit of the disk budget the last message is in the file, too.
            self.summary.messages += 1
            self.summary.payload_bytes += len(arrival.payload)
            self.summary.last_at_s = self._monotonic()
            self._output.write(arrival)
            if self._hand_on is not None:
                self._hand_on(arrival)

    def _drain(self) -> None:
        try:
            for _ in range(_DRAIN_BATCHES):
                arrivals = self.source.receive(0)
                if not arrivals:
                    return
                self._take(arrivals)
        except SourceLostError:
            pass

    def _reconnect(self, lost: SourceLostError, started: float) -> None:
        self.summary.losses += 1
        lost_at = self._monotonic()
        self._status.say(f"{lost}; trying to get back")
        pause_s = _FIRST_PAUSE_S
        told: Exception = lost
        while not self._ended(started):
            until = self._monotonic() + pause_s
            while self._monotonic() < until and not self._ended(started):
                self._pause(until - self._monotonic())
                self._status.show(self.summary, self._output.size, self._monotonic())
            if self._ended(started):
                return
            try:
                self.source.open()
            except (SourceLostError, LeezenflowError) as error:
                # A broker that lets us in no more is told of, too, but may yet change its mind.
                if type(error) is not type(told):
                    self._status.say(str(error))
                told = error
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                continue
            self._status.say(f"back after {self._monotonic() - lost_at:.0f} s")
            return

    def _find_adapter(self, payload: bytes) -> str | None:
        _, decoder = detect(payload)
        if decoder is not None:
            name = decoder.__name__.rpartition(".")[2]
            name = _ADAPTERS.get(name, name)
            self._status.say(f"the adapter is {name}, by the first message")
            return name
        if not self._told_unknown:
            self._told_unknown = True
            self._status.say("no adapter knows these messages; they are recorded all the same (--adapter names one)")
        return None

    def _warn_of_silence(self, running_s: float) -> None:
        if not self._told_silence and not self.summary.messages and running_s >= _SILENCE_S:
            self._told_silence = True
            self._status.say(f"nothing has arrived for {_SILENCE_S:.0f} s. {self.source.hint}")

    def _note_skipped(self) -> None:
        if isinstance(self.source, VisitedSource):
            self.summary.losses += self.source.losses
        for reason in ("oversized", "damaged"):
            number = getattr(self.source, reason)
            if number:
                self.summary.left_out[reason] = number
