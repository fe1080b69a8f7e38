# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many signal groups evaluated: in processes on this machine, or on a Spark cluster; what is finished is kept."""

import contextlib
import hashlib
import json
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any
from urllib.parse import quote

import leezenflow
from leezenflow_host.atomic_file import open_atomic
from leezenflow_host.dataset.ledger import hash_file
from leezenflow_host.dataset.reading import GroupSource
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.evaluation.group_evaluation import RESULTS_VERSION, GroupJob, evaluate_group
from leezenflow_host.evaluation.results import Result

Done = Callable[[GroupJob], object]


def job_key(job: GroupJob) -> str:
    """Changes with whatever could change the result: data, setting, comparison, version."""
    source = job.source.digest if isinstance(job.source, GroupSource) else hash_file(job.source)
    against = None
    if job.against is not None:
        site = vars(job.against.site) if job.against.site else None
        against = (
            job.against.kind,
            job.against.name,
            site,
            hash_file(Path(job.against.path)) if job.against.path else "",
        )
    told = (
        RESULTS_VERSION,
        leezenflow.__version__,
        source,
        job.intersection,
        job.signal_group,
        job.setting,
        vars(job.site),
        against,
        None if job.truth is None else vars(job.truth),
        None if job.memory is None else job.memory.hex(),
        job.timezone,
        job.fps,
        job.display,
        job.problems,
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()


def evaluate_job(job: GroupJob) -> Result:
    """One result as it is kept: without what was learned, which is no JSON."""
    result = evaluate_group(job)
    del result["memory"]
    return result


class Finished:
    """The results that are kept in a folder, so that a run that was broken off goes on; None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else folder / "groups"

    def _file(self, job: GroupJob, key: str) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / f"{quote(job.intersection, safe='')}-{job.signal_group}-{key[:16]}.json"

    def find(self, job: GroupJob) -> Result | None:
        """The result of the same job, where there is one that can be read."""
        file = self._file(job, job_key(job)) if self._folder is not None else None
        if file is None:
            return None
        with contextlib.suppress(OSError, ValueError, RecursionError):
            found = json.loads(file.read_bytes())
            if isinstance(found, dict) and found.get("leezenflow_results") == RESULTS_VERSION:
                return found
        return None

    def keep(self, job: GroupJob, result: Result) -> None:
        """Keep a result."""
        file = self._file(job, job_key(job)) if self._folder is not None else None
        if file is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        with open_atomic(file) as out:
            json.dump(result, out)


def run_jobs(
    jobs: list[GroupJob],
    processes: int = 1,
    folder: Path | None = None,
    done: Done = lambda job: None,
    master: str | None = None,
) -> list[Result | LeezenflowError]:
    """Evaluate every job; the results in the order of the jobs, an error in place of one that failed.

    `master` hands the work to Spark ("local[2]", "spark://host:7077"). With `folder`, what is there already is not done
    again. `done` is told of each job that is finished.
    """
    finished = Finished(folder)
    results: dict[int, Result | LeezenflowError] = {}
    open_jobs: list[tuple[int, GroupJob]] = []
    for number, job in enumerate(jobs):
        found = finished.find(job)
        if found is None:
            open_jobs.append((number, job))
        else:
            results[number] = found
            done(job)
    if master is not None:
        from leezenflow_host.evaluation.spark import run_on_spark

        outcomes = run_on_spark(open_jobs, master) if open_jobs else iter(())
    elif processes > 1 and len(open_jobs) > 1:
        outcomes = _run_in_pool(open_jobs, processes)
    else:
        outcomes = ((number, attempt(job)) for number, job in open_jobs)
    for number, outcome in outcomes:
        results[number] = outcome
        if not isinstance(outcome, LeezenflowError):
            finished.keep(jobs[number], outcome)
        done(jobs[number])
    return [results[number] for number in range(len(jobs))]


def attempt(job: GroupJob) -> Result | LeezenflowError:
    """The result of a job, or why there is none."""
    try:
        return evaluate_job(job)
    except LeezenflowError as error:
        return error


def _run_in_pool(jobs: list[tuple[int, GroupJob]], processes: int) -> Iterator[tuple[int, Result | LeezenflowError]]:
    # Forked children would inherit the terminal's progress bar and its thread.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(jobs)), mp_context=context) as pool:
        futures = {pool.submit(attempt, job): number for number, job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def pack_job(job: GroupJob) -> bytes:
    """A job as bytes, for the way to another machine."""
    return pickle.dumps(job, protocol=5)


def run_packed(packed: bytes) -> str:
    """Evaluate a packed job; JSON of the result, or of {"error": text, "input": whether it is the input's fault}."""
    outcome = attempt(pickle.loads(packed))
    if isinstance(outcome, LeezenflowError):
        return json.dumps({"error": str(outcome), "input": isinstance(outcome, InputError)})
    return json.dumps(outcome)


def unpack_outcome(text: str) -> Result | LeezenflowError:
    """What `run_packed` said."""
    outcome: dict[str, Any] = json.loads(text)
    if "error" in outcome:
        return InputError(outcome["error"]) if outcome["input"] else LeezenflowError(outcome["error"])
    return outcome
