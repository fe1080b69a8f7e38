# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/reference/sources.md and docs/how-to/network.md say of every transport and network what it can be told."""

from pathlib import Path
from typing import Any

import pytest

from leezenflow.source_url import parse_source
from leezenflow_host.drivers import driver_file, driver_names, read_literals
from leezenflow_host.problems import Problems
from leezenflow_host.site_config import _check_source

DOCUMENTS = {"transport": "docs/reference/sources.md", "network": "docs/how-to/network.md"}


def row(name: str, rule: dict[str, Any]) -> str:
    """The line of a table about an option."""
    allowed = {"int": "number", "str": "text", "bool": "true, false", "float": "number"}[rule["type"]]
    if "range" in rule:
        allowed = f"{rule['range'][0]} to {rule['range'][1]}"
    default = str(rule["default"]).lower() if rule["type"] == "bool" else rule["default"]
    return f"| `{name}` | {allowed} | {default if default != '' else ''} | {rule['help']} |".replace("  |", " |")


def section(text: str, name: str) -> str:
    """The part of a document under the heading of a driver."""
    head = f"\n## `{name}"
    assert text.count(head) == 1, f"one heading for {name}"
    return text.split(head)[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in DOCUMENTS for name in driver_names(kind)], ids=lambda value: str(value)
)
def test_every_option_stands_there_as_it_is(project_root: Path, kind: str, name: str) -> None:
    part = section((project_root / DOCUMENTS[kind]).read_text(), f"{name}://" if kind == "transport" else name)
    options = read_literals(driver_file(kind, name), "OPTIONS")["OPTIONS"]
    rows = [row(option, rule) for option, rule in options.items()]
    assert [line for line in part.splitlines() if line.startswith("| `")] == rows


def test_every_example_is_a_source(project_root: Path) -> None:
    text = (project_root / DOCUMENTS["transport"]).read_text()
    examples = [line.strip() for line in text.splitlines() if "://" in line and line.startswith("    ")]
    assert {parse_source(example).scheme for example in examples} == set(driver_names("transport"))
    for example in examples:
        problems = Problems("sources.md")
        _check_source(example, ("signal", "source"), problems)
        problems.raise_if_any()
