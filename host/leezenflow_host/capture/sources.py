# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source that a URL names, and the secrets it may need."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from leezenflow.source_url import Source, parse_source
from leezenflow_host.capture.arrivals import Clock, MessageSource, unix_ms
from leezenflow_host.capture.mqtt_source import MqttSource
from leezenflow_host.capture.rsmp_source import RsmpSource
from leezenflow_host.capture.sensorthings_source import SensorThingsSource
from leezenflow_host.capture.stream_sources import SerialSource, TcpSource
from leezenflow_host.capture.udp_source import UdpSource
from leezenflow_host.errors import InputError, LeezenflowError

SOURCES: dict[str, Callable[[Source, dict[str, Any], Clock], MessageSource]] = {
    "mqtt": MqttSource,
    "mqtts": MqttSource,
    "udp": UdpSource,
    "tcp": TcpSource,
    "serial": SerialSource,
    "rsmp": RsmpSource,
    "sensorthings": SensorThingsSource,
}


def make_source(url: str, secrets: dict[str, Any] | None = None, clock: Clock = unix_ms) -> MessageSource:
    """The source that `url` names, not opened yet; `InputError` for a URL that is none."""
    try:
        source = parse_source(url)
        if source.scheme not in SOURCES:
            raise InputError(f"{source.scheme}:// is nothing to record from; there are {', '.join(SOURCES)}")
        return SOURCES[source.scheme](source, secrets or {}, clock)
    except LeezenflowError as error:
        raise InputError(f"URL: {error}") from error


def public_name(url: str) -> str:
    """The URL as it may stand in a recording: without the user."""
    scheme, mark, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return scheme + mark + authority.rpartition("@")[2] + slash + path


def read_secrets(path: Path | None) -> dict[str, Any]:
    """A file as on a board: {"mqtt": {"password": "..."}}, for UDAP {"udap": {"token": "..."}}; none: {}."""
    if path is None:
        return {}
    try:
        secrets = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f'{path}: no JSON. Write {{"mqtt": {{"password": "..."}}}} into it.') from error
    for name, key in (("mqtt", "password"), ("udap", "token")):
        given = secrets.get(name, {}) if isinstance(secrets, dict) else None
        if not isinstance(given, dict) or not isinstance(given.get(key, ""), str):
            raise InputError(f'{path}: write {{"{name}": {{"{key}": "..."}}}} into it.')
    return secrets
