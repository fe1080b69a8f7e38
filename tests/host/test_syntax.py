# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python source is read the same from one thread or several."""

import ast
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from leezenflow_host.syntax import parse_expression, parse_module, read_literal

SOURCE = "\n".join(f"x{i} = (a + b) * [c, d]" for i in range(800))


class Rubbish:
    """What the garbage collector finds in the midst of building a tree, and what gives way to other threads."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        time.sleep(0.002)


def read(_: int) -> str:
    for _ in range(5):
        Rubbish()
    return ast.unparse(parse_module(SOURCE))


def test_many_threads_read_at_the_same_time() -> None:
    with ThreadPoolExecutor(8) as threads:
        texts = set(threads.map(read, range(40)))
    assert texts == {SOURCE}


def test_expressions_and_literals() -> None:
    assert ast.unparse(parse_expression("1 + x")) == "1 + x"
    assert read_literal(" ('a', 1, None)\r\n") == ("a", 1, None)
    with pytest.raises(ValueError, match="malformed"):
        read_literal("print()")
    with pytest.raises(SyntaxError, match=r"bad\.py"):
        parse_module("def", "bad.py")
