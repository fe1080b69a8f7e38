# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a device in a folder on this computer: all of them, or, where the folder was new, none."""

import shutil
from pathlib import Path

from leezenflow_host.image import Image


def stage_image(image: Image, folder: Path) -> None:
    """Write the tree of `image` into a new or empty folder, or over an earlier tree.

    InputError for a folder with other things; OSError names the folder. A new tree that cannot be completed goes.
    """
    existed = folder.exists()
    begun = not existed or (folder.is_dir() and not any(folder.iterdir()))
    try:
        image.write_to(folder)
    except BaseException as error:
        if begun and folder.is_dir():
            for entry in folder.iterdir():
                shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)
            if not existed:
                folder.rmdir()
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, error.filename or str(folder)) from error
        raise
