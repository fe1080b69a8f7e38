# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation says of flow data is what the code reads."""

import re
from pathlib import Path

from leezenflow_host.flow.observed import FIGURES
from leezenflow_host.flow.observed_files import COUNTS, OPTIONAL, PASSAGES, REQUIRED, TRAJECTORIES, read_observed
from leezenflow_host.flow.outcomes import FIGURES as SIMULATED_FIGURES

DOCS = Path(__file__).resolve().parents[3] / "docs"


def section(heading: str) -> str:
    text = (DOCS / "reference/flow-data.md").read_text(encoding="utf-8")
    return re.split(r"^##+ ", text.split(heading)[1], flags=re.MULTILINE)[0]


def test_every_column_is_documented_and_marked_as_needed():
    headings = {TRAJECTORIES: "### Trajectories", PASSAGES: "### Passages", COUNTS: "### Counts"}
    for kind, heading in headings.items():
        rows = [line.split("|")[1:3] for line in section(heading).splitlines() if line.startswith("| `")]
        needed = {name for names, mark in rows if mark.strip() == "needed" for name in re.findall(r"`(\w+)`", names)}
        named = {name for names, _ in rows for name in re.findall(r"`(\w+)`", names)}
        # A count's cycle is needed and stands in no other row.
        assert needed == set(REQUIRED[kind])
        assert named == set(REQUIRED[kind] | OPTIONAL[kind])


def test_every_figure_is_documented():
    text = section("## Figures") + section("## What `flow simulate` writes")
    assert set(FIGURES) | set(SIMULATED_FIGURES) <= set(re.findall(r"`(\w+)`", text))


def test_the_example_of_the_guide_is_read(tmp_path: Path):
    lines = (DOCS / "how-to/flow.md").read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("    rider,time,stopped"))
    file = tmp_path / "example.csv"
    file.write_text("\n".join(line.strip() for line in lines[start : start + 3]) + "\n")
    observed = read_observed(file)
    assert observed.kind == PASSAGES and len(observed.rows) == 2 and observed.unknown_columns == ()


def test_the_example_plan_is_what_the_command_prints(capsys):
    from leezenflow_host.cli import run

    lines = (DOCS / "how-to/flow.md").read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("    leezenflow flow plan"))
    assert run(lines[start].split()[1:]) == 0
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert [line.strip() for line in lines[start + 2 : start + 9]] == printed[:7]
