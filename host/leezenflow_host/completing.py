# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Tab key offers where click cannot know it: boards, ports, site files."""

import click
from click.shell_completion import CompletionItem

from leezenflow_host.board_config import board_names


def complete_board(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names of boards; files where no board begins like that."""
    return _named(board_names(), begun)


def complete_port(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Ports with a device, and the virtual board; files (of a UF2 drive, of /dev) otherwise."""
    from leezenflow_host.flashing.serial_ports import list_serial_ports

    return _named([*(port.device for port in list_serial_ports()), "virtual"], begun)


def complete_file(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Files."""
    return _named([], begun)


def _named(names: list[str], begun: str) -> list[CompletionItem]:
    found = [CompletionItem(name) for name in names if name.startswith(begun)]
    return found or [CompletionItem(begun, type="file")]
