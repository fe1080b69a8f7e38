# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One subscription on an MQTT broker, turned by whoever listens: no thread of its own, and every loss an exception."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from paho.mqtt import client as mqtt

from leezenflow_host.capture.arrivals import BATCH, Arrival, SourceLostError
from leezenflow_host.mqtt_client import Broker, explain_failure

_CONNECT_S = 5.0


class BrokerError(SourceLostError):
    """Why a broker does not serve us; `kind` is one of "name", "unreachable", "tls", "silent", "refused", "left".

    `reason` is what a broker that refuses gives as such.
    """

    def __init__(self, kind: str, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.kind = kind
        self.reason = reason


class Subscription:
    """A topic filter on a broker; `take` makes an arrival of each message, or None to leave it out.

    Every connection is a new session, so that nothing is delivered that waited for us. `will` is a topic and what the
    broker publishes there (retained) when we are lost; `more` are further topic filters.
    """

    def __init__(
        self,
        broker: Broker,
        topic: str,
        qos: int,
        keepalive_s: int,
        take: Callable[[mqtt.MQTTMessage], Arrival | None],
        *,
        client_id: str = "",
        will: tuple[str, bytes] | None = None,
        more: tuple[str, ...] = (),
    ) -> None:
        self.broker = broker
        self.topic = topic
        self.is_confirmed = False
        self._qos = qos
        self._keepalive_s = keepalive_s
        self._take = take
        self._client_id = client_id
        self._will = will
        self._more = more
        self._client: mqtt.Client | None = None
        self._arrived: list[Arrival] = []
        self._refusal: BrokerError | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as we know."""
        return self._client is not None

    def open(self, answer_s: float) -> None:
        """Connect and subscribe, and wait for the broker's confirmation; `BrokerError` with its kind."""
        self.close()
        self.is_confirmed, self._refusal = False, None
        client = self.broker.make_client(self._client_id)
        client.connect_timeout = _CONNECT_S
        if self._will is not None:
            client.will_set(*self._will, 0, retain=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        try:
            client.connect(self.broker.host, self.broker.port, self._keepalive_s)
        except (OSError, ValueError) as error:
            raise BrokerError(*explain_failure(error, self.broker)) from error
        self._client = client
        listener = f"what listens at {self.broker.address}"
        deadline = time.monotonic() + answer_s
        while not self.is_confirmed:
            try:
                self._turn(0.1)
            except BrokerError as error:
                raise BrokerError("silent", f"{listener} does not talk MQTT with us") from error
            if self._refusal is not None:
                raise self._refusal
            if time.monotonic() > deadline:
                raise BrokerError("silent", f"{listener} does not answer as an MQTT broker does")

    def receive(self, timeout_s: float) -> list[Arrival]:
        """Messages that came within `timeout_s`; `BrokerError` when the broker has left."""
        self._turn(timeout_s)
        # A turn takes one packet from the socket.
        taken = -1
        while taken < len(self._arrived) < BATCH:
            taken = len(self._arrived)
            if taken:
                self._turn(0)
        arrived, self._arrived = self._arrived, []
        return arrived

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 0; without a connection, nothing happens."""
        if self._client is not None:
            self._client.publish(topic, payload, 0, retain=retain)

    def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(OSError, ValueError):
                client.disconnect()

    def _turn(self, timeout_s: float) -> None:
        if self._client is None:
            raise BrokerError("left", "not connected")
        code = self._client.loop(timeout_s)
        # What came before the end is still handed over; the next turn tells of the loss.
        if code != mqtt.MQTT_ERR_SUCCESS and self._refusal is None and not self._arrived:
            raise BrokerError("left", f"the MQTT broker at {self.broker.address} left ({mqtt.error_string(code)})")

    def _on_connect(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._refuse(f"the connection: {reason}", str(reason))
        else:
            client.subscribe([(topic, self._qos) for topic in (self.topic, *self._more)])

    def _on_subscribe(self, client: mqtt.Client, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refuse(f"the subscription to {self.topic}", f"it refuses the subscription to {self.topic!r}")
        self.is_confirmed = True

    def _refuse(self, what: str, reason: str) -> None:
        self._refusal = BrokerError("refused", f"the broker at {self.broker.address} refuses {what}", reason)

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        arrival = self._take(message)
        if arrival is not None:
            self._arrived.append(arrival)
