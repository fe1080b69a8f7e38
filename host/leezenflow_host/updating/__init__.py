# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing releases to units in the field, over their serial line or over MQTT, one or a whole fleet."""

from leezenflow_host.updating.fleet import FleetUnit, read_fleet
from leezenflow_host.updating.links import SerialLink, UnitLink
from leezenflow_host.updating.mqtt_link import MqttLink
from leezenflow_host.updating.pushing import push_release, read_state

__all__ = [
    "FleetUnit",
    "MqttLink",
    "SerialLink",
    "UnitLink",
    "push_release",
    "read_fleet",
    "read_state",
]
