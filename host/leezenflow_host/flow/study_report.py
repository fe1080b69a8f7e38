# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated study on paper: the table for people, the same in Markdown, and everything as json."""

import csv
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from leezenflow_host.atomic_file import open_atomic
from leezenflow_host.flow.assumptions import MEANINGS, NOT_THE_FIELD_STUDY, list_assumptions
from leezenflow_host.flow.outcomes import FIGURES, passage_rows, summarise
from leezenflow_host.flow.study import StudyRun, StudySetup

STUDY_VERSION = 1
# What the table of changes holds.
_EFFECTS = ("stop_share", "delay_s", "energy_kj")
_SHARES = {name for name in FIGURES if name.endswith("_share")}


def study_result(setup: StudySetup, runs: Sequence[StudyRun]) -> dict[str, Any]:
    """The whole result as json (docs/reference/flow-data.md): assumptions first, then the figures."""
    return {
        "leezenflow_flow_study": STUDY_VERSION,
        "statement": NOT_THE_FIELD_STUDY,
        "assumptions": list_assumptions(setup),
        "conditions_mean": MEANINGS,
        "figures_mean": FIGURES,
        "notes": list(dict.fromkeys(note for run in runs for note in run.notes)),
        "setup": describe_setup(setup),
        **summarise(runs),
    }


def describe_setup(setup: StudySetup) -> dict[str, Any]:
    """The numbers a study was run with."""
    site = setup.site
    return {
        "signal": setup.signal if setup.trace is None else None,
        "trace": None if setup.trace is None else setup.trace.name,
        "truth": None if setup.truth_file is None else setup.truth_file.name,
        "duration_s": setup.duration_s if setup.trace is None else None,
        "seeds": list(setup.seeds),
        "cruise_ms": site.cruise_ms,
        "sprint_ms": site.sprint_ms,
        "signal_group": site.signal_group,
        "path": dataclasses.asdict(setup.path),
        "riders": dataclasses.asdict(setup.model),
        "step_s": setup.step_s,
        "lateral_m": setup.lateral_m,
    }


def figure_rows(result: dict[str, Any]) -> list[list[str]]:
    """The first table: a figure each row, a condition each column, headings first."""
    rows = [["", *(row["condition"] for row in result["conditions"])]]
    for figure, words in FIGURES.items():
        rows.append([words, *(_format(figure, row[figure]["value"]) for row in result["conditions"])])
    rows.append(["riders", *(str(row["riders"]) for row in result["conditions"])])
    if any(row["riders"] != row["got_through"] for row in result["conditions"]):
        rows.append(["of them got through", *(str(row["got_through"]) for row in result["conditions"])])
    return rows


def effect_rows(result: dict[str, Any]) -> list[list[str]]:
    """The second table: what each display changes against `without`, relative, with its interval; headings first."""
    rows = [["change", *(FIGURES[figure].partition(",")[0] for figure in _EFFECTS)]]
    for row in result["effects"]:
        rows.append([row["condition"], *(_format_change(row[figure]["relative_change"]) for figure in _EFFECTS)])
    return rows


def _format(figure: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1%}" if figure in _SHARES else f"{value:.2f}"


def _format_change(interval: dict[str, float | None]) -> str:
    if interval["value"] is None:
        return "-"
    text = f"{interval['value']:+.1%}"
    return text if interval["low"] is None else f"{text} ({interval['low']:+.1%}, {interval['high']:+.1%})"


def print_study(console: Console, result: dict[str, Any]) -> None:
    """Print the tables, and the assumptions directly under them."""
    for headings, *rows in _tables(result):
        table = Table(box=None, pad_edge=False)
        for place, heading in enumerate(headings):
            table.add_column(heading, justify="right" if place else "left")
        for row in rows:
            table.add_row(*row)
        console.print(table)
        console.print()
    for note in result["notes"]:
        console.print(f"Note: {note}", style="yellow", markup=False)
    console.print("[bold]Assumptions[/bold]")
    for sentence in (*_meanings(result), *result["assumptions"]):
        console.print(f"- {sentence}", markup=False)
    console.print(f"\n{result['statement']}", style="bold")


def _tables(result: dict[str, Any]) -> list[list[list[str]]]:
    return [figure_rows(result), effect_rows(result)] if result["effects"] else [figure_rows(result)]


def _meanings(result: dict[str, Any]) -> list[str]:
    return [f"{row['condition']}: {MEANINGS[row['condition']]}." for row in result["conditions"]]


def markdown(result: dict[str, Any]) -> str:
    """The tables and their assumptions in Markdown."""
    lines: list[str] = []
    for headings, *rows in _tables(result):
        lines += ["| " + " | ".join(headings) + " |", "| --- " + "| ---: " * (len(headings) - 1) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in rows] + [""]
    lines += [line for note in result["notes"] for line in (f"Note: {note}", "")]
    lines += ["Assumptions:", ""]
    lines += [f"- {sentence}" for sentence in (*_meanings(result), *result["assumptions"])]
    return "\n".join([*lines, "", result["statement"], ""])


def write_study(folder: Path, result: dict[str, Any], runs: Sequence[StudyRun]) -> list[Path]:
    """Write study.json, study.md and passages.csv into a folder (made when it is not there); returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / "study.json", folder / "study.md", folder / "passages.csv"]
    with open_atomic(files[0]) as out:
        json.dump(result, out, indent=1, ensure_ascii=False)
        out.write("\n")
    with open_atomic(files[1]) as out:
        out.write(markdown(result))
    rows = list(passage_rows(runs))
    with open_atomic(files[2]) as out:
        writer = csv.DictWriter(out, list(rows[0]) if rows else ["rider", "time", "stopped"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return files
