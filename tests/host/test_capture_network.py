# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording from a real broker, from UDP and from TCP, on loopback."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from capturing import XML, RunningCapture, capturing, free_port, payloads, payloads_so_far, read
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from waiting import wait_until

from leezenflow_adapters import udap
from leezenflow_host.broker import EmbeddedBroker
from leezenflow_host.capture import mqtt_source
from leezenflow_host.capture.arrivals import MAX_PAYLOAD_BYTES, SourceLostError
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.trace import TraceReader


@contextlib.contextmanager
def publisher(port: int) -> Iterator[Callable[..., None]]:
    """Something that publishes and waits until the broker has it."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()

    def publish(topic: str, payload: bytes, retain: bool = False) -> None:
        client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(20)

    try:
        yield publish
    finally:
        client.disconnect()
        client.loop_stop()


def listens(running: RunningCapture) -> None:
    wait_until(lambda: "listening" in running.log or running.fault, "the recorder listens")


def test_mqtt_with_wildcards_and_without_retained_messages(tmp_path: Path):
    out = tmp_path / "a.jsonl.gz"
    with EmbeddedBroker() as broker, publisher(broker.port) as publish:
        publish("/spat/1", XML + b"<!-- old -->", retain=True)
        publish("/map/1", b"not asked for")
        with capturing(f"mqtt://127.0.0.1:{broker.port}//spat/+", out) as running:
            listens(running)
            for number in range(20):
                publish(f"/spat/{number}", XML + b"<!-- %d -->" % number)
            publish("/map/1", b"not asked for")
            wait_until(lambda: len(payloads_so_far(out)) == 20, "20 messages")
            summary = running.end()
    assert payloads(out) == [XML + b"<!-- %d -->" % number for number in range(20)]
    with TraceReader(out) as reader:
        assert reader.header.adapter == "spatem_xml"
        assert reader.header.source == f"mqtt://127.0.0.1:{broker.port}//spat/+"
        assert next(iter(reader)).topic == "/spat/0"
    assert summary.messages == 20
    assert summary.left_out == {"retained": 1}


def test_a_broker_that_comes_back(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    port = free_port()
    with contextlib.ExitStack() as stack:
        with EmbeddedBroker(port), publisher(port) as publish:
            running = stack.enter_context(capturing(f"mqtt://127.0.0.1:{port}/#", out))
            listens(running)
            publish("a", b"before")
            wait_until(lambda: payloads_so_far(out) == [b"before"], "the first message")
        wait_until(lambda: "trying to get back" in running.log, "the loss is noticed")
        with EmbeddedBroker(port), publisher(port) as publish:
            wait_until(lambda: "back after" in running.log, "the broker is found again")
            publish("a", b"after")
            wait_until(lambda: payloads_so_far(out) == [b"before", b"after"], "the second message")
            summary = running.end()
    assert running.log.count("trying to get back") == 1
    assert summary.losses == 1


def test_no_broker_is_an_error(tmp_path: Path):
    with pytest.raises(SourceLostError, match="no MQTT broker answers"):
        RunningCapture(f"mqtt://127.0.0.1:{free_port()}/a", tmp_path / "a.jsonl").join()


@pytest.mark.parametrize("topic", ["", "/a/#/b", "/a#", "/a/b+"])
def test_topic_filters_that_are_none(topic: str, tmp_path: Path):
    with pytest.raises(InputError, match="topic"):
        RunningCapture(f"mqtt://127.0.0.1{topic}", tmp_path / "a.jsonl")


def test_udp(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    port = free_port(socket.SOCK_DGRAM)
    tscbm = bytearray(b"\xcd\x10" + bytes(243))
    with capturing(f"udp://127.0.0.1:{port}", out) as running, socket.socket(type=socket.SOCK_DGRAM) as sender:
        listens(running)
        for number in range(5):
            tscbm[235] = number
            sender.sendto(tscbm, ("127.0.0.1", port))
        wait_until(lambda: len(payloads_so_far(out)) == 5, "5 datagrams")
    assert [payload[235] for payload in payloads(out)] == [0, 1, 2, 3, 4]
    assert {message.topic for message in read(out)} == {""}


def test_udp_from_one_sender_only(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    port = free_port(socket.SOCK_DGRAM)
    with capturing(f"udp://127.0.0.1:{port}?from=127.0.0.2", out) as running:
        listens(running)
        for address in ("127.0.0.1", "127.0.0.2"):
            with socket.socket(type=socket.SOCK_DGRAM) as sender:
                sender.bind((address, 0))
                sender.sendto(address.encode(), ("127.0.0.1", port))
        wait_until(lambda: payloads_so_far(out), "a datagram")
    assert payloads(out) == [b"127.0.0.2"]


def test_udp_multicast(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    port = free_port(socket.SOCK_DGRAM)
    with capturing(f"udp://239.255.42.42:{port}?interface=127.0.0.1", out) as running:
        listens(running)
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            sender.sendto(b"to the group", ("239.255.42.42", port))
        wait_until(lambda: payloads_so_far(out) == [b"to the group"], "a datagram to the group")


def test_udp_addresses_that_do_not_work(tmp_path: Path):
    with pytest.raises(LeezenflowError, match=r"write udp://0\.0\.0\.0"):
        RunningCapture("udp://192.0.2.77:6053", tmp_path / "a.jsonl").join()
    with pytest.raises(InputError, match="names no port"):
        RunningCapture("udp://127.0.0.1", tmp_path / "a.jsonl")
    with pytest.raises(InputError, match="give an IPv4 address"):
        RunningCapture("udp://127.0.0.1:1?from=somebody", tmp_path / "a.jsonl")
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(LeezenflowError, match="Another program listens"):
            RunningCapture(f"udp://127.0.0.1:{other.getsockname()[1]}", tmp_path / "a.jsonl").join()


class Server:
    """A TCP server for one client at a time, as a context."""

    def __enter__(self) -> "Server":
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(20)
        self.port = self._socket.getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def accept(self) -> socket.socket:
        client, _ = self._socket.accept()
        client.settimeout(20)
        return client


def test_tcp_lines_in_pieces_and_a_lost_connection(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    with Server() as server, capturing(f"tcp://127.0.0.1:{server.port}", out) as running:
        with server.accept() as client:
            client.sendall(b"first\r\n\nsec")
            wait_until(lambda: payloads_so_far(out) == [b"first"], "the first line")
            client.sendall(b"ond\nwithout an end")
            wait_until(lambda: payloads_so_far(out) == [b"first", b"second"], "the second line")
        with server.accept() as client:
            client.sendall(b"third\n")
            wait_until(lambda: len(payloads_so_far(out)) == 3, "the third line")
    assert payloads(out) == [b"first", b"second", b"third"]
    assert "the other side closed the connection" in running.log
    assert "back after" in running.log


def test_a_udap_session(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    message = b"\x04" + bytes(8) + b"\x02\x04\0\0\0\x07rest of it"
    frames = udap.frame(udap.PAYLOAD, message), udap.frame(udap.PAYLOAD, message + b"!")
    secrets = {"udap": {"token": "abc"}}
    with (
        Server() as server,
        capturing(f"tcp://127.0.0.1:{server.port}", out, secrets=secrets),
        server.accept() as client,
    ):
        greeting = udap.HELLO + udap.token_frame("abc")
        assert client.recv(len(greeting), socket.MSG_WAITALL) == greeting
        request = bytes(range(8))
        client.sendall(udap.HELLO + frames[0] + udap.frame(udap.TIMESTAMP_REQUEST, request) + frames[1][:9])
        answer = client.recv(len(udap.timestamp_response(request, 0, 0)), socket.MSG_WAITALL)
        assert answer[:13] == udap.timestamp_response(request, 0, 0)[:13]
        client.sendall(frames[1][9:] + udap.frame(udap.KEEP_ALIVE))
        wait_until(lambda: len(payloads_so_far(out)) == 2, "two frames")
    assert payloads(out) == list(frames)
    with TraceReader(out) as reader:
        assert reader.header.adapter == "udap"


def test_nobody_answers_on_tcp(tmp_path: Path):
    with pytest.raises(SourceLostError, match="nobody answers at"):
        RunningCapture(f"tcp://127.0.0.1:{free_port()}", tmp_path / "a.jsonl").join()
    with pytest.raises(InputError, match="host and port"):
        RunningCapture("tcp://127.0.0.1", tmp_path / "a.jsonl")
    with pytest.raises(InputError, match="framing"):
        RunningCapture("tcp://127.0.0.1:1?framing=what", tmp_path / "a.jsonl")
    with pytest.raises(InputError, match="nothing to record from"):
        RunningCapture("ftp://127.0.0.1:1", tmp_path / "a.jsonl")


def play_broker(server: socket.socket, answers: tuple[bytes, ...], heard: list[bytes]) -> None:
    """Answer each packet of one client with the next answer, then wait until it leaves."""
    client, _ = server.accept()
    with client:
        client.settimeout(20)
        for answer in answers:
            heard.append(client.recv(4096))
            client.sendall(answer)
        with contextlib.suppress(OSError):
            while client.recv(4096):
                pass


LET_IN, REFUSED = bytes((0x20, 2, 0, 0)), bytes((0x20, 2, 0, 5))
SUBSCRIBED, NOT_SUBSCRIBED = bytes((0x90, 3, 0, 1, 0)), bytes((0x90, 3, 0, 1, 0x80))


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ((REFUSED,), "does not let us in .*--secrets"),
        ((LET_IN, NOT_SUBSCRIBED), "refuses the subscription to 'a'"),
    ],
)
def test_a_broker_that_refuses(tmp_path: Path, answers: tuple[bytes, ...], complaint: str):
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=play_broker, args=(server, answers, heard), daemon=True).start()
        url = f"mqtt://me@127.0.0.1:{server.getsockname()[1]}/a"
        with pytest.raises(LeezenflowError, match=complaint):
            RunningCapture(url, tmp_path / "a.jsonl", secrets={"mqtt": {"password": "s3cret"}}).join()
    assert b"\x00\x02me\x00\x06s3cret" in heard[0]
    assert not (tmp_path / "a.jsonl").exists()


def test_what_is_too_long_or_without_a_topic(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    long = b"\0\1a" + b"x" * (MAX_PAYLOAD_BYTES + 1)
    length = len(long)
    packets = bytes((0x30, length & 127 | 128, length >> 7 & 127 | 128, length >> 14)) + long
    packets += bytes((0x30, 4)) + b"\0\1\xffx"  # a topic that is no UTF-8
    packets += bytes((0x30, 4)) + b"\0\1ax"
    with socket.create_server(("127.0.0.1", 0)) as server:
        answers = (LET_IN, SUBSCRIBED + packets)
        threading.Thread(target=play_broker, args=(server, answers, []), daemon=True).start()
        with capturing(f"mqtt://me@127.0.0.1:{server.getsockname()[1]}/a", out, count=1) as running:
            summary = running.join()
    assert payloads(out) == [b"x"]
    assert summary.left_out == {"oversized": 1, "damaged": 1}
    with TraceReader(out) as reader:
        assert "me@" not in reader.header.source


def test_something_that_is_no_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mqtt_source, "_ANSWER_S", 0.3)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(SourceLostError, match="does not answer as an MQTT broker does"),
    ):
        RunningCapture(f"mqtt://127.0.0.1:{server.getsockname()[1]}/a", tmp_path / "a.jsonl").join()
