# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MQTT transport on a real MicroPython, against real brokers and against servers that misbehave."""

import binascii
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from brokers import (
    AmqttBroker,
    MosquittoBroker,
    find_mosquitto,
    free_port,
    publish,
    publisher,
    subscribe,
    wait_until,
)
from transport_child import TransportChild

AnyBroker = AmqttBroker | MosquittoBroker

XML = b"<?xml version='1.0'?><SPAT>" + bytes(range(32, 127)) * 150 + b"</SPAT>"


@pytest.fixture(params=[AmqttBroker, MosquittoBroker], ids=["amqtt", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyBroker]:
    """A broker that is not started yet."""
    if request.param is MosquittoBroker and find_mosquitto() is None:
        pytest.skip("mosquitto is not installed: the client is not covered against the broker of the field")
    made = request.param(free_port(), tmp_path)
    yield made
    made.stop()


def url(port: int | str, topic: str = "/spat/1090", **options: object) -> str:
    """The source for a topic that begins with a slash."""
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"mqtt://127.0.0.1:{port}/{topic}?{query}" if query else f"mqtt://127.0.0.1:{port}/{topic}"


def told(payload: bytes) -> tuple[str, int, int]:
    """What the child tells of a message."""
    return ("message", len(payload), binascii.crc32(payload))


@pytest.mark.parametrize("qos", [0, 1])
def test_messages_arrive_whole_and_in_order(micropython: str, broker: AnyBroker, qos: int) -> None:
    broker.start()
    with TransportChild(micropython, url(broker.port, qos=qos)) as child:
        child.wait_for("listening", True)
        payloads = [XML[: 100 * count] for count in (1, 150, 2, 30, 77)]
        with publisher(broker.port) as client:
            for payload in payloads:
                client.publish("/spat/1090", payload, qos).wait_for_publish(10)
        for payload in payloads:
            child.wait_for(*told(payload))
    messages = [event[1:3] for event in child.events if event[0] == "message"]
    assert messages == [[len(payload), binascii.crc32(payload)] for payload in payloads]


def test_the_broker_comes_late_goes_and_comes_back(micropython: str, broker: AnyBroker) -> None:
    with TransportChild(micropython, url(broker.port)) as child:
        with pytest.raises(AssertionError):
            child.wait_for("listening", True, timeout_s=1.5)
        broker.start()
        child.wait_for("listening", True)
        publish(broker.port, "/spat/1090", b"one")
        child.wait_for(*told(b"one"))
        broker.stop()
        child.wait_for("listening", False)
        broker.start()
        child.wait_for("listening", True)
        publish(broker.port, "/spat/1090", b"two")
        child.wait_for(*told(b"two"))
        child.wait_for_counter("messages", 2)
    marks = [event[0] for event in child.events if event[0] in ("reconnected", "message")]
    assert marks == ["reconnected", "message", "reconnected", "message"]
    assert child.counters["connects"] == 2
    assert child.counters["losses"] == 1


def test_a_retained_message_is_old_news(micropython: str, broker: AnyBroker) -> None:
    broker.start()
    publish(broker.port, "/spat/1090", b"from yesterday", retain=True)
    with TransportChild(micropython, url(broker.port, qos=1)) as child:
        child.wait_for_counter("retained", 1)
        # To a subscriber that is there already, the same message is live: the broker clears the flag (3.3.1.3).
        publish(broker.port, "/spat/1090", b"from now", retain=True)
        child.wait_for(*told(b"from now"))
    assert next(event for event in child.events if event[0] == "message")[1] == len(b"from now")


def test_an_oversize_message_is_skipped_and_the_next_one_taken(micropython: str, broker: AnyBroker) -> None:
    broker.start()
    with TransportChild(micropython, url(broker.port, qos=1, message_bytes=1000)) as child:
        child.wait_for("listening", True)
        for payload in (b"x" * 1001, b"y" * 200_000, b"z" * 1000):
            publish(broker.port, "/spat/1090", payload, qos=1)
        child.wait_for(*told(b"z" * 1000))
        child.wait_for_counter("messages", 1)
    assert child.counters["oversize"] == 2
    assert child.counters["losses"] == 0


def test_wildcards(micropython: str, broker: AnyBroker) -> None:
    broker.start()
    with TransportChild(micropython, url(broker.port, "/spat/+/bike")) as child:
        child.wait_for("listening", True)
        for topic in ("/spat/1/bike", "/spat/1/car", "/spat/2/bike", "other"):
            publish(broker.port, topic, topic.encode())
        child.wait_for(*told(b"/spat/1/bike"))
        child.wait_for(*told(b"/spat/2/bike"))
    messages = [event[1:3] for event in child.events if event[0] == "message"]
    assert messages == [list(told(topic)[1:]) for topic in (b"/spat/1/bike", b"/spat/2/bike")]


def test_the_unit_says_that_it_is_there_and_the_broker_that_it_is_not(micropython: str, broker: AnyBroker) -> None:
    broker.start()
    heard: list[tuple[str, bytes, bool]] = []

    def note(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        heard.append((message.topic, bytes(message.payload), message.retain))

    with publisher(broker.port) as client:
        client.on_message = note
        subscribe(client, "unit/7/#", 1)
        with TransportChild(micropython, url(broker.port, unit_topic="unit/7"), say="all is well") as child:
            child.wait_for("listening", True)
            wait_until(lambda: ("unit/7/health", b"all is well", False) in heard, "the report came")
        wait_until(lambda: ("unit/7/status", b"offline", False) in heard, "the last will came")
    assert heard[0] == ("unit/7/status", b"online", False)


class ScriptedBroker:
    """A TCP server that treats each connection as a script says; `connections` counts them."""

    def __init__(self, serve: Callable[[socket.socket, int], None]) -> None:
        self.connections = 0
        self._serve = serve
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.1)
        self.port: int = self._server.getsockname()[1]
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "ScriptedBroker":
        self._threads.append(threading.Thread(target=self._accept))
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for thread in list(self._threads):
            thread.join(20)
        self._server.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._server.accept()
                self.connections += 1
                connection.settimeout(20)
                thread = threading.Thread(target=self._hold, args=(connection, self.connections))
                self._threads.append(thread)
                thread.start()

    def _hold(self, connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError):
            self._serve(connection, number)
            connection.settimeout(0.1)
            while not self._closing.is_set():
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(1000):
                        return


def _greet(connection: socket.socket) -> None:
    """CONNECT and SUBSCRIBE, and their answers."""
    connection.recv(1000)
    connection.sendall(b"\x20\x02\x00\x00")
    connection.recv(1000)
    connection.sendall(b"\x90\x03\x00\x01\x00")


def _publish_now(payload: bytes) -> bytes:
    assert len(payload) < 120
    return bytes((0x30, len(payload) + 3)) + b"\x00\x01t" + payload


def serve_well(connection: socket.socket) -> None:
    """Greet, and publish one message."""
    _greet(connection)
    connection.sendall(_publish_now(b"well"))


def test_a_broker_that_falls_silent_is_left(micropython: str) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        if number == 1:
            _greet(connection)  # and never answers a ping
        else:
            serve_well(connection)

    with ScriptedBroker(serve) as server, TransportChild(micropython, url(server.port, keepalive_s=2)) as child:
        child.wait_for("listening", True)
        child.wait_for("listening", False)
        child.wait_for(*told(b"well"))
    assert any("silent" in line for line in child.other_output)


def test_reports_into_a_dead_connection_do_not_hide_that_it_is_dead(micropython: str) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        if number > 1:
            serve_well(connection)
            return
        connection.recv(1000)
        # Both confirmations: of the unit's commands and of the signal. From then on, it only reads.
        connection.sendall(b"\x20\x02\x00\x00\x90\x03\x00\x02\x01\x90\x03\x00\x01\x00")

    with (
        ScriptedBroker(serve) as server,
        TransportChild(micropython, url(server.port, keepalive_s=2, unit_topic="u/7"), say="a report") as child,
    ):
        child.wait_for("listening", True)
        child.wait_for("listening", False)
        child.wait_for_output("the broker fell silent")


def test_pings_keep_a_quiet_connection(micropython: str, broker: AnyBroker) -> None:
    broker.start()
    with TransportChild(micropython, url(broker.port, keepalive_s=2)) as child:
        child.wait_for("listening", True)
        with pytest.raises(AssertionError):
            child.wait_for("listening", False, timeout_s=5)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="hangs up at once"),
        pytest.param(b"\x20\x02\x00\x05", id="not authorised"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="no broker at all"),
        pytest.param(b"\xd0\x00", id="begins with another packet"),
        pytest.param(b"\x20\x02\x00\x00\x90\x03\x00\x01\x80", id="refuses the subscription"),
        pytest.param(b"\x20\x02\x00\x00\x90\x03\x00\x07\x00", id="confirms another subscription"),
        pytest.param(b"\x20\x02\x00\x00\x90\x03\x00\x01\x00\x36\x05\x00\x01tab", id="QoS 3"),
        pytest.param(b"\x20\x02\x00\x00\x90\x03\x00\x01\x00\x30\x7f\x00\x01tab", id="ends within a packet"),
        pytest.param(b"\x20\x02\x00\x00\x90\x03\x00\x01\x00\x30\xff\xff\xff\xff\xff", id="absurd length"),
    ],
)
def test_a_faulty_broker_costs_a_connection_and_no_more(micropython: str, answer: bytes) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        if number <= 2:
            connection.recv(1000)
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
        else:
            serve_well(connection)

    with ScriptedBroker(serve) as server, TransportChild(micropython, url(server.port)) as child:
        child.wait_for(*told(b"well"))
    assert server.connections == 3
    reports = [line for line in child.other_output if line.startswith("mqtt: 127.0.0.1:")]
    assert len(reports) == 1, "the same fault is told once"
    assert reports == child.other_output


