# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that name what a unit is and where it stands, spelt once for all commands that make one."""

from collections.abc import Callable
from typing import Any

import rich_click as click

from leezenflow_host.completing import complete_board, complete_file

Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def board_option(*, required: bool) -> Option:
    """`--board`, handed over as `board_name`."""
    return click.option(
        "--board",
        "board_name",
        required=required,
        metavar="BOARD|FILE.toml",
        shell_complete=complete_board,
        help="See: leezenflow boards list.",
    )


def site_option(more: str) -> Option:
    """`--site`, handed over as `site_name`; `more` ends its help."""
    return click.option(
        "--site",
        "site_name",
        metavar="FILE.toml",
        shell_complete=complete_file,
        help=f"Where the unit stands; 'example' is the demo's{more}",
    )
