# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results that are either complete or not there: written beside their place and moved there at the end."""

import contextlib
import gzip
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def open_atomic(path: Path) -> Iterator[IO[str]]:
    """Open `path` for text ("-" is the standard output, a name in .gz is packed); it appears when the block ends well.

    When the block raises, what was at `path` before is still there. Raises `OSError` that names `path`.
    """
    if str(path) == "-":
        yield sys.stdout
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        open_text = gzip.open if path.suffix == ".gz" else open
        file = open_text(part, "wt", encoding="utf-8")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        with file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
