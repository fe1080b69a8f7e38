# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results that are either complete or not there: written beside their place and moved there at the end."""

import contextlib
import errno
import gzip
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

# What goes wrong with a file while it is written, and the system does not say with which.
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)


@contextlib.contextmanager
def open_atomic(path: Path) -> Iterator[IO[str]]:
    """Open `path` for text ("-" is the standard output, a name in .gz is packed); it appears when the block ends well.

    When the block raises, what was at `path` before is still there. Raises `OSError` that names `path`.
    """
    if str(path) == "-":
        yield sys.stdout
        return
    open_text = gzip.open if path.suffix == ".gz" else open
    with beside(path) as part, open_text(part, "wt", encoding="utf-8") as file:
        yield file


def write_atomic(path: Path, content: bytes) -> None:
    """Write a whole file, or leave what was at `path` as it was; `OSError` that names `path`."""
    with beside(path) as part:
        part.write_bytes(content)


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Yield where to write what is to be at `path`; it gets there when the block ends well.

    A link stays one, and what it leads to is replaced; a device or pipe is itself written to. When the block raises,
    what was at `path` before is still there. Raises `OSError` that names `path`.
    """
    target = path.resolve()
    # Nothing is kept in /dev/null, and nobody wants a file in its place.
    part = target if target.exists() and not target.is_file() else target.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        if part != target:
            part.replace(target)
    except OSError as error:
        ours = error.filename in (str(part), part) or (error.filename is None and error.errno in _OF_THE_DISK)
        if ours and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        if part != target:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
