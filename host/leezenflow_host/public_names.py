# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names for the modules of one image that a board's interpreter has anyway, in the places of names that it would keep.

Each different name costs a board its letters and some seven bytes more, unless it is one of the thousand that are part
of MicroPython. An image is whole, so what only its own modules say to each other may be said in any words: one name
becomes one other name everywhere. Lines stay where they are: a traceback on the board shows the right file and line,
and a word that means nothing in front of it.

What stays: whatever the interpreter knows (it may be a name of its own), whatever is also spelt in a string, and what
somebody outside the image asks for.
"""

import ast
import builtins
import functools
import itertools
import keyword
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files

from leezenflow_host.short_names import foreign_names, name_tokens, replace_names, short_names, stored_names
from leezenflow_host.syntax import parse_module

# What /main.py and the self-test from the prompt ask a release for.
ENTRIES = ("run", "run_alone")
# Modules whose names are all in the list of the interpreter's. What is an attribute where another one is imported
# (a board maker's own, say) might be a name of that.
_STOCK = (
    *("array", "asyncio", "binascii", "builtins", "collections", "errno", "framebuf", "gc", "hashlib", "io", "json"),
    *("machine", "micropython", "neopixel", "os", "random", "rp2", "select", "struct", "sys", "time", "uctypes"),
)
# MicroPython's compiler does something of its own with these, wherever they stand.
_COMPILER_WORDS = ("const", "micropython", "ptr", "ptr8", "ptr16", "ptr32", "uint")
# In functions with one of these decorators names are words of a compiler.
_COMPILED = ("viper", "native", "asm_pio", "asm_thumb")


def replace_public_names(sources: dict[str, str]) -> dict[str, str]:
    """Return the sources of an image (by module name) with the interpreter's names in place of their own."""
    table = choose_names(sources)
    return {name: replace_names(text, table) for name, text in sources.items()}


def choose_names(sources: dict[str, str]) -> dict[str, str]:
    """Return what each name of an image becomes, where it does not stay."""
    trees = {name: parse_module(text, name) for name, text in sources.items()}
    spelt = {name: {token.string for token in name_tokens(text)} for name, text in sources.items()}
    everything = set().union(*spelt.values(), *(_strings(tree) for tree in trees.values()))
    kept = {part for name in sources for part in name.split(".")} | set(ENTRIES) | _known_names()
    kept |= set().union(*(_outside_names(tree, set(sources)) for tree in trees.values()))
    costly = set().union(*(_costly_names(tree) for tree in trees.values()))
    own = [name for name in costly - kept if not name.startswith("__") and not name.endswith("Error")]
    # Where the interpreter's names are used up, the rest gets short ones: best those that few modules have.
    wide = Counter(name for names in spelt.values() for name in names)
    own.sort(key=lambda name: (-wide[name], name))
    free = (name for name in itertools.chain(_free_names(), short_names()) if name not in everything)
    return {name: next(free) for name in own}


def _free_names() -> Iterator[str]:
    """The interpreter's names that are no words of the language."""
    reserved = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *_COMPILER_WORDS}
    for name in _interpreter_names():
        if name[0] == "+" and not name.startswith("+_") and name[1:] not in reserved and len(name) > 2:
            yield name[1:]


def _known_names() -> set[str]:
    return {name.lstrip("+") for name in _interpreter_names()}


@functools.cache
def _interpreter_names() -> tuple[str, ...]:
    text = (files("leezenflow_host") / "data" / "interpreter_names.txt").read_text(encoding="ascii")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


def _costly_names(tree: ast.Module) -> set[str]:
    """What a module itself gives a name to that the board keeps: not the local variables of its functions."""
    names = stored_names(tree)
    local: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            local |= {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    lasting = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    lasting |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    lasting |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    return names & (lasting | _top_names(tree.body)) | {name for name in names if name not in local}


def _top_names(statements: list[ast.stmt]) -> set[str]:
    """What is assigned outside of functions."""
    names: set[str] = set()
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(statement) if not isinstance(statement, ast.ClassDef | ast.If | ast.Try) else ():
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
        for inner in ("body", "orelse", "finalbody"):
            names |= _top_names(getattr(statement, inner, []))
        for handler in getattr(statement, "handlers", []):
            names |= _top_names(handler.body)
    return names


def _outside_names(tree: ast.Module, modules: set[str]) -> set[str]:
    """What may also be a name of somebody else's."""
    names = foreign_names(tree, modules)
    strangers: set[str] = set()
    unusual = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            origin = node.module if isinstance(node, ast.ImportFrom) else None
            for alias in node.names:
                if (origin or alias.name) not in modules:
                    strangers.add(alias.asname or alias.name.split(".")[0])
                    unusual |= (origin or alias.name).split(".")[0] not in _STOCK
        elif isinstance(node, ast.keyword) and node.arg:
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef) and any(
            word in ast.unparse(decorator) for decorator in node.decorator_list for word in _COMPILED
        ):
            names |= {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
            names |= {inner.arg for inner in ast.walk(node) if isinstance(inner, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (unusual or _root(node) in strangers):
            names.add(node.attr)
    return names


def _root(node: ast.expr) -> str | None:
    """The name that `name.part.part` begins with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _strings(tree: ast.Module) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
