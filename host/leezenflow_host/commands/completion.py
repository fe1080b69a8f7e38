# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow completion`: the script by which a shell completes our commands and options at the Tab key."""

import rich_click as click
from click.shell_completion import get_completion_class

from leezenflow_host.errors import LeezenflowError

# As click looks for it when the shell asks.
_VARIABLE = "_LEEZENFLOW_COMPLETE"


@click.command(epilog="Where each shell looks for it: docs/how-to/completion.md")
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the completion script for a shell; write it to where the shell looks, and open a new one."""
    completion = get_completion_class(shell)
    if completion is None:
        raise LeezenflowError(f"click has no completion for {shell}; install Leezenflow again.")
    click.echo(completion(context.find_root().command, {}, "leezenflow", _VARIABLE).source())
