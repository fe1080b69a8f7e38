# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport, or several in order of preference, that a site's sources name."""

from leezenflow.source_url import parse_source
from leezenflow_device.configuration import load_driver

# What comes in on wires needs no network.
_WIRED = ("uart", "usb", "lamps")


def make_feed(signal, secrets, clock, unit_name=""):
    """Return (transport, whether it needs a network) for the [signal] of /site.json."""
    urls = [signal.get("source")]
    urls.extend(signal.get("more_sources") or [])
    sources = [parse_source(url) for url in urls]
    needs_network = False
    for source in sources:
        if source.scheme not in _WIRED:
            needs_network = True
    makers = [_maker(source, secrets, clock, unit_name) for source in sources]
    if len(makers) == 1:
        return makers[0](), needs_network
    failover = load_driver("leezenflow_device.transports", "failover", "/site.json: source")
    return failover.Transport(makers, signal.get("failover_s", 20), clock), needs_network


def _maker(source, secrets, clock, unit_name):
    def make():
        module = load_driver("leezenflow_device.transports", source.scheme, "/site.json: source")
        return module.Transport(source, secrets, clock, unit_name)

    return make
