# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a Linux unit's messages come from: brokers (TLS included), datagrams, serial lines, the system's clock."""

import base64
import datetime
import os
import pty
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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
from field_broker import mosquitto
from linux_units import Panel, RunningUnit, make_linux_unit, make_site
from recordings import ORIGIN_MS, message
from sending import sending

from leezenflow.framing import encode_frame
from leezenflow_host.capture.arrivals import Arrival
from leezenflow_host.certificates import issue_client, issue_server, make_authority
from leezenflow_host.errors import InputError
from leezenflow_host.linux_unit import clocks
from leezenflow_host.linux_unit.feeds import ClockFeed, Feed, make_feed
from leezenflow_host.mqtt_subscription import BrokerError
from signals import Program

AnyBroker = AmqttBroker | MosquittoBroker
TOPIC = "/spat/1090"


@pytest.fixture(params=[AmqttBroker, MosquittoBroker], ids=["amqtt", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyBroker]:
    """A broker that is not started yet."""
    if request.param is MosquittoBroker and find_mosquitto() is None:
        pytest.skip("mosquitto is not installed: a Linux unit is not covered against the broker of the field")
    made = request.param(free_port(), tmp_path)
    yield made
    made.stop()


def phase(ms: int) -> bytes:
    """What a controller says in the middle of a phase, so that the colour stays what it is."""
    return message(Program(0), ORIGIN_MS + ms)


def test_a_unit_shows_what_a_broker_brings_and_is_dark_without(broker: AnyBroker) -> None:
    panel = Panel()
    said: list[str] = []
    unit = make_linux_unit(f"mqtt://127.0.0.1:{broker.port}/{TOPIC}?unit_topic=units/test", panel, said, health_s=1)
    with RunningUnit(unit) as running:
        wait_until(lambda: any("no MQTT broker answers" in line for line in said), "the loss is told")
        wait_until(lambda: panel.last == ("dark", "no_data"), "dark, and why")
        broker.start()
        receiver = unit.receiver
        assert receiver is not None
        wait_until(lambda: receiver.listening, "the unit listens", 60)
        with sending(broker.port, TOPIC, phase, 100):
            wait_until(lambda: panel.last[0] in ("green", "red"), "an advice", 60)
        assert unit.latency_ms is not None and unit.latency_ms >= 0
        assert unit.message_age_ms is not None and unit.message_age_ms >= 0
        broker.stop()
        # Old news is no news: within the limit of staleness the panel is dark, whatever the network does.
        wait_until(lambda: panel.last == ("dark", "stale"), "dark", 60)
        broker.start()
        wait_until(lambda: receiver.listening, "the unit is back", 90)
        with sending(broker.port, TOPIC, phase, 100):
            wait_until(lambda: panel.last[0] in ("green", "red"), "an advice again", 60)
        running.end()
    assert running.error is None
    assert panel.dark
    assert receiver.feed.counters["connects"] == 2 and receiver.feed.counters["losses"] >= 1


def test_status_and_health_reach_the_broker_and_retained_messages_never_count(broker: AnyBroker) -> None:
    broker.start()
    publish(broker.port, TOPIC, message(Program(0), ORIGIN_MS), 1, retain=True)
    heard: list[tuple[str, bytes]] = []
    with publisher(broker.port) as client:
        client.on_message = lambda _c, _u, message: heard.append((message.topic, bytes(message.payload)))
        subscribe(client, "units/test/#")
        unit = make_linux_unit(
            f"mqtt://127.0.0.1:{broker.port}/{TOPIC}?unit_topic=units/test&qos=1", Panel(), [], health_s=1
        )
        with RunningUnit(unit):
            wait_until(lambda: ("units/test/status", b"online") in heard, "online")
            wait_until(lambda: any(topic == "units/test/health" for topic, _ in heard), "a report")
            assert unit.receiver is not None
            counters = unit.receiver.feed.counters
            wait_until(lambda: counters["retained"] == 1, "the retained message")
        wait_until(lambda: heard[-1] == ("units/test/status", b"offline"), "offline")
    assert unit.engine.counters == {}
    assert counters["messages"] == 0


def receive(feed: Feed, count: int = 1) -> list[bytes]:
    """The next payloads."""
    found: list[bytes] = []
    wait_until(lambda: bool(found.extend(a.payload for a in feed.receive(0.1))) or len(found) >= count, "messages")
    return found


def feed_of(source: str, secrets: dict[str, Any] | None = None) -> Feed:
    """The feed that a site with this source gets."""
    return make_feed(make_site(source).site(), secrets or {})


def refusal(source: str, secrets: dict[str, Any] | None = None) -> BrokerError:
    """How a broker is not reached."""
    feed = feed_of(source, secrets)
    with pytest.raises(BrokerError) as caught:
        feed.open()
    feed.close()
    return caught.value


def test_what_is_too_long_is_dropped_and_counted() -> None:
    broker = AmqttBroker(free_port(), Path())
    broker.start()
    try:
        feed = feed_of(f"mqtt://127.0.0.1:{broker.port}/t?message_bytes=300")
        feed.open()
        publish(broker.port, "t", b"x" * 301, 1)
        publish(broker.port, "t", b"y" * 300, 1)
        assert receive(feed) == [b"y" * 300]
        assert feed.counters["oversize"] == 1
        feed.close()
        feed.close()
        with pytest.raises(BrokerError, match="not connected"):
            feed.receive(0)
    finally:
        broker.stop()


def test_why_a_broker_does_not_serve_us() -> None:
    nobody = refusal(f"mqtt://127.0.0.1:{free_port()}/t")
    assert nobody.kind == "unreachable" and "no MQTT broker answers" in str(nobody)
    nameless = refusal("mqtt://broker.invalid/t")
    assert nameless.kind == "name" and "no address for the broker broker.invalid" in str(nameless)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.recv(100)
            connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        other = refusal(f"mqtt://127.0.0.1:{server.getsockname()[1]}/t")
    assert other.kind == "silent" and "does not talk MQTT" in str(other)


def test_a_broker_that_refuses_names_the_reason(tmp_path: Path) -> None:
    (tmp_path / "passwords").touch()
    port = free_port()
    with mosquitto(tmp_path, port, f"allow_anonymous false\npassword_file {tmp_path}/passwords"):
        refused = refusal(f"mqtt://anna@127.0.0.1:{port}/t", {"mqtt": {"password": "wrong"}})
    assert refused.kind == "refused"
    assert "refuses the connection: Not authorized" in str(refused)
    assert "wrong" not in str(refused)


BEGINS = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ENDS = datetime.datetime(2050, 1, 1, tzinfo=datetime.UTC)


def test_tls_believes_only_the_authority_of_the_secrets(tmp_path: Path) -> None:
    authority = make_authority("test", BEGINS)
    server = issue_server(authority, ["127.0.0.1"], ENDS)
    unit = issue_client(authority, "unit-1", ENDS)
    for name, content in (
        *(("ca.pem", authority.certificate_pem), ("cert.pem", server.certificate_pem), ("key.pem", server.key_pem)),
    ):
        (tmp_path / name).write_bytes(content)
    port = free_port()
    settings = f"allow_anonymous true\ncafile {tmp_path}/ca.pem\ncertfile {tmp_path}/cert.pem\n"
    settings += f"keyfile {tmp_path}/key.pem\nrequire_certificate true"
    ours = {
        "ca.der": authority.certificate_pem.decode(),
        "unit.der": unit.certificate_pem.decode(),
        "unit_key.der": base64.b64encode(unit.key_der).decode(),
    }
    source = f"mqtts://127.0.0.1:{port}/t?certificate=unit.der"
    with mosquitto(tmp_path, port, settings):
        feed = feed_of(source, {"certs": ours})
        feed.open()
        feed.published.append(("nothing", b"", False))
        assert feed.receive(0.01) == []
        feed.close()
        (tmp_path / "ca.der").write_bytes(authority.certificate_der)
        feed = feed_of(f"{source}&ca={tmp_path}/ca.der", {"certs": ours})
        feed.open()
        feed.close()
        other = make_authority("another", BEGINS).certificate_pem.decode()
        stranger = refusal(source, {"certs": {**ours, "ca.der": other}})
        system = refusal(f"mqtts://127.0.0.1:{port}/t")
        nameless = refusal(f"mqtts://127.0.0.1:{port}/t", {"certs": {"ca.der": ours["ca.der"]}})
    assert stranger.kind == system.kind == "tls"
    assert "certificate" in str(stranger) and "certificate" in str(system)
    assert nameless.kind in ("tls", "silent")
    for certs, complaint in (
        ({"unit.der": ours["unit.der"]}, '"certs" has no ca.der'),
        ({"ca.der": ours["ca.der"]}, '"certs" has no unit.der'),
        ({**ours, "ca.der": ours["unit_key.der"]}, "ca.der is no certificate"),
        ({**ours, "unit_key.der": ours["unit.der"]}, "unit.der and unit_key.der cannot be used together"),
    ):
        with pytest.raises(InputError, match=complaint):
            feed_of(source, {"certs": certs})
    with pytest.raises(InputError, match=r"nowhere\.der: No such file"):
        feed_of(f"{source}&ca=/nowhere.der", {"certs": ours})


def test_datagrams() -> None:
    port = free_port()
    feed = feed_of(f"udp://127.0.0.1:{port}?from=127.0.0.1&message_bytes=300")
    feed.open()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for payload in (b"a" * 301, b"b" * 300):
            sender.sendto(payload, ("127.0.0.1", port))
        assert receive(feed) == [b"b" * 300]
    assert feed.counters == {"messages": 1, "oversize": 1}
    feed.close()


def test_a_serial_line() -> None:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    feed = feed_of(f"uart:/{os.ttyname(theirs)}?baud=115200".replace("uart:/", "uart://", 1))
    feed.open()
    os.write(ours, encode_frame(b"first") + encode_frame(b"second"))
    assert receive(feed, 2) == [b"first", b"second"]
    feed.close()
    os.close(ours)
    os.close(theirs)


def test_the_clock_ticks_each_second_and_says_whether_it_is_set() -> None:
    now = [1_700_000_000_250]
    for is_set, age in ((True, b"0"), (False, b"-")):
        feed = ClockFeed(lambda: 7, lambda: now[0], lambda is_set=is_set: is_set)
        feed.open()
        (first,) = feed.receive(0)
        # 14 November 2023, 22:13:20.25 UTC.
        assert first == Arrival(7, "", b"2023 457813 20250 " + age)
        assert feed.receive(0) == []
        now[0] += 750
        assert [arrival.payload for arrival in feed.receive(0)] == [b"2023 457813 21000 " + age]
        now[0] -= 60_000  # set back: it goes on with the new time
        assert [arrival.payload for arrival in feed.receive(0)] == [b"2023 457812 21000 " + age]
        now[0] += 59_250
        feed.close()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("lamps://", "lamps:// does not reach a Linux unit; there are mqtt"),
        ("uart://0?baud=115200", "no numbered UARTs; write uart:///dev/ttyAMA0"),
        ("mqtt:///t", "names no broker"),
        ("mqtt://broker", "names no topic"),
        ("mqtt://broker/t?qos=7", "qos is 7"),
        ("udp://0.0.0.0", "names no port"),
        (None, "source is missing"),
    ],
)
def test_sources_that_a_linux_unit_has_not(source: str | None, complaint: str) -> None:
    site = make_site("mqtt://127.0.0.1/t").site()
    site.source = source
    with pytest.raises(InputError, match=complaint.replace("?", r"\?")):
        make_feed(site, {})


def test_the_kernel_tells_whether_its_clock_is_disciplined(monkeypatch: pytest.MonkeyPatch) -> None:
    assert clocks.is_synchronised() in (True, False)

    def kernel(answer: int, status: int) -> Callable[..., Any]:
        class Library:
            def __init__(self, *_: Any, **__: Any) -> None:
                pass

            def adjtimex(self, timex: Any) -> int:
                import ctypes
                import sys

                start = 5 * ctypes.sizeof(ctypes.c_long)
                timex[start : start + 4] = status.to_bytes(4, sys.byteorder)
                return answer

        return Library

    monkeypatch.setattr(clocks.sys, "platform", "linux")
    for answer, status, expected in ((0, 0x2001, True), (5, 0x2001, False), (0, 0x40, False), (-1, 0, False)):
        monkeypatch.setattr(clocks.ctypes, "CDLL", kernel(answer, status))
        assert clocks.is_synchronised() is expected
    monkeypatch.setattr(clocks.sys, "platform", "darwin")
    assert clocks.is_synchronised() is False
