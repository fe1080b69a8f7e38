# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command with subcommands, each a file `_<command>_<subcommand>.py` that is imported only when it is called."""

import importlib
import pkgutil

import click
import rich_click

from leezenflow_host import commands


class LazyGroup(rich_click.RichGroup):
    """A group whose subcommands are the modules of this package that begin with `_<name of the group>_`."""

    @property
    def _prefix(self) -> str:
        return f"_{self.name}_"

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the subcommands, from the file names alone."""
        names = (module.name for module in pkgutil.iter_modules(commands.__path__))
        return sorted(
            name.removeprefix(self._prefix).replace("_", "-") for name in names if name.startswith(self._prefix)
        )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of that name, or None when no file has it."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{commands.__name__}.{self._prefix}{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        command.name = cmd_name
        return command
