# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page says about one result: figures, pictures with their tables, and sentences, all as words."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from leezenflow_host.reporting.charts import Series, draw_grid, draw_intervals, draw_lines, draw_parts
from leezenflow_host.reporting.words import Words

Row = dict[str, Any]
Table = dict[str, Any]

# (figure, its note, how it is written)
_CARDS = (
    ("wrong_colour_share", "wrong", "wrong_note"),
    ("wrong_green_share", "wrong_green", "wrong_green_note"),
    ("answered_share", "answered", "answered_note"),
    ("remaining_mae_ms", "mae", "mae_note"),
)
_FACTS = (
    ("available_share", "percent"),
    ("usable_share", "percent"),
    ("jumps_per_cycle", "number"),
    ("jump_max_ms", "seconds"),
    ("before_min_share", "percent"),
    ("after_max_share", "percent"),
    ("lead_to_green_ms", "seconds"),
    ("lead_to_red_ms", "seconds"),
    ("expected_calibration_error", "percent"),
    ("cycle_discrepancy_s", "number"),
)
_ENOUGH_MESSAGES = 30


def overview(results: Sequence[Row], words: Words) -> Table:
    """One row a result, for reports about several."""
    rows = []
    alike = len({result["setting"] for result in results}) == 1
    for result in results:
        name = f"{result['intersection']} · {result['signal_group']}"
        if not alike:
            name += f" · {words.setting(result['setting'])}"
        shares = [words.percent(result[key]) for key in ("wrong_colour_share", "wrong_green_share", "answered_share")]
        cycles = str(result["data"]["cycles"])
        rows.append([name, *shares, words.seconds(result["remaining_mae_ms"]), cycles])
    headings = [words(key) for key in ("where", "wrong", "wrong_green", "answered", "mae", "cycles")]
    return {"caption": words("overview"), "headings": headings, "rows": rows, "words": None}


def describe(result: Row, words: Words, anchor: str) -> Row:
    """Everything the template needs about one result."""
    return {
        "anchor": anchor,
        "heading": words("signal", intersection=result["intersection"], group=result["signal_group"]),
        "setting": f"{words('setting')}: {words.setting(result['setting'])}",
        "period": words("period", start=_instant(result["from_ms"]), end=_instant(result["to_ms"])),
        "cards": _cards(result, words),
        "in_words": _sentence(result, words),
        "problems": {
            "caption": words("problems"),
            "headings": [words("problem"), words("count"), words("first_problem")],
            "rows": [[words(row["kind"]), row["count"], row["text"]] for row in result["problems"]],
            "words": (2,),
        },
        "charts": [chart for chart in _charts(result, words) if chart is not None],
        "tables": [table for table in _tables(result, words) if table["rows"]],
        "method": words("method_text", trace=result["trace"]),
    }


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _writer(name: str, words: Words) -> Callable[[float | None], str]:
    return words.seconds if name.endswith("_ms") else words.percent


def _cards(result: Row, words: Words) -> list[Row]:
    intervals = {row["name"]: row for row in result["intervals"]}
    cards = []
    for name, title, note in _CARDS:
        write = _writer(name, words)
        row = intervals.get(name)
        if row is None or row["low"] is None:
            interval = words("no_interval")
        else:
            interval = words("interval", low=write(row["low"]), high=write(row["high"]))
        cards.append(
            {"name": words(title), "value": write(result[name]), "note": words(note), "interval": interval},
        )
    flicker = words.number(result["flicker_ratio"])
    cards.append({"name": words("flicker"), "value": flicker, "note": words("flicker_note"), "interval": ""})
    cycles = str(result["data"]["cycles"])
    cards.append({"name": words("cycles"), "value": cycles, "note": words("cycles_note"), "interval": ""})
    return cards


def _sentence(result: Row, words: Words) -> str:
    wrong, answered = result["wrong_colour_share"], result["answered_share"]
    if wrong is None or answered is None:
        return ""
    shares = {"right": answered - wrong, "wrong": wrong, "silent": 1 - answered}
    return words("in_words", **{name: words.number(100 * share, 1) for name, share in shares.items()})


