# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures as inline SVG: they follow the page's light, dark and print colours, and say in words what they show.

Drawn 340 units wide with letters of 11 units, so that a telephone shows them as large as its text. No picture rests on
colour alone: lines differ in dash and mark as well, cells and bars carry their figures.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 340
# Room for the figures of the upright axis, and for the last figure of the level one.
LEFT, RIGHT = 44, 18
LINE_HEIGHT = 16

Format = Callable[[float], str]


@dataclass(frozen=True)
class Series:
    """One line: its name, and (x, y) points; a y of None leaves a gap."""

    name: str
    points: Sequence[tuple[float, float | None]]


def nice_steps(highest: float, count: int = 4) -> list[float]:
    """Return 0 and up to `count` round steps to `highest` or just above; [0, 1] when that is not positive."""
    if highest <= 0 or not math.isfinite(highest):
        return [0.0, 1.0]
    rough = highest / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [round(step * index, 12) for index in range(math.ceil(highest / step - 1e-9) + 1)]


def draw_lines(
    title: str, series: Sequence[Series], x_labels: Sequence[str], y_format: Format, *, diagonal: bool = False
) -> Markup:
    """Draw lines over the positions 0 .. len(x_labels) - 1; with `diagonal`, the line of y = x / last as well."""
    top, height = 8 + LINE_HEIGHT * len(series), 150
    values = [y for line in series for _, y in line.points if y is not None]
    steps = nice_steps(1.0 if diagonal else max(values, default=0.0))
    last = max(len(x_labels) - 1, 1)

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + (WIDTH - LEFT - RIGHT) * x / last, top + height - height * y / steps[-1]

    parts = [_legend(index, line.name) for index, line in enumerate(series)]
    for step in steps:
        _, y = place(0, step)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(LEFT - 5, y + 4, y_format(step), "end"))
    every = math.ceil(len(x_labels) / 8)
    for index, label in enumerate(x_labels):
        if index % every == 0:
            parts.append(_text(place(index, 0)[0], top + height + 15, label, "middle"))
    if diagonal:
        (x1, y1), (x2, y2) = place(0, 0), place(last, 1)
        parts.append(f'<line class="ideal" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
    for index, line in enumerate(series):
        parts.extend(_line(index, [(*place(x, y),) if y is not None else None for x, y in line.points]))
    return _picture(title, top + height + 22, parts)


def draw_parts(title: str, rows: Sequence[tuple[str, Sequence[float]]], names: Sequence[str]) -> Markup:
    """Draw one bar a row, divided into shares (0..1) with a pattern for each of `names`."""
    top = 8 + LINE_HEIGHT * len(names)
    parts = []
    for index, name in enumerate(names):
        y = 4 + LINE_HEIGHT * index
        parts.append(f'<rect class="part{index}" x="{LEFT}" y="{y}" width="20" height="10"/>')
        parts.append(_text(LEFT + 26, y + 9, name))
    for number, (label, shares) in enumerate(rows):
        y = top + 26 * number
        if label:
            parts.append(_text(LEFT - 5, y + 15, label, "end"))
        x = float(LEFT)
        for index, share in enumerate(shares):
            width = (WIDTH - LEFT - RIGHT) * share
            parts.append(f'<rect class="part{index}" x="{x:.2f}" y="{y}" width="{width:.2f}" height="20"/>')
            x += width
    return _picture(title, top + 26 * len(rows), parts)


def draw_intervals(title: str, rows: Sequence[tuple[str, float, float | None, float | None]], form: Format) -> Markup:
    """Draw a value with its interval a row, around the upright line of no difference."""
    edges = [abs(edge) for row in rows for edge in row[1:] if edge is not None]
    reach = nice_steps(max(edges, default=0.0), 2)[-1]
    height = 36 * len(rows)

    def place(value: float) -> float:
        return WIDTH / 2 + (WIDTH / 2 - RIGHT) * value / reach

    parts = [f'<line class="axis" x1="{WIDTH / 2}" x2="{WIDTH / 2}" y1="4" y2="{height + 6}"/>']
    for edge, anchor in ((-reach, "start"), (0.0, "middle"), (reach, "end")):
        parts.append(_text(place(edge), height + 20, form(edge), anchor))
    for index, (label, value, low, high) in enumerate(rows):
        y = 30 + 36 * index
        parts.append(_text(4, y - 13, label))
        if low is not None and high is not None:
            parts.append(f'<line class="line0" x1="{place(low):.1f}" x2="{place(high):.1f}" y1="{y}" y2="{y}"/>')
        parts.append(f'<circle class="mark0" cx="{place(value):.1f}" cy="{y}" r="4"/>')
    return _picture(title, height + 26, parts)


def draw_grid(
    title: str, rows: Sequence[str], columns: Sequence[str], values: dict[tuple[int, int], float], form: Format
) -> Markup:
    """Draw a cell for each (row, column) with a value: the darker, the higher."""
    highest = max(values.values(), default=0.0) or 1.0
    cell = (WIDTH - LEFT - RIGHT) / max(len(columns), 1)
    top = 18
    parts = []
    for index, label in enumerate(columns):
        if index % math.ceil(len(columns) / 8) == 0:
            parts.append(_text(LEFT + cell * (index + 0.5), 12, label, "middle"))
    for row, label in enumerate(rows):
        y = top + 20 * row
        parts.append(_text(LEFT - 5, y + 14, label, "end"))
        for column, name in enumerate(columns):
            value = values.get((row, column))
            x = LEFT + cell * column
            strength = 0.0 if value is None else 0.08 + 0.92 * value / highest
            says = f"{label} {name}: {form(value)}" if value is not None else f"{label} {name}: –"
            parts.append(
                f'<rect class="cell" x="{x:.1f}" y="{y}" width="{max(cell - 1, 1):.1f}" height="19" '
                f'fill-opacity="{strength:.2f}"><title>{escape(says)}</title></rect>'
            )
    return _picture(title, top + 20 * len(rows) + 4, parts)


def _picture(title: str, height: float, parts: Sequence[str]) -> Markup:
    return Markup(
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {height:.0f}">{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _legend(index: int, name: str) -> str:
    y = 8 + LINE_HEIGHT * index
    return (
        f'<line class="line{index}" x1="{LEFT}" x2="{LEFT + 26}" y1="{y}" y2="{y}"/>'
        + _mark(index, LEFT + 13, y)
        + _text(LEFT + 32, y + 4, name)
    )


def _line(index: int, places: Sequence[tuple[float, float] | None]) -> list[str]:
    path, pen = [], "M"
    for place in places:
        if place is None:
            pen = "M"
            continue
        path.append(f"{pen}{place[0]:.1f} {place[1]:.1f}")
        pen = "L"
    marks = [_mark(index, *place) for place in places if place is not None]
    return [f'<path class="line{index}" d="{" ".join(path)}"/>' if path else "", *marks]


def _mark(index: int, x: float, y: float) -> str:
    if index % 2:
        return f'<rect class="mark{index}" x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"/>'
    return f'<circle class="mark{index}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
