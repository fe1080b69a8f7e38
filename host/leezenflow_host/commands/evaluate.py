# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow evaluate`: how right the display was, and how far it can be trusted."""

import copy
import json
from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console
from rich.table import Table

from leezenflow.board import Site
from leezenflow_host.atomic_file import open_atomic
from leezenflow_host.errors import InputError
from leezenflow_host.evaluation.report import judge, observe_truth, print_figures, read_recording
from leezenflow_host.evaluation.truth import load_truth
from leezenflow_host.memory_file import read_memory, write_memory
from leezenflow_host.replay import recording_header
from leezenflow_host.site_options import SiteOptions, site_from_options, site_options

_FILE = click.Path(path_type=Path, dir_okay=False)
# Limits of the sweep, in per mille: what a site could ask for.
SWEEP_PERMILLE = (5, 10, 20, 30, 50, 75, 100, 150, 200, 250, 300, 350, 400, 500, 1000)


@click.command()
@click.argument("traces", metavar="TRACE...", nargs=-1, required=True, type=_FILE)
@click.option("--truth", "truth_file", type=_FILE, help="What the lamp really did [default: what TRACE shows later].")
@click.option(
    "--json", "json_file", type=_FILE, metavar="FILE", help='Write the figures as JSON ("-": standard output).'
)
@click.option("--sweep", is_flag=True, help="Print the trade-off: wrong colour against share answered, limit by limit.")
@site_options()
def command(
    traces: tuple[Path, ...], truth_file: Path | None, json_file: Path | None, sweep: bool, site_options: SiteOptions
) -> None:
    """Judge what a display would have shown against what its riders met.

    Several recordings are judged one after the other, as one display would have lived through them: what was learned
    from one is known in the next. With --memory FILE, what was learned is read from there and written back at the end.
    """
    if truth_file is not None and len(traces) > 1:
        raise InputError("--truth belongs to one recording; give one TRACE, or leave --truth out.")
    console = Console(stderr=str(json_file) == "-", highlight=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    memory = read_memory(site_options.memory)
    results: list[dict[str, Any]] = []
    for trace in traces:
        recording = read_recording(trace)
        for problem in recording.problems:
            errors.print(problem, style="yellow")
        site = site_from_options(site_options, recording_header(trace))
        truth = load_truth(truth_file, site.signal_group) if truth_file else observe_truth(recording, site)
        if sweep:
            results.append(_sweep(console, recording, site, truth, memory))
            continue
        figures = judge(recording, site, truth, memory=memory)
        memory = figures.pop("memory")
        if not figures["judged_frames"]:
            raise InputError(
                f"{trace}: no frame can be judged; the recording is too short, or the truth is of another time"
            )
        console.print(f"[bold]{trace}[/bold]")
        print_figures(console, figures)
        results.append({"trace": str(trace), **figures})
    if not sweep:
        write_memory(site_options.memory, memory)
    if json_file is not None:
        with open_atomic(json_file) as out:
            json.dump(results[0] if len(results) == 1 else results, out, indent=1)
            out.write("\n")


def _sweep(console: Console, recording: Any, site: Site, truth: Any, memory: bytes | None) -> dict[str, Any]:
    """Judge the same recording with many limits; the row without a limit is the default's."""
    table = Table(title=str(recording.path), title_justify="left", box=None)
    for heading in ("max wrong", "wrong colour", "wrong green", "answered", "uncertain", "flicker"):
        table.add_column(heading, justify="right")
    rows: list[dict[str, Any]] = []
    for permille in (None, *SWEEP_PERMILLE):
        limited = copy.copy(site)
        limited.max_wrong_permille = permille
        figures = judge(recording, limited, truth, memory=memory)
        names = ("wrong_colour_share", "wrong_green_share", "answered_share", "uncertain_share")
        shares = {name: figures[name] for name in names}
        rows.append({"max_wrong_percent": None if permille is None else permille / 10, **shares})
        rows[-1]["flicker_ratio"] = figures["flicker_ratio"]
        cells = ["-" if share is None else f"{share:.2%}" for share in shares.values()]
        limit = "(default)" if permille is None else f"{permille / 10:g} %"
        table.add_row(limit, *cells, str(figures["flicker_ratio"]))
    console.print(table)
    return {"trace": str(recording.path), "sweep": rows}
