# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers in docs/hub75.md are those of the code."""

import ast
import re
from pathlib import Path

import pytest

from leezenflow import bitplanes

ROOT = Path(__file__).resolve().parents[2]
DRIVER = ROOT / "firmware/leezenflow_device/displays/hub75_rp2.py"
TEXT = (ROOT / "docs/hub75.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+?) \| (\d+) Hz \| (\d+) % \| (\d+) ns \| (\d+) kB \|$", TEXT, re.MULTILINE)


def read_defaults() -> dict[str, int]:
    """The driver's declared defaults."""
    tree = ast.parse(DRIVER.read_text(encoding="utf-8"))
    (options,) = (
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OPTIONS"
    )
    return {name: rule["default"] for name, rule in ast.literal_eval(options).items()}


def test_the_table_was_found():
    assert len(ROWS) == 10


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_row(row: tuple[str, ...]):
    words, *numbers = row
    options = read_defaults()
    for name, value in re.findall(r"(\w+) = (\d+)", words):
        options[name] = int(value)
    columns, rows = (128, 64) if "128 × 64" in words else (96, 32)
    timing = bitplanes.plan_timing(
        columns,
        rows,
        options["planes"],
        options["dither"],
        150_000_000 if "RP2350" in words else 125_000_000,
        options["pixel_clock_khz"],
        options["refresh_hz"],
    )
    planned = [
        timing.refresh_hz(),
        round(timing.lit_permille() / 10),
        timing.shortest_lit_ns(),
        round(timing.memory_bytes() / 1024),
    ]
    assert planned == [int(number) for number in numbers]


def test_the_refresh_in_the_first_lines():
    (refresh,) = re.findall(r"the\nrefresh, (\d+) times a second", TEXT)
    assert int(refresh) == int(ROWS[0][1])
