# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of an MQTT broker: `mqtt://[user@]broker[:port]/topic/filter[?qos=0|1]`, `mqtts://` over TLS."""

import contextlib
import ssl
import time
from typing import Any

from paho.mqtt import client as mqtt

from leezenflow.source_url import Source, typed_options
from leezenflow_host.capture.arrivals import BATCH, MAX_PAYLOAD_BYTES, Arrival, Clock, SourceLostError
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.mqtt_client import TLS_OPTIONS, explain_failure, find_broker

OPTIONS: dict[str, Any] = {
    "qos": {"type": "int", "range": [0, 1], "default": 1, "help": "quality of service to subscribe with"},
    "keepalive_s": {"type": "int", "range": [2, 600], "default": 10, "help": "a broker silent for so long is lost"},
}
# A broker on the same network answers in milliseconds; what has not answered by then needs a person.
_ANSWER_S = 10.0


class MqttSource:
    """One subscription; each connection is a new session, so that nothing is delivered that waited for us."""

    def __init__(self, source: Source, secrets: dict[str, Any], clock: Clock) -> None:
        declared = {**OPTIONS, **TLS_OPTIONS} if source.scheme == "mqtts" else OPTIONS
        options = typed_options(declared, source.options, source.scheme)
        if not source.host:
            raise InputError("the URL names no broker; write mqtt://broker/topic")
        fault = _filter_fault(source.path)
        if fault:
            raise InputError(f"the topic {source.path!r} {fault}; write mqtt://broker/topic, with + and # as wildcards")
        self._filter = source.path
        self._broker = find_broker(source, options, secrets)
        self._qos: int = options["qos"]
        self._keepalive_s: int = options["keepalive_s"]
        self._clock = clock
        self._client: mqtt.Client | None = None
        self._arrived: list[Arrival] = []
        self._ready = False
        self._fault = ""
        self._refused = ""
        self.oversized = 0
        self.damaged = 0
        self.hint = (
            f"Check the topic filter {self._filter!r}: MQTT topics are case-sensitive, and a leading slash counts."
        )

    def open(self) -> None:
        """Connect and subscribe (see `MessageSource.open`)."""
        self.close()
        client = self._broker.make_client()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        address = self._broker.address
        try:
            client.connect(self._broker.host, self._broker.port, self._keepalive_s)
        except (OSError, ValueError) as error:
            _, text = explain_failure(error, self._broker)
            # A certificate does not become right by waiting; a broker that is away comes back.
            raise (LeezenflowError if isinstance(error, ssl.SSLError) else SourceLostError)(text) from error
        self._client, self._ready, self._refused = client, False, ""
        deadline = time.monotonic() + _ANSWER_S
        while not self._ready:
            self._turn(0.1)
            if self._refused:
                raise LeezenflowError(
                    f"the MQTT broker at {address} does not let us in ({self._refused}). Check user name, password "
                    "(--secrets) and the broker's access rules."
                )
            if time.monotonic() > deadline:
                raise SourceLostError(f"what listens at {address} does not answer as an MQTT broker does")

    def receive(self, timeout_s: float) -> list[Arrival]:
        """See `MessageSource.receive`."""
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
        """Disconnect."""
        if self._client is not None:
            with contextlib.suppress(OSError, ValueError):
                self._client.disconnect()
            self._client = None

    def _turn(self, timeout_s: float) -> None:
        if self._client is None:
            raise SourceLostError("not connected")
        code = self._client.loop(timeout_s)
        # What came before the end is still handed over; the next turn tells of the loss.
        if code != mqtt.MQTT_ERR_SUCCESS and not self._refused and not self._arrived:
            raise SourceLostError(f"the MQTT broker at {self._broker.address} left ({mqtt.error_string(code)})")

    def _on_connect(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._refused = str(reason)
        else:
            client.subscribe(self._filter, self._qos)

    def _on_subscribe(self, client: mqtt.Client, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refused = f"it refuses the subscription to {self._filter!r}"
        self._ready = True

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        if len(message.payload) > MAX_PAYLOAD_BYTES:
            self.oversized += 1
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self.damaged += 1
            return
        self._arrived.append(Arrival(self._clock(), topic, bytes(message.payload), message.retain))


def _filter_fault(topic: str) -> str:
    """What is wrong with a topic filter (MQTT 3.1.1, 4.7), "" for a sound one."""
    levels = topic.split("/")
    if not topic:
        return "is missing"
    if len(topic.encode()) > 65_535 or "\0" in topic:
        return "is no MQTT topic"
    if any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        return "has a # that is not the whole last level"
    if any("+" in level and level != "+" for level in levels):
        return "has a + that is not a whole level"
    return ""
