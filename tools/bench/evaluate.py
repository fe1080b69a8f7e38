# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a city is evaluated, in one run: ingesting, forecasts alone, the whole display; and whether memory grows.

    python tools/bench/evaluate.py [--days N] [--groups N] [--processes N]

One simulated half-hour of an actuated signal, ten messages a second, is ingested and then laid end to end until it is
days of a city: what is read is Parquet of realistic content, what is counted are rows of one message and one signal
group. Ratios: rows to 2 million a second; the display's time to real time, wanted 2 000 on one core.
"""

import argparse
import dataclasses
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leezenflow.board import Site
from leezenflow_host.dataset.ingestion import ingest
from leezenflow_host.dataset.ledger import Part, read_ledger, write_entry
from leezenflow_host.dataset.reading import Dataset, GroupSource
from leezenflow_host.dataset.runs import write_states
from leezenflow_host.dataset.schema import INSTANT_LISTS, MESSAGES, STATES, open_writer
from leezenflow_host.dataset.sources import SourceOptions
from leezenflow_host.dataset.staging import day_name
from leezenflow_host.evaluation.group_evaluation import GroupJob, evaluate_group
from leezenflow_host.simulation.recording import simulate
from leezenflow_host.simulation.scenario import load_scenario
from leezenflow_host.trace import TraceWriter

HALF_HOUR_MS = 1_800_000
HALVES = 48
WANTED_ROWS, WANTED_REAL_TIME = 2_000_000, 2_000


def record(folder: Path, period_ms: int) -> Path:
    """A simulated half-hour."""
    _, scenario = load_scenario("actuated")
    scenario = scenario.model_copy(
        update={"messages": scenario.messages.model_copy(update={"period_ms": period_ms, "jitter_ms": 20})}
    )
    made = simulate("actuated", scenario, 1, 1800)
    path = folder / f"{period_ms}.jsonl.zst"
    with TraceWriter(path, made.header) as writer:
        for message in made.messages:
            writer.write(message.at_ms, message.topic, message.payload)
    return path


def lay_end_to_end(dataset: Path, days: int) -> None:
    """Make the half-hour of a dataset days: the same again, half an hour later, with every instant in it."""
    (entry,) = read_ledger(dataset)
    (part,) = entry.parts
    messages, states = (pq.ParquetFile(dataset / part.file(table)).read() for table in ("messages", "states"))
    for table in ("messages", "states"):
        shutil.rmtree(dataset / table)
    start_ms = part.from_ms - part.from_ms % 86_400_000
    shift_ms = start_ms + 1_000 - part.from_ms
    entry.parts = []
    for day in range(days):
        name = day_name(start_ms + day * 86_400_000)
        made = Part(part.intersection, name, part.name, 0, 0, start_ms, start_ms)
        for table in ("messages", "states"):
            (dataset / made.file(table)).parent.mkdir(parents=True)
        with (
            open_writer(dataset / made.file("messages"), "messages") as told,
            open_writer(dataset / made.file("states"), "states") as runs,
        ):
            for half in range(HALVES):
                by_ms = shift_ms + (day * HALVES + half) * HALF_HOUR_MS
                told.write_table(_moved(messages, ("at_ms", "message_at_ms"), by_ms, 0).cast(MESSAGES))
                later = _moved(states, ("first_at_ms", "last_at_ms", *INSTANT_LISTS), by_ms, half * len(messages))
                write_states(runs, later.cast(STATES))
        made.messages, made.states = len(messages) * HALVES, len(states) * HALVES
        made.from_ms, made.to_ms = part.from_ms + shift_ms, part.to_ms + shift_ms + days * 86_400_000
        made.stretches = [[made.from_ms, made.to_ms]]
        entry.parts.append(made)
    write_entry(dataset, entry)


def _moved(table: pa.Table, columns: tuple[str, ...], by_ms: int, first: int) -> pa.Table:
    for name in columns:
        column = table.column(name).combine_chunks()
        if pa.types.is_list(column.type):
            values = pc.call_function("add", [column.values, pa.scalar(by_ms, pa.int64())])
            column = pa.ListArray.from_arrays(column.offsets, values, mask=column.is_null())
        else:
            column = pc.call_function("add", [column, pa.scalar(by_ms, pa.int64())])
        table = table.set_column(table.schema.get_field_index(name), name, column)
    if "first_message" in table.schema.names:
        place = table.schema.get_field_index("first_message")
        moved = pc.call_function("add", [table.column("first_message"), pa.scalar(first, pa.int32())])
        table = table.set_column(place, "first_message", moved)
    return table


def job_of(source: GroupSource, display: bool) -> GroupJob:
    """The evaluation of one group, 110 m before its signal."""
    site = Site(source.signal_group, 1090, 49, cruise_ms=22_000)
    return GroupJob(source, source.intersection, source.signal_group, "bench", site, display=display)


def evaluate(job: GroupJob) -> tuple[int, float]:
    """Rows, and the processor's seconds they took."""
    started = time.process_time()
    return evaluate_group(job)["data"]["messages"], time.process_time() - started


