# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit and a real mosquitto when things go wrong: access, killed brokers, half-open links, slow readers, old news."""

import binascii
import contextlib
from pathlib import Path
from typing import Any

import pytest
from brokers import subscribe, wait_until
from mosquitto_fleet import TOPIC, Fleet, Proxy
from transport_child import TransportChild


def told(payload: bytes) -> tuple[str, int, int]:
    """What the child tells of a message."""
    return ("message", len(payload), binascii.crc32(payload))


def names_of(child: TransportChild, *names: str) -> list[str]:
    """The kinds of events, of those named."""
    return [event[0] for event in child.events if event[0] in names]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """A fleet that identifies by password, not started yet."""
    return Fleet(tmp_path / "fleet")


def test_a_unit_hears_no_commands_but_its_own(micropython: str, fleet: Fleet) -> None:
    with fleet, fleet.client("operator") as operator:
        # What unit a asks for: everybody's commands as its signal.
        source = fleet.source("unit-a", topic="leezenflow/+/command")
        with TransportChild(micropython, source, fleet.secrets("unit-a")) as child:
            child.wait_for("listening", True)
            for name in ("unit-b", "unit-c", "unit-a"):
                operator.publish(f"leezenflow/{name}/command", name.encode(), 1).wait_for_publish(10)
            child.wait_for("command", "unit-a")
    assert [event for event in child.events if event[0] in ("message", "command")] == [["command", "unit-a"]]


def test_a_unit_writes_about_itself_only_and_strangers_read_nothing(fleet: Fleet) -> None:
    allowed = ["leezenflow/unit-a/status", "leezenflow/unit-a/health", "leezenflow/unit-a/answer"]
    denied = ["leezenflow/unit-b/status", "leezenflow/unit-b/command", "leezenflow/unit-a/command", TOPIC]
    with (
        fleet,
        fleet.client("operator") as operator,
        fleet.client("feeder") as feeder,
        fleet.client("unit-a") as unit_a,
        fleet.client("unit-b") as unit_b,
    ):
        for client in (operator, feeder, unit_b):
            subscribe(client, "#", 1)
        for topic in [*denied, *allowed]:
            unit_a.publish(topic, b"x", 1).wait_for_publish(10)
        wait_until(lambda: len(operator.user_data_get()) == 3, "what is allowed has come")
        # In front of this, unit b would have heard everything else.
        operator.publish("leezenflow/unit-b/command", b"end", 1).wait_for_publish(10)
        wait_until(lambda: unit_b.user_data_get(), "the last one has come")
    assert [topic for topic, _ in operator.user_data_get()] == allowed
    assert unit_b.user_data_get() == [("leezenflow/unit-b/command", b"end")]
    assert feeder.user_data_get() == []


def test_a_killed_broker_comes_back(micropython: str, fleet: Fleet) -> None:
    with fleet, TransportChild(micropython, fleet.source("unit-a"), fleet.secrets("unit-a")) as child:
        child.wait_for("listening", True)
        fleet.publish("feeder", TOPIC, b"one")
        child.wait_for(*told(b"one"))
        fleet.kill()
        child.wait_for("listening", False)
        fleet.start()
        child.wait_for("listening", True)
        fleet.publish("feeder", TOPIC, b"two")
        child.wait_for(*told(b"two"))
    assert names_of(child, "reconnected", "message") == ["reconnected", "message", "reconnected", "message"]


def test_a_link_that_is_open_at_one_end_only_is_left(micropython: str, fleet: Fleet) -> None:
    with fleet, Proxy(fleet.port) as proxy:
        source = fleet.source("unit-a", port=proxy.port, keepalive_s=2)
        with TransportChild(micropython, source, fleet.secrets("unit-a")) as child:
            child.wait_for("listening", True)
            proxy.mute()
            child.wait_for("listening", False)
            child.wait_for("listening", True)
            fleet.publish("feeder", TOPIC, b"through the new one")
            child.wait_for(*told(b"through the new one"))
    assert proxy.connections >= 2
    child.wait_for_output("the broker fell silent")


def test_a_slow_reader_keeps_its_link_and_hears_the_newest(micropython: str, fleet: Fleet) -> None:
    with fleet, fleet.client("feeder") as feeder:
        source = fleet.source("unit-a", keepalive_s=2)
        with TransportChild(micropython, source, fleet.secrets("unit-a"), sink_ms=20) as child:
            child.wait_for("listening", True)
            for number in range(400):
                feeder.publish(TOPIC, b"%04d" % number * 1000)
            # A broker may drop what a slow reader does not take; what comes once it has caught up arrives.
            heard = False
            while not heard:
                feeder.publish(TOPIC, b"live").wait_for_publish(20)
                with contextlib.suppress(AssertionError):
                    heard = bool(child.wait_for(*told(b"live"), timeout_s=1))
            # That took longer than its patience with a broker that does not answer pings.
            assert len(child.events) > 100
            assert child.counters.get("losses", 0) == 0


def test_what_a_session_kept_of_the_signal_is_old_and_its_commands_are_not(micropython: str, fleet: Fleet) -> None:
    options: dict[str, Any] = {"session": "true", "client_id": "unit-a"}
    with fleet, fleet.client("operator") as operator, fleet.client("feeder") as feeder:
        # An earlier configuration of this unit asked for the signal with QoS 1: the broker keeps messages for it.
        with fleet.client("unit-a", client_id="unit-a", clean=False) as before:
            subscribe(before, TOPIC, 1)
            subscribe(before, "leezenflow/unit-a/command", 1)
        for number in range(30):
            feeder.publish(TOPIC, b"old %d" % number, 1).wait_for_publish(10)
        operator.publish("leezenflow/unit-a/command", b"kept", 1).wait_for_publish(10)
        with TransportChild(micropython, fleet.source("unit-a", **options), fleet.secrets("unit-a")) as child:
            # The command may have waited behind the confirmation of the subscription, or the other way round.
            child.wait_for("command", "kept")
            child.wait_until_told("listening", True)
            child.wait_for_counter("queued", 30)
            feeder.publish(TOPIC, b"new").wait_for_publish(10)
            child.wait_for(*told(b"new"))
        # It was acknowledged: the next life of the same session does not hear it again.
        operator.publish("leezenflow/unit-a/command", b"later", 1).wait_for_publish(10)
        with TransportChild(micropython, fleet.source("unit-a", **options), fleet.secrets("unit-a")) as child:
            child.wait_for("command", "later")
            feeder.publish(TOPIC, b"newer")
    assert names_of(child, "message", "command")[0] == "command"
    assert ["command", "kept"] not in child.events


def test_a_session_without_a_name_or_with_a_queued_signal_is_refused(micropython: str, fleet: Fleet) -> None:
    wrong: list[dict[str, Any]] = [{"session": "true"}, {"session": "true", "client_id": "a", "qos": 1}]
    for options in wrong:
        with (
            TransportChild(micropython, fleet.source("unit-a", **options)) as child,
            pytest.raises(AssertionError, match="needs a client_id of the unit's own, and qos=0"),
        ):
            child.wait_for("listening", True)
