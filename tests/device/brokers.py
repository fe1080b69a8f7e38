# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brokers for tests, on a free loopback port: amqtt in this process, mosquitto where it is installed."""

import asyncio
import contextlib
import logging
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
from amqtt.broker import Broker
from paho.mqtt.enums import CallbackAPIVersion


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find_mosquitto() -> str | None:
    """Path of mosquitto: `MOSQUITTO` of the environment, or where Debian puts it."""
    return shutil.which(os.environ.get("MOSQUITTO", "mosquitto"), path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class AmqttBroker:
    """The broker of the demo, in a thread of its own."""

    name = "amqtt"

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve until `stop`."""
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), name="broker")
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        """Close every connection and the port."""
        if self._thread is not None and self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(20)
            assert not self._thread.is_alive()
        self._thread = None

    async def _serve(self, ready: threading.Event) -> None:
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        logging.getLogger("transitions").setLevel(logging.CRITICAL)
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        await broker.start()
        ready.set()
        await self._stop.wait()
        await broker.shutdown()


class MosquittoBroker:
    """The broker of the field, as a process of its own."""

    name = "mosquitto"

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve until `stop`."""
        program = find_mosquitto()
        assert program is not None
        self._process = subprocess.Popen([program, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        wait_until(lambda: _accepts(self.port), "mosquitto listens")

    def stop(self) -> None:
        """Kill it, as a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None


@contextlib.contextmanager
def publisher(port: int) -> Iterator[paho.Client]:
    """A connected paho client."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    wait_until(client.is_connected, "the publisher is connected")
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def subscribe(client: paho.Client, topic: str, qos: int = 0) -> None:
    """Subscribe and wait until the broker has confirmed it: whatever is published from now on arrives."""
    confirmed = threading.Event()
    client.on_subscribe = lambda *_: confirmed.set()
    client.subscribe(topic, qos)
    assert confirmed.wait(20), f"the broker does not confirm the subscription to {topic}"


def publish(port: int, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> None:
    """Publish one message and wait until the broker has it."""
    with publisher(port) as client:
        client.publish(topic, payload, qos, retain).wait_for_publish(10)


def wait_until(is_true: Callable[[], bool], what: str, timeout_s: float = 20) -> None:
    """Wait for a condition; fail with its name when it does not come."""
    until = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < until, f"waited {timeout_s} s in vain until {what}"
        time.sleep(0.01)


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
