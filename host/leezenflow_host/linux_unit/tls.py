# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS towards a broker: whom to believe."""

import ssl
from pathlib import Path
from typing import Any

from leezenflow_host.errors import InputError


def make_context(options: dict[str, Any], secrets: dict[str, Any]) -> ssl.SSLContext:
    """The TLS settings of a site: the authority of its secrets ({"mqtt": {"ca": PEM or file}}), else the system's."""
    authority = (secrets.get("mqtt") or {}).get("ca")
    if authority is None:
        return ssl.create_default_context()
    if not isinstance(authority, str):
        raise InputError("secrets: mqtt.ca: give a certificate (PEM text), or the name of its file")
    try:
        text = authority if "BEGIN CERTIFICATE" in authority else Path(authority).read_text(encoding="ascii")
        return ssl.create_default_context(cadata=text)
    except (OSError, ValueError, ssl.SSLError) as error:
        raise InputError(
            f"secrets: mqtt.ca: no certificate ({error}); give PEM text, or the name of its file"
        ) from None
