# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private names may become short; what anybody else might mean by them must not."""

import ast
import re

import pytest

from leezenflow_host.board_config import read_board
from leezenflow_host.image import _closure, _roots, module_text
from leezenflow_host.short_names import shorten_names
from leezenflow_host.site_config import example_site


def shorten_one(text: str) -> str:
    """One module without the others."""
    return shorten_names({"one": text})["one"]


def test_private_names_become_short_and_public_ones_stay():
    text = "class Thing:\n    def __init__(self, _given):\n        self._value = _given\n        self.open = 1\n"
    assert (
        shorten_one(text) == "class Thing:\n    def __init__(self, _a):\n        self._b = _a\n        self.open = 1\n"
    )


def test_strings_and_comments_stay():
    text = "_limit = 'x _limit y'  # _limit\nprint(_limit)\n"
    assert shorten_one(text) == "_a = 'x _limit y'  # _limit\nprint(_a)\n"


@pytest.mark.parametrize(
    "text",
    [
        "import asyncio\n\nasyncio.core._io_queue\n",
        "class A:\n    __slots__ = ('_value',)\n\n    def __init__(self):\n        self._value = 1\n",
        "def f(x):\n    x._value = 1\n    return getattr(x, '_value')\n",
        "_value = 1\nprint(f'{_value}')\n",
        "from other import _value\n_value = 2\n",
        "def f():\n    for _ in range(3):\n        pass\n",
        "class A:\n    def __call__(self):\n        pass\n",
    ],
)
def test_what_others_may_mean_stays(text: str):
    assert shorten_one(text) == text


def test_a_short_name_is_none_that_was_there():
    assert shorten_one("_a = 1\n_long = 2\nprint(_a, _long)\n") == "_a = 1\n_b = 2\nprint(_a, _b)\n"


def test_modules_without_common_classes_share_short_names():
    texts = shorten_names({"a": "_first = 1\n", "b": "_second = 2\n"})
    assert texts == {"a": "_a = 1\n", "b": "_a = 2\n"}


def test_a_name_in_two_unrelated_modules_stays():
    sources = {"a": "_state = 1\n", "b": "import a\n\nprint(a._state)\n"}
    assert shorten_names(sources) == sources


def test_a_class_and_what_inherits_from_it_have_no_short_name_in_common():
    base = "class Base:\n    def __init__(self):\n        self._first = 1\n"
    direct = "from base import Base\n\n\nclass Middle(Base):\n    pass\n"
    far = "import direct as d\n\n\nclass Last(d.Middle):\n    def go(self):\n        self._second = 2\n"
    # By way of an alias, and over a module that names nothing itself.
    texts = shorten_names({"base": base, "direct": direct, "far": far})
    first, second = (re.findall(r"self\.(_\w+) = ", texts[name])[0] for name in ("base", "far"))
    assert {first, second} == {"_a", "_b"}


def test_the_modules_of_an_image_differ_in_names_only():
    board, site = read_board("interstate75_w_rp2040"), example_site()
    sources = {module: module_text(module) for module in sorted(_closure(_roots(board, site)))}
    shortened = shorten_names(sources)
    changed = 0
    for module, text in sources.items():
        assert shortened[module].count("\n") == text.count("\n")
        before, after = (ast.dump(ast.parse(t)) for t in (text, shortened[module]))
        changed += before != after
        # One name always becomes the same other one, and two names never the same.
        names = [re.findall(r"(?:id|attr|arg|name)='(\w+)'", dump) for dump in (before, after)]
        pairs = set(zip(*names, strict=True))
        assert len(pairs) == len({old for old, _ in pairs}) == len({new for _, new in pairs})
    assert changed > 20
