# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only an image's own modules say may be said in the interpreter's words; all else must stay."""

import ast
import re
import sys
import types

import pytest

from leezenflow_host.board_config import read_board
from leezenflow_host.commissioning import self_test
from leezenflow_host.image import _closure, fleet_roots, module_text
from leezenflow_host.public_names import _free_names, choose_names, replace_public_names
from leezenflow_host.short_names import name_tokens, shorten_names
from leezenflow_host.shrink import shrink


def replace_one(text: str) -> str:
    """One module without the others."""
    return replace_public_names({"one": text})["one"]


def test_a_name_of_ours_becomes_one_of_the_interpreter_in_all_modules():
    sources = {
        "a": "class Thing:\n    def __init__(self, payload):\n        self.payload_bytes = payload\n",
        "b": "from a import Thing\n\nthing = Thing(payload=1)\nprint(thing.payload_bytes)\n",
    }
    names = choose_names(sources)
    # The argument is also called by its name, which might be somebody else's.
    assert set(names) == {"Thing", "payload_bytes", "thing"}
    texts = replace_public_names(sources)
    assert texts["a"] == f"class {names['Thing']}:\n" + sources["a"].partition("\n")[2].replace(
        "payload_bytes", names["payload_bytes"]
    )
    said: dict[str, object] = {"print": print}
    sys.modules["a"] = types.ModuleType("a")
    try:
        exec(texts["a"], sys.modules["a"].__dict__)
        exec(texts["b"], said)
    finally:
        del sys.modules["a"]
    assert getattr(said[names["thing"]], names["payload_bytes"]) == 1


def test_no_name_of_ours_becomes_a_word_of_the_compiler():
    given = set(_free_names())
    assert "append" in given
    assert not given & {"const", "micropython", "ptr", "ptr8", "ptr16", "ptr32", "uint"}


def test_local_variables_cost_nothing_and_stay():
    text = "def run(x):\n    some_local = x\n    return some_local\n"
    assert set(choose_names({"one": text})) <= {"x"}


@pytest.mark.parametrize(
    "text",
    [
        "def run():\n    pass\n",
        "class OddError(Exception):\n    pass\n",
        "import machine\n\nmachine.odd_thing = 1\n",
        "from machine import odd_thing\n",
        "import hub75\n\n\ndef run(self):\n    self.odd_thing = 1\n    return hub75.x().odd_thing\n",
        "class append:\n    find = 1\n",
        "def run(self):\n    self.odd_thing = 1\n    return getattr(self, 'odd_thing')\n",
        "odd_thing = 1\nprint(f'{odd_thing}')\n",
        "import micropython\n\n\n@micropython.viper\ndef run(odd_thing: ptr8):\n    pass\n\n\nodd_thing = 1\n",
        "class run:\n    def __call__(self):\n        pass\n",
    ],
)
def test_what_others_may_mean_stays(text: str):
    assert replace_one(text) == text


def test_a_name_that_is_used_already_is_none_of_the_new_ones():
    text = "odd_thing = 1\nother_thing = 'ADC'\n"
    taken = set(choose_names({"one": text}).values())
    assert taken and "ADC" not in taken
    again = text + "".join(f"print({name})\n" for name in taken)
    assert not taken & set(choose_names({"one": again}).values())


def test_lines_strings_and_comments_stay():
    text = "class Odd:\n    '''Odd one.'''\n\n    # Odd.\n    def odd_thing(self):\n        return 'Odd thing'\n"
    changed = replace_one(text)
    assert [line for line in changed.splitlines() if "class" not in line and "def" not in line] == [
        line for line in text.splitlines() if "class" not in line and "def" not in line
    ]
    assert "odd_thing" not in changed


@pytest.mark.parametrize("board", ["interstate75_w_rp2040", "esp32_neopixel"])
def test_a_whole_release_differs_in_names_only(board: str):
    modules = sorted(_closure(fleet_roots(read_board(board), [])))
    sources = shorten_names(shrink({module: module_text(module) for module in modules}))
    table = choose_names(sources)
    backwards = {new: old for old, new in table.items()}
    spelt = {token.string for text in sources.values() for token in name_tokens(text)}
    assert len(table) > 300
    assert len(set(table.values())) == len(table), "two names have become one"
    assert not set(table.values()) & spelt
    for module, text in replace_public_names(sources).items():
        before, after = (ast.dump(ast.parse(t)) for t in (sources[module], text))
        assert re.sub(r"'(\w+)'", lambda m: f"'{backwards.get(m[1], m[1])}'", after) == before


def test_what_is_asked_for_from_outside_keeps_its_name():
    asked = re.findall(
        r"from leezenflow_device\.\w+ import (\w+)", self_test._AT_PROMPT + module_text("leezenflow_device.loader")
    )
    assert asked
    sources = {"one": "".join(f"def {name}():\n    pass\n\n\n" for name in asked)}
    assert replace_public_names(sources) == sources