def measure_in_pool(jobs: list[GroupJob], processes: int) -> tuple[int, float, float]:
    """Rows, seconds on the wall, seconds of all processors; the pool is warm, as it is for all but the first groups."""
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        small = dataclasses.replace(jobs[0].source, parts=jobs[0].source.parts[:1])  # type: ignore[type-var]
        list(pool.map(evaluate, [dataclasses.replace(jobs[0], source=small)] * processes * 2))
        started = time.perf_counter()
        outcomes = list(pool.map(evaluate, jobs))
        return sum(rows for rows, _ in outcomes), time.perf_counter() - started, sum(cpu for _, cpu in outcomes)


def peak_mb(job: GroupJob) -> float:
    """The most memory a process of its own takes for a job."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_peak, job).result()


def _peak(job: GroupJob) -> float:
    evaluate_group(job)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Make the data, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        trace = record(root, 100)
        started = time.process_time()
        ingest([trace], root / "ds", SourceOptions())
        seconds = time.process_time() - started
        (entry,) = read_ledger(root / "ds")
        groups = Dataset(root / "ds").groups()
        rows = entry.messages * len(groups)
        rate = entry.messages / seconds
        print(f"ingest         {rate:10.0f} messages/s, {rate * len(groups):.0f} rows/s on one core (XML)")
        states = sum(part.states for part in entry.parts)
        size = sum(file.stat().st_size for file in (root / "ds").rglob("*.parquet") if file.parent.name != "problems")
        each = size / entry.messages
        print(
            f"size           {rows / states:10.1f} rows a state, {each:.1f} bytes a message with all its groups; "
            f"the recording has {trace.stat().st_size / entry.messages:.1f} in .zst"
        )
        lay_end_to_end(root / "ds", arguments.days)
        sources = [Dataset(root / "ds").source(*place) for place in groups]
        jobs = [job_of(sources[number % len(sources)], display=False) for number in range(arguments.groups)]
        rows, wall, cpu = measure_in_pool(jobs, arguments.processes)
        print(
            f"forecasts      {rows / wall:10.0f} rows/s in {arguments.processes} processes ({rows} rows), "
            f"× {rows / wall / WANTED_ROWS:.1f} of 2 M; {rows / cpu:.0f} rows/s of one processor's time"
        )
        for days in (1, arguments.days):
            part = dataclasses.replace(sources[2], parts=sources[2].parts[:days])
            print(f"peak memory    {peak_mb(job_of(part, display=False)):10.0f} MB for {days} days of one group, 10 Hz")
        slow = record(root, 1000)
        ingest([slow], root / "slow", SourceOptions())
        job = job_of(Dataset(root / "slow").source(*groups[2]), display=True)
        _, cpu = min(evaluate(job) for _ in range(3))
        speed = 1800 / cpu
        ratio = speed / WANTED_REAL_TIME
        print(f"display        × {speed:8.0f} real time on one core (10 fps, 1 Hz), × {ratio:.1f} of 2 000")
        peaks = [peak_mb(job_of(dataclasses.replace(sources[2], parts=sources[2].parts[:1]), display=True))]
        print(f"peak memory    {peaks[0]:10.0f} MB for the display of one day, 10 Hz")


if __name__ == "__main__":
    sys.exit(main())
