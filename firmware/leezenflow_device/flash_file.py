# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files that survive a loss of power: after it, a file is the old one or the new one, never a mixture.

LittleFS makes this easy: content counts when the file is closed, and a rename is one step. What is cut short leaves
`<path>.new`, which the next write replaces.
"""

import json
import os


def replace_file(path, data):
    """Make `data` (bytes) the content of `path`, in a folder of the root that need not exist yet; OSError when full."""
    folder = path.rpartition("/")[0]
    if folder and folder[1:] not in os.listdir("/"):
        os.mkdir(folder)
    new = path + ".new"
    try:
        with open(new, "wb") as file:
            file.write(data)
        os.rename(new, path)
    except OSError:
        try:
            os.remove(new)  # it may be what fills the flash
        except OSError:
            pass
        raise


def replace_json(path, values):
    """Make `values` the content of the json file `path`."""
    replace_file(path, json.dumps(values).encode())
