# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DuckDB that sees the tables of datasets and results, and nothing else: no network, no extensions, no writing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from leezenflow_host.dataset.ledger import check_dataset, is_dataset, read_ledger
from leezenflow_host.errors import InputError
from leezenflow_host.evaluation.results import TABLES

_FETCHED = 1_000
# In results of many groups beside a dataset, whose own table of the name comes first.
_RENAMED = {"problems": "result_problems"}
_READING = ("SELECT", "EXPLAIN", "PRAGMA", "CALL")


class Tables:
    """Views over what lies at `paths`, datasets and results folders; `names` are the views.

    `InputError` where one of the paths is neither.
    """

    def __init__(self, paths: list[Path]) -> None:
        self._files: dict[str, tuple[list[str], bool]] = {}
        for path in paths:
            if is_dataset(path):
                self._add_dataset(path)
            elif (path / "results.parquet").is_file():
                self._add_results(path)
            else:
                raise InputError(
                    f"{path}: neither a dataset (`leezenflow ingest`) nor results (`leezenflow evaluate --out`)."
                )
        self._connection = duckdb.connect(
            ":memory:", config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        )
        for name, (files, hive) in self._files.items():
            try:
                self._define(name, files, hive)
            except duckdb.Error as error:
                text = str(error).partition("\n")[0]
                raise InputError(
                    f"{' '.join(map(str, paths))}: the table {name} cannot be read ({text}). Ingest its recording "
                    "again, or evaluate again."
                ) from error
        self._lock([path.resolve() for path in paths])

    @property
    def names(self) -> list[str]:
        """The views there are."""
        return sorted(self._files)

    def _add_dataset(self, path: Path) -> None:
        check_dataset(path)
        entries = read_ledger(path)
        good = [entry for entry in entries if entry.failed is None]
        for table in ("messages", "states"):
            self._add(table, [str((path / part.file(table)).resolve()) for entry in good for part in entry.parts], True)
        self._add("problems", [str(file.resolve()) for file in sorted((path / "problems").glob("*.parquet"))], False)

    def _add_results(self, path: Path) -> None:
        for table in TABLES:
            file = path / f"{table}.parquet"
            if file.is_file():
                name = _RENAMED.get(table, table) if table in self._files else table
                self._add(name, [str(file.resolve())], False)

    def _add(self, name: str, files: list[str], hive: bool) -> None:
        self._files.setdefault(name, ([], hive))[0].extend(files)

    def _define(self, name: str, files: list[str], hive: bool) -> None:
        if not files:
            self._connection.execute(f'CREATE VIEW "{name}" AS SELECT NULL AS nothing WHERE false')
            return
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        # Intersections are names: 1090 is no number to calculate with.
        how = ", hive_partitioning = true, hive_types = {'intersection': VARCHAR, 'day': DATE}" if hive else ""
        source = ", parse_filename(filename, true) AS source" if hive else ""
        columns = f"* EXCLUDE (filename){source}" if hive else "*"
        extra = ", filename = true" if hive else ""
        self._connection.execute(
            f'CREATE VIEW "{name}" AS SELECT {columns} FROM read_parquet([{listed}], union_by_name = true{how}{extra})'
        )

    def _lock(self, folders: list[Path]) -> None:
        listed = ", ".join("'" + str(folder).replace("'", "''") + "'" for folder in folders)
        self._connection.execute(f"SET allowed_directories = [{listed}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def ask(self, sql: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
        """The names of the columns and the rows of one question; `InputError` for anything that is none."""
        try:
            statements = self._connection.extract_statements(sql)
            if len(statements) != 1:
                raise InputError(f"{len(statements)} statements: ask one question, a SELECT.")
            kind = statements[0].type.name
            if kind not in _READING:
                raise InputError(f"{kind}: only questions can be asked here, a SELECT; nothing can be changed.")
            cursor = self._connection.execute(statements[0])
            names = [column[0] for column in cursor.description or ()]
        except duckdb.Error as error:
            raise self._explain(error) from error
        return names, self._rows(cursor)

    def _rows(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
        try:
            while rows := cursor.fetchmany(_FETCHED):
                yield from rows
        except duckdb.Error as error:
            raise self._explain(error) from error

    def _explain(self, error: duckdb.Error) -> InputError:
        text = " ".join(str(error).split())
        hint = f"Tables here: {', '.join(self.names)}; their columns: DESCRIBE TABLENAME."
        if isinstance(error, duckdb.PermissionException):
            hint = (
                "Only the tables named on the command line can be read, nothing else on this machine or a network. "
                + hint
            )
        return InputError(f"SQL: {text.rstrip('.')}. {hint}")