def _parts_of(row: Row) -> tuple[float, float, float, float]:
    wrong, answered = row["wrong_colour_share"] or 0.0, row["answered_share"] or 0.0
    return answered - wrong, wrong, row["uncertain_share"] or 0.0, row["dark_share"] or 0.0


def _part_names(words: Words) -> list[str]:
    return [words("right"), words("wrong_part"), words("uncertain"), words("dark")]


def _charts(result: Row, words: Words) -> list[Row | None]:
    reasons = [
        [": ".join(map(words, reason.split(": "))), words.percent(share)]
        for reason, share in result["reason_shares"].items()
    ]
    whole = {
        "title": words("shares"),
        "svg": draw_parts(words("shares"), [("", _parts_of(result))], _part_names(words)),
        "note": None,
        "table": _table(words, "why_not", ("reason", "share"), reasons) if reasons else None,
    }
    return [
        whole,
        _certainty(result, words),
        _forecast(result, words),
        *(_divided(result, words, by) for by in ("hour", "weekday", "program", "switch")),
        _coded(result, words),
        _regularity(result, words),
        _comparison(result, words),
    ]


def _table(words: Words, caption: str, headings: Sequence[str], rows: list[list[Any]]) -> Table:
    return {
        "title": words(caption),
        "caption": words(caption),
        "headings": [words(heading) for heading in headings],
        "rows": rows,
        "words": None,
    }


def _certainty(result: Row, words: Words) -> Row | None:
    points: list[tuple[float, float | None]] = []
    rows: list[list[Any]] = []
    for low in range(0, 101, 10):
        group = [row for row in result["reliability"] if low <= row["certainty"] < low + 10]
        frames = sum(row["frames"] for row in group)
        if not frames:
            continue
        claimed = sum(row["certainty"] * row["frames"] for row in group) / frames
        right = sum(row["right_share"] * row["frames"] for row in group) / frames
        points.append((claimed / 10, right))
        rows.append([words.percent(claimed / 100), words.percent(right), frames])
    if not points:
        return None
    labels = [f"{percent} %" for percent in range(0, 101, 10)]
    line = Series(words("display"), points)
    return {
        "title": words("certainty"),
        "svg": draw_lines(words("certainty"), [line], labels, lambda y: f"{y:.0%}", diagonal=True),
        "note": words("certainty_note"),
        "table": _table(words, "certainty", ("claimed", "was_right", "frames"), rows),
    }


def _forecast(result: Row, words: Words) -> Row | None:
    table = result["forecast_by_horizon"]
    starts = sorted({row["from_horizon_ms"] for row in table})
    if not starts:
        return None
    series = []
    for colour in ("green", "red"):
        errors = {row["from_horizon_ms"]: row["mae_ms"] for row in table if row["to"] == colour}
        if errors:
            points = [(index, errors.get(start)) for index, start in enumerate(starts)]
            series.append(Series(words(f"to_{colour}"), points))
    rows = []
    for row in table:
        beyond = row["to_horizon_ms"]
        ahead = f"{row['from_horizon_ms'] // 1000}{'+' if beyond is None else f'–{beyond // 1000}'} s"
        errors = [words.seconds(row[name]) for name in ("mae_ms", "bias_ms", "p95_ms")]
        rows.append([f"{words('to_' + row['to'])}, {ahead}", *errors, words.percent(row["within_2_s_share"])])
        rows[-1].append(row["messages"])
    return {
        "title": words("forecast"),
        "svg": draw_lines(
            words("forecast"), series, [f"{start // 1000} s" for start in starts], lambda y: f"{y / 1000:g} s"
        ),
        "note": words("forecast_note"),
        "table": _table(words, "forecast", ("ahead", "mean_error", "bias", "p95", "within_2", "messages"), rows),
    }


