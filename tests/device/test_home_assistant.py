# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit in Home Assistant, end to end: real firmware, the generated mosquitto, and what an observer makes of it."""

import base64
import contextlib
import json
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import paho.mqtt.client as paho
import pytest
from brokers import subscribe
from mosquitto_fleet import TOPIC, Fleet
from unix_device import UnixDevice, board, recorded_messages, site

from leezenflow.source_url import parse_source
from leezenflow_host import cli
from leezenflow_host.errors import LeezenflowError
from leezenflow_host.home_assistant.entities import ENTITIES
from leezenflow_host.home_assistant.publishing import publish_retained
from leezenflow_host.mqtt_client import TLS_OPTIONS, Broker, find_broker

SENSOR = """
OPTIONS = {}
MEASURES = ("temperature_cdeg", "humidity_permille", "pressure_pa", "supply_mv", "board_cdeg")
class Sensor:
    def __init__(self, options, bus=None): pass
    async def measure(self, sleep_ms):
        return {name: 1234 for name in MEASURES}
"""
CONFIG = "homeassistant/device/leezenflow_unit-a/config"


class Observer:
    """What Home Assistant's account hears, in order."""

    def __init__(self, client: paho.Client) -> None:
        self._heard: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()
        client.on_message = lambda *arrival: self._heard.put(
            (arrival[2].topic, bytes(arrival[2].payload), bool(arrival[2].retain))
        )

    def next(self, topic: str) -> tuple[bytes, bool]:
        """The next message under a topic, and whether it was kept for us."""
        while True:
            found, payload, retained = self._heard.get(timeout=60)
            if found == topic:
                return payload, retained


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A broker whose operators may announce, with an observer; it runs."""
    made = Fleet(tmp_path / "fleet")
    made.change(observers=("home",), discovery="homeassistant")
    with made:
        yield made


@contextlib.contextmanager
def observing(fleet: Fleet) -> Iterator[tuple[paho.Client, Observer]]:
    """The connected observer."""
    with fleet.client("home") as client:
        yield client, Observer(client)


def announce(fleet: Fleet, folder: Path, *more: str, who: str = "operator") -> int:
    """Call the command for unit-a; its exit code."""
    (folder / "unit-a.toml").write_text(
        f'[unit]\nname = "Unit A"\n[signal]\nintersection = "49:1090"\nsignal_group = 12\nadapter = "spatem_xml"\n'
        f'source = "mqtts://127.0.0.1:{fleet.port}/{TOPIC}?unit_topic=leezenflow/unit-a"\n'
        "[rider]\ndistance_m = 110\n"
    )
    secrets = fleet.folder / ("units" if who.startswith("unit") else "people") / f"{who}.json"
    url = f"mqtts://127.0.0.1:{fleet.port}?ca={fleet.folder}/broker/ca.pem"
    return cli.run(["announce", str(folder / "unit-a.toml"), "--mqtt", url, "--secrets", str(secrets), *more])


def broker_of(fleet: Fleet, who: str) -> Broker:
    """The broker as somebody reaches it."""
    source = parse_source(f"mqtts://127.0.0.1:{fleet.port}")
    options = {name: rule["default"] for name, rule in TLS_OPTIONS.items()}
    return find_broker(source, {**options, "ca": str(fleet.folder / "broker/ca.pem")}, fleet.secrets(who))


def test_a_unit_appears_reports_and_goes(micropython: str, fleet: Fleet, tmp_path: Path, capsys) -> None:
    device = UnixDevice(micropython, tmp_path / "device")
    device.write("a/leezenflow_device/sensors/planted.py", SENSOR)
    device.write("certs/ca.der", base64.b64decode(fleet.secrets("unit-a")["certs"]["ca.der"]))
    device.write("secrets.json", {"mqtt": fleet.secrets("unit-a")["mqtt"]})
    values = board(health_s=1)
    values["sensors"] = {"planted": {}}
    device.configure(site(f"mqtts://127.0.0.1:{fleet.port}/{TOPIC}?unit_topic=leezenflow/unit-a"), values)

    assert announce(fleet, tmp_path) == 0
    assert "Unit A: in Home Assistant as leezenflow_unit-a" in capsys.readouterr().out
    with observing(fleet) as (client, observer), fleet.client("feeder") as feeder:
        subscribe(client, "homeassistant/#", 1)
        payload, retained = observer.next(CONFIG)
        assert retained, "Home Assistant finds it whenever it starts"
        message = json.loads(payload)
        components = message["components"]
        subscribe(client, components["online"]["state_topic"], 1)
        subscribe(client, components["advice"]["state_topic"], 1)
        with device.running():
            assert observer.next(components["online"]["state_topic"])[0].decode() == components["online"]["payload_on"]
            for _, signal in recorded_messages(2):
                feeder.publish(TOPIC, signal, 1).wait_for_publish(20)
            # Sensors are asked at the start, so a report that knows of a message has all there is.
            while True:
                report = json.loads(observer.next(components["advice"]["state_topic"])[0])
                if report["message_age_ms"] is not None and "temperature_cdeg" in report and report["shares"]:
                    break
        assert observer.next(components["online"]["state_topic"])[0].decode() == components["online"]["payload_off"]
        states = render(components, report)
        assert states == expected(report)
        assert states["temperature_cdeg"] == "12.3" and states["supply_mv"] == "1.23" and states["listening"] == "ON"
        assert all(states[f"share_{kind}"] != "None" for kind in report["shares"])

        assert announce(fleet, tmp_path, "--remove") == 0
        assert observer.next(CONFIG) == (b"", False)
    with observing(fleet) as (client, observer):
        # What was kept would stand in front of this answer.
        subscribe(client, "homeassistant/#", 1)
        fleet.publish("operator", CONFIG, b"sentinel", retain=False)
        assert observer.next(CONFIG) == (b"sentinel", False)


def render(components: dict[str, Any], report: dict[str, Any]) -> dict[str, str]:
    """The state of each entity after a report, as Home Assistant renders it."""
    made = jinja2.Environment()
    return {
        key: made.from_string(one["value_template"]).render(value_json=report)
        for key, one in components.items()
        if "value_template" in one
    }


def expected(report: dict[str, Any]) -> dict[str, str]:
    """The same, worked out from the report's own words."""
    states = {}
    for entity in ENTITIES:
        value: Any = report
        for word in entity.path.split("."):
            value = value.get(word) if isinstance(value, dict) else None
        if entity.kind == "yes":
            states[entity.key] = "ON" if value else "OFF"
        elif entity.kind == "text":
            states[entity.key] = "" if value is None else str(value)
        elif value is None or entity.kind == "word":
            states[entity.key] = str(value)
        else:
            states[entity.key] = str(round(value / entity.divisor, entity.digits) if entity.divisor > 1 else value)
    return states


