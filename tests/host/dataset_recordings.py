# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings for tests of datasets: several groups, and arrivals as a test wants them."""

import json
from collections.abc import Iterable
from pathlib import Path

from recordings import ORIGIN_MS, message

from leezenflow_host.dataset.ingestion import Summary, ingest
from leezenflow_host.dataset.sources import SourceOptions
from leezenflow_host.simulation.recording import simulate
from leezenflow_host.simulation.scenario import load_scenario
from leezenflow_host.trace import TraceHeader, TraceWriter
from signals import Program


def write_messages(path: Path, seconds: Iterable[int], delay_ms: int = 100, clock_ms: int = 0, group: int = 12) -> Path:
    """A message of a fixed program for each of `seconds`; the controller's clock is `clock_ms` ahead of true time."""
    program = Program(0)
    with TraceWriter(path, TraceHeader("spatem_xml", "made for a test")) as writer:
        for second in seconds:
            at_ms = ORIGIN_MS + second * 1_000
            writer.write(at_ms + delay_ms, "/spat/1090", message(program, at_ms + clock_ms, group))
    return path


def write_scenario(path: Path, name: str, seconds: int, seed: int = 1) -> Path:
    """A bundled scenario as a recording, and its truth beside it (.truth.json)."""
    _, scenario = load_scenario(name)
    made = simulate(name, scenario, seed, seconds)
    with TraceWriter(path, made.header) as writer:
        for told in made.messages:
            writer.write(told.at_ms, told.topic, told.payload)
    path.with_name(path.name.partition(".")[0] + ".truth.json").write_text(json.dumps(made.truth))
    return path


def make_dataset(folder: Path, *paths: Path, options: SourceOptions | None = None) -> Summary:
    """Ingest recordings, one after the other in this process."""
    return ingest(list(paths), folder, options or SourceOptions())