def _divided(result: Row, words: Words, by: str) -> Row | None:
    rows = [row for row in result["display_by"] if row["by"] == by]
    if len(rows) < 2:
        return None
    labels = [_label(by, row["value"], words) for row in rows]
    bars = [(label[:6], _parts_of(row)) for label, row in zip(labels, rows, strict=True)]
    cells = []
    for label, row in zip(labels, rows, strict=True):
        shares = [words.percent(row[name]) for name in ("wrong_colour_share", "wrong_green_share", "answered_share")]
        cells.append([label, *shares, words.seconds(row["remaining_mae_ms"]), row["frames"]])
    headings = (by, "wrong", "wrong_green", "answered", "mae", "frames")
    note = words("zone", zone=result["timezone"]) if by in ("hour", "weekday") else None
    return {
        "title": words(f"by_{by}"),
        "svg": draw_parts(words(f"by_{by}"), bars, _part_names(words)),
        "note": note,
        "table": _table(words, f"by_{by}", headings, cells),
    }


def _label(by: str, value: Any, words: Words) -> str:
    if by == "weekday" and str(value).isdigit():
        return words.weekdays[int(value)]
    return words(str(value)) if by == "switch" else str(value)


def _coded(result: Row, words: Words) -> Row | None:
    table = [row for row in result["confidence"] if row["messages"]]
    if not table:
        return None
    # What few messages say is chance; the table has them all.
    points = [(row["coded_share"] * 10, row["right_share"]) for row in table if row["messages"] >= _ENOUGH_MESSAGES]
    rows = [[words.percent(row["coded_share"]), words.percent(row["right_share"]), row["messages"]] for row in table]
    labels = [f"{percent} %" for percent in range(0, 101, 10)]
    line = Series(words("controller"), sorted(points))
    return {
        "title": words("coded"),
        "svg": draw_lines(words("coded"), [line], labels, lambda y: f"{y:.0%}", diagonal=True),
        "note": words("coded_note"),
        "table": _table(words, "coded", ("claimed", "was_right", "messages"), rows),
    }


def _regularity(result: Row, words: Words) -> Row | None:
    table = [row for row in result["cycle_discrepancy"] if row["median_s"] is not None]
    if not table:
        return None
    days = sorted({row["weekday"] for row in table})
    values = {(days.index(row["weekday"]), row["hour"]): row["median_s"] for row in table}
    rows = [
        [str(hour), *(words.number(values.get((day, hour)), 1) for day in range(len(days)))]
        for hour in sorted({row["hour"] for row in table})
    ]
    hours = [str(hour) for hour in range(24)]
    return {
        "title": words("regularity"),
        "svg": draw_grid(
            words("regularity"), [words.weekdays[day] for day in days], hours, values, lambda s: f"{s:g} s"
        ),
        "note": words("zone", zone=result["timezone"]),
        "table": {
            "caption": f"{words('regularity')} ({words('seconds')})",
            "headings": [words("hour"), *(words.weekdays[day] for day in days)],
            "rows": rows,
            "words": None,
        },
    }


def _comparison(result: Row, words: Words) -> Row | None:
    comparison = result["comparison"]
    if comparison is None:
        return None
    rows = [row for row in comparison["rows"] if row["difference"] is not None]
    shares = [row for row in rows if not row["name"].endswith("_ms")]
    title = words("comparison", name=words(comparison["against"]))
    cells = []
    for row in rows:
        write = _writer(row["name"], words)
        between = words("no_interval") if row["low"] is None else f"{write(row['low'])} – {write(row['high'])}"
        cells.append(
            [words(row["name"]), write(row["value"]), write(row["against"]), write(row["difference"]), between]
        )
    headings = [words(key) for key in ("fact", "this", "other", "difference")] + ["95 %"]
    bars = [(words(row["name"]), row["difference"], row["low"], row["high"]) for row in shares]
    return {
        "title": title,
        "svg": draw_intervals(title, bars, words.whole_points),
        "note": words("comparison_note"),
        "table": {"caption": title, "headings": headings, "rows": cells, "words": None},
    }


def _tables(result: Row, words: Words) -> list[Table]:
    forecast = result["forecast"] or {}
    if forecast and not forecast["usable_share"]:
        return [_table(words, "forecast_facts", ("fact", "value"), [[words("usable_share"), words("no_forecast")]])]
    facts = [[words(name), getattr(words, form)(forecast[name])] for name, form in _FACTS if name in forecast]
    return [_table(words, "forecast_facts", ("fact", "value"), facts)]
