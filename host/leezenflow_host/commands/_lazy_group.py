# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups whose commands are files, each imported only when it is called: `_<group>_<command>.py`."""

import importlib
import pkgutil

import click
import rich_click

from leezenflow_host import commands


class LazyGroup(rich_click.RichGroup):
    """A group whose commands are the modules of this package that begin with `prefix`: `_<name of the group>_`."""

    @property
    def prefix(self) -> str:
        """How the names of the modules begin."""
        return f"_{self.name}_"

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, from the file names alone."""
        names = (module.name for module in pkgutil.iter_modules(commands.__path__))
        ends = (name.removeprefix(self.prefix) for name in names if name.startswith(self.prefix))
        return sorted(name.replace("_", "-") for name in ends if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None when no file has it."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{commands.__name__}.{self.prefix}{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        command.name = cmd_name
        return command
