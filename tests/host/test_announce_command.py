# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow announce`: what it says of a unit to Home Assistant, and what it refuses."""

import json
import shutil
from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2 import nodes

from leezenflow_host import cli
from leezenflow_host.home_assistant.announcement import announce, device_id
from leezenflow_host.home_assistant.entities import ENTITIES, Entity
from leezenflow_host.site_config import read_site

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/reference/health.schema.json").read_text())["properties"]
SOURCE = "mqtt://broker/spat/1090?unit_topic=leezenflow/north"
BOARD_PARTS = """
[device]
health_s = 30
[sensors.sht3x]
[sensors.ads1115]
[light]
sensor = "bh1750"
"""
# Home Assistant's own rules for what is used here: the units of a device class, and its state classes.
UNITS = {
    "duration": {"s", "ms"},
    "data_size": {"B"},
    "temperature": {"°C"},
    "humidity": {"%"},
    "atmospheric_pressure": {"hPa"},
    "voltage": {"V"},
    "illuminance": {"lx"},
}


def site(folder: Path, source: str = SOURCE, name: str = "north", file: str = "north.toml") -> str:
    """Write a site; its path."""
    (folder / file).write_text(
        f'[unit]\nname = "{name}"\n'
        f'[signal]\nintersection = "49:1090"\nsignal_group = 12\nadapter = "spatem_xml"\nsource = "{source}"\n'
        "[rider]\ndistance_m = 110\n"
    )
    return str(folder / file)


