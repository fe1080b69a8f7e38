# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit's files and the drivers they name."""

import errno
import gc
import json
import os

from leezenflow.errors import LeezenflowError
from leezenflow.file_names import is_file_name

# The longest configuration a board has is some 2 kB; more than this is not a configuration.
MAX_JSON_BYTES = 16_384


def read_bytes(path, limit):
    """Return the content of a file, None if there is none; LeezenflowError if it is longer than `limit` bytes."""
    try:
        with open(path, "rb") as file:
            # Not simply limit + 1: MicroPython reserves all that may be read.
            data = file.read(min(limit + 1, os.stat(path)[6]))
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise LeezenflowError("%s: cannot be read (%s); install it again" % (path, error))
    if len(data) > limit:
        raise LeezenflowError("%s: longer than %d bytes; install it again" % (path, limit))
    return data


def read_json(path, default=None):
    """Return the json object in a file; `default` if there is no such file, LeezenflowError if that is None."""
    data = read_bytes(path, MAX_JSON_BYTES)
    if data is None:
        if default is None:
            raise LeezenflowError("%s: missing; install firmware and configuration" % path)
        return default
    try:
        values = json.loads(data)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise LeezenflowError("%s: damaged, it is not a json object; install it again" % path)
    return values


def load_driver(package, name, what):
    """Return the module `package`.`name`; `what` says in the LeezenflowError whose name it is."""
    if not is_file_name(name):
        raise LeezenflowError("%s is %r: not a name of ours; install the configuration again" % (what, name))
    path = package + "." + name
    gc.collect()  # compiling leaves holes; what is made next should not end up scattered among them
    try:
        return __import__(path, None, None, ("*",))
    except ImportError as error:
        raise LeezenflowError("%s is %r: %s; install firmware and configuration together" % (what, name, error))


def join_options(*modules):
    """Return the OPTIONS of several modules as one dict."""
    declared = {}
    for module in modules:
        declared.update(module.OPTIONS)
    return declared
