# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report for every recording in a folder, and one table of their figures: the one in docs/how-to/evaluate.md.

    python tools/show_evaluation.py TRACES [--histories FOLDER] --out DIR [--intersection 49:1090] [--signal-group 12]

TRACES holds recordings, NAME.truth.json beside NAME.jsonl.gz where the truth is known. FOLDER holds histories of signal
heads (*.json), which become one dataset. Everything is written below DIR: NAME.en.html and NAME.de.html, the tables of
each as CSV and Parquet in NAME/. The table for people goes to the standard output.
"""

import argparse
from pathlib import Path
from typing import Any

from leezenflow_host.dataset.ingestion import ingest
from leezenflow_host.dataset.sources import SourceOptions
from leezenflow_host.evaluation import api
from leezenflow_host.evaluation.results import Result
from leezenflow_host.reporting import write_report

LANGUAGES = ("en", "de")
RIDER: dict[str, Any] = {"distance_m": 110, "speed_kmh": 18, "against": "plain"}


def percent(share: float | None, digits: int = 1) -> str:
    """A share for the table."""
    return "–" if share is None else f"{100 * share:.{digits}f}"


def print_row(name: str, result: Result) -> None:
    """One line of the table."""
    rows = result["comparison"]["rows"]
    plain = {row["name"]: row["against"] for row in rows}
    told = [
        "–"
        if not figures["answered_share"]
        else " / ".join(
            (
                percent(figures["wrong_colour_share"], 2),
                percent(figures["wrong_green_share"], 2),
                percent(figures["answered_share"]),
            )
        )
        for figures in (result, plain)
    ]
    interval = next(row for row in result["intervals"] if row["name"] == "wrong_colour_share")
    between = "–" if interval["low"] is None else f"{percent(interval['low'], 2)} to {percent(interval['high'], 2)}"
    print(f"| {name} | {result['data']['cycles']} | {told[0]} | {between} | {told[1]} |", flush=True)


def report(name: str, found: api.Results, folder: Path) -> None:
    """Write everything about some results."""
    for language in LANGUAGES:
        write_report(found.results, folder / f"{name}.{language}.html", language)
    found.save(folder / name)


def main() -> None:
    """Judge all, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traces", type=Path)
    parser.add_argument("--histories", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--intersection", default="49:1090")
    parser.add_argument("--signal-group", type=int, default=12)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print("| recording | cycles | wrong / wrong green / answered, % | wrong, 95 % between | plain arithmetic |")
    print("| --- | ---: | --- | --- | --- |")
    for trace in sorted(options.traces.glob("*.jsonl*")):
        name = trace.name.partition(".")[0]
        truth = trace.with_name(f"{name}.truth.json")
        found = api.evaluate(
            trace,
            intersection=options.intersection,
            signal_group=options.signal_group,
            truth=truth if truth.exists() else None,
            **RIDER,
        )
        report(name, found, options.out)
        print_row(name, found.results[0])
    if options.histories is not None:
        dataset = options.out / "histories.dataset"
        ingest(sorted(options.histories.glob("cycles_*.json")), dataset, SourceOptions())
        found = api.evaluate(dataset, timezone="Europe/Berlin", **RIDER)
        report("histories", found, options.out)
        for result in found.results:
            print_row(f"{result['intersection']}, group {result['signal_group']}", result)


if __name__ == "__main__":
    main()
