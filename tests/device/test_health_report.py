# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health report is what docs/reference/health.md says: every field documented, none beside."""

import ast
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from board_flash import write_flash
from brokers import AmqttBroker, free_port, publisher, subscribe
from serial_line import SerialLine
from unix_device import ROOT, UnixDevice, board, recorded_messages, site
from waiting import wait_until

from leezenflow_host.boards.virtual import VirtualBoard

DOCUMENT = ROOT / "docs/reference/health.md"
SCHEMA = json.loads((ROOT / "docs/reference/health.schema.json").read_text())
TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "object": dict,
    "null": type(None),
}
WORDS = {"text": "string", "number": "integer", "true or false": "boolean", "object": "object"}


def documented() -> dict[str, set[str]]:
    """The fields of the document's table and their types, in the words of JSON Schema."""
    found = {}
    for name, words in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", DOCUMENT.read_text(), re.M):
        kinds = {WORDS[words.removesuffix(" or null").strip()]}
        found[name] = kinds | ({"null"} if " or null" in words else set())
    return found


def check(report: dict[str, Any]) -> None:
    """Every field is in the schema, with a value of its type; counters are whole numbers by word."""
    for name, value in report.items():
        assert name in SCHEMA["properties"], f"{name} is not documented"
        rules = SCHEMA["properties"][name]
        kinds = rules["type"] if isinstance(rules["type"], list) else [rules["type"]]
        assert any(type(value) is TYPES[kind] for kind in kinds), f"{name} is {value!r}, not {kinds}"
        if isinstance(value, dict):
            inner = TYPES[rules["additionalProperties"]["type"]]
            assert all(type(item) is inner for item in value.values()), f"{name} is {value!r}"
        if isinstance(value, str) and "enum" in rules:
            assert value in rules["enum"], f"{name} is {value!r}"
        if isinstance(value, str) and "pattern" in rules:
            assert re.search(rules["pattern"], value), f"{name} is {value!r}"
    assert set(SCHEMA["required"]) <= set(report)


def test_document_and_schema_name_the_same_fields_and_types() -> None:
    kinds = {
        name: set(rules["type"] if isinstance(rules["type"], list) else [rules["type"]])
        for name, rules in SCHEMA["properties"].items()
    }
    assert kinds == documented()
    assert SCHEMA["additionalProperties"] is False


def test_what_sensors_measure_is_documented() -> None:
    measured = set()
    for file in (ROOT / "firmware/leezenflow_device/sensors").glob("*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "MEASURES":
                measured |= set(ast.literal_eval(node.value))
    assert len(measured) >= 5
    assert measured <= set(SCHEMA["properties"])


SENSOR = """
OPTIONS = {}
MEASURES = ("temperature_cdeg", "humidity_permille", "pressure_pa", "supply_mv", "board_cdeg")
class Sensor:
    def __init__(self, options, bus=None): pass
    async def measure(self, sleep_ms):
        return {name: 1234 for name in MEASURES}
"""
LIGHT = """
OPTIONS = {}
class Sensor:
    def __init__(self, options, bus=None): pass
    def lux(self): return 300
"""
NETWORK = """
OPTIONS = {}
class Network:
    def __init__(self, settings, secrets, clock):
        self.counters = {"connects": 1}
        self.fault = ""
        self.clock = clock
    async def run(self):
        while True:
            await self.clock.network.sleep_ms(1000)
"""


@pytest.fixture
def broker(tmp_path: Path) -> Any:
    """A broker that runs."""
    made = AmqttBroker(free_port(), tmp_path)
    made.start()
    yield made
    made.stop()


def test_a_unit_with_everything_says_every_field_and_no_other(
    micropython: str, tmp_path: Path, broker: AmqttBroker
) -> None:
    tree = UnixDevice(micropython, tmp_path / "device")
    tree.write("a/leezenflow_device/sensors/planted.py", SENSOR)
    tree.write("a/leezenflow_device/sensors/planted_light.py", LIGHT)
    tree.write("a/leezenflow_device/networks/planted.py", NETWORK)
    values = board(health_s=1, time_server="127.0.0.1")
    values["sensors"] = {"planted": {}, "chip_temperature": {}}
    values["light"] = {"sensor": "planted_light"}
    values["network"] = {"kind": "planted"}
    # The virtual panel has no brightness; give it one, so that the light has something to do.
    driver = tree.folder / "a/leezenflow_device/displays/virtual.py"
    dimmable = driver.read_text() + "\n\nDisplay.set_brightness = lambda self, brightness: None\n"
    if driver.is_symlink():
        driver.unlink()
    tree.write("a/leezenflow_device/displays/virtual.py", dimmable)
    tree.configure(site(f"mqtt://127.0.0.1:{broker.port}/spat?unit_topic=north"), values)
    published: list[bytes] = []
    write_flash(tmp_path / "flash", tree.folder)
    with (
        VirtualBoard(tmp_path / "flash", heap_kb=512) as unit,
        SerialLine(unit.port) as line,
        publisher(broker.port) as client,
    ):
        client.on_message = lambda *arrival: published.append(arrival[2].payload)
        subscribe(client, "north/health")
        wait_until(lambda: line.ask("health")["health"]["listening"], "it listens", 120)
        for _, payload in recorded_messages(4):
            client.publish("spat", payload).wait_for_publish(10)
            time.sleep(0.2)
        wait_until(lambda: line.ask("health")["health"]["message_age_ms"] is not None, "messages arrive", 120)
        wait_until(lambda: len(published) >= 2, "reports are published", 120)
        report = line.ask("health")["health"]
        told = json.loads(line.wait_for(lambda text: text.startswith("health {"), "a report")[7:])
    for one in (report, told, json.loads(published[-1])):
        check(one)
    assert set(report) == set(SCHEMA["properties"])
    assert "chip_temperature" in report["sensor_faults"], "a virtual board has none: a text, not an exception"
    assert report["temperature_cdeg"] == 1234
    assert sum(told["shares"].values()) >= 995


def test_a_unit_with_nothing_says_the_required_fields(micropython: str, tmp_path: Path) -> None:
    tree = UnixDevice(micropython, tmp_path / "device")
    values = site("", name="test_pattern")
    values["signal"].update(source=None)
    tree.configure(values)
    write_flash(tmp_path / "flash", tree.folder)
    with VirtualBoard(tmp_path / "flash") as unit, SerialLine(unit.port) as line:
        report = line.ask("health")["health"]
    check(report)
    assert set(report) == set(SCHEMA["required"])


def test_there_is_nothing_to_take_personal_data_from() -> None:
    # By construction: no module of the unit scans radios, reads microphones or cameras, or keeps addresses of others.
    for file in (ROOT / "firmware/leezenflow_device").rglob("*.py"):
        text = file.read_text()
        for word in ("bluetooth", "aioble", ".scan(", "esp32.wifi", "camera", "I2S"):
            assert word not in text, f"{file.name} holds {word}"
