# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client for the broker that a source and a unit's secrets name, and why it cannot connect, in words."""

import socket
import ssl
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from leezenflow.source_url import Source
from leezenflow_host.errors import InputError
from leezenflow_host.linux_unit.tls import make_context

PORTS = {"mqtt": 1883, "mqtts": 8883}
# For mqtts://, as units have them; the certificates are those of the secrets file.
TLS_OPTIONS: dict[str, Any] = {
    "ca": {"type": "str", "default": "ca.der", "help": "the authority's certificate in the secrets (or a path)"},
    "certificate": {"type": "str", "default": "", "help": "our own certificate in the secrets; empty: none"},
    "key": {"type": "str", "default": "unit_key.der", "help": "the key of our own certificate"},
}


@dataclass(frozen=True)
class Broker:
    """Where a broker is, and as whom we come; `tls` is None for a connection that anybody can read."""

    host: str
    port: int
    user: str = ""
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    @property
    def address(self) -> str:
        """Host and port, as messages name them."""
        return f"{self.host}:{self.port}"

    def make_client(self, client_id: str = "") -> mqtt.Client:
        """A client that would log in, not connected yet; with an empty `client_id` the broker chooses one."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id)
        if self.user:
            client.username_pw_set(self.user, self.password)
        if self.tls is not None:
            client.tls_set_context(self.tls)
        return client


def find_broker(source: Source, options: dict[str, Any], secrets: dict[str, Any]) -> Broker:
    """The broker of an mqtt:// or mqtts:// source; `options` are the typed ones, of which TLS needs `TLS_OPTIONS`.

    A user in the source wins over the one in the secrets' "mqtt". `InputError` when no broker is named, or for
    certificates that are missing or cannot be used.
    """
    if not source.host:
        raise InputError("the URL names no broker; write mqtt://broker/topic")
    credentials = secrets.get("mqtt") or {}
    if not isinstance(credentials, dict) or not all(isinstance(text, str) for text in credentials.values()):
        raise InputError('secrets: write {"mqtt": {"user": "...", "password": "..."}}')
    return Broker(
        source.host,
        source.port or PORTS[source.scheme],
        source.user or credentials.get("user", ""),
        credentials.get("password"),
        make_context(options, secrets) if source.scheme == "mqtts" else None,
    )


def explain_failure(error: OSError | ValueError, broker: Broker) -> tuple[str, str]:
    """What an exception of `connect` means: its kind ("name", "tls", "silent", "unreachable") and a sentence."""
    if isinstance(error, socket.gaierror):
        return "name", f"no address for the broker {broker.host} ({error.strerror})"
    if isinstance(error, ssl.SSLError):
        return "tls", f"no TLS with the MQTT broker at {broker.address} ({_tls_reason(error)})"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        kind = "silent" if broker.tls is None else "tls"
        return kind, f"what listens at {broker.address} breaks off the connection"
    return "unreachable", f"no MQTT broker answers at {broker.address} ({error})"


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message or "its certificate is not trusted"
    # Only an error of OpenSSL itself has a reason.
    return getattr(error, "reason", None) or str(error)
