# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the modules of one image smaller on the board, without changing what they do or their line numbers.

A module-level integer costs a board its name, an entry in the dict of every module that imports it, and a look-up at
each use. An image is whole (nothing outside it is imported), so every such name can be written as its number, and the
names nobody needs any more can go. The `help` of OPTIONS is for laptops, which read the sources, and goes as well.
Tracebacks still name the right function and line.
"""

import ast
from collections.abc import Iterator

from leezenflow_host.syntax import parse_expression, parse_module

# Small ints of a 32-bit board.
_LIMIT = 1 << 30
# In functions with one of these decorators a name and its number are not the same.
_COMPILED = ("viper", "native", "asm_pio")


def shrink(sources: dict[str, str]) -> dict[str, str]:
    """Return the sources of an image (by module name) with constants folded, unused constants and help texts gone."""
    modules = {name: _Module(name, text) for name, text in sources.items()}
    # A constant may be made of another module's: as often as that is nested.
    while sum([module.find_constants(modules) for module in modules.values()]):
        pass
    folded = {name: _Module(name, module.fold(modules)) for name, module in modules.items()}
    for name, module in folded.items():
        module.integers = modules[name].integers
    pruned = {name: _Module(name, module.drop_imports(modules)) for name, module in folded.items()}
    used = set().union(*(module.names_from_elsewhere() for module in pruned.values()))
    for name, module in pruned.items():
        module.integers = modules[name].integers
    return {name: module.drop_definitions(used) for name, module in pruned.items()}


class _Module:
    """One module's text, its tree, and `integers`: its constants."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.tree = parse_module(text, name)
        self.integers: dict[str, int] = {}
        self._lines = [line.encode() for line in text.split("\n")]
        self._stores = list(_stored_names(self.tree))
        self._kept = set(_kept_nodes(self.tree))

    # What the names are.

    def find_constants(self, modules: "dict[str, _Module]") -> int:
        """Look for `NAME = number` at the top level; how many are new."""
        before = len(self.integers)
        for statement in self.tree.body:
            for target, value in _assignments(statement):
                number = self._evaluate(value, modules)
                if number is not None and abs(number) < _LIMIT and self._stores.count(target) == 1:
                    self.integers[target] = number
        return len(self.integers) - before

    def _evaluate(self, node: ast.expr, modules: "dict[str, _Module]") -> int | None:
        """The integer that an expression of integers is, None for any other."""
        copy = parse_expression(ast.unparse(node))
        for part in ast.walk(copy):
            if isinstance(part, ast.Constant):
                if type(part.value) is not int:
                    return None
            elif isinstance(part, ast.Name):
                if self._number_of(part, modules) is None:
                    return None
            elif not isinstance(part, ast.Expression | ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop | ast.Load):
                return None
        names = {n.id: self._number_of(n, modules) for n in ast.walk(copy) if isinstance(n, ast.Name)}
        try:
            value = eval(compile(copy, self.name, "eval"), {"__builtins__": {}}, names)
        except (ArithmeticError, ValueError):
            return None
        return value if type(value) is int else None

    def _number_of(self, node: ast.expr, modules: "dict[str, _Module]") -> int | None:
        """The constant that a name, or a name in another module, stands for."""
        if isinstance(node, ast.Name):
            if node.id in self.integers:
                return self.integers[node.id]
            origin = self._origin(node.id)
            if origin is None or origin[0] not in modules or self._stores.count(node.id) != 1:
                return None
            return modules[origin[0]].integers.get(origin[1])
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            origin = self._origin(node.value.id)
            if origin is None or self._stores.count(node.value.id) != 1:
                return None
            other = modules.get(".".join(filter(None, origin)))
            return None if other is None else other.integers.get(node.attr)
        return None

    def _origin(self, name: str) -> tuple[str, str] | None:
        """Module and name there of what is imported here as `name`, at the top level."""
        for statement in self.tree.body:
            if isinstance(statement, ast.ImportFrom) and statement.module:
                for alias in statement.names:
                    if (alias.asname or alias.name) == name:
                        return statement.module, alias.name
            elif isinstance(statement, ast.Import):
                for alias in statement.names:
                    if alias.asname == name:
                        return alias.name, ""
        return None

    # The text without them.

    def fold(self, modules: "dict[str, _Module]") -> str:
        """Return the text with numbers in the places of constants, and OPTIONS without help."""
        edits: list[tuple[ast.expr, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load) and node not in self._kept:
                number = self._number_of(node, modules)
                if number is not None:
                    edits.append((node, str(number) if number >= 0 else f"({number})"))
        for statement in self.tree.body:
            for target, value in _assignments(statement):
                if target == "OPTIONS":
                    options = ast.literal_eval(value)
                    for option in options.values():
                        option.pop("help", None)
                    edits.append((value, repr(options)))
        return self._edited(edits)

    def drop_imports(self, modules: "dict[str, _Module]") -> str:
        """Return the text without the imports of constants that are no longer named here."""
        loaded = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        edits: list[tuple[ast.stmt, str]] = []
        for statement in self.tree.body:
            if not isinstance(statement, ast.ImportFrom) or statement.module is None:
                continue
            kept = []
            for alias in statement.names:
                other = modules.get(statement.module)
                inner = modules.get(f"{statement.module}.{alias.name}")
                ours = (other is not None and alias.name in other.integers) or inner is not None
                if (alias.asname or alias.name) in loaded or not ours:
                    kept.append(ast.unparse(alias))
            if len(kept) < len(statement.names):
                edits.append((statement, f"from {statement.module} import {', '.join(kept)}" if kept else ""))
        return self._edited(edits)

    def names_from_elsewhere(self) -> set[str]:
        """Every name by which another module's constant may still be meant here, also in strings."""
        names: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.alias):
                names.add(node.name)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)
        return names

    def drop_definitions(self, used: set[str]) -> str:
        """Return the text without the constants that are named neither here nor by others."""
        used = used | {n.id for n in ast.walk(self.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        edits = []
        for statement in self.tree.body:
            targets = [target for target, _ in _assignments(statement)]
            if targets and all(target in self.integers and target not in used for target in targets):
                edits.append((statement, ""))
        return self._edited(edits)

    def _edited(self, edits: list[tuple[ast.expr, str]] | list[tuple[ast.stmt, str]]) -> str:
        """Replace nodes by texts; what had several lines keeps their number."""
        lines = list(self._lines)
        for node, text in sorted(edits, key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True):
            assert node.end_lineno is not None
            first, last = node.lineno - 1, node.end_lineno - 1
            tail = lines[last][node.end_col_offset :]
            if first == last:
                lines[first] = lines[first][: node.col_offset] + text.encode() + tail
            else:
                lines[first] = lines[first][: node.col_offset] + text.encode() + tail
                lines[first + 1 : last + 1] = [b""] * (last - first)
        return b"\n".join(lines).decode()


def _assignments(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The names that a statement assigns, with their expressions, as far as that is plain to see."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for name, part in zip(target.elts, value.elts, strict=True):
            if isinstance(name, ast.Name):
                yield name.id, part


def _stored_names(tree: ast.Module) -> Iterator[str]:
    """Every name that is bound anywhere in a module, as often as it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names


def _kept_nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes that must stay as they are: in machine code, and in f-strings (whose places in the text are unsure)."""
    for node in ast.walk(tree):
        compiled = isinstance(node, ast.FunctionDef) and any(
            word in ast.unparse(decorator) for decorator in node.decorator_list for word in _COMPILED
        )
        if compiled or isinstance(node, ast.JoinedStr):
            yield from ast.walk(node)
