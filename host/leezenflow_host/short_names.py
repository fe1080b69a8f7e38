# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shorter private names for the modules of one image: each different name costs a board its letters and 8 bytes more.

Names with one leading underscore are nobody else's business, so modules that have no class in common may use the same
short ones. Lines stay where they are: a traceback on the board shows `_b7` for a private function, but the right line.
"""

import ast
import io
import itertools
import tokenize
from collections import Counter
from collections.abc import Container, Iterator

from leezenflow_host.syntax import parse_module


def shorten_names(sources: dict[str, str]) -> dict[str, str]:
    """Return the sources of an image (by module name) with short private names."""
    trees = {name: parse_module(text, name) for name, text in sources.items()}
    names = {name: {token.string for token in name_tokens(text)} for name, text in sources.items()}
    families = _families(trees)
    stored = set().union(*(stored_names(tree) for tree in trees.values()))
    kept = set().union(*(foreign_names(tree) for tree in trees.values()))
    kept |= {part for name in sources for part in name.split(".")}
    # What several families name may be one thing.
    used_by = Counter(name for family in families for name in set().union(*(names[module] for module in family)))
    everything = set(used_by)
    renamed: dict[str, str] = {}
    for family in families:
        private = [
            (name, count)
            for name, count in Counter(
                token.string for module in sorted(family) for token in name_tokens(sources[module])
            ).items()
            if _is_private(name) and name in stored and name not in kept and used_by[name] == 1
        ]
        short = (name for name in short_names() if name not in everything)
        table = {name: next(short) for name, _ in sorted(private, key=lambda entry: (-entry[1], entry[0]))}
        for module in family:
            renamed[module] = replace_names(sources[module], table)
    return {name: renamed[name] for name in sources}


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and len(name) > 2


def short_names() -> Iterator[str]:
    """Yield `_a`, `_b` and so on."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    yield from (f"_{letter}" for letter in letters)
    for pair in itertools.product(letters, letters + "0123456789"):
        yield "_" + "".join(pair)


def name_tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """Yield every name in a text, keywords too."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            yield token


def replace_names(text: str, table: dict[str, str]) -> str:
    """Return the text with the names of `table` replaced; strings and comments stay."""
    lines = text.splitlines(keepends=True)
    for token in reversed([token for token in name_tokens(text) if token.string in table]):
        row, first = token.start
        line = lines[row - 1]
        lines[row - 1] = line[:first] + table[token.string] + line[token.end[1] :]
    return "".join(lines)


def _families(trees: dict[str, ast.Module]) -> list[set[str]]:
    """The modules in groups: whose classes inherit from each other's are together."""
    family = {name: {name} for name in trees}
    for name, tree in trees.items():
        imported = {
            alias.asname or alias.name: (node.module or "", alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported |= {alias.asname: (alias.name, "") for alias in node.names if alias.asname}
        for node in ast.walk(tree):
            for base in node.bases if isinstance(node, ast.ClassDef) else ():
                root = ast.unparse(base).partition(".")[0]
                package, attribute = imported.get(root, (root, ""))
                for other in (package, f"{package}.{attribute}"):
                    if other in trees and family[other] is not family[name]:
                        joined = family[other] | family[name]
                        for member in joined:
                            family[member] = joined
    return list({id(group): group for group in family.values()}.values())


def stored_names(tree: ast.Module) -> set[str]:
    """What the module itself gives a name to."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            names.add(node.attr)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
    return names


def foreign_names(tree: ast.Module, ours: Container[str] = ()) -> set[str]:
    """Return what must keep its name: imports (but from modules that are `ours`), and what is spelt in strings too."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {part for alias in node.names for part in alias.name.split(".")}
            names |= {alias.asname for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and (node.module or "") not in ours:
            names |= {name for alias in node.names for name in (alias.name, alias.asname) if name}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            for part in ast.walk(node):
                if isinstance(part, ast.Name):
                    names.add(part.id)
                elif isinstance(part, ast.Attribute):
                    names.add(part.attr)
    return names