def dry_run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What `announce --dry-run` prints, by topic."""
    assert cli.run(["announce", *arguments, "--dry-run"]) == 0
    return json.loads(capsys.readouterr().out)


def paths_in(template: str) -> set[str]:
    """The fields of the report that a template asks for, such as "shares.dark"."""
    found = set()
    tree = jinja2.Environment().parse(template)
    inner = {id(node.node) for node in tree.find_all(nodes.Getattr)}
    for node in tree.find_all(nodes.Getattr):
        if id(node) in inner:
            continue
        words = []
        at: nodes.Node = node
        while isinstance(at, nodes.Getattr):
            words.insert(0, at.attr)
            at = at.node
        assert isinstance(at, nodes.Name) and at.name == "value_json"
        found.add(".".join(words))
    return found


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.key)
def test_every_template_asks_for_a_documented_field_of_the_right_type(entity: Entity) -> None:
    assert paths_in(entity.template) == {entity.path}
    field, _, inner = entity.path.partition(".")
    rules = SCHEMA[field]
    if inner:
        rules = rules["additionalProperties"]
    kinds = {rules["type"]} if isinstance(rules["type"], str) else set(rules["type"])
    wanted = {"number": "integer", "text": "string", "word": "string", "yes": "boolean"}[entity.kind]
    assert kinds - {"null"} == {wanted}
    if entity.options:
        assert set(entity.options) == set(rules["enum"]) - {None}


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.key)
def test_classes_and_units_fit_together(entity: Entity) -> None:
    told = entity.describe()
    assert told["platform"] == ("binary_sensor" if entity.kind == "yes" else "sensor")
    if told.get("device_class") in UNITS:
        assert told["unit_of_measurement"] in UNITS[told["device_class"]]
    if "state_class" in told:
        assert told["state_class"] in ("measurement", "total_increasing") and entity.kind == "number"
    if entity.options:  # Home Assistant refuses an enum with either
        assert told["device_class"] == "enum" and not {"unit_of_measurement", "state_class"} & set(told)


@pytest.mark.parametrize(
    ("template", "report", "state"),
    [
        ("message_age_ms", {"message_age_ms": 1234}, "1.2"),
        ("message_age_ms", {"message_age_ms": None}, "None"),
        ("temperature_cdeg", {}, "None"),
        ("temperature_cdeg", {"temperature_cdeg": -1250}, "-12.5"),
        ("supply_mv", {"supply_mv": 5012}, "5.01"),
        ("pressure_pa", {"pressure_pa": 101325}, "1013.2"),
        ("share_dark", {"shares": {"dark": 250}}, "25.0"),
        ("share_dark", {"shares": {}}, "None"),
        ("memory_free", {"memory_free": 0}, "0"),
        ("advice", {"advice": None}, "None"),
        ("reason", {"reason": None}, ""),
        ("transport_fault", {"transport_fault": "x" * 300}, "x" * 255),
        ("listening", {"listening": False}, "OFF"),
        ("listening", {"listening": True}, "ON"),
        ("listening", {}, "OFF"),
    ],
)
def test_what_templates_make_of_a_report(template: str, report: dict[str, Any], state: str) -> None:
    entity = next(entity for entity in ENTITIES if entity.key == template)
    assert jinja2.Environment().from_string(entity.template).render(value_json=report) == state


def test_one_device_with_all_its_entities(capsys, tmp_path: Path) -> None:
    told = dry_run(capsys, site(tmp_path))
    assert list(told) == ["homeassistant/device/leezenflow_north/config"]
    (message,) = told.values()
    assert message["device"]["identifiers"] == ["leezenflow_north"]
    assert message["device"]["name"] == "north"
    assert message["origin"]["name"] == "Leezenflow"
    components = message["components"]
    assert set(components) == {"online"} | {entity.key for entity in ENTITIES}
    assert len({one["unique_id"] for one in components.values()}) == len(components)
    assert components["online"]["state_topic"] == "leezenflow/north/status"
    assert "availability" not in components["online"]
    for key, one in components.items():
        if key != "online":
            assert one["state_topic"] == "leezenflow/north/health"
            assert [place["topic"] for place in one["availability"]] == ["leezenflow/north/status"]
            assert one["expire_after"] == 300
    # Nobody said which sensors there are.
    assert components["temperature_cdeg"]["enabled_by_default"] is False
    assert "enabled_by_default" not in components["memory_free"]


def test_a_board_says_which_sensors_there_are(capsys, tmp_path: Path) -> None:
    board = tmp_path / "board.toml"
    shutil.copy(ROOT / "board_configs/interstate75_w.toml", board)
    board.write_text(board.read_text() + BOARD_PARTS)
    (message,) = dry_run(capsys, site(tmp_path), "--board", str(board)).values()
    components = message["components"]
    for key in ("temperature_cdeg", "humidity_permille", "supply_mv", "lux", "network_fault"):
        assert components[key]["expire_after"] == 150
        assert "enabled_by_default" not in components[key]
    # Nothing but the platform takes an entity out that an earlier message had.
    assert components["pressure_pa"] == components["board_cdeg"] == {"platform": "sensor"}
    assert message["device"]["model"] != "Bicycle signal display"


def test_several_units_and_another_prefix(capsys, tmp_path: Path) -> None:
    south = site(tmp_path, SOURCE.replace("north", "south"), "", "south.toml")
    told = dry_run(capsys, site(tmp_path), south, "--prefix", "city/ha")
    assert list(told) == ["city/ha/device/leezenflow_north/config", "city/ha/device/leezenflow_south/config"]
    names = [message["device"]["name"] for message in told.values()]
    assert names == ["north", "south"], "a unit without a name is called as its topic ends"


def test_removing_is_an_empty_message(capsys, tmp_path: Path) -> None:
    assert dry_run(capsys, site(tmp_path), "--remove") == {"homeassistant/device/leezenflow_north/config": None}


def test_the_unit_topic_of_a_second_source_counts(tmp_path: Path) -> None:
    file = Path(site(tmp_path))
    file.write_text(file.read_text().replace(f'"{SOURCE}"', f'["udp://0.0.0.0:4711", "{SOURCE}"]'))
    (one,) = announce([read_site(file)])
    assert one.unit_topic == "leezenflow/north"


@pytest.mark.parametrize(("topic", "expected"), [("a/b", "a_b"), ("/Münster/x 1/", "M_nster_x_1")])
def test_identifiers_have_letters_that_home_assistant_takes(topic: str, expected: str) -> None:
    assert device_id(topic) == expected


@pytest.mark.parametrize(
    ("source", "arguments", "words"),
    [
        ("mqtt://broker/t", (), "publishes nothing"),
        ("udp://0.0.0.0:4711", (), "publishes nothing"),
        ("mqtt://broker/t?unit_topic=a/%23", (), "publishes nothing"),
        (SOURCE, ("--prefix", "ha/#"), "is no topic"),
        (SOURCE, ("--prefix", "/"), "is no topic"),
        (SOURCE, (), "Which broker?"),
        (SOURCE, ("--mqtt", "udp://127.0.0.1:9"), "give the broker alone"),
        (SOURCE, ("--mqtt", "mqtt://127.0.0.1/leezenflow"), "give the broker alone"),
        (SOURCE, ("--mqtt", "mqtt://"), "names no broker"),
        (SOURCE, ("--mqtt", "mqtt://127.0.0.1?keepalive_s=3"), "keepalive_s"),
        (SOURCE, ("--mqtt", "mqtts://127.0.0.1?ca=./nothing.pem"), "nothing.pem"),
        (SOURCE, ("--board", "no_board"), "no_board"),
    ],
)
def test_what_cannot_be_is_refused(capsys, tmp_path: Path, source: str, arguments: tuple[str, ...], words: str) -> None:
    assert cli.run(["announce", site(tmp_path, source), *arguments]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_two_units_may_not_be_one_device(capsys, tmp_path: Path) -> None:
    other = site(tmp_path, SOURCE.replace("leezenflow/north", "leezenflow_north"), "other", "other.toml")
    assert cli.run(["announce", site(tmp_path), other, "--dry-run"]) == 2
    assert "same device" in capsys.readouterr().err
