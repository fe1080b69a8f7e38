# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several SensorThings datastreams of one controller: `sensorthings://server[:1883]?streams=81694,81700[&version=v1.1]`.

What a server sends to the MQTT topic of a datastream does not say which one it is. Here the id is put into each
observation, as an answer over HTTP has it, so that the adapter can tell the signal head from signs of life.
"""

import json
import re
from dataclasses import replace
from typing import Any

from paho.mqtt import client as mqtt

from leezenflow.source_url import Source, typed_options
from leezenflow_host.capture.arrivals import Arrival, Clock
from leezenflow_host.capture.mqtt_source import OPTIONS as MQTT_OPTIONS
from leezenflow_host.capture.mqtt_source import MqttSource
from leezenflow_host.errors import InputError

OPTIONS: dict[str, Any] = {
    **MQTT_OPTIONS,
    "streams": {
        "type": "str",
        "default": "",
        "help": "ids of the datastreams, with commas between them: the signal head's, and those that are signs of life",
    },
    "version": {"type": "str", "default": "v1.1", "help": "the API's version, with which the server's topics begin"},
}
_MAX_STREAMS = 32
_MAX_ID = (1 << 30) - 1
_TOPIC = re.compile(r"Datastreams\((\d+)\)/Observations$")


class SensorThingsSource(MqttSource):
    """Observations of the datastreams that the URL lists, each with the id of its own."""

    def __init__(self, source: Source, secrets: dict[str, Any], clock: Clock) -> None:
        options = typed_options(OPTIONS, source.options, source.scheme)
        if not source.host or source.path:
            raise InputError("name the server and its datastreams: sensorthings://server?streams=81694,81700")
        first, *more = [
            f"{options['version']}/Datastreams({number})/Observations" for number in _ids(options["streams"])
        ]
        plain = {name: value for name, value in source.options.items() if name in MQTT_OPTIONS}
        super().__init__(
            Source("mqtt", source.user, source.host, source.port, first, plain), secrets, clock, tuple(more)
        )
        self.hint = (
            "Only changes are sent: check the ids in ?streams= (a cycle second changes every few seconds), and that "
            f"the server's topics are such as {first!r}."
        )

    def _take(self, message: mqtt.MQTTMessage) -> Arrival | None:
        arrival = super()._take(message)
        found = _TOPIC.search(arrival.topic) if arrival is not None else None
        if arrival is None or found is None:
            return arrival
        return replace(arrival, payload=with_datastream(arrival.payload, int(found.group(1))))


def with_datastream(payload: bytes, stream: int) -> bytes:
    """An Observation that says whose it is; one that does so already, and whatever is none, stays as it is."""
    try:
        observation = json.loads(payload.decode())
    except (ValueError, RecursionError):
        return payload
    if not isinstance(observation, dict) or "result" not in observation or "Datastream" in observation:
        return payload
    return b'{"Datastream":{"@iot.id":%d},' % stream + payload[payload.index(b"{") + 1 :]


def _ids(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not 0 < len(words) <= _MAX_STREAMS or not all(word.isdigit() and 0 < int(word) <= _MAX_ID for word in words):
        raise InputError(f"streams={text}: give the ids of 1 to {_MAX_STREAMS} datastreams, with commas between them")
    return [int(word) for word in words]
