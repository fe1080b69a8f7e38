# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signal messages from an MQTT broker, and what a unit tells it: `mqtt://` or, over TLS, `mqtts://`.

A retained message is old by definition and never handed on (rule F9). Every connection is a new session, so that
nothing is delivered that waited for us.
"""

import contextlib
import time
from collections import deque
from typing import Any

from paho.mqtt import client as mqtt

from leezenflow.source_url import Source
from leezenflow_host.capture.arrivals import BATCH, Arrival, Clock, SourceLostError
from leezenflow_host.errors import InputError
from leezenflow_host.mqtt_client import explain_failure, find_broker

# What a broker has not answered by then, it will not.
ANSWER_S = 8.0
_CONNECT_S = 5.0
# So much waits for a broker that is away; a health report more makes the oldest go.
_PUBLISH_QUEUE = 8


class BrokerError(SourceLostError):
    """Why a broker does not serve us; `kind` is one of "name", "unreachable", "tls", "silent", "refused", "left"."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


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
        self._broker = find_broker(source, options, secrets)
        self.address = self._broker.address
        self.filter = source.path
        self._qos: int = options["qos"]
        self._keepalive_s: int = options["keepalive_s"]
        self._message_bytes: int = options["message_bytes"]
        self._client_id: str = options.get("client_id", "")
        self._unit_topic: str = options.get("unit_topic", "")
        self._clock = clock
        self._client: mqtt.Client | None = None
        self._arrived: list[Arrival] = []
        self._takes_retained = retained
        self._subscribed = False
        self._refusal = ""

    def open(self) -> None:
        """Connect and subscribe; `BrokerError` with its kind."""
        self.close()
        self._subscribed, self._refusal = False, ""
        client = self._broker.make_client(self._client_id)
        client.connect_timeout = _CONNECT_S
        if self._unit_topic:
            client.will_set(f"{self._unit_topic}/status", b"offline", 0, retain=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        try:
            client.connect(self._broker.host, self._broker.port, self._keepalive_s)
        except (OSError, ValueError) as error:
            raise BrokerError(*explain_failure(error, self._broker)) from error
        self._client = client
        deadline = time.monotonic() + ANSWER_S
        while not self._subscribed:
            try:
                self._turn(0.1)
            except BrokerError as error:
                raise BrokerError("silent", f"what listens at {self.address} does not talk MQTT with us") from error
            if self._refusal:
                raise BrokerError("refused", f"the broker at {self.address} refuses {self._refusal}")
            if time.monotonic() > deadline:
                raise BrokerError("silent", f"what listens at {self.address} does not answer as an MQTT broker does")
        self.counters["connects"] += 1
        if self._unit_topic:
            client.publish(f"{self._unit_topic}/status", b"online", 0, retain=True)

    def receive(self, timeout_s: float) -> list[Arrival]:
        """Messages that came within `timeout_s`; also publishes what waits."""
        self._publish()
        self._turn(timeout_s)
        # A turn takes one packet from the socket.
        taken = -1
        while taken < len(self._arrived) < BATCH:
            taken = len(self._arrived)
            if taken:
                self._turn(0)
        arrived, self._arrived = self._arrived, []
        return arrived

    def close(self) -> None:
        """Say goodbye, and disconnect."""
        client, self._client = self._client, None
        if client is None:
            return
        with contextlib.suppress(OSError, ValueError):
            if self._unit_topic and self._subscribed:
                client.publish(f"{self._unit_topic}/status", b"offline", 0, retain=True)
            client.disconnect()

    def _publish(self) -> None:
        while self._unit_topic and self._client is not None and self.published:
            word, payload, retained = self.published.popleft()
            self._client.publish(f"{self._unit_topic}/{word}", payload, 0, retain=retained)

    def _turn(self, timeout_s: float) -> None:
        if self._client is None:
            raise BrokerError("left", "not connected")
        code = self._client.loop(timeout_s)
        # What came before the end is still handed over; the next turn tells of the loss.
        if code != mqtt.MQTT_ERR_SUCCESS and not self._refusal and not self._arrived:
            raise BrokerError("left", f"the MQTT broker at {self.address} left ({mqtt.error_string(code)})")

    def _on_connect(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._refusal = f"the connection: {reason}"
        else:
            client.subscribe(self.filter, self._qos)

    def _on_subscribe(self, client: mqtt.Client, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refusal = f"the subscription to {self.filter}"
        self._subscribed = True

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        if message.retain:
            self.counters["retained"] += 1
            if not self._takes_retained:
                return
        if len(message.payload) > self._message_bytes:
            self.counters["oversize"] += 1
            return
        self.counters["messages"] += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self._arrived.append(Arrival(self._clock(), topic, bytes(message.payload), message.retain))
