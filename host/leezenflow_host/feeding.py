# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends signal messages to where units listen: an MQTT broker, a UDP address, a serial line."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import serial
from paho.mqtt import client as mqtt

from leezenflow.framing import encode_frame
from leezenflow.source_url import Source, parse_source, typed_options
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.mqtt_client import TLS_OPTIONS, explain_failure, find_broker
from leezenflow_host.trace import TraceMessage

# A broker on the same network answers in milliseconds; what has not answered by then needs a person.
ANSWER_S = 10.0
_NEXT_STEPS = {
    "name": "Check the name in --to.",
    "tls": "Check the authority's certificate (--secrets, or ?ca=FILE in --to), and the name in the broker's.",
    "silent": "Does it want TLS? Then write mqtts:// in --to.",
    "unreachable": "Start one there, or name another in --to.",
}


class Feed(Protocol):
    """Somewhere to send messages to."""

    @property
    def is_connected(self) -> bool:
        """Whether what is sent now goes out now, as far as anybody can know."""
        ...

    def send(self, payload: bytes, topic: str) -> None:
        """Send one message; `LeezenflowError` when it cannot be delivered to the first hop."""

    def close(self) -> None:
        """Send what is still on its way, then leave."""


class MqttFeed:
    """Publishes with QoS 1 to the topic of the URL, or to each message's own topic where the URL names none."""

    def __init__(self, source: Source, secrets: dict[str, Any]) -> None:
        try:
            options = typed_options(TLS_OPTIONS, source.options, source.scheme) if source.scheme == "mqtts" else {}
            broker = find_broker(source, options, secrets)
        except LeezenflowError as error:
            raise InputError(f"--to: {error}") from error
        self._topic = source.path
        self._address = broker.address
        self._last: mqtt.MQTTMessageInfo | None = None
        self._refusal = ""
        self._client = broker.make_client()
        self._client.max_queued_messages_set(1000)
        self._client.on_connect = self._on_connect
        try:
            self._client.connect(broker.host, broker.port, keepalive=30)
        except (OSError, ValueError) as error:
            kind, text = explain_failure(error, broker)
            raise LeezenflowError(f"{text}. {_NEXT_STEPS[kind]}") from error
        self._client.loop_start()
        deadline = time.monotonic() + ANSWER_S
        while not self._client.is_connected():
            if self._refusal or time.monotonic() > deadline:
                self._client.disconnect()
                self._client.loop_stop()
                reason = f" ({self._refusal})" if self._refusal else ""
                raise LeezenflowError(
                    f"the MQTT broker at {self._address} does not let us in{reason}. Check user name, password or "
                    "certificate (--secrets), and the broker's access rules."
                )
            time.sleep(0.01)

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there; what is sent without it would wait for it, and grow old."""
        return self._client.is_connected()

    def send(self, payload: bytes, topic: str) -> None:
        """Publish one message (see `Feed.send`)."""
        topic = self._topic or topic
        if not topic:
            raise InputError("--to: the recording names no topic; write one into the URL, as in mqtt://host/spat/1090")
        sent = self._client.publish(topic, payload, qos=1)
        if sent.rc == mqtt.MQTT_ERR_QUEUE_SIZE:
            raise LeezenflowError(
                f"the MQTT broker at {self._address} has stopped taking messages. Check that it runs."
            )
        self._last = sent

    def close(self) -> None:
        """Wait until the broker has everything, then disconnect."""
        try:
            if self._last is not None and not self._arrived(self._last):
                raise LeezenflowError(f"the MQTT broker at {self._address} left in the middle. Check that it runs.")
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _on_connect(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._refusal = str(reason)

    def _arrived(self, sent: mqtt.MQTTMessageInfo) -> bool:
        try:
            sent.wait_for_publish(ANSWER_S)
            return sent.is_published()
        except (RuntimeError, ValueError):  # what paho says of a message it could not even queue
            return False


class UdpFeed:
    """Sends each message as one datagram."""

    is_connected = True

    def __init__(self, source: Source, secrets: dict[str, Any]) -> None:
        if source.port is None:
            raise InputError("--to: a UDP address needs a port, as in udp://192.0.2.1:6053")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._address = (source.host, source.port)

    def send(self, payload: bytes, topic: str) -> None:
        """Send one datagram (see `Feed.send`); UDP has no topic, and nobody says whether it arrived."""
        try:
            self._socket.sendto(payload, self._address)
        except OSError as error:
            raise LeezenflowError(f"udp://{self._address[0]}:{self._address[1]}: {error.strerror or error}") from error

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class SerialFeed:
    """Sends each message as one frame (COBS with a CRC) over a serial line."""

    is_connected = True

    def __init__(self, source: Source, secrets: dict[str, Any]) -> None:
        port = "/" + source.path if source.path else source.host
        try:
            self._line = serial.serial_for_url(
                port, baudrate=int(source.options.get("baud", "115200")), write_timeout=ANSWER_S
            )
        except (OSError, ValueError) as error:
            raise LeezenflowError(
                f"{port}: {error}. Check the cable, and that no other program has the port open."
            ) from error
        self._port = port

    def send(self, payload: bytes, topic: str) -> None:
        """Write one frame (see `Feed.send`)."""
        try:
            self._line.write(encode_frame(payload))
        except OSError as error:
            raise LeezenflowError(f"{self._port}: {error}. Was the board unplugged?") from error

    def close(self) -> None:
        """Wait until everything is on the line, then let go of the port."""
        with contextlib.suppress(OSError):
            self._line.flush()
        self._line.close()


FEEDS: dict[str, Callable[[Source, dict[str, Any]], Feed]] = {
    "mqtt": MqttFeed,
    "mqtts": MqttFeed,
    "udp": UdpFeed,
    "serial": SerialFeed,
}


def parse_target(url: str) -> Source:
    """The URL of something to send to, in its parts; `InputError` for one that is none."""
    try:
        source = parse_source(url)
    except LeezenflowError as error:
        raise InputError(f"--to: {error}") from error
    if source.scheme not in FEEDS:
        raise InputError(f"--to: {source.scheme}:// is no way to send messages; there are {', '.join(FEEDS)}")
    return source


@contextlib.contextmanager
def open_feed(url: str, secrets: dict[str, Any] | None = None) -> Iterator[Feed]:
    """Open `mqtt[s]://host[:port][/topic]`, `udp://host:port` or `serial:///dev/...[?baud=N]` and close it afterwards.

    `secrets` are those of a unit or a person: user, password and certificates for a broker. Raises `InputError` for a
    URL that is none of these, `LeezenflowError` when nobody answers there.
    """
    source = parse_target(url)
    feed = FEEDS[source.scheme](source, secrets or {})
    try:
        yield feed
    except BaseException:
        with contextlib.suppress(LeezenflowError, OSError):
            feed.close()
        raise
    feed.close()


def pace(messages: Iterable[TraceMessage], speed: float) -> Iterator[TraceMessage]:
    """Yield messages at the intervals of their arrival, `speed` times as fast; a delay is made up for."""
    started = time.monotonic()
    first_ms: int | None = None
    for message in messages:
        first_ms = message.at_ms if first_ms is None else first_ms
        wait_s = (message.at_ms - first_ms) / 1000 / speed - (time.monotonic() - started)
        if wait_s > 0:
            time.sleep(wait_s)
        yield message
