# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet: one TOML file that names the units, how each is reached, and labels to choose them by."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from leezenflow.source_url import parse_source
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.linux_unit.tls import make_context
from leezenflow_host.mqtt_client import PORTS, Broker
from leezenflow_host.problems import Problems, Table, check_tables, did_you_mean, read_toml
from leezenflow_host.updating.links import SerialLink, UnitLink
from leezenflow_host.updating.mqtt_link import MqttLink


class BrokerTable(Table):
    """The broker that the units are reached by."""

    url: str = Field(description='such as "mqtts://broker.example.org:8883"')
    ca: str | None = Field(None, description="file with the authority's certificate (PEM)")
    login: str | None = Field(None, description="your file from `leezenflow keys broker`: people/NAME.json")
    certificate: str | None = Field(None, description="file with your certificate (PEM)")
    key: str | None = Field(None, description="file with its private key (PEM)")


class UnitTable(Table):
    """One unit: at a `port`, or on the broker under its `topic`."""

    topic: str | None = Field(None, description='its own topic, such as "leezenflow/north"')
    port: str | None = Field(None, description="the serial port it is plugged in at")
    secrets: str | None = Field(None, description="its secrets file: the command_key in it signs commands over MQTT")
    labels: list[str] = Field([], description='words to choose it by, such as ["centre"]')


class FleetTables(Table):
    """A whole fleet file."""

    broker: BrokerTable | None = Field(None, description="a table [broker]")
    units: dict[str, UnitTable] = Field(min_length=1, description="tables [units.<name>]")


@dataclass(frozen=True)
class FleetUnit:
    """A unit of a fleet and the way to it."""

    name: str
    labels: tuple[str, ...]
    port: str | None
    topic: str | None
    broker: Broker | None
    key: bytes | None

    def open(self) -> UnitLink:
        """Open the way; BoardError when there is none."""
        if self.port is not None:
            return SerialLink(self.port)
        assert self.broker is not None and self.topic is not None
        return MqttLink(self.broker, self.topic, self.key, self.name)


def read_fleet(file: Path, names: Sequence[str] = (), labels: Sequence[str] = ()) -> list[FleetUnit]:
    """Return the units of a fleet file that are named or have one of the labels (neither given: all of them).

    InputError with all problems of the file, or for a name or label that no unit has.
    """
    tables, text = read_toml(file, "a fleet")
    problems = Problems(str(file), text)
    checked = check_tables(FleetTables, tables, problems)
    problems.raise_if_any()
    assert checked is not None
    for name, unit in checked.units.items():
        if (unit.port is None) == (unit.topic is None):
            problems.add(("units", name), "needs either a port or a topic")
        if unit.topic is not None and checked.broker is None:
            problems.add(("units", name, "topic"), "needs a table [broker]")
    problems.raise_if_any()
    folder = file.parent
    chosen = _choose(checked.units, names, labels)
    uses_broker = any(unit.topic is not None for unit in chosen.values())
    broker = _read_broker(checked.broker, folder) if checked.broker is not None and uses_broker else None
    return [
        FleetUnit(
            name,
            tuple(unit.labels),
            unit.port,
            unit.topic,
            broker if unit.topic is not None else None,
            _read_key(folder / unit.secrets) if unit.secrets is not None else None,
        )
        for name, unit in chosen.items()
    ]


def _choose(units: dict[str, UnitTable], names: Sequence[str], labels: Sequence[str]) -> dict[str, UnitTable]:
    known = sorted({label for unit in units.values() for label in unit.labels})
    for name in names:
        if name not in units:
            raise InputError(f"There is no unit {name!r} in the fleet{did_you_mean(name, list(units))}")
    for label in labels:
        if label not in known:
            raise InputError(f"No unit has the label {label!r}{did_you_mean(label, known)}")
    if not names and not labels:
        return units
    return {name: unit for name, unit in units.items() if name in names or set(labels) & set(unit.labels)}


def _read_broker(broker: BrokerTable, folder: Path) -> Broker:
    try:
        source = parse_source(broker.url)
    except LeezenflowError as error:
        raise InputError(f"[broker] url: {error}") from None
    if source.scheme not in PORTS or not source.host:
        raise InputError(f"[broker] url {broker.url!r} must begin with mqtt:// or mqtts:// and name the broker's host.")
    if source.scheme == "mqtts" and broker.ca is None:
        raise InputError("[broker] ca is missing: with mqtts:// name the authority's certificate (broker/ca.pem).")
    names = {"ca": broker.ca, "certificate": broker.certificate, "key": broker.key or broker.certificate}
    files = {what: str(_existing(folder / name).absolute()) if name else "" for what, name in names.items()}
    login: dict[str, Any] = {}
    if broker.login is not None:
        login = _read_object(folder / broker.login).get("mqtt") or {}
    return Broker(
        source.host,
        source.port or PORTS[source.scheme],
        login.get("user", source.user),
        login.get("password"),
        make_context(files, {}) if source.scheme == "mqtts" else None,
    )


def _read_key(file: Path) -> bytes:
    text = _read_object(file).get("command_key")
    try:
        key = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InputError(f"{file}: command_key must be 64 hexadecimal digits; `leezenflow keys broker` writes it.")
    return key


def _read_object(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(_existing(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read as json: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"{file} must hold a json object.")
    return values


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise InputError(f"{file} does not exist; paths in a fleet file start at its own folder.")
    return file
