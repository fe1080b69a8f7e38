# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a Linux unit's messages come from: the same `source` of a site as on boards, received by this computer."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from leezenflow.board import Site
from leezenflow.source_url import Source, parse_source, typed_options
from leezenflow_host.capture.arrivals import Arrival, SourceLostError
from leezenflow_host.capture.stream_sources import SerialSource
from leezenflow_host.capture.udp_source import UdpSource
from leezenflow_host.drivers import driver_options
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.linux_unit.clocks import is_synchronised, monotonic_ms, unix_ms
from leezenflow_host.linux_unit.mqtt_feed import MqttFeed

Clock = Callable[[], int]


class Feed(Protocol):
    """Somewhere a unit's messages come from; used by one thread.

    `counters` and `fault` are for the health report; `published` is what the unit wants to tell (word, payload,
    retained), filled by another thread.
    """

    counters: dict[str, int]
    published: deque[tuple[str, bytes, bool]]

    def open(self) -> None:
        """Connect, again after a loss; `SourceLostError` or `LeezenflowError` say why not."""

    def receive(self, timeout_s: float) -> list[Arrival]:
        """Messages that came within `timeout_s`; `SourceLostError` when the source has gone."""
        ...

    def close(self) -> None:
        """Let go of it; may be called twice."""


class _CapturedFeed:
    """A source of `leezenflow capture` (datagrams, a serial line) with a unit's bounds and counters."""

    def __init__(self, source: UdpSource | SerialSource, message_bytes: int) -> None:
        self.counters = {"messages": 0, "oversize": 0}
        self.published: deque[tuple[str, bytes, bool]] = deque(maxlen=1)
        self._source = source
        self._message_bytes = message_bytes

    def open(self) -> None:
        self._source.open()

    def receive(self, timeout_s: float) -> list[Arrival]:
        arrivals = []
        self.published.clear()  # these ways go in one direction
        for arrival in self._source.receive(timeout_s):
            if len(arrival.payload) > self._message_bytes:
                self.counters["oversize"] += 1
            else:
                self.counters["messages"] += 1
                arrivals.append(arrival)
        return arrivals

    def close(self) -> None:
        self._source.close()


class ClockFeed:
    """A tick each second for the adapter `fixed_time`; the clock is the system's, which a time server has to set.

    A tick is "year minute-of-year ms age-in-seconds", age "-" while nobody has set the clock.
    """

    def __init__(self, clock: Clock, wall_ms: Clock = unix_ms, is_set: Callable[[], bool] = is_synchronised) -> None:
        self.counters = {"messages": 0}
        self.published: deque[tuple[str, bytes, bool]] = deque(maxlen=1)
        self._clock = clock
        self._wall_ms = wall_ms
        self._is_set = is_set
        self._due_ms = 0

    def open(self) -> None:
        self._due_ms = 0

    def receive(self, timeout_s: float) -> list[Arrival]:
        now_ms = self._wall_ms()
        wait_ms = self._due_ms - now_ms
        # A clock that was set back makes no pause: a tick is due each second at most.
        if 0 < wait_ms <= 1000:
            time.sleep(min(timeout_s, wait_ms / 1000))
            now_ms = self._wall_ms()
            if 0 < self._due_ms - now_ms <= 1000:
                return []
        self.published.clear()
        self._due_ms = now_ms - now_ms % 1000 + 1000
        moment = time.gmtime(now_ms / 1000)
        moy = ((moment.tm_yday - 1) * 24 + moment.tm_hour) * 60 + moment.tm_min
        tick = f"{moment.tm_year} {moy} {now_ms % 60_000} {'0' if self._is_set() else '-'}"
        self.counters["messages"] += 1
        return [Arrival(self._clock(), "", tick.encode())]

    def close(self) -> None:
        """There is nothing to let go of."""


def make_feed(site: Site, secrets: dict[str, Any], clock: Clock = monotonic_ms) -> Feed:
    """The feed that a site's `source` names, not opened yet; `InputError` when a Linux unit has no such thing.

    Arrivals carry `clock`'s milliseconds.
    """
    if site.source is None:
        raise InputError('[signal] source is missing: give a URL such as "mqtt://broker:1883/topic"')
    try:
        source = parse_source(site.source)
        make = _FEEDS.get(source.scheme)
        if make is None:
            raise InputError(f"{source.scheme}:// does not reach a Linux unit; there are {', '.join(_FEEDS)}")
        return make(source, secrets, clock)
    except LeezenflowError as error:
        raise InputError(f"[signal] source: {error}") from error


def transport_options(source: Source) -> dict[str, Any]:
    """The options of a source with their types, as the device's transport of that name declares them."""
    return typed_options(driver_options("transport", source.scheme), source.options, source.scheme)


def _mqtt(source: Source, secrets: dict[str, Any], clock: Clock) -> Feed:
    return MqttFeed(source, transport_options(source), secrets, clock)


def _udp(source: Source, secrets: dict[str, Any], clock: Clock) -> Feed:
    options = transport_options(source)
    plain = Source("udp", "", source.host, source.port, "", {"from": options["from"]} if options["from"] else {})
    return _CapturedFeed(UdpSource(plain, {}, clock), options["message_bytes"])


def _uart(source: Source, secrets: dict[str, Any], clock: Clock) -> Feed:
    options = transport_options(source)
    if not source.path:
        raise InputError("a Linux unit has no numbered UARTs; write uart:///dev/ttyAMA0?baud=115200")
    plain = Source("serial", "", "", None, source.path, {"baud": str(options["baud"])})
    return _CapturedFeed(SerialSource(plain, {}, clock), options["message_bytes"])


def _clock(source: Source, secrets: dict[str, Any], clock: Clock) -> Feed:
    return ClockFeed(clock)


_FEEDS: dict[str, Callable[[Source, dict[str, Any], Clock], Feed]] = {
    "mqtt": _mqtt,
    "mqtts": _mqtt,
    "udp": _udp,
    "uart": _uart,
    "clock": _clock,
}

__all__ = ["ClockFeed", "Feed", "SourceLostError", "make_feed", "transport_options"]
