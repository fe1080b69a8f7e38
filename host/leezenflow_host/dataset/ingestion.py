# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings into a dataset: decoded side by side, published one by one, each source once."""

import contextlib
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from leezenflow_host.capture import resuming
from leezenflow_host.dataset import histories
from leezenflow_host.dataset.ledger import LedgerEntry, Part, hash_file, mark_dataset, read_ledger, write_entry
from leezenflow_host.dataset.observations import Problem
from leezenflow_host.dataset.overlaps import cut_overlap, find_overlapping
from leezenflow_host.dataset.sources import SourceOptions
from leezenflow_host.dataset.staging import stage, write_problems
from leezenflow_host.errors import InputError, LeezenflowError

# So many files a process are decoded before they are published: what is done then is kept if the rest is broken off.
CHUNK = 32
_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")


@dataclass
class Summary:
    """What came of the files: entries that were added or failed, paths that were there already, all problems."""

    added: list[LedgerEntry] = field(default_factory=list)
    failed: list[LedgerEntry] = field(default_factory=list)
    known: list[Path] = field(default_factory=list)
    problems: list[tuple[str, Problem]] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """How many problems of a kind."""
        return sum(problem.count for _, problem in self.problems if problem.kind == kind)


@dataclass
class _Staged:
    path: Path
    entry: LedgerEntry | None
    problems: list[Problem]


def find_sources(paths: list[Path]) -> list[Path]:
    """The files named, and every recording in the folders named; `InputError` where there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [
                file
                for file in sorted(path.rglob("*"))
                if file.is_file()
                and not file.name.startswith(".")
                and (file.name.lower().endswith(_SUFFIXES) or histories.is_history(file))
            ]
            if not inside:
                raise InputError(f"{path}: there is no recording in it (.jsonl, .jsonl.gz, .jsonl.zst). Name another.")
            found.extend(inside)
        elif not path.exists():
            raise InputError(f"{path}: there is no such file. Name recordings, or folders that hold some.")
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def ingest(
    paths: list[Path],
    dataset: Path,
    options: SourceOptions,
    jobs: int = 1,
    dry_run: bool = False,
    done: Callable[[Path], object] = lambda path: None,
) -> Summary:
    """Add every source that the dataset does not hold yet; `done` is told of each as soon as it is decoded.

    With `dry_run` everything is decoded and compared, and nothing stays. Raises `InputError` for a folder that is no
    dataset, `LeezenflowError` while another program adds to it. What is wrong with single files is in the summary.
    """
    if dry_run and not dataset.exists():
        # Nothing may be left behind, not even the folder.
        staging_root = dataset.absolute().parent
        while not staging_root.exists():
            staging_root = staging_root.parent
        return _ingest(
            paths, dataset, staging_root / f".{dataset.name}.staging.{os.getpid()}", options, jobs, True, done
        )
    mark_dataset(dataset)
    lock = _lock(dataset)
    try:
        return _ingest(paths, dataset, dataset / ".staging", options, jobs, dry_run, done)
    finally:
        os.close(lock)


def _lock(dataset: Path) -> int:
    try:
        return resuming.lock(dataset / ".lock")
    except LeezenflowError as error:
        raise LeezenflowError(
            f"{dataset}: another program is adding to this dataset. Wait until it has ended."
        ) from error


def _ingest(
    paths: list[Path],
    dataset: Path,
    staging: Path,
    options: SourceOptions,
    jobs: int,
    dry_run: bool,
    done: Callable[[Path], object],
) -> Summary:
    entries = read_ledger(dataset)
    known = frozenset(entry.sha256 for entry in entries if entry.failed is None)
    summary = Summary()
    chunk = CHUNK * jobs
    for first in range(0, len(paths), chunk):
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        try:
            staged = []
            for result in _stage_all(paths[first : first + chunk], staging, options, jobs, known):
                done(result.path)
                staged.append(result)
            _publish_all(dataset, staging, staged, entries, summary, dry_run)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return summary


def _publish_all(
    dataset: Path, staging: Path, staged: list[_Staged], entries: list[LedgerEntry], summary: Summary, dry_run: bool
) -> None:
    seen = {entry.sha256 for entry in entries if entry.failed is None}
    # The recording that began first is the one that counts where two overlap, in whatever order they were named.
    for result in sorted(staged, key=lambda one: (one.entry.from_ms or 0, one.path.name) if one.entry else (0, "")):
        entry = result.entry
        if entry is None or (entry.failed is None and entry.sha256 in seen):
            summary.known.append(result.path)
            continue
        if entry.failed is None:
            seen.add(entry.sha256)
            _publish(dataset, staging / entry.source, entry, entries, result.problems, dry_run)
            entries.append(entry)
            summary.added.append(entry)
        else:
            summary.failed.append(entry)
        summary.problems.extend((entry.name, problem) for problem in result.problems)
        if not dry_run:
            write_problems(dataset / "problems" / f"{entry.source}.parquet", entry.name, result.problems)
            write_entry(dataset, entry)


def _publish(
    dataset: Path, folder: Path, entry: LedgerEntry, entries: list[LedgerEntry], problems: list[Problem], dry_run: bool
) -> None:
    for part in entry.parts:
        others = find_overlapping(part, entries)
        if not others:
            continue
        from_ms, to_ms = part.from_ms, part.to_ms
        same, different = (
            (0, 0) if dry_run and not _have_files(dataset, others) else cut_overlap(dataset, folder, part, others)
        )
        entry.duplicates += same
        entry.overlapped += different
        theirs = {other.name for other in others}
        named = [known.name for known in entries if any(their.name in theirs for their in known.parts)]
        names = ", ".join(sorted(set(named)))
        text = f"{same} messages are in {names} already"
        if different:
            text += f", {different} others came while that was recorded and are left out"
        if same or different:
            problem = Problem("overlap", text, None, part.intersection, None, from_ms, to_ms, same + different)
            problems.append(problem)
            entry.problems["overlap"] = entry.problems.get("overlap", 0) + same + different
    entry.parts = [part for part in entry.parts if part.messages]
    if dry_run:
        return
    for part in entry.parts:
        for table in ("messages", "states"):
            target = dataset / part.file(table)
            target.parent.mkdir(parents=True, exist_ok=True)
            (folder / part.file(table)).replace(target)


def _have_files(dataset: Path, parts: list[Part]) -> bool:
    return all((dataset / part.file("messages")).exists() for part in parts)


def _stage_one(path: Path, staging: Path, options: SourceOptions, known: frozenset[str]) -> _Staged:
    sha256 = hash_file(path)
    if sha256 in known:
        return _Staged(path, None, [])
    entry, problems = stage(path, sha256, staging / sha256[:16], options)
    return _Staged(path, entry, problems)


def _stage_all(
    paths: list[Path], staging: Path, options: SourceOptions, jobs: int, known: frozenset[str]
) -> Iterator[_Staged]:
    if jobs <= 1 or len(paths) <= 1:
        for path in paths:
            yield _stage_one(path, staging, options, known)
        return
    # Forked children would inherit the terminal's progress bar and its thread.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(paths)), mp_context=context) as pool:
        futures: list[Future[_Staged]] = [pool.submit(_stage_one, path, staging, options, known) for path in paths]
        try:
            for future in futures:
                yield future.result()
        except BaseException:
            with contextlib.suppress(Exception):
                pool.shutdown(cancel_futures=True)
            raise
