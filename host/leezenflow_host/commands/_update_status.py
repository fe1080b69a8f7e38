# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow update status`: what units run."""

from pathlib import Path

import rich_click as click

from leezenflow_host.errors import LeezenflowError
from leezenflow_host.updating.campaign import choose_units, show_states


@click.command()
@click.option("--port", metavar="PORT", help="The unit that is plugged in there.")
@click.option("--fleet", type=click.Path(path_type=Path), metavar="FILE.toml", help="The units of this fleet.")
@click.option("--unit", "units", multiple=True, metavar="NAME", help="Only this unit; repeat for more.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="Only units with this label; repeat for more.")
@click.option("--json", "as_json", is_flag=True, help="One json object a line and unit.")
def command(
    port: str | None, fleet: Path | None, units: tuple[str, ...], labels: tuple[str, ...], as_json: bool
) -> None:
    """Say what each unit runs, whether it is on trial, and what is on its way to it."""
    silent = show_states(choose_units(port, fleet, units, labels), as_json=as_json)
    if silent:
        raise LeezenflowError(f"{silent} did not answer; what was wrong stands in their lines.")
