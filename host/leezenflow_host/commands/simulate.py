# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow simulate`: a signal recording that never happened, and the truth about it."""

import json
from pathlib import Path

import rich_click as click
from rich.console import Console

from leezenflow_host.atomic_file import open_atomic
from leezenflow_host.simulation.recording import simulate
from leezenflow_host.simulation.scenario import load_scenario, scenario_names
from leezenflow_host.trace import TraceWriter

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(epilog="Bundled scenarios: " + ", ".join(scenario_names()))
@click.argument("scenario_name", metavar="SCENARIO|FILE.toml")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another number, another day.")
@click.option("--duration", type=click.IntRange(1, 86_400), metavar="S", help="Seconds; by default the scenario's own.")
@click.option("--out", "trace_file", type=_FILE, required=True, metavar="TRACE", help="Write the recording here.")
@click.option("--truth", "truth_file", type=_FILE, metavar="FILE", help="Write what the lamps really did here.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
def command(
    scenario_name: str, seed: int, duration: int | None, trace_file: Path, truth_file: Path | None, dry_run: bool
) -> None:
    """Make a signal recording with known truth, for tests and teaching.

    The same scenario and seed give the same recording, byte for byte. TRACE ends in .jsonl, .jsonl.gz or .jsonl.zst.
    """
    name, scenario = load_scenario(scenario_name)
    recording = simulate(name, scenario, seed, duration)
    if dry_run:
        files = " and ".join(str(file) for file in (trace_file, truth_file) if file is not None)
        click.echo(f"Would write {files}: {len(recording.messages)} messages of {scenario.title!r}, seed {seed}.")
        return
    with TraceWriter(trace_file, recording.header) as writer:
        for message in recording.messages:
            writer.write(message.at_ms, message.topic, message.payload)
    if truth_file is not None:
        with open_atomic(truth_file) as out:
            out.write(json.dumps(recording.truth) + "\n")
    Console(stderr=True, highlight=False).print(
        f"{trace_file}: {len(recording.messages)} messages of {scenario.title!r}, seed {seed}", soft_wrap=True
    )
