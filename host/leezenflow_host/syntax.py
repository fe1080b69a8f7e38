# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading Python source from several threads.

CPython 3.11 counts the depth of every tree that is being built in one place for all threads: trees built side by
side, as for several boards, now and then end in "AST constructor recursion depth mismatch" (CPython issue 106905).
"""

import ast
import threading
from typing import Any

_ONE_AT_A_TIME = threading.RLock()


def parse_module(text: str, name: str = "<text>") -> ast.Module:
    """Return the tree of a module; `name` stands in a SyntaxError."""
    with _ONE_AT_A_TIME:
        return ast.parse(text, name)


def parse_expression(text: str) -> ast.Expression:
    """Return the tree of one expression."""
    with _ONE_AT_A_TIME:
        return ast.parse(text, mode="eval")


def read_literal(text: str) -> Any:
    """Return the value that a literal says; ValueError or SyntaxError when it is none."""
    return ast.literal_eval(parse_expression(text.strip()))
