# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same evaluation on a Spark cluster: one row a signal group, with the list of its files, and no shuffle.

Needs the extra `spark` (pyspark), Java 17, leezenflow on every worker, and the dataset at the same path everywhere.
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

from leezenflow_host.errors import LeezenflowError
from leezenflow_host.evaluation.group_evaluation import GroupJob
from leezenflow_host.evaluation.results import Result
from leezenflow_host.evaluation.running import pack_job, run_packed, unpack_outcome

# So many groups are handed out at a time; what is finished then is kept if the next ones fail.
_CHUNK = 512


def run_on_spark(jobs: list[tuple[int, GroupJob]], master: str) -> Iterator[tuple[int, Result | LeezenflowError]]:
    """Evaluate jobs on the cluster at `master`; (number, outcome) as they come. `LeezenflowError` without Spark."""
    session = _session(master)
    try:
        for first in range(0, len(jobs), _CHUNK):
            rows = [(number, bytearray(pack_job(job))) for number, job in jobs[first : first + _CHUNK]]
            # One task a signal group: they differ too much in length to be dealt out in equal parts.
            spread = session.sparkContext.parallelize(rows, len(rows))
            table = session.createDataFrame(spread, "number int, job binary")
            for row in table.mapInPandas(_evaluate, "number int, outcome string").collect():
                yield row["number"], unpack_outcome(row["outcome"])
    finally:
        session.stop()


def _evaluate(batches: Iterator[Any]) -> Iterator[Any]:
    """What a worker does with its rows."""
    import pandas as pd

    for batch in batches:
        for number, job in zip(batch["number"], batch["job"], strict=True):
            yield pd.DataFrame({"number": [number], "outcome": [run_packed(bytes(job))]})


def _session(master: str) -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise LeezenflowError(
            "Spark is not installed. Install the extra: pip install 'leezenflow[spark]', and Java 17."
        ) from error
    # Workers on this machine run the interpreter that has leezenflow.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = (
        SparkSession.builder.master(master)
        .appName("leezenflow evaluate")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "1")
    )
    if master.startswith("local"):
        # Whatever this machine's name resolves to: nobody else takes part.
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    try:
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        return session
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise LeezenflowError(
            f"Spark does not start at {master} ({reason}). It needs Java 17: check `java -version` and JAVA_HOME."
        ) from error
