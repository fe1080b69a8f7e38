# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Timing code has no float and no true division: boards have single precision, where an epoch moves in steps of 128 s.

The 64-bit unix MicroPython and CPython have doubles and cannot show it, so the source is read instead.
"""

import ast
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parents[2] / "firmware/leezenflow"
# What is learned about a signal is time as well.
CALIBRATION = tuple(sorted(path.stem for path in CORE.glob("calibration*.py")))
TIMING = (
    "timemark",
    "utc_hint",
    "clock",
    "tracker",
    "forecast",
    "learned",
    "learner",
    "advice",
    "engine",
    "brightness",
    "sun",
)

# Everything that makes a float of integers.
FLOAT_CALLS = {"float", "sqrt", "exp", "log", "log2", "log10", "floor", "ceil", "fmod", "modf", "time"}


def find_floats(source: str) -> list[str]:
    """Where a file's text makes or may make a float: "line: what"."""
    faults = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=float() | complex()):
                faults.append(f"{node.lineno}: literal {node.value}")
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                faults.append(f"{node.lineno}: /")
            case ast.BinOp(op=ast.Pow(), right=ast.UnaryOp()):
                faults.append(f"{node.lineno}: ** with a negative power")
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in FLOAT_CALLS:
                faults.append(f"{node.lineno}: {name}()")
            case ast.Import(names=names) if any(alias.name == "math" for alias in names):
                faults.append(f"{node.lineno}: import math")
            case ast.ImportFrom(module="math"):
                faults.append(f"{node.lineno}: import math")
    return faults


@pytest.mark.parametrize("module", sorted({*TIMING, *CALIBRATION}))
def test_timing_module_is_integer(module: str):
    assert find_floats((CORE / f"{module}.py").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "a = 2.5",
        "a = 1e3",
        "a = 2j",
        "a = b / 2",
        "a /= 2",
        "a = float(b)",
        "a = b ** -1",
        "import math",
        "from math import pi",
        "a = time.time()",
        "def f(a=0.5):\n    pass",
    ],
)
def test_a_float_is_found(source: str):
    assert len(find_floats(source)) == 1


def test_integers_are_left_alone():
    assert find_floats("a = (5 * b // 2) % 3\na //= 2\nc = 2 ** 30\nd = int('5') + divmod(a, 3)[0]\n") == []
