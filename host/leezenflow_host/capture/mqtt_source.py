# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of an MQTT broker: `mqtt://[user@]broker[:port]/topic/filter[?qos=0|1]`, `mqtts://` over TLS."""

import ssl
from typing import Any

from paho.mqtt import client as mqtt

from leezenflow.source_url import Source, typed_options
from leezenflow_host.capture.arrivals import MAX_PAYLOAD_BYTES, Arrival, Clock
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.mqtt_client import TLS_OPTIONS, find_broker
from leezenflow_host.mqtt_subscription import BrokerError, Subscription

OPTIONS: dict[str, Any] = {
    "qos": {"type": "int", "range": [0, 1], "default": 1, "help": "quality of service to subscribe with"},
    "keepalive_s": {"type": "int", "range": [2, 600], "default": 10, "help": "a broker silent for so long is lost"},
}
# A broker on the same network answers in milliseconds; what has not answered by then needs a person.
_ANSWER_S = 10.0


class MqttSource:
    """What comes on one subscription, but for what is too long or has a topic that is no text.

    `more` are further topic filters beside the one in `source`.
    """

    def __init__(self, source: Source, secrets: dict[str, Any], clock: Clock, more: tuple[str, ...] = ()) -> None:
        declared = {**OPTIONS, **TLS_OPTIONS} if source.scheme == "mqtts" else OPTIONS
        options = typed_options(declared, source.options, source.scheme)
        if not source.host:
            raise InputError("the URL names no broker; write mqtt://broker/topic")
        fault = _filter_fault(source.path)
        if fault:
            raise InputError(f"the topic {source.path!r} {fault}; write mqtt://broker/topic, with + and # as wildcards")
        broker = find_broker(source, options, secrets)
        self._subscription = Subscription(
            broker, source.path, options["qos"], options["keepalive_s"], self._take, more=more
        )
        self._clock = clock
        self.oversized = 0
        self.damaged = 0
        self.hint = (
            f"Check the topic filter {source.path!r}: MQTT topics are case-sensitive, and a leading slash counts."
        )

    def open(self) -> None:
        """Connect and subscribe (see `MessageSource.open`)."""
        try:
            self._subscription.open(_ANSWER_S)
        except BrokerError as error:
            if error.kind == "refused":
                raise LeezenflowError(
                    f"the MQTT broker at {self._subscription.broker.address} does not let us in ({error.reason}). "
                    "Check user name, password (--secrets) and the broker's access rules."
                ) from error
            # A certificate does not become right by waiting; a broker that is away comes back.
            if isinstance(error.__cause__, ssl.SSLError):
                raise LeezenflowError(str(error)) from error
            raise

    def receive(self, timeout_s: float) -> list[Arrival]:
        """See `MessageSource.receive`."""
        return self._subscription.receive(timeout_s)

    def close(self) -> None:
        """Disconnect."""
        self._subscription.close()

    def _take(self, message: mqtt.MQTTMessage) -> Arrival | None:
        if len(message.payload) > MAX_PAYLOAD_BYTES:
            self.oversized += 1
            return None
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self.damaged += 1
            return None
        return Arrival(self._clock(), topic, bytes(message.payload), message.retain)


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
