# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as tables and files (docs/reference/evaluation.md): a list of dicts, one a signal group and setting."""

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from leezenflow_host.atomic_file import open_atomic
from leezenflow_host.errors import InputError
from leezenflow_host.evaluation.group_evaluation import RESULTS_VERSION

Result = dict[str, Any]

PLACE = ("intersection", "signal_group", "setting")
TABLES = (
    "results",
    "intervals",
    "display_by",
    "forecast_by_horizon",
    "forecast_by",
    "confidence",
    "cycle_discrepancy",
    "reliability",
    "forecast_errors",
    "comparison",
    "problems",
)
"""Every table of the results; `results` has one row a result, with all that is no table of its own."""
_NESTED = ("site", "data", "forecast")
_COLUMNS = {
    "intervals": ("name", "value", "low", "high", "cycles"),
    "comparison": ("against_name", "name", "value", "against", "difference", "low", "high", "cycles"),
    "problems": ("kind", "count", "text"),
    "confidence": ("confidence", "coded_share", "messages", "right_share"),
    "cycle_discrepancy": ("weekday", "hour", "cycles", "median_s"),
    "reliability": ("certainty", "frames", "right_share"),
}


def table_rows(results: list[Result], table: str) -> list[dict[str, Any]]:
    """The rows of one of TABLES, each beginning with intersection, signal_group and setting.

    ValueError for another name.
    """
    if table not in TABLES:
        raise ValueError(f"there is no table {table}; there are {', '.join(TABLES)}")
    rows = []
    for result in results:
        place = {name: result[name] for name in PLACE}
        if table == "results":
            rows.append({**place, **_plain_figures(result)})
            continue
        found = result.get(table)
        if table == "comparison":
            found = [{"against_name": found["against"], **row} for row in found["rows"]] if found else []
        rows.extend({**place, **row} for row in found or ())
    return rows


def frame(results: list[Result], table: str) -> pd.DataFrame:
    """One of TABLES as a data frame; the columns are there also when no row is."""
    rows = table_rows(results, table)
    return pd.DataFrame(rows, columns=None if rows else [*PLACE, *_COLUMNS.get(table, ())])


def _plain_figures(result: Result) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in result.items():
        if name in PLACE:
            continue
        if name in _NESTED:
            row.update({f"{name}_{key}": figure for key, figure in value.items()})
        elif not isinstance(value, list | dict) and name != "comparison":
            row[name] = value
    return row


def save_results(folder: Path, results: list[Result]) -> None:
    """Write every table as Parquet and CSV, and all results as results.json, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with open_atomic(folder / "results.json") as out:
        json.dump(results, out, indent=1)
        out.write("\n")
    for table in TABLES:
        data = frame(results, table)
        part = folder / f".{table}.{os.getpid()}.part"
        try:
            pq.write_table(_arrow(data), part, compression="zstd")
            part.replace(folder / f"{table}.parquet")
        finally:
            part.unlink(missing_ok=True)
        with open_atomic(folder / f"{table}.csv") as out:
            data.to_csv(out, index=False, lineterminator="\n")


def _arrow(data: pd.DataFrame) -> pa.Table:
    table = pa.Table.from_pandas(data, preserve_index=False)
    # A column without any value has no type, and no reader likes that.
    fields = [field.with_type(pa.float64()) if pa.types.is_null(field.type) else field for field in table.schema]
    metadata = {b"leezenflow_results": str(RESULTS_VERSION).encode()}
    return table.cast(pa.schema(fields)).replace_schema_metadata(metadata)


def load_results(path: Path) -> list[Result]:
    """The results in a results folder or a JSON file of `evaluate`; `InputError` where there are none."""
    file = path / "results.json" if path.is_dir() else path
    try:
        results = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{path}: holds no results. Make them with `leezenflow evaluate ... --out {path}`.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: damaged ({error}). Run `leezenflow evaluate` again.") from error
    found = results if isinstance(results, list) else [results]
    if not all(isinstance(result, dict) and result.get("leezenflow_results") for result in found):
        raise InputError(f"{file}: holds no results of `leezenflow evaluate`. Name another file.")
    newest = max((result["leezenflow_results"] for result in found), default=RESULTS_VERSION)
    if newest > RESULTS_VERSION:
        raise InputError(f"{file}: results of form {newest}, newer than this program reads. Update leezenflow.")
    return found
