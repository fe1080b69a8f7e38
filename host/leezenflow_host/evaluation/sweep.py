# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One recording judged with many limits: what a stricter display would cost in answers."""

import copy
from typing import Any

from rich.console import Console
from rich.table import Table

from leezenflow.board import Site
from leezenflow_host.evaluation.report import Recording, judge
from leezenflow_host.evaluation.truth import Truth

# In per mille: what a site could ask for.
SWEEP_PERMILLE = (5, 10, 20, 30, 50, 75, 100, 150, 200, 250, 300, 350, 400, 500, 1000)
_NAMES = ("wrong_colour_share", "wrong_green_share", "answered_share", "uncertain_share")


def sweep_limits(
    console: Console, recording: Recording, site: Site, truth: Truth, memory: bytes | None
) -> dict[str, Any]:
    """Judge the recording limit by limit, print the table, and return its rows; the one without is the default's."""
    table = Table(title=str(recording.path), title_justify="left", box=None)
    for heading in ("max wrong", "wrong colour", "wrong green", "answered", "uncertain", "flicker"):
        table.add_column(heading, justify="right")
    rows: list[dict[str, Any]] = []
    for permille in (None, *SWEEP_PERMILLE):
        limited = copy.copy(site)
        limited.max_wrong_permille = permille
        figures = judge(recording, limited, truth, memory=memory)
        shares = {name: figures[name] for name in _NAMES}
        rows.append({"max_wrong_percent": None if permille is None else permille / 10, **shares})
        rows[-1]["flicker_ratio"] = figures["flicker_ratio"]
        cells = ["-" if share is None else f"{share:.2%}" for share in shares.values()]
        limit = "(default)" if permille is None else f"{permille / 10:g} %"
        table.add_row(limit, *cells, str(figures["flicker_ratio"]))
    console.print(table)
    return {"trace": str(recording.path), "sweep": rows}
