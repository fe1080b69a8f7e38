# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page itself: one file that needs no network, no script and no other file."""

import base64
import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import leezenflow
from leezenflow.advice import GREEN, RED, SPRINT, UNCERTAIN, Advice
from leezenflow.canvas import Canvas
from leezenflow.renderings.green_wave import Look
from leezenflow_host.atomic_file import open_atomic
from leezenflow_host.errors import InputError
from leezenflow_host.preview import draw_image
from leezenflow_host.reporting.sections import describe, overview
from leezenflow_host.reporting.words import Words

FORM = 1
"""The form of results (docs/reference/evaluation.md) that this page is made of."""
# (kind, remaining_ms, span_ms, its words)
_LOOKS = (
    (GREEN, 14_000, 20_000, "look_green"),
    (SPRINT, 5_000, 20_000, "look_sprint"),
    (RED, 12_000, 40_000, "look_red"),
    (UNCERTAIN, None, None, "look_uncertain"),
)


def write_report(results: Sequence[dict[str, Any]], path: Path, language: str = "en") -> None:
    """Write the report of results (docs/reference/evaluation.md) to `path`, whole or not at all.

    Raises `InputError` for results of another form, an unknown language, or a file that cannot be written.
    """
    text = render_report(results, language)
    with open_atomic(path) as out:
        out.write(text)


def render_report(results: Sequence[dict[str, Any]], language: str = "en") -> str:
    """Return the page as text; see `write_report`."""
    words = Words(language)
    if not results:
        raise InputError("There are no results to report on.")
    for result in results:
        if result.get("leezenflow_results") != FORM:
            raise InputError(
                f"{result.get('trace', 'results')}: leezenflow_results is {result.get('leezenflow_results')!r}, not "
                f"{FORM}; evaluate the data again with this version."
            )
    sections = [describe(result, words, f"signal-{number}") for number, result in enumerate(results, 1)]
    folder = Path(__file__).parent
    loader = PackageLoader("leezenflow_host.reporting", "")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("report.html.j2").render(
        words=words,
        style=Markup((folder / "report.css").read_text("utf-8")),
        made_by=words("made_by", version=leezenflow.__version__, form=FORM),
        overview=overview(results, words) if len(results) > 1 else None,
        sections=sections,
        looks=[{"source": source, "words": words(name)} for name, source in _draw_looks()],
    )


@cache
def _draw_looks() -> tuple[tuple[str, str], ...]:
    """The panel in each state, as pictures within the page."""
    pictures = []
    for kind, remaining_ms, span_ms, name in _LOOKS:
        canvas, advice = Canvas(), Advice()
        look = Look(canvas)
        if remaining_ms is None:
            advice.decline(kind, "doubtful")
        else:
            advice.claim(kind, remaining_ms, span_ms, 95)
        for now_ms in range(0, 2000, 40):
            look.draw(advice, canvas, now_ms)
        data = io.BytesIO()
        draw_image(canvas, scale=2).save(data, format="PNG", optimize=True)
        pictures.append((name, "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()))
    return tuple(pictures)
