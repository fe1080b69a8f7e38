# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real mosquitto with the configuration, certificates and access list that `leezenflow keys broker` makes."""

import base64
import contextlib
import datetime
import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

import paho.mqtt.client as paho
import pytest
from brokers import find_mosquitto, free_port, wait_until
from paho.mqtt.enums import CallbackAPIVersion

from leezenflow_host.mosquitto_setup import BrokerPlan, set_up_broker

TOPIC = "spat/1090"


def require_mosquitto() -> str:
    """Path of mosquitto; without it the test says what is not covered."""
    program = find_mosquitto()
    if program is None:
        pytest.skip(
            "mosquitto is not installed: TLS, access list and faults of the broker of the field are not covered"
        )
    return program


class Fleet:
    """A broker in `folder` with the units a and b, an operator and a feeder; not started yet."""

    def __init__(
        self,
        folder: Path,
        auth: Literal["password", "certificate"] = "password",
        hosts: tuple[str, ...] = ("localhost", "127.0.0.1"),
        now: datetime.datetime | None = None,
    ) -> None:
        self._program = require_mosquitto()
        self.folder = folder
        self.port = free_port()
        self._auth = auth
        self._process: subprocess.Popen[bytes] | None = None
        self.change(
            *(hosts, ("unit-a", "unit-b"), (TOPIC, "spat/#"), ("operator",), ("feeder",), (), auth, self.port),
            bind="127.0.0.1",
            now=now,
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def change(self, *plan: Any, now: datetime.datetime | None = None, **more: Any) -> None:
        """Call the generator once more."""
        now = now or datetime.datetime.now(datetime.UTC)
        set_up_broker(BrokerPlan(*plan, **more), self.folder, now).write_to(self.folder)

    def start(self) -> None:
        """Serve until `kill`; the configuration is the generated one, with what a test needs below it."""
        config = self.folder / "test.conf"
        text = (self.folder / "broker/mosquitto.conf").read_text() + f"persistence_location {self.folder}/\n"
        if os.getuid() == 0:
            text += "user root\n"
        config.write_text(text)
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([self._program, "-c", str(config)], stdout=log, stderr=log)
        wait_until(self._accepts, "mosquitto listens")

    def kill(self) -> None:
        """As a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def stop(self) -> None:
        """Ask it to end, so that it saves its sessions."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
        self._process = None

    def _accepts(self) -> bool:
        assert self._process is not None and self._process.poll() is None, (self.folder / "mosquitto.log").read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def secrets(self, name: str) -> dict[str, Any]:
        """What the generator wrote for a unit or a person."""
        folder = "units" if name.startswith("unit") else "people"
        return json.loads((self.folder / folder / f"{name}.json").read_text())

    def source(
        self, unit: str, topic: str = TOPIC, port: int | None = None, host: str = "127.0.0.1", **more: Any
    ) -> str:
        """The source of a unit, with its certificates as files on this machine."""
        options: dict[str, Any] = {"unit_topic": f"leezenflow/{unit}"}
        place = self.folder / f"{unit}-certs"
        place.mkdir(exist_ok=True)
        for file, text in self.secrets(unit)["certs"].items():
            (place / file).write_bytes(base64.b64decode(text))
        options["ca"] = place / "ca.der"
        if self._auth == "certificate":
            options.update(certificate=place / "unit.der", key=place / "unit_key.der")
        options.update(more)
        query = "&".join(f"{key}={value}" for key, value in options.items())
        return f"mqtts://{host}:{port or self.port}/{topic}?{query}"

    @contextlib.contextmanager
    def client(self, name: str, client_id: str = "", clean: bool = True) -> Iterator[paho.Client]:
        """A connected paho client of this name; for a unit, with the unit's own credentials."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean)
        client.user_data_set([])
        client.on_message = lambda _, heard, message: heard.append((message.topic, bytes(message.payload)))
        ca = str(self.folder / "broker/ca.pem")
        if self._auth == "certificate":
            client.tls_set(ca, str(self.folder / f"people/{name}.pem"), str(self.folder / f"people/{name}.key"))
        else:
            client.tls_set(ca)
            credentials = self.secrets(name)["mqtt"]
            client.username_pw_set(credentials["user"], credentials["password"])
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        wait_until(client.is_connected, f"{name} is connected")
        try:
            yield client
        finally:
            client.disconnect()
            client.loop_stop()

    def publish(self, name: str, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> None:
        """Publish one message as somebody and wait until the broker has it."""
        with self.client(name) as client:
            client.publish(topic, payload, qos, retain).wait_for_publish(10)


class Proxy:
    """A TCP relay to a port that can stop forwarding without closing anything: a half-open connection."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.1)
        self.port: int = self._server.getsockname()[1]
        self.connections = 0
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._muted: set[int] = set()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for thread in list(self._threads):
            thread.join(20)
        self._server.close()

    def mute(self) -> None:
        """From now on, the connections that exist carry nothing more; new ones do."""
        self._muted = set(range(1, self.connections + 1))

    def _start(self, target: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                near, _ = self._server.accept()
                self.connections += 1
                far = socket.create_connection(("127.0.0.1", self._target))
                self._start(self._relay, near, far, self.connections)
                self._start(self._relay, far, near, self.connections)

    def _relay(self, source: socket.socket, drain: socket.socket, number: int) -> None:
        source.settimeout(0.1)
        with contextlib.suppress(OSError):
            while not self._closing.is_set():
                try:
                    data = source.recv(65536)
                except TimeoutError:
                    continue
                if number in self._muted:
                    continue
                if not data:
                    break
                drain.sendall(data)
        if number not in self._muted:
            source.close()
            drain.close()
