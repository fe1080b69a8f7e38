# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow ingest`: recordings into a dataset of Parquet files, for evaluation and for questions."""

import os
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from leezenflow_host.capture.status import format_bytes
from leezenflow_host.dataset.ingestion import Summary, find_sources, ingest
from leezenflow_host.dataset.schema import intersection_name
from leezenflow_host.dataset.sources import SourceOptions
from leezenflow_host.drivers import driver_names
from leezenflow_host.errors import InputError
from leezenflow_host.problems import did_you_mean
from leezenflow_host.site_config import read_site

# So many problems are shown; the table in the dataset has them all.
_SHOWN = 20


@click.command()
@click.argument("traces", metavar="TRACES...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", "dataset", required=True, metavar="DATASET", type=click.Path(path_type=Path, file_okay=False))
@click.option("--adapter", metavar="NAME", help="The wire format [default: what each recording names].")
@click.option("--intersection", metavar="[REGION:]ID", help="For feeds that name none (RSMP, TSCBM, lamps ...).")
@click.option("--signal-group", type=int, metavar="N", help="For feeds of a single signal head.")
@click.option(
    "--site",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE.toml",
    help="Site file with the adapter's options, and what the two options above say.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1, show_default="all cores", help="Processes."
)
@click.option("--dry-run", is_flag=True, help="Decode and compare everything, and write nothing.")
def command(
    traces: tuple[Path, ...],
    dataset: Path,
    adapter: str | None,
    intersection: str | None,
    signal_group: int | None,
    site: Path | None,
    jobs: int,
    dry_run: bool,
) -> int:
    """Decode recordings (files, or folders of them) into DATASET, a folder of Parquet files.

    Every signal group is kept, by intersection and day, each state once for as long as it lasts. What DATASET holds
    already is skipped, so the same command can run every night. Damage, silences, overlaps and clocks that jump are
    named, and kept in the table `problems`; what is good in a damaged file is used. The exit code is 1 when nothing of
    a file could be used.
    """
    if adapter is not None and adapter not in driver_names("adapter"):
        raise InputError(
            f"--adapter {adapter}: there is no such adapter{did_you_mean(adapter, driver_names('adapter'))}"
        )
    options = _options(adapter, intersection, signal_group, site)
    paths = find_sources(list(traces))
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("ingesting", total=len(paths))
        summary = ingest(paths, dataset, options, jobs, dry_run, lambda path: progress.advance(task))
    _report(console, summary, dataset, dry_run)
    return 1 if summary.failed else 0


def _options(
    adapter: str | None, intersection: str | None, signal_group: int | None, site: Path | None
) -> SourceOptions:
    if intersection is not None:
        region, _, number = intersection.rpartition(":")
        if not number.isdigit() or (region and not region.isdigit()):
            raise InputError(f"--intersection {intersection}: write [REGION:]ID, such as 49:1090.")
    if site is None:
        return SourceOptions(adapter, intersection, signal_group)
    found = read_site(site).site()
    return SourceOptions(
        adapter or found.adapter,
        intersection or intersection_name(found.region, found.intersection_id),
        signal_group if signal_group is not None else found.signal_group,
        found.adapter_options,
    )


def _report(console: Console, summary: Summary, dataset: Path, dry_run: bool) -> None:
    messages = sum(entry.messages for entry in summary.added)
    rows = sum(part.states for entry in summary.added for part in entry.parts)
    size = sum(entry.bytes for entry in summary.added)
    for name, problem in summary.problems[:_SHOWN]:
        where = "" if problem.line is None else f", line {problem.line}"
        place = "" if problem.intersection is None else f" ({problem.intersection})"
        # A failed file's own sentence begins with its name.
        text = problem.text if problem.kind == "failed_file" else f"{name}{where}{place}: {problem.text}"
        console.print(text, style="yellow", markup=False)
    if len(summary.problems) > _SHOWN:
        console.print(
            f"... and {len(summary.problems) - _SHOWN} more problems, in the table `problems`.", style="yellow"
        )
    verb = "would become" if dry_run else "are"
    console.print(
        f"{len(summary.added)} files ({format_bytes(size)}, {messages} messages) {verb} {rows} states in {dataset}; "
        f"{len(summary.known)} were there already, {len(summary.failed)} could not be used."
    )
