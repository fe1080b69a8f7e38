# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signal messages from an MQTT broker, and what a unit tells it: `mqtt://` or, over TLS, `mqtts://`.

A retained message is old by definition and never handed on (rule F9).
"""

import contextlib
from collections import deque
from typing import Any

from paho.mqtt import client as mqtt

from leezenflow.source_url import Source
from leezenflow_host.capture.arrivals import Arrival, Clock
from leezenflow_host.errors import InputError
from leezenflow_host.mqtt_client import find_broker
from leezenflow_host.mqtt_subscription import Subscription

# What a broker has not answered by then, it will not.
ANSWER_S = 8.0
# So much waits for a broker that is away; a health report more makes the oldest go.
_PUBLISH_QUEUE = 8


class MqttFeed:
    """One subscription on one broker (see `feeds.Feed`); `clock` gives the instants of arrivals.

    With the option `unit_topic` it keeps <unit_topic>/status at "online" (retained), with "offline" as its last will,
    and publishes under that topic what stands in `published`. With `retained` what the broker kept is handed on, too.
    """

    def __init__(
        self,
        source: Source,
        options: dict[str, Any],
        secrets: dict[str, Any],
        clock: Clock,
        *,
        retained: bool = False,
    ) -> None:
        if not source.host:
            raise InputError("the URL names no broker; write mqtt://broker/topic")
        if not source.path:
            raise InputError("the URL names no topic; write mqtt://broker/topic")
        self.counters = {"connects": 0, "losses": 0, "messages": 0, "retained": 0, "oversize": 0}
        self.published: deque[tuple[str, bytes, bool]] = deque(maxlen=_PUBLISH_QUEUE)
        self._message_bytes: int = options["message_bytes"]
        self._unit_topic: str = options.get("unit_topic", "")
        self._clock = clock
        self._takes_retained = retained
        self.filter = source.path
        self._subscription = Subscription(
            find_broker(source, options, secrets),
            self.filter,
            options["qos"],
            options["keepalive_s"],
            self._take,
            client_id=options.get("client_id", ""),
            will=(f"{self._unit_topic}/status", b"offline") if self._unit_topic else None,
        )

    def open(self) -> None:
        """Connect and subscribe; `BrokerError` with its kind."""
        self.close()
        self._subscription.open(ANSWER_S)
        self.counters["connects"] += 1
        self._publish("status", b"online", True)

    def receive(self, timeout_s: float) -> list[Arrival]:
        """Messages that came within `timeout_s`; also publishes what waits."""
        while self._unit_topic and self._subscription.is_open and self.published:
            self._publish(*self.published.popleft())
        return self._subscription.receive(timeout_s)

    def close(self) -> None:
        """Say goodbye, and disconnect."""
        if self._subscription.is_confirmed:
            with contextlib.suppress(OSError, ValueError):
                self._publish("status", b"offline", True)
        self._subscription.close()

    def _publish(self, word: str, payload: bytes, retain: bool) -> None:
        if self._unit_topic:
            self._subscription.publish(f"{self._unit_topic}/{word}", payload, retain=retain)

    def _take(self, message: mqtt.MQTTMessage) -> Arrival | None:
        if message.retain:
            self.counters["retained"] += 1
            if not self._takes_retained:
                return None
        if len(message.payload) > self._message_bytes:
            self.counters["oversize"] += 1
            return None
        self.counters["messages"] += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        return Arrival(self._clock(), topic, bytes(message.payload), message.retain)
