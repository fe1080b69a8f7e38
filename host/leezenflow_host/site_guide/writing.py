# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Site files as people like to read them: every value with a remark beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit

from leezenflow_host.atomic_file import open_atomic
from leezenflow_host.errors import InputError
from leezenflow_host.site_guide.questions import Key, Question

_TABLES = ("unit", "signal", "rider", "look")
_COLUMN = 32


def render_site(answers: Mapping[Key, Any], questions: Sequence[Question], remarks: Sequence[str] = ()) -> str:
    """Return the TOML of a site, with a comment beside each value and `remarks` at its head."""
    document = tomlkit.document()
    document.add(
        tomlkit.comment("A site: which signal a unit speaks of, and for whom. Written by leezenflow site new;")
    )
    document.add(tomlkit.comment("change what you like, then: leezenflow site check FILE"))
    for remark in remarks:
        document.add(tomlkit.comment(remark))
    for name in _TABLES:
        table = tomlkit.table()
        for question in questions:
            value = answers.get(question.key)
            if question.key[0] == name and value is not None:
                _add(table, question, value)
            elif question.key[0] == name and question.optional:
                table.add(tomlkit.comment(f"{question.key[1]} = …: {question.comment}"))
        document.add(tomlkit.nl())
        document.add(name, table)
    return tomlkit.dumps(document)


def _add(table: Any, question: Question, value: Any) -> None:
    name = question.key[1]
    item = tomlkit.item(value)
    width = len(f"{name} = {item.as_string()}")
    item.comment(question.comment)
    item.trivia.comment_ws = " " * max(2, _COLUMN - width)
    table.add(name, item)


def check_new_file(file: Path, *, replace: bool) -> None:
    """Refuse to write over a site, or to where none can be; InputError says what to do."""
    if file.suffix != ".toml":
        raise InputError(f"{file}: the name of a site file ends in .toml.")
    if file.is_dir():
        raise InputError(f"{file} is a folder; name a file in it.")
    if file.exists() and not replace:
        raise InputError(f"{file} is there already. Give --yes to replace it, or another name.")


def write_site(file: Path, text: str, *, replace: bool) -> None:
    """Write a site file, whole or not at all."""
    check_new_file(file, replace=replace)
    file.parent.mkdir(parents=True, exist_ok=True)
    with open_atomic(file) as opened:
        opened.write(text)