@pytest.mark.parametrize("who", ["unit-b", "home"])
def test_nobody_but_an_operator_may_announce(fleet: Fleet, tmp_path: Path, capsys, who: str) -> None:
    if who == "home":  # it may read there: the broker takes what it writes, and drops it without a word
        with pytest.raises(LeezenflowError, match="does not let this account"):
            publish_retained(broker_of(fleet, who), {CONFIG: b"{}"}, patience_s=2)
    else:
        assert announce(fleet, tmp_path, who=who) == 1
        assert "does not let this account" in " ".join(capsys.readouterr().err.split())
    with observing(fleet) as (client, observer):
        subscribe(client, "homeassistant/#", 1)
        fleet.publish("operator", CONFIG, b"sentinel")
        assert observer.next(CONFIG) == (b"sentinel", False), "nothing was kept"


def test_without_discovery_operators_may_not_either(tmp_path: Path, capsys) -> None:
    with Fleet(tmp_path / "fleet") as plain:
        assert announce(plain, tmp_path) == 1
        assert "--discovery" in capsys.readouterr().err


def test_a_broker_that_is_not_there_or_lets_nobody_in(fleet: Fleet, tmp_path: Path, capsys) -> None:
    (fleet.folder / "people/operator.json").write_text('{"mqtt": {"user": "operator", "password": "wrong"}}')
    assert announce(fleet, tmp_path) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "does not let us in" in said and "wrong" not in said
    fleet.kill()
    assert announce(fleet, tmp_path) == 1
    assert "no MQTT broker answers" in " ".join(capsys.readouterr().err.split())
