# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `shrink` may take away, and above all what it must leave alone."""

import ast
import sys
import types

import pytest

from leezenflow_host.board_config import read_board
from leezenflow_host.image import build_image
from leezenflow_host.shrink import shrink


def shrink_one(text: str) -> str:
    """One module without the others."""
    return shrink({"one": text})["one"]


def run(sources: dict[str, str], module: str) -> dict[str, object]:
    """The names of a module after its shrunk text has run; imports find the shrunk others."""
    texts = shrink(sources)
    try:
        for name, text in texts.items():
            sys.modules[name] = made = types.ModuleType(name)
            exec(text, made.__dict__)
        return dict(sys.modules[module].__dict__)
    finally:
        for name in texts:
            sys.modules.pop(name, None)


def test_a_constant_becomes_its_number_and_disappears():
    text = "_LIMIT = 3 * 7\n\ndef f(x):\n    return x > _LIMIT\n"
    assert shrink_one(text) == "\n\ndef f(x):\n    return x > 21\n"


def test_a_constant_of_another_module_becomes_its_number():
    texts = shrink(
        {"a": "X = 1 << 4\nY = 2\n", "b": "from a import X, Y as y\n\nZ = X + y\n\ndef f():\n    return Z - X\n"}
    )
    assert texts["a"].split() == []
    assert texts["b"] == "\n\n\n\ndef f():\n    return 18 - 16\n"


def test_a_constant_by_way_of_its_module_becomes_its_number():
    texts = shrink(
        {"p": "", "p.a": "X = -3\n", "b": "from p import a\nimport p.a as c\n\ndef f():\n    return a.X, c.X\n"}
    )
    assert texts["b"].splitlines()[-1] == "    return (-3), (-3)"
    assert texts["p.a"].split() == []


def test_other_names_of_an_import_stay():
    texts = shrink({"a": "X = 1\n\ndef g():\n    pass\n", "b": "from a import (\n    X,\n    g,\n)\n\ng(X)\n"})
    assert texts["b"] == "from a import g\n\n\n\n\ng(1)\n"


@pytest.mark.parametrize(
    "text",
    [
        "X = 1\n\ndef f():\n    global X\n    X = 2\n    return X\n",
        "X = 1\nX = 2\n\ndef f():\n    return X\n",
        "X = 1\n\ndef f(X):\n    return X\n",
        "X = 1\nfor X in range(3):\n    pass\n\ndef f():\n    return X\n",
        "X = True\n\ndef f():\n    return X\n",
        "X = 1.5\n\ndef f():\n    return X\n",
        "X = 1 << 30\n\ndef f():\n    return X\n",
        "X = 6 / 3\n\ndef f():\n    return X\n",
        "X = 1 // 0\n\ndef f():\n    return X\n",
        "try:\n    X = 1\nexcept ImportError:\n    pass\n\ndef f():\n    return X\n",
        "def f():\n    return X\n",
        "X = 1\n\n@micropython.viper\ndef f(p: ptr8):\n    return X\n",
        'X = 1\n\ndef f():\n    return f"{X}"\n',
        "try:\n    from b import x\nexcept ImportError:\n    x = None\n",
    ],
)
def test_what_is_no_plain_constant_stays(text: str):
    assert shrink_one(text) == text


def test_a_name_that_something_else_may_mean_keeps_its_definition():
    assert "X = 1\n" in shrink({"a": "X = 1\n", "b": "import a\n\ndef f(m):\n    return m.X\n"})["a"]
    assert "X = 1\n" in shrink({"a": "X = 1\n", "b": "def f(m):\n    return getattr(m, 'X')\n"})["a"]
    assert "X = 1\n" in shrink({"a": "X = 1\n", "b": "def f():\n    from a import X\n    return X\n"})["a"]


def test_an_imported_name_that_is_bound_again_is_left_alone():
    text = "from a import X\n\ndef f(X=5):\n    return X\n"
    assert shrink({"a": "X = 1\n", "b": text})["b"] == text


def test_help_goes_and_the_rest_of_options_stays():
    text = 'OPTIONS = {\n    "a": {"type": "int", "range": [0, 9], "default": 3, "help": "long"},\n}\n\nlast = 5.0\n'
    shrunk = shrink_one(text)
    assert ast.literal_eval(ast.parse(shrunk).body[0].value) == {  # pyright: ignore[reportAttributeAccessIssue]
        "a": {"type": "int", "range": [0, 9], "default": 3}
    }
    assert shrunk.splitlines()[4] == "last = 5.0"


def test_characters_of_several_bytes_do_not_shift_anything():
    assert shrink_one('X = 4\n\ndef f():\n    return "Münster €", X, "ü"\n').splitlines()[-1] == (
        '    return "Münster €", 4, "ü"'
    )


def test_what_runs_gives_the_same():
    a = "BASE = 3\nNEXT, LAST = BASE + 1, BASE + 2\nTABLE = (BASE, NEXT, LAST)\n"
    b = "import a as names\nfrom a import LAST, TABLE\n\n"
    b += "def f():\n    return names.NEXT * LAST - sum(TABLE)\n\nvalue = f()\n"
    assert run({"a": a, "b": b}, "b")["value"] == 4 * 5 - 12


def test_every_module_keeps_its_lines_and_compiles():
    sources = {"one": "A = 1\nB = (\n    A\n    + 2\n)\n\n\ndef f():\n    return B\n"}
    assert shrink(sources)["one"] == "\n" * 7 + "def f():\n    return 3\n"


def test_an_image_is_smaller_for_it(monkeypatch):
    board = read_board("interstate75_w_rp2040")
    small = build_image(board, None).size
    monkeypatch.setattr("leezenflow_host.image.shrink", lambda sources: sources)
    assert small < build_image(board, None).size - 3000
