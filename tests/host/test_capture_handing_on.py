# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorder as a bridge: what is recorded goes on at once, nothing old is sent, and nobody holds up the recording."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from capturing import free_port, payloads, start_command
from waiting import wait_until

from leezenflow_host.broker import EmbeddedBroker
from leezenflow_host.capture import handing_on
from leezenflow_host.capture.arrivals import Arrival
from leezenflow_host.capture.handing_on import Relay
from leezenflow_host.capture.systemd_unit import make_unit
from leezenflow_host.cli import run
from leezenflow_host.errors import InputError, LeezenflowError


class ScriptedFeed:
    """Somewhere to send to that comes and goes as a test says."""

    def __init__(self) -> None:
        self.is_connected = True
        self.is_reachable = True
        self.opened = 0
        self.sent: list[tuple[bytes, str]] = []

    @contextlib.contextmanager
    def open(self, url: str, secrets: object) -> Iterator["ScriptedFeed"]:
        """In place of `open_feed`."""
        if not self.is_reachable:
            raise LeezenflowError("nobody answers.")
        self.opened += 1
        yield self

    def send(self, payload: bytes, topic: str) -> None:
        """Keep it."""
        self.sent.append((payload, topic))


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> ScriptedFeed:
    made = ScriptedFeed()
    monkeypatch.setattr(handing_on, "open_feed", made.open)
    monkeypatch.setattr(handing_on, "_FIRST_PAUSE_S", 0.01)
    # However slow the computer is: only a test that is about age lets anything grow old.
    monkeypatch.setattr(handing_on, "MAX_AGE_S", 1e9)
    return made


@contextlib.contextmanager
def relaying(log: list[str]) -> Iterator[Relay]:
    relay = Relay("mqtt://me@broker/a", {}, log.append)
    relay.start()
    try:
        yield relay
    finally:
        relay.close()


def arrival(number: int) -> Arrival:
    return Arrival(number, "topic", b"message %d" % number)


def test_everything_goes_on_in_order(feed: ScriptedFeed):
    log: list[str] = []
    with relaying(log) as relay:
        for number in range(100):
            relay.offer(arrival(number))
    assert feed.sent == [(b"message %d" % number, "topic") for number in range(100)]
    assert (relay.sent, relay.missed, log) == (100, 0, [])


def test_a_receiver_that_goes_and_comes_back_is_told_of_once(feed: ScriptedFeed):
    log: list[str] = []
    with relaying(log) as relay:
        feed.is_reachable = feed.is_connected = False
        wait_until(lambda: log, "the loss is told")
        feed.is_connected = feed.is_reachable = True
        wait_until(lambda: len(log) == 2, "the return is told")
        relay.offer(arrival(1))
        wait_until(lambda: relay.sent == 1, "a message on the new connection")
    assert log[0].startswith("mqtt://broker/a is not there any more. Nothing is handed on until it is back")
    assert log[1] == "handing on to mqtt://broker/a again"
    assert feed.opened == 2


def test_what_is_old_is_not_sent(feed: ScriptedFeed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(handing_on, "MAX_AGE_S", -1.0)
    with relaying([]) as relay:
        relay.offer(arrival(1))
        wait_until(lambda: relay.missed == 1, "the message is given up")
    assert feed.sent == []


def test_a_receiver_that_takes_nothing_costs_no_memory():
    relay = Relay("udp://127.0.0.1:9", {}, print)
    for number in range(1000):
        relay.offer(arrival(number))
    assert relay.missed == 1000 - 256
    relay.close()


def test_nobody_there_at_the_start_is_an_error(feed: ScriptedFeed):
    feed.is_reachable = False
    with pytest.raises(LeezenflowError, match="nobody answers"), relaying([]):
        pass
    for url in ("ftp://a", "a", "tcp://127.0.0.1:5"):
        with pytest.raises(InputError, match="--to"):
            Relay(url, {}, print)


def send_until_it_ends(child: "subprocess.Popen[str]", port: int) -> None:
    number = 0
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        while child.poll() is None:
            sender.sendto(b"<DATA/><!--%d-->" % number, ("127.0.0.1", port))
            number += 1
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.02)


def test_from_udp_to_udp(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    port = free_port(socket.SOCK_DGRAM)
    with socket.socket(type=socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        to = f"udp://127.0.0.1:{receiver.getsockname()[1]}"
        child = start_command(f"udp://127.0.0.1:{port}", "--out", str(out), "--count", "4", "--to", to)
        send_until_it_ends(child, port)
        _, log = child.communicate(timeout=30)
        assert child.returncode == 0, log
        recorded = payloads(out)
        assert len(recorded) == 4
        assert "messages handed on" in log
        if "4 messages handed on" in log:
            assert [receiver.recv(4096) for _ in range(4)] == recorded


def test_what_is_wrong_with_the_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = str(tmp_path / "a.jsonl")
    source = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    assert run(["capture", source, "--out", out, "--to", "ftp://a"]) == 2
    assert "ftp:// is no way to send" in capsys.readouterr().err
    assert run(["capture", source, "--out", out, "--to", f"mqtt://127.0.0.1:{free_port()}/a"]) == 1
    assert "broker" in capsys.readouterr().err
    assert run(["capture", source, "--out", out, "--to", "mqtt://me@broker/a", "--dry-run"]) == 0
    assert "and hand it on to mqtt://broker/a." in capsys.readouterr().out
    assert not Path(out).exists()


def test_a_real_broker_that_leaves_is_noticed():
    log: list[str] = []
    with EmbeddedBroker() as broker:
        relay = Relay(f"mqtt://127.0.0.1:{broker.port}/a", {}, log.append)
        relay.start()
        relay.offer(arrival(1))
        wait_until(lambda: relay.sent == 1 or relay.missed == 1, "the message is dealt with")
    wait_until(lambda: log, "the loss is told")
    relay.close()


def test_the_service_hands_on_too():
    unit = make_unit("udp://0.0.0.0:1", "a.jsonl", None, None, None, "", None, "leezenflow", "serial:///dev/ttyUSB0")
    assert "--to serial:///dev/ttyUSB0" in unit
    assert "SupplementaryGroups=dialout" in unit
