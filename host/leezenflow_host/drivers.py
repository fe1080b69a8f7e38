# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be named in a configuration: displays, transports, looks, adapters, and the options each declares.

A driver is a file; its name is the file's. `OPTIONS` (and an adapter's `RUNTIMES`) are literals that are read from the
source text: nothing that is meant for a board is ever imported here.
"""

import ast
import functools
import importlib.util
from pathlib import Path
from typing import Any

from leezenflow_host.errors import InputError
from leezenflow_host.syntax import parse_module

_FOLDERS = {
    "display": ("leezenflow_device", "displays"),
    "host_display": ("leezenflow_host", "displays"),
    "sensor": ("leezenflow_device", "sensors"),
    "network": ("leezenflow_device", "networks"),
    "transport": ("leezenflow_device", "transports"),
    "look": ("leezenflow", "renderings"),
    "adapter": ("leezenflow_adapters", ""),
}

Options = dict[str, dict[str, Any]]


def package_folder(package: str) -> Path:
    """Return the folder of one of our top-level packages, in a checkout or an installation, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"The package {package} is not installed; install Leezenflow again.")
    return Path(next(iter(spec.submodule_search_locations)))


def driver_folder(kind: str) -> Path:
    """Return the folder that holds the drivers of a kind: a key of _FOLDERS such as "display"."""
    package, folder = _FOLDERS[kind]
    return package_folder(package) / folder


def driver_file(kind: str, name: str) -> Path:
    """Return the file of the named driver."""
    return driver_folder(kind) / f"{name}.py"


def driver_names(kind: str) -> list[str]:
    """Return the names of all drivers of a kind: its files that declare OPTIONS."""
    files = sorted(driver_folder(kind).glob("*.py"))
    return [file.stem for file in files if "OPTIONS" in read_literals(file, "OPTIONS")]


def driver_options(kind: str, name: str) -> Options:
    """Return what the named driver declares as OPTIONS, after those of the driver it says it EXTENDS."""
    literals = read_literals(driver_file(kind, name), "OPTIONS", "EXTENDS")
    inherited = driver_options(kind, literals["EXTENDS"]) if "EXTENDS" in literals else {}
    return {**inherited, **literals["OPTIONS"]}


def adapter_runtimes(name: str) -> tuple[str, ...]:
    """Return where the named adapter runs: "device", "host" or both."""
    return tuple(read_literals(driver_file("adapter", name), "RUNTIMES").get("RUNTIMES", ()))


def read_literals(file: Path, *names: str) -> dict[str, Any]:
    """Return those of `names` that a module assigns a literal to at its top level; InputError for any other value."""
    return _literals_of(file, file.stat().st_mtime_ns, names)


@functools.lru_cache(maxsize=256)
def _literals_of(file: Path, version: int, names: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for statement in parse_module(file.read_text(encoding="utf-8"), str(file)).body:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name) and target.id in names:
                try:
                    found[target.id] = ast.literal_eval(value)
                except ValueError:
                    line = statement.lineno
                    raise InputError(f"{file}:{line}: {target.id} must be a literal: it is read, not run.") from None
    return found
