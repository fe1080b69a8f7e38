# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The discovery message of a unit: one device with all its entities (Home Assistant 2024.12 or newer).

It is retained under `<prefix>/device/<id>/config`; an empty one in its place takes the unit out of Home Assistant.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import leezenflow
from leezenflow.source_url import parse_source
from leezenflow_host.board_config import BoardConfig
from leezenflow_host.drivers import driver_file, read_literals
from leezenflow_host.errors import InputError
from leezenflow_host.home_assistant.entities import ENTITIES
from leezenflow_host.site_config import SiteConfig

DEFAULT_PREFIX = "homeassistant"
DEFAULT_HEALTH_S = 60
# So many reports may be missed before what they said is no longer shown.
_MISSED_REPORTS = 5


@dataclass(frozen=True)
class Announcement:
    """Who is announced: the unit's `name` and own topic (`unit_topic`), and the `message` about it."""

    name: str
    unit_topic: str
    message: dict[str, Any]

    @property
    def id(self) -> str:
        """The device's identifier; it stays the same as long as the unit's topic does."""
        return device_id(self.unit_topic)

    def topic(self, prefix: str) -> str:
        """Where the message belongs."""
        return f"{prefix}/device/{self.id}/config"


def device_id(unit_topic: str) -> str:
    """Return the identifier for the unit of a topic: Home Assistant takes letters, digits, - and _ only."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", unit_topic).strip("_")


def announce(sites: Sequence[SiteConfig], board: BoardConfig | None = None) -> list[Announcement]:
    """Return what is to be said about the units of these sites, all on `board` (None: of whatever board).

    InputError for a site whose unit publishes nothing, and for two that would be the same device.
    """
    made: dict[str, Announcement] = {}
    for site in sites:
        unit_topic = find_unit_topic(site)
        name = site.values["unit"]["name"] or unit_topic.rpartition("/")[2]
        one = Announcement(name, unit_topic, _message(name, unit_topic, board))
        if one.id in made:
            raise InputError(
                f"{site.name}: {unit_topic} and {made[one.id].unit_topic} would be the same device in Home Assistant; "
                "give each unit a unit_topic of its own."
            )
        made[one.id] = one
    return list(made.values())


def find_unit_topic(site: SiteConfig) -> str:
    """Return the topic under which the unit of a site publishes: that of its first source which names one."""
    signal = site.values["signal"]
    for url in (signal["source"], *signal.get("more_sources", ())):
        topic = parse_source(url).options.get("unit_topic", "") if url is not None else ""
        if topic and not any(character in topic for character in "+#\0"):
            return topic
    raise InputError(
        f"{site.name}: its unit publishes nothing; add ?unit_topic=leezenflow/NAME to the [signal] source, "
        "and install the site again."
    )


def _message(name: str, unit_topic: str, board: BoardConfig | None) -> dict[str, Any]:
    identifier = device_id(unit_topic)
    status = f"{unit_topic}/status"
    health_s = DEFAULT_HEALTH_S
    if board is not None:
        health_s = board.values["device"].get("health_s", DEFAULT_HEALTH_S)
    components: dict[str, dict[str, Any]] = {
        # Without availability: a unit that is gone is "disconnected", which is more than "unavailable".
        "online": {
            "platform": "binary_sensor",
            "name": "Connection",
            "unique_id": f"{identifier}_online",
            "state_topic": status,
            "payload_on": "online",
            "payload_off": "offline",
            "device_class": "connectivity",
            "entity_category": "diagnostic",
        }
    }
    fields = None if board is None else _measured_fields(board)
    for entity in ENTITIES:
        if entity.measured and fields is not None and entity.path not in fields:
            # With nothing but its platform, it goes if an earlier message had it.
            components[entity.key] = {"platform": entity.platform}
            continue
        components[entity.key] = {
            **entity.describe(),
            "unique_id": f"{identifier}_{entity.key}",
            "state_topic": f"{unit_topic}/health",
            "availability": [{"topic": status, "payload_available": "online", "payload_not_available": "offline"}],
            "expire_after": _MISSED_REPORTS * health_s,
        }
        if entity.measured and fields is None:
            components[entity.key]["enabled_by_default"] = False
    return {
        "device": {
            "identifiers": [identifier],
            "name": name,
            "manufacturer": "Leezenflow",
            "model": "Bicycle signal display" if board is None else board.title,
        },
        "origin": {"name": "Leezenflow", "sw_version": leezenflow.__version__},
        "components": components,
    }


def _measured_fields(board: BoardConfig) -> set[str]:
    """The fields that the reports of a unit on this board have by its parts."""
    fields: set[str] = set()
    for sensor in board.values.get("sensors") or {}:
        fields |= set(read_literals(driver_file("sensor", sensor), "MEASURES")["MEASURES"])
    if board.values.get("light"):
        fields.add("lux")
    if board.values.get("network"):
        fields.add("network_fault")
    return fields
