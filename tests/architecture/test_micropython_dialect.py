# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Core, adapter and device files use only what MicroPython 1.24 has: modules, syntax and methods.

Compiling alone does not show it: MicroPython accepts some syntax that it then ignores, and finds a missing module or
method only when it comes by.
"""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = {"leezenflow", "leezenflow_adapters", "leezenflow_device"}

# In the stock firmware of rp2 and esp32, without sockets, clocks or hardware: all that core and adapters may name.
PURE_MODULES = {
    *("array", "binascii", "collections", "errno", "framebuf", "gc", "hashlib", "heapq", "io", "json", "math"),
    *("micropython", "random", "re", "struct", "sys"),
}
# And what the device package may name besides. `hub75` is in the build of Pimoroni's boards only, `termios` on the
# virtual board (unix) only.
DEVICE_MODULES = PURE_MODULES | {
    *("_thread", "asyncio", "bluetooth", "cryptolib", "deflate", "esp", "esp32", "hub75", "machine", "neopixel"),
    *("network", "ntptime", "os", "platform", "rp2", "select", "socket", "ssl", "termios", "time", "tls", "uctypes"),
    *("vfs", "webrepl"),
}
# Methods that CPython has and MicroPython has not, of str, bytes, bytearray, int, float and memoryview.
MISSING_METHODS = {
    *("as_integer_ratio", "bit_count", "bit_length", "capitalize", "casefold", "expandtabs", "format_map", "isalnum"),
    *("isascii", "isdecimal", "isidentifier", "is_integer", "isnumeric", "isprintable", "ljust", "maketrans"),
    *("removeprefix", "removesuffix", "rjust", "swapcase", "title", "tobytes", "translate", "zfill"),
}


def list_files(*folders: str) -> list[Path]:
    """All Python files of source folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


CORE_FILES = list_files("firmware/leezenflow", "signal_adapters/leezenflow_adapters")
# The virtual board's stand-in for a board's read-only part runs on MicroPython as well.
DEVICE_FILES = [*list_files("firmware/leezenflow_device"), ROOT / "host/leezenflow_host/boards/virtual_rom.py"]


def describe_forbidden_syntax(node: ast.AST) -> str | None:
    """What MicroPython lacks or ignores in this node, or None."""
    match node:
        case ast.Match():
            return "match"
        case ast.TryStar():
            return "except*"
        case ast.Dict(keys=keys) if None in keys:
            return "{**d}"
        case ast.List(elts=items, ctx=ast.Load()) | ast.Tuple(elts=items, ctx=ast.Load()) | ast.Set(elts=items) if any(
            isinstance(item, ast.Starred) for item in items
        ):
            return "[*x]"
        case ast.Raise(cause=ast.expr()):
            return "raise … from …"
        case ast.FormattedValue(conversion=conversion) if conversion == ord("a"):
            return "!a in an f-string"
        case ast.FormattedValue(value=value, format_spec=spec) if any(
            isinstance(inner, ast.FormattedValue) for part in (value, spec) if part for inner in ast.walk(part)
        ):
            return "nested f-string"
        case ast.arguments(posonlyargs=[_, *_]):
            return "positional-only arguments"
        case ast.ClassDef(keywords=[_, *_]):
            return "class keywords (metaclass)"
        case ast.Call(func=ast.Attribute(attr=name)) if name in MISSING_METHODS:
            return f".{name}()"
        case ast.Call(func=ast.Attribute(attr="startswith" | "endswith" as name), args=[ast.Tuple(), *_]):
            return f".{name}() of several"  # since 1.25
        case ast.AsyncFunctionDef() if any(isinstance(inner, ast.Yield) for inner in ast.walk(node)):
            return "async generator"
    return None


def list_imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, top-level module) of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative import has no name of its own; packages here are always named in full.
            yield node.lineno, (node.module or "").partition(".")[0] if not node.level else "."


def find_faults(source: str, modules: set[str]) -> list[str]:
    """Everything in a file's text that MicroPython, or the allowed modules, do not have: "line: what"."""
    tree = ast.parse(source)
    faults = [f"{line}: import {name}" for line, name in list_imports(tree) if name not in modules]
    for node in ast.walk(tree):
        what = describe_forbidden_syntax(node)
        if what:
            faults.append(f"{getattr(node, 'lineno', '?')}: {what}")
    return faults


def name_file(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CORE_FILES, ids=name_file)
def test_core_and_adapters_speak_micropython(path: Path):
    assert find_faults(path.read_text(encoding="utf-8"), PURE_MODULES | OURS) == []


@pytest.mark.parametrize("path", DEVICE_FILES, ids=name_file)
def test_device_speaks_micropython(path: Path):
    assert find_faults(path.read_text(encoding="utf-8"), DEVICE_MODULES | OURS) == []


def test_there_are_files_to_check():
    assert len(CORE_FILES) > 10
    assert DEVICE_FILES


@pytest.mark.parametrize(
    "source",
    [
        "import typing",
        "from dataclasses import dataclass",
        "def f():\n    import enum",
        "from . import clock",
        "match x:\n    case 1:\n        pass",
        "a = {**b}",
        "a = [*b]",
        "a = (1, *b)",
        "a = {*b}",
        "try:\n    pass\nexcept KeyError as error:\n    raise ValueError from error",
        "try:\n    pass\nexcept KeyError:\n    raise ValueError from None",
        "a = f'{b:{c}}'",
        "a = f'{b!a}'",
        "a = f'{f\"{b}\"}'",
        "def f(a, /):\n    pass",
        "class A(B, metaclass=C):\n    pass",
        "a = (5).bit_length()",
        "a = '5'.zfill(3)",
        "a = b.startswith(('c', 'd'))",
        "async def f():\n    yield 1",
    ],
)
def test_what_micropython_lacks_is_found(source: str):
    assert len(find_faults(source, PURE_MODULES)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nfrom array import array",
        "if (n := len(a)) > 3:\n    pass",
        "a, *b = c",
        "f(*a, **b)",
        "a = f'{b!r} {c:5d}'",
        "def f(a: int | None = None, *, b: str = '') -> bytes:\n    raise ValueError('x')",
        "title = board.title",
        "a = b.startswith('c') or b.endswith('d')",
        "async def f():\n    async with a:\n        await b",
    ],
)
def test_what_micropython_has_is_left_alone(source: str):
    assert find_faults(source, PURE_MODULES) == []


def test_every_file_compiles_on_micropython(micropython: str):
    failed = []
    for path in CORE_FILES + DEVICE_FILES:
        if b"@micropython.asm_thumb" in path.read_bytes():
            # The unix port has no inline assembler; tests/device/test_hub75_machine_code.py compiles and runs it.
            continue
        command = [micropython, "-X", "compile-only", str(path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            failed.append(f"{name_file(path)}:\n{result.stdout}{result.stderr}")
    assert not failed, "\n".join(failed)


def test_a_file_that_does_not_compile_is_noticed(micropython: str, tmp_path: Path):
    planted = tmp_path / "planted.py"
    planted.write_text("match = 1\nmatch match:\n    case 1:\n        pass\n")
    assert subprocess.run(
        [micropython, "-X", "compile-only", str(planted)], capture_output=True, check=False
    ).returncode
