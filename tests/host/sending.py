# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller that speaks to a broker at regular intervals, as long as a context."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from brokers import publisher


@contextlib.contextmanager
def sending(port: int, topic: str, say: Callable[[int], bytes], every_ms: int = 200) -> Iterator[None]:
    """Publish `say(ms)` at each interval of real time, `ms` counting on by the intervals from 0."""
    stop = threading.Event()

    def send() -> None:
        with publisher(port) as client:
            ms = 0
            while not stop.is_set():
                client.publish(topic, say(ms), 0)
                ms += every_ms
                stop.wait(every_ms / 1000)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
