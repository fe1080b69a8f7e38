# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fixed address instead of DHCP: `/secrets.json`: `{"network": {"address": "10.0.0.7/24", "gateway": "10.0.0.1"}}`.

It stands among the secrets because it, too, belongs to one unit in one network; `dns` is the gateway if not given.
"""

from leezenflow.errors import LeezenflowError


def fixed_address(secrets):
    """Return (address, mask, gateway, name server) as `ifconfig` takes them, None for DHCP."""
    values = secrets.get("network")
    if not values or not values.get("address"):
        return None
    address, mark, bits = values["address"].partition("/")
    if not mark or not bits.isdigit() or not 1 <= int(bits) <= 30:
        raise LeezenflowError('/secrets.json: network address %r must be like "10.0.0.7/24"' % values["address"])
    mask = (0xFFFFFFFF << (32 - int(bits))) & 0xFFFFFFFF
    gateway = values.get("gateway") or ""
    for name, text in (("address", address), ("gateway", gateway), ("dns", values.get("dns") or gateway)):
        if not _is_ipv4(text):
            raise LeezenflowError("/secrets.json: network %s %r is not an IPv4 address" % (name, text))
    return (
        address,
        "%d.%d.%d.%d" % (mask >> 24, mask >> 16 & 255, mask >> 8 & 255, mask & 255),
        gateway,
        values.get("dns") or gateway,
    )


def _is_ipv4(text):
    parts = text.split(".")
    return len(parts) == 4 and all([part.isdigit() and len(part) < 4 and int(part) < 256 for part in parts])
