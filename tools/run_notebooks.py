# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the worked studies in docs/notebooks and writes what they show into them, without Jupyter.

    python tools/run_notebooks.py [FILE.ipynb…]

Each notebook runs in a fresh namespace, with a temporary folder as the current one, so it needs no files of ours and
leaves none. A cell's last expression and what it printed become its output.
"""

import ast
import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "notebooks"


def run_cell(code: str, namespace: dict[str, Any], name: str) -> tuple[str, Any]:
    """Run one cell; returns what it printed and the value of its last expression (None without one)."""
    tree = ast.parse(code, name)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
    else:
        last = None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, name, "exec"), namespace)
        value = eval(compile(ast.Expression(last.value), name, "eval"), namespace) if last is not None else None
    return printed.getvalue(), value


def run_notebook(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    """Run all cells of a notebook in order and return its variables; outputs are replaced in place."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="leezenflow-notebook-") as folder:
        os.chdir(folder)
        try:
            number = 0
            for cell in notebook["cells"]:
                if cell["cell_type"] == "code":
                    number += 1
                    printed, value = run_cell("".join(cell["source"]), namespace, f"{name}, cell {number}")
                    cell["execution_count"] = number
                    cell["outputs"] = _outputs(number, printed, value)
        finally:
            os.chdir(before)
    return namespace


def _outputs(number: int, printed: str, value: Any) -> list[dict[str, Any]]:
    outputs: list[dict[str, Any]] = []
    if printed:
        outputs.append({"output_type": "stream", "name": "stdout", "text": printed.splitlines(keepends=True)})
    if value is not None:
        data = {"text/plain": repr(value).splitlines(keepends=True)}
        # Data frames know how to show themselves.
        if hasattr(value, "_repr_html_") and (html := value._repr_html_()):
            data["text/html"] = html.splitlines(keepends=True)
        outputs.append({"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": data})
    return outputs


def main(names: list[str]) -> None:
    """Run the named notebooks, or all."""
    for path in map(Path, names) if names else sorted(FOLDER.glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        run_notebook(notebook, path.name)
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{path.name}: run")


if __name__ == "__main__":
    main(sys.argv[1:])