def test_a_broker_that_accepts_and_says_nothing(micropython: str) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        if number > 1:
            serve_well(connection)

    with ScriptedBroker(serve) as server, TransportChild(micropython, url(server.port)) as child:
        child.wait_for(*told(b"well"))
    assert any("no answer in time" in line for line in child.other_output)


def test_bytes_that_trickle_in_are_put_together(micropython: str) -> None:
    stream = b"\x20\x02\x00\x00\x90\x03\x00\x01\x00" + _publish_now(b"drop by drop") * 3

    def serve(connection: socket.socket, number: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.recv(1000)
        for byte in stream:
            connection.sendall(bytes((byte,)))
            threading.Event().wait(0.002)

    with ScriptedBroker(serve) as server, TransportChild(micropython, url(server.port)) as child:
        for _ in range(3):
            child.wait_for(*told(b"drop by drop"))
    assert server.connections == 1


def test_qos_1_is_acknowledged_even_when_oversize_or_retained(micropython: str) -> None:
    acknowledged = bytearray()

    def serve(connection: socket.socket, number: int) -> None:
        _greet(connection)
        connection.sendall(b"\x33\x06\x00\x01t\x00\x07x")  # retained
        connection.sendall(b"\x32\xad\x02\x00\x01t\x00\x08" + b"x" * 296)  # too long
        connection.sendall(b"\x3a\x06\x00\x01t\x00\x09x")  # sent again
        while len(acknowledged) < 12:
            acknowledged.extend(connection.recv(100))

    with (
        ScriptedBroker(serve) as server,
        TransportChild(micropython, url(server.port, qos=1, message_bytes=256)) as child,
    ):
        child.wait_for(*told(b"x"))
        wait_until(lambda: len(acknowledged) == 12, "all are acknowledged")
    assert bytes(acknowledged) == b"\x40\x02\x00\x07\x40\x02\x00\x08\x40\x02\x00\x09"


def test_user_and_password_are_sent_and_never_shown(micropython: str) -> None:
    seen = bytearray()

    def serve(connection: socket.socket, number: int) -> None:
        seen.extend(connection.recv(1000))
        connection.sendall(b"\x20\x02\x00\x04")

    secrets = {"mqtt": {"user": "unit-7", "password": "s3cret"}}
    with ScriptedBroker(serve) as server, TransportChild(micropython, url(server.port), secrets) as child:
        wait_until(lambda: server.connections > 1, "it tries again")
        child.wait_for_output("user name or password")
        with contextlib.suppress(AssertionError):
            child.wait_for("listening", True, timeout_s=0.5)
    assert b"\x00\x06unit-7\x00\x06s3cret" in seen
    assert not any("s3cret" in line for line in child.other_output)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("mqtt://broker", "is empty"),
        ("mqtt:///topic", "names no broker"),
        ("mqtt://broker/a%23", "alone at its end"),
        ("mqtt://broker/t?qos=2", "qos"),
        ("mqtt://broker/t?speed=2", "no option 'speed'"),
    ],
)
def test_a_wrong_source_is_refused_at_start(micropython: str, source: str, what: str) -> None:
    with (
        TransportChild(micropython, source) as child,
        pytest.raises(AssertionError, match="the transport ended") as failure,
    ):
        child.wait_for("listening", True)
    assert "LeezenflowError" in str(failure.value)
    assert what in str(failure.value)
