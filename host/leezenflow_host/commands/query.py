# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow query`: questions in SQL to a dataset, or to the results of an evaluation."""

import csv
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console
from rich.table import Table

from leezenflow_host.querying.views import Tables

# A table on a terminal is held in memory, and nobody reads more.
_MAX_SHOWN = 1_000


@click.command()
@click.argument("sql", metavar="SQL")
@click.argument("paths", metavar="[DATASET|RESULTS]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format", "style", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True, help="Output."
)
def command(sql: str, paths: tuple[Path, ...], style: str) -> None:
    """Ask a question in SQL (DuckDB's) to datasets and results; without a path, to what is in the current folder.

    A dataset has the tables messages, states and problems; results have results, intervals, display_by,
    forecast_by_horizon and more. "SHOW TABLES" and "DESCRIBE states" tell what there is. Nothing can be changed.

    Example: leezenflow query "SELECT signal_group, count(*) FROM states GROUP BY ALL" dataset
    """
    names, rows = Tables(list(paths) or [Path()]).ask(sql)
    if style == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    elif style == "json":
        _print_json(names, rows)
    else:
        _print_table(names, rows)


def _print_json(names: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    """A JSON list with an object a row, written as it comes."""
    sys.stdout.write("[")
    separator = "\n"
    for row in rows:
        sys.stdout.write(separator + json.dumps(dict(zip(names, row, strict=True)), default=_text))
        separator = ",\n"
    sys.stdout.write("\n]\n")


def _print_table(names: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200
    table = Table(box=None)
    for name in names:
        table.add_column(name, overflow="fold")
    count = 0
    for row in rows:
        count += 1
        if count > _MAX_SHOWN:
            break
        table.add_row(*("-" if value is None else _shown(value) for value in row))
    console.print(table, markup=False)
    if count > _MAX_SHOWN:
        click.echo(f"Only the first {_MAX_SHOWN} rows are shown; --format csv gives all.", err=True)
    elif not count:
        click.echo("No rows.", err=True)


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
