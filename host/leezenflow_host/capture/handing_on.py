# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handing recorded messages on as they come, so that a recorder is a bridge for units, too.

It never holds up the recording, and never sends what is old: a display that is told the past shows a wrong colour.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from leezenflow_host.capture.arrivals import Arrival
from leezenflow_host.capture.sources import public_name
from leezenflow_host.errors import LeezenflowError
from leezenflow_host.feeding import Feed, open_feed, parse_target

# Beyond this age a message is not sent any more: the least that evidence is allowed to be old (rule F1).
MAX_AGE_S = 2.0
_MAX_WAITING = 256
_TURN_S = 0.25
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
# A broker may take as long to say that it has everything.
_GOODBYE_S = 15.0


class Relay:
    """Sends what it is offered to `url` (see `feeding.open_feed`), in a thread of its own.

    `sent` and `missed` count messages; who is away is told of once by `say`, and looked for again for ever. A URL that
    cannot be sent to is an `InputError` here.
    """

    def __init__(self, url: str, secrets: dict[str, Any], say: Callable[[str], None]) -> None:
        parse_target(url)
        self.sent = 0
        self.missed = 0
        self._url = url
        self._name = public_name(url)
        self._secrets = secrets
        self._say = say
        self._waiting: deque[tuple[float, Arrival]] = deque()
        self._news = threading.Condition()
        self._begun = threading.Event()
        self._stopping = threading.Event()
        self._fault: Exception | None = None
        self._told = False
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        """Connect; `LeezenflowError` when nobody is there."""
        self._thread.start()
        self._begun.wait()
        if self._fault is not None:
            raise self._fault

    def offer(self, arrival: Arrival) -> None:
        """Send this as soon as possible, or not at all."""
        with self._news:
            if len(self._waiting) >= _MAX_WAITING:
                self._waiting.popleft()
                self.missed += 1
            self._waiting.append((time.monotonic(), arrival))
            self._news.notify()

    def close(self) -> None:
        """Send what is waiting and still young, then hang up."""
        self._stopping.set()
        with self._news:
            self._news.notify()
        if self._thread.is_alive():
            self._thread.join(_GOODBYE_S)

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                with open_feed(self._url, self._secrets) as feed:
                    if self._told:
                        self._say(f"handing on to {self._name} again")
                    self._told, pause_s = False, _FIRST_PAUSE_S
                    self._begun.set()
                    self._serve(feed)
            except LeezenflowError as error:
                if not self._begun.is_set():
                    self._fault = error
                    self._begun.set()
                    return
                if not self._told:
                    self._told = True
                    self._say(f"{error} Nothing is handed on until it is back; the recording goes on.")
                self._stopping.wait(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _serve(self, feed: Feed) -> None:
        while True:
            item = self._next()
            if not feed.is_connected:
                raise LeezenflowError(f"{self._name} is not there any more.")
            if item is None:
                if self._stopping.is_set():
                    return
                continue
            offered_s, arrival = item
            if time.monotonic() - offered_s > MAX_AGE_S:
                self.missed += 1
                continue
            feed.send(arrival.payload, arrival.topic)
            self.sent += 1

    def _next(self) -> tuple[float, Arrival] | None:
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._stopping.is_set(), _TURN_S)
            return self._waiting.popleft() if self._waiting else None
