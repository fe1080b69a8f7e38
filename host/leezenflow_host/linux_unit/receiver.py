# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receives a unit's messages in a thread of its own: nothing that a network does may hold up the picture."""

import random
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from leezenflow_host.capture.arrivals import Arrival, SourceLostError
from leezenflow_host.errors import LeezenflowError
from leezenflow_host.linux_unit.clocks import monotonic_ms
from leezenflow_host.linux_unit.feeds import Feed

_TURN_S = 0.25
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
# A connection that held this long was a good one: the next attempt begins with the short pause again.
_GOOD_SESSION_MS = 10_000
# Messages that wait because the picture comes first; more means that we cannot keep up, and evidence starts anew.
_BACKLOG = 256


class Reconnected:
    """The feed is (back) in contact: what comes first may be old (rule F9)."""


RECONNECTED: Final = Reconnected()


class Receiver:
    """Hands on what `feed` brings, for ever; a lost feed is looked for again at growing, jittered intervals.

    `listening` says whether messages could arrive now, `fault` what was wrong last, `progress_at_ms` (monotonic) when
    the thread last showed that it lives; `say` is told each new trouble once.
    """

    def __init__(self, feed: Feed, say: Callable[[str], None]) -> None:
        self.feed = feed
        self.listening = False
        self.fault = ""
        self.progress_at_ms = monotonic_ms()
        self.error: BaseException | None = None
        self._say = say
        self._told = ""
        self._items: deque[Arrival | Reconnected] = deque()
        self._news = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="receiver", daemon=True)

    def start(self) -> None:
        """Begin to receive."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye to the feed; returns when that is done, or takes too long to matter."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def take(self, timeout_s: float) -> Arrival | Reconnected | None:
        """The next that came, None when nothing has within `timeout_s`; what broke the thread is raised."""
        with self._news:
            self._news.wait_for(lambda: self._items or self.error, timeout_s)
            if self._items:
                return self._items.popleft()
            if self.error is not None:
                raise self.error
            return None

    def publish(self, word: str, payload: bytes, retained: bool = False) -> None:
        """Have the feed publish this, if it can."""
        self.feed.published.append((word, payload, retained))

    def _run(self) -> None:
        try:
            self._receive_for_ever()
        except BaseException as error:
            with self._news:
                self.error = error
                self._news.notify_all()
        finally:
            self.listening = False

    def _receive_for_ever(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            began_ms = monotonic_ms()
            try:
                self._serve()
            except (SourceLostError, LeezenflowError, OSError) as error:
                if monotonic_ms() - began_ms >= _GOOD_SESSION_MS:
                    pause_s = _FIRST_PAUSE_S
                    self._told = ""
                self._note(str(error))
            finally:
                if self.listening and "losses" in self.feed.counters:
                    self.feed.counters["losses"] += 1
                self.listening = False
                self.feed.close()
            until_ms = monotonic_ms() + round(1000 * pause_s * random.uniform(0.5, 1))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            while monotonic_ms() < until_ms and not self._stopping.wait(_TURN_S):
                self.progress_at_ms = monotonic_ms()

    def _serve(self) -> None:
        """Hold one connection from its opening to its loss, which is an exception, or until `stop`."""
        self.feed.open()
        self._put(RECONNECTED)
        self.listening = True
        self.fault = ""
        while not self._stopping.is_set():
            for arrival in self.feed.receive(_TURN_S):
                self._put(arrival)
            self.progress_at_ms = monotonic_ms()

    def _put(self, item: Arrival | Reconnected) -> None:
        with self._news:
            if len(self._items) >= _BACKLOG:
                self._items.clear()
                self._items.append(RECONNECTED)
            self._items.append(item)
            self._news.notify_all()

    def _note(self, fault: str) -> None:
        self.fault = fault
        if fault != self._told:
            self._told = fault
            self._say(f"{fault}; trying again")
