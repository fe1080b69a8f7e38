# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for what no option has answered, on a terminal; every answer is checked at once."""

from collections.abc import Callable, Sequence
from typing import Any

import rich_click as click

from leezenflow_host.errors import InputError
from leezenflow_host.site_guide.questions import Answers, Question, fault_of


def ask_all(
    questions: Sequence[Question], answers: Answers, defaults: Answers, ask: Callable[..., str] = click.prompt
) -> None:
    """Ask every question that `answers` do not hold; `defaults` (from a map, a feed) go before the usual ones."""
    for question in questions:
        if question.key not in answers:
            click.echo(click.style(question.why, dim=True), err=True)
            answers[question.key] = _ask(question, answers, defaults.get(question.key, question.default), ask)


def _ask(question: Question, answers: Answers, default: Any, ask: Callable[..., str]) -> Any:
    shown = "-" if default is None and question.optional else default
    while True:
        text = ask(question.text, default=None if shown is None else str(shown), err=True)
        try:
            value = question.parse(str(text))
            fault = None if value is None else fault_of(question, value, answers)
        except InputError as error:
            fault = str(error)
            value = None
        if fault is None:
            return value
        click.echo(click.style(fault, bold=True), err=True)


def take_defaults(questions: Sequence[Question], answers: Answers, defaults: Answers) -> None:
    """Fill in, without asking, what has a default."""
    for question in questions:
        if question.key not in answers:
            answers[question.key] = defaults.get(question.key, question.default)
