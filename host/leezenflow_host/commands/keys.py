# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow keys`: the city's own keys, for updates and for the broker."""

import rich_click as click

from leezenflow_host.commands._lazy_group import LazyGroup


@click.group("keys", cls=LazyGroup)
def command() -> None:
    """Make and keep the keys that units trust: no vendor has any."""
