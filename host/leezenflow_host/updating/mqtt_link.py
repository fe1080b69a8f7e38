# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands to a unit over MQTT, signed with its key (docs/reference/commands.md)."""

import hmac
import json
import queue
import random
import time
from typing import Any

from paho.mqtt import client as mqtt

from leezenflow_host.closing import Closing
from leezenflow_host.errors import BoardError
from leezenflow_host.mqtt_client import Broker, explain_failure

_CONNECT_S = 15.0
# A greater number than this would be no counter but an attempt to exhaust it.
_MOST_N = 1 << 40
_OPEN_VERBS = ("health", "identity")


class MqttLink(Closing):
    """One unit on a broker; `topic` is the unit's own, `key` its command key (None: only health and identity)."""

    def __init__(self, broker: Broker, topic: str, key: bytes | None, name: str) -> None:
        self.name = name
        self._topic = topic
        self._key = key
        self._n: int | None = None
        self._number = random.randrange(1 << 20)
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._client = _connect(broker, self._note)
        try:
            self._subscribe(broker)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def ask(self, command: dict[str, Any], patience_s: float = 10.0) -> dict[str, Any]:
        """Return the unit's answer to a command; BoardError when none comes."""
        if command["do"] not in _OPEN_VERBS and self._key is None:
            raise BoardError(
                f"{self.name}: commands over MQTT need the unit's command_key; name its secrets file in the fleet file."
            )
        if command["do"] not in _OPEN_VERBS and self._n is None:
            self._learn(self._exchange({"do": "identity"}, patience_s))
        answer = self._exchange(command, patience_s)
        if not answer.get("ok") and "n must be" in str(answer.get("error")):
            # The unit counts further than we thought: somebody else commanded it meanwhile.
            self._learn(answer)
            answer = self._exchange(command, patience_s)
        return answer

    def _learn(self, answer: dict[str, Any]) -> None:
        """Take over the unit's counter; never backwards, nor too far: anybody could have sent the answer."""
        n = answer.get("n")
        if isinstance(n, int) and 0 <= n < _MOST_N:
            self._n = max(n, self._n or 0)
        elif self._n is None:
            self._n = 0

    def _exchange(self, command: dict[str, Any], patience_s: float) -> dict[str, Any]:
        self._number += 1
        number = self._number
        while not self._answers.empty():
            self._answers.get_nowait()
        self._client.publish(f"{self._topic}/command", self._sign({**command, "id": number}), qos=1)
        deadline = time.monotonic() + patience_s
        while (left_s := deadline - time.monotonic()) > 0:
            try:
                answer = self._answers.get(timeout=left_s)
            except queue.Empty:
                break
            # Without an id the unit refused what it could not trust.
            if answer.get("id") in (number, None):
                return answer
        raise BoardError(
            f"{self.name} does not answer the command {command['do']!r} on {self._topic}. Is it switched on, and may "
            "you write there? See: leezenflow update status"
        )

    def _sign(self, command: dict[str, Any]) -> bytes:
        if command["do"] in _OPEN_VERBS:
            return json.dumps(command, separators=(",", ":")).encode()
        assert self._key is not None and self._n is not None
        self._n += 1
        body = json.dumps({**command, "n": self._n}, separators=(",", ":"))
        mac = hmac.new(self._key, body.encode(), "sha256").hexdigest()
        return json.dumps({"body": body, "mac": mac}, separators=(",", ":")).encode()

    def _subscribe(self, broker: Broker) -> None:
        done: queue.Queue[list[Any]] = queue.Queue()

        def note(client: mqtt.Client, data: Any, number: int, reasons: list[Any], properties: Any) -> None:
            done.put(reasons)

        def again(client: mqtt.Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
            client.subscribe(f"{self._topic}/answer", qos=1)

        self._client.on_subscribe = note
        # After a loss the broker has forgotten the subscription.
        self._client.on_connect = again
        self._client.subscribe(f"{self._topic}/answer", qos=1)
        try:
            refused = any(reason.is_failure for reason in done.get(timeout=_CONNECT_S))
        except queue.Empty:
            refused = True
        if refused:
            raise BoardError(f"The broker {broker.address} refuses {self._topic}/answer; check its rules.")

    def _note(self, client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            answer = json.loads(message.payload)
        except ValueError:
            return
        if isinstance(answer, dict) and not message.retain:
            self._answers.put(answer)


def _connect(broker: Broker, on_message: Any) -> mqtt.Client:
    """Return a client that is connected; BoardError says why there is none."""
    client = broker.make_client()
    outcome: queue.Queue[str] = queue.Queue()

    def note(client: mqtt.Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        outcome.put(str(reason) if reason.is_failure else "")

    client.on_connect = note
    client.on_message = on_message
    try:
        client.connect(broker.host, broker.port, keepalive=20)
    except (OSError, ValueError) as error:
        _, text = explain_failure(error, broker)
        raise BoardError(f"The broker {broker.address} cannot be reached: {text}.") from None
    client.loop_start()
    try:
        refusal = outcome.get(timeout=_CONNECT_S)
    except queue.Empty:
        client.loop_stop()
        raise BoardError(f"The broker {broker.address} does not answer; is it a broker?") from None
    if refusal:
        client.disconnect()
        client.loop_stop()
        raise BoardError(f"The broker {broker.address} refuses the connection: {refusal}. Check user and password.")
    return client
