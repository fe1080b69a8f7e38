# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Going on with a recording that is already there: whose it is, whether it is whole, and that nobody else writes it."""

import contextlib
import os
from pathlib import Path

from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.packing import CutOffError, packer_for, read_lines
from leezenflow_host.trace import TraceHeader, TraceReader

try:
    import fcntl
except ImportError:  # Windows: nothing keeps two recorders from the same file there
    fcntl = None


def read_header(path: Path) -> TraceHeader:
    """The header of a recording; `InputError` where the file is none."""
    with TraceReader(path) as reader:
        return reader.header


def check_same(path: Path, found: TraceHeader, wanted: TraceHeader) -> None:
    """`InputError` unless the recording at `path` is of the same source and adapter (an unknown one is any)."""
    if found.source != wanted.source:
        raise InputError(
            f"{path}: holds a recording of {found.source or 'an unnamed source'}, not of {wanted.source}. "
            "Give --out another name."
        )
    if wanted.adapter is not None and found.adapter is not None and found.adapter != wanted.adapter:
        raise InputError(
            f"{path}: holds a recording for the adapter {found.adapter}, not {wanted.adapter}. Give --out another name."
        )


def lock(path: Path) -> int:
    """Take the file for ourselves, making it where it is not there; returns a descriptor, to be closed at the end.

    `LeezenflowError` when another recorder has it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise LeezenflowError(
                f"{path}: another program is recording into this file. End it, or give --out another name."
            ) from error
        except OSError:
            pass  # a file system without locks
    return descriptor


def is_whole(path: Path) -> bool:
    """Whether a recording ends as it should, so that more can be written behind it."""
    with open(path, "rb") as file:
        if path.suffix == ".jsonl":
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
        line = b"\n"
        try:
            for line in read_lines(file):  # noqa: B007 (the last one counts)
                pass
        except CutOffError:
            return False
        return line.endswith(b"\n")


def repair(path: Path) -> int:
    """Write a recording that was cut off anew, with all lines that are whole; returns their number, header included.

    The file is replaced when the new one is complete.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    packer = packer_for(path)
    count = 0
    try:
        with open(path, "rb") as file, open(part, "wb") as out:
            end_mark = b""
            with contextlib.suppress(CutOffError):
                for line in read_lines(file):
                    if line.endswith((b"\n", b"}")):
                        body, end_mark = packer.pack(line.rstrip(b"\n") + b"\n")
                        out.write(body)
                        count += 1
            out.write(end_mark)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count
