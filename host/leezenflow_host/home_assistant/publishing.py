# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings retained messages to a broker, and sees them come back: a broker takes in silence what nobody may write."""

import queue
import time
from collections.abc import Mapping
from typing import Any

from paho.mqtt import client as mqtt

from leezenflow_host.errors import LeezenflowError
from leezenflow_host.mqtt_client import Broker, explain_failure

PATIENCE_S = 10.0
_NEXT_STEPS = {
    "name": "Check the name in --mqtt.",
    "tls": "Check the authority's certificate (--secrets, or ?ca=./FILE in --mqtt), and the name in the broker's.",
    "silent": "Does it want TLS? Then write mqtts:// in --mqtt.",
    "unreachable": "Start one there, or name another in --mqtt.",
}


def publish_retained(broker: Broker, messages: Mapping[str, bytes], patience_s: float = PATIENCE_S) -> None:
    """Publish `messages` (by topic; an empty one removes what is there), retained, and wait until each is live.

    LeezenflowError when nobody answers within `patience_s`, or when our account may not read and write these topics.
    """
    confirmed: queue.Queue[str] = queue.Queue()
    arrived: queue.Queue[tuple[str, bytes]] = queue.Queue()

    def note_connect(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        confirmed.put(str(reason) if reason.is_failure else "")

    def note_subscribe(_client: Any, _data: Any, _id: Any, reasons: Any, _properties: Any) -> None:
        confirmed.put("refused" if any(reason.is_failure for reason in reasons) else "")

    def note_message(_client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        if not message.retain:  # what was there before is not ours
            arrived.put((message.topic, bytes(message.payload)))

    client = broker.make_client()
    client.on_connect, client.on_subscribe, client.on_message = note_connect, note_subscribe, note_message
    try:
        client.connect(broker.host, broker.port, keepalive=30)
    except (OSError, ValueError) as error:
        kind, text = explain_failure(error, broker)
        raise LeezenflowError(f"{text}. {_NEXT_STEPS[kind]}") from error
    client.loop_start()
    try:
        refusal = _next(confirmed, patience_s, "no answer")
        if refusal:
            raise LeezenflowError(
                f"the MQTT broker at {broker.address} does not let us in ({refusal}). Check user name, password or "
                "certificate (--secrets)."
            )
        client.subscribe([(topic, 1) for topic in messages])
        if _next(confirmed, patience_s, "no answer"):
            raise LeezenflowError(_not_allowed(broker, next(iter(messages))))
        for topic, payload in messages.items():
            client.publish(topic, payload, qos=1, retain=True)
            _await_echo(arrived, (topic, payload), patience_s, broker)
    finally:
        client.disconnect()
        client.loop_stop()


def _await_echo(
    arrived: "queue.Queue[tuple[str, bytes]]", wanted: tuple[str, bytes], patience_s: float, broker: Broker
) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            if arrived.get(timeout=max(deadline - time.monotonic(), 0)) == wanted:
                return
        except queue.Empty:
            raise LeezenflowError(_not_allowed(broker, wanted[0])) from None


def _next(confirmed: "queue.Queue[str]", patience_s: float, otherwise: str) -> str:
    try:
        return confirmed.get(timeout=patience_s)
    except queue.Empty:
        return otherwise


def _not_allowed(broker: Broker, topic: str) -> str:
    return (
        f"the MQTT broker at {broker.address} does not let this account read and write {topic}. Name an operator's "
        "--secrets, and allow operators this topic: leezenflow keys broker --discovery PREFIX."
    )
