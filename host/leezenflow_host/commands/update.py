# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow update`: new firmware for units in the field, signed by the city."""

import rich_click as click

from leezenflow_host.commands._lazy_group import LazyGroup


@click.group("update", cls=LazyGroup)
def command() -> None:
    """Build and sign an update file, bring it to units, and see what they run."""
