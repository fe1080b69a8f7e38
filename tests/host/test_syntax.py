# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python source is read the same from one thread or several."""

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from leezenflow_host.syntax import parse_expression, parse_module, read_literal

SOURCE = Path(ast.__file__).read_text(encoding="utf-8")


def test_many_threads_read_at_the_same_time() -> None:
    wanted = ast.dump(ast.parse(SOURCE))
    with ThreadPoolExecutor(8) as threads:
        trees = list(threads.map(lambda _: parse_module(SOURCE), range(24)))
    assert {ast.dump(tree) for tree in trees} == {wanted}


def test_expressions_and_literals() -> None:
    assert ast.unparse(parse_expression("1 + x")) == "1 + x"
    assert read_literal(" ('a', 1, None)\r\n") == ("a", 1, None)
    with pytest.raises(ValueError, match="malformed"):
        read_literal("print()")
    with pytest.raises(SyntaxError, match=r"bad\.py"):
        parse_module("def", "bad.py")
