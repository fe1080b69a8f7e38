# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is wrong with a configuration, told at once: file, line, key, what is allowed, and a guess."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from leezenflow_host.drivers import Options
from leezenflow_host.errors import InputError

Key = Sequence[str]


class Table(pydantic.BaseModel):
    """A TOML table: no unknown keys, no silent conversion. A field's description says what may stand there."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)


Model = TypeVar("Model", bound=Table)


class Problems:
    """Collects what is wrong with one configuration.

    `name` is the file as a person knows it and `text` its content (for line numbers). `flags` maps keys that came from
    the command line instead to the option they came from.
    """

    def __init__(self, name: str, text: str = "", flags: Mapping[tuple[str, ...], str] | None = None) -> None:
        self.name = name
        self._lines = text.splitlines()
        self._flags = dict(flags or {})
        self._found: list[tuple[int, str]] = []

    def add(self, key: Key, message: str) -> None:
        """Note that the value at `key` (tables first) is wrong, in words that follow the key's name."""
        key = tuple(key)
        if key in self._flags:
            self._found.append((0, f"{self._flags[key]} {message}"))
            return
        line = self._line_of(key)
        place = f"{self.name}:{line}" if line else self.name
        *tables, name = key
        table = f"[{'.'.join(tables)}] " if tables else ""
        self._found.append((line, f"{place}: {table}{name} {message}"))

    def add_unknown(self, key: Key, known: Iterable[str], what: str = "unknown key") -> None:
        """Note a key that nobody knows."""
        self.add(key, f"is an {what}{did_you_mean(key[-1], known)}")

    def add_unknown_value(self, key: Key, value: object, known: Iterable[str], mark: str = "") -> None:
        """Note a value that there is no file for; `mark` follows the name where it is part of a longer text."""
        verb = "has" if mark else "is"
        self.add(key, f"{verb} {str(value) + mark!r}, which is not known{did_you_mean(str(value), known)}")

    def raise_if_any(self) -> None:
        """Raise InputError with every problem, in the order of the file."""
        if self._found:
            raise InputError("\n".join(text for _, text in sorted(self._found, key=lambda found: found[0])))

    @property
    def any(self) -> bool:
        """True when something was noted."""
        return bool(self._found)

    def _line_of(self, key: tuple[str, ...]) -> int:
        """Return the line of a key; that of its table, or 0, when the key is not there."""
        table: tuple[str, ...] = ()
        best = 0
        for number, line in enumerate(self._lines, 1):
            if header := re.match(r"\s*\[([^\[\]]+)\]", line):
                table = tuple(part.strip().strip("\"'") for part in header[1].split("."))
                if key[: len(table)] == table:
                    best = number
            elif (assigned := re.match(r"\s*([^#=\s]+)\s*=", line)) and key == (
                *table,
                *(part.strip("\"'") for part in assigned[1].split(".")),
            ):
                return number
        return best


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a complaint about `name`: the nearest known names, else all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.6)
    if near:
        return f"; did you mean {' or '.join(repr(one) for one in near)}?"
    return f"; there are {', '.join(known)}" if known else ""


def read_toml(file: Path, what: str) -> tuple[dict[str, Any], str]:
    """Return a TOML file's tables and text; InputError says what is wrong with the file (`what` it should be)."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file; {what} was expected there.") from None
    except IsADirectoryError:
        raise InputError(f"{file} is a folder; {what} was expected there.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: byte {error.start} is not UTF-8; is that {what}?") from None
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file}: not TOML: {error}. Text values need quotation marks.") from None


def check_tables(model: type[Model], values: Mapping[str, Any], problems: Problems) -> Model | None:
    """Return `values` as a `model`, or None after noting every problem."""
    try:
        return model.model_validate(values)
    except pydantic.ValidationError as invalid:
        for error in invalid.errors():
            _note(model, error, problems)
        return None


def _note(model: type[Table], error: Any, problems: Problems) -> None:
    key = tuple(str(part) for part in error["loc"])
    tables: type[Table] | None = model
    description: str | None = None
    known = 0
    within = False  # a list or a dict of tables, whose next key is one of its own
    for name in key:
        if within:
            within = False
            known += 1
            continue
        field = tables.model_fields.get(name) if tables else None
        if field is None:
            break
        known += 1
        description = field.description
        tables = _table_of(field)
        within = tables is not None and getattr(field.annotation, "__origin__", None) in (list, dict)
    if error["type"] == "extra_forbidden":
        problems.add_unknown(key, tables.model_fields if tables else ())
        return
    # Below our own keys pydantic names its inner steps, which say nothing to a person.
    key = key[:known]
    wanted = f"give {description}" if description else error["msg"]
    if error["type"] == "missing":
        problems.add(key, f"is missing: {wanted}")
    elif error["type"] == "value_error":
        problems.add(key, f"is {error['input']!r}: {error['ctx']['error']}")
    else:
        problems.add(key, f"is {error['input']!r}: {wanted}")


def _table_of(field: Any) -> type[Table] | None:
    for candidate in (field.annotation, *getattr(field.annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, Table):
            return candidate
    return None


def check_options(
    declared: Options, values: Mapping[str, Any], table: Sequence[str], problems: Problems
) -> dict[str, Any]:
    """Return every declared option with its value or default, noting what is unknown, missing or out of range."""
    for name in values:
        if name not in declared:
            problems.add_unknown((*table, name), declared, "unknown option")
    checked: dict[str, Any] = {}
    for name, rule in declared.items():
        if name in values:
            if not _fits(rule, values[name]):
                problems.add((*table, name), f"is {values[name]!r}: give {describe_option(rule)}")
            checked[name] = values[name]
        elif "default" in rule:
            checked[name] = rule["default"]
        else:
            problems.add((*table, name), f"is missing: give {describe_option(rule)}")
    return checked


def _fits(rule: Mapping[str, Any], value: Any) -> bool:
    kind = rule["type"]
    if kind == "list":
        length = rule.get("length")
        items = {**rule, "type": rule.get("items", "int")}
        return isinstance(value, list) and (not length or len(value) == length) and all(_fits(items, v) for v in value)
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "str":
        return isinstance(value, str) and value in rule.get("choices", [value])
    if kind not in ("int", "float"):
        raise InputError(f"A driver declares an option of type {kind!r}; int, float, bool, str and list are known.")
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind == "float" else int):
        return False
    low, high = rule.get("range", [value, value])
    return low <= value <= high and value in rule.get("choices", [value])


def describe_option(rule: Mapping[str, Any]) -> str:
    """Return in words what an option allows, and what it is for."""
    kind = rule["type"]
    names = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text"}
    if kind == "list":
        count = f"{rule['length']} " if rule.get("length") else ""
        allowed = f"a list of {count}{'texts' if rule.get('items') == 'str' else 'numbers'}"
    else:
        allowed = names[kind]
    if "choices" in rule:
        allowed = _either([repr(choice) if isinstance(choice, str) else str(choice) for choice in rule["choices"]])
    elif "range" in rule:
        allowed += f" from {rule['range'][0]} to {rule['range'][1]}"
    return f"{allowed} ({rule['help']})" if rule.get("help") else allowed


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
