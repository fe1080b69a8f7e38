# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On CPython the core never depends on a module named like one of MicroPython's, whether or not there is one.

Some packages for the Raspberry Pi install a CPython module `micropython` whose `viper` raises a SyntaxError. Code that
works because of it, or fails because of it, would differ from one laptop to the next.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = (ROOT / "firmware", ROOT / "signal_adapters")
FILES = sorted(
    path
    for package in ("firmware/leezenflow", "signal_adapters/leezenflow_adapters")
    for path in (ROOT / package).rglob("*.py")
)
MICROPYTHON_ONLY = {"framebuf", "machine", "micropython", "uctypes"}

IMPORT_ALL = """
import importlib, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name in {refused!r}:
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
for name in {names!r}:
    importlib.import_module(name)
print(len(sys.modules))
"""

LIKE_ADAFRUIT_S = """
def const(value):
    return value

def native(function):
    return function

def viper(function):
    raise SyntaxError("invalid micropython decorator")
"""


def find_unguarded(source: str) -> list[int]:
    """Lines that import a module of MicroPython with neither `except ImportError` nor a test for the interpreter."""
    lines: list[int] = []

    def visit(node: ast.AST, guarded: bool) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom) and not guarded:
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            if MICROPYTHON_ONLY.intersection(names):
                lines.append(node.lineno)
        if isinstance(node, ast.Try):
            catches = any(
                handler.type is None or "ImportError" in ast.unparse(handler.type) for handler in node.handlers
            )
            for child in node.body:
                visit(child, guarded or catches)
            for child in [*node.handlers, *node.orelse, *node.finalbody]:
                visit(child, guarded)
        elif isinstance(node, ast.If) and "sys.implementation.name" in ast.unparse(node.test):
            for child in node.body:
                visit(child, True)
            for child in node.orelse:
                visit(child, guarded)
        else:
            for child in ast.iter_child_nodes(node):
                visit(child, guarded)

    visit(ast.parse(source), False)
    return lines


def list_modules() -> list[str]:
    """Import names of all core and adapter modules."""
    names = []
    for path in FILES:
        relative = next(path.relative_to(root) for root in SOURCE_ROOTS if path.is_relative_to(root))
        names.append(".".join(relative.with_suffix("").parts).removesuffix(".__init__"))
    return names


def import_all(refused: set[str], first_on_path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Import every core and adapter module in a fresh CPython that refuses some modules."""
    path = [str(root) for root in SOURCE_ROOTS]
    if first_on_path:
        path.insert(0, str(first_on_path))
    code = IMPORT_ALL.format(refused=refused, names=list_modules())
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_are_guarded(path: Path):
    assert find_unguarded(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import micropython",
        "from micropython import const",
        "def f():\n    import framebuf",
        "try:\n    import micropython\nexcept ValueError:\n    pass",
        "try:\n    pass\nexcept ImportError:\n    import micropython",
        "import sys\nif sys.implementation.name == 'micropython':\n    pass\nelse:\n    import micropython",
    ],
)
def test_an_unguarded_import_is_found(source: str):
    assert len(find_unguarded(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nif sys.implementation.name == 'micropython':\n    import micropython",
        "try:\n    from micropython import const\nexcept ImportError:\n    const = int",
    ],
)
def test_a_guarded_import_is_left_alone(source: str):
    assert find_unguarded(source) == []


def test_everything_imports_without_them():
    result = import_all(refused=MICROPYTHON_ONLY)
    assert result.returncode == 0, result.stderr


def test_everything_imports_beside_a_foreign_micropython_module(tmp_path: Path):
    (tmp_path / "micropython.py").write_text(LIKE_ADAFRUIT_S)
    result = import_all(refused=MICROPYTHON_ONLY - {"micropython"}, first_on_path=tmp_path)
    assert result.returncode == 0, result.stderr


def test_the_refusal_works():
    # What the two tests above rely on.
    code = IMPORT_ALL.format(refused={"json"}, names=["json"])
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError: json" in result.stderr
