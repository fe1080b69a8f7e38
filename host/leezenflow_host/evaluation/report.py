# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One recording, judged: the replay that feeds the scorer, and the tables that say how it went."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from leezenflow.board import Site
from leezenflow.engine import Engine
from leezenflow.timemark import HOUR_MS
from leezenflow_host.errors import InputError
from leezenflow_host.evaluation.scoring import HorizonErrors, Scorer
from leezenflow_host.evaluation.truth import GREEN, RED, ObservedTruth, Truth
from leezenflow_host.replay import TICKS_MASK, build_decoder, replay_frames
from leezenflow_host.trace import TraceMessage, TraceReader


@dataclass(frozen=True)
class Recording:
    """A recording held in memory, so that it can be judged many times: messages, and what was wrong with the file."""

    path: Path
    messages: list[TraceMessage]
    problems: list[str]


def read_recording(path: Path) -> Recording:
    """Read a whole recording; `InputError` when it holds no message."""
    with TraceReader(path) as reader:
        messages = list(reader)
        problems = [f"{path}, line {problem.line}: {problem.text}" for problem in reader.problems]
        if reader.problem_count > len(reader.problems):
            problems.append(f"{path}: {reader.problem_count} problems in all")
    if not messages:
        raise InputError(f"{path}: holds no message that could be read")
    return Recording(path, messages, problems)


def observe_truth(recording: Recording, site: Site) -> Truth:
    """Return what the recording itself shows later; `InputError` when it holds nothing about the site's signal."""
    engine = Engine(site, build_decoder(site))
    observed = ObservedTruth()
    for message in recording.messages:
        ticks = message.at_ms & TICKS_MASK
        engine.set_utc(ticks, message.at_ms % HOUR_MS)
        if engine.message(message.payload, 0, len(message.payload), ticks):
            observed.observe(message.at_ms, engine)
    if not observed.truth.colours:
        words = ", ".join(f"{count} × {word}" for word, count in sorted(engine.counters.items())) or "no messages"
        raise InputError(
            f"{recording.path}: holds nothing usable about signal group {site.signal_group} of intersection "
            f"{site.intersection_id} ({words}). See what it holds with `leezenflow decode`."
        )
    return observed.finish(max(site.cruise_ms, site.sprint_ms or 0))


def judge(recording: Recording, site: Site, truth: Truth, fps: int = 10, memory: bytes | None = None) -> dict[str, Any]:
    """Replay a recording for a site and return its figures (docs/reference/evaluation.md).

    `memory` is what was learned before, the result's "memory" (bytes) what is known at the end.
    """
    engine = Engine(site, build_decoder(site))
    if memory is not None:
        engine.load_memory(memory)
    scorer = Scorer(truth, site.cruise_ms, site.sprint_ms)
    horizons = HorizonErrors(truth)
    accepted = 0
    for at_ms, advice in replay_frames(recording.messages, engine, fps):
        scorer.judge(at_ms, advice)
        if engine.counters.get("accepted", 0) != accepted:
            accepted = engine.counters["accepted"]
            _note_forecast(horizons, at_ms - truth.rx_offset_ms, engine)
    result = scorer.finish().as_dict()
    result["forecast_errors"] = horizons.as_list()
    result["messages"] = len(recording.messages)
    result["message_counts"] = dict(sorted(engine.counters.items()))
    result["memory"] = engine.memory()
    return result


def _note_forecast(horizons: HorizonErrors, true_ms: int, engine: Engine) -> None:
    """Note the controller's own likely end of the present green or red."""
    forecast = engine.forecast
    if not forecast.span_count or forecast.spans[0].end_at_ms is None:
        return
    colour = forecast.spans[0].colour
    if colour in (GREEN, RED):
        ahead_ms = forecast.spans[0].end_at_ms - engine.tracker.message_at_ms
        horizons.observe(true_ms, colour, true_ms + ahead_ms)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def _seconds(value_ms: float | None) -> str:
    return "-" if value_ms is None else f"{value_ms / 1000:.2f} s"


def print_figures(console: Console, figures: dict[str, Any]) -> None:
    """Print one recording's figures for people."""
    main = Table(show_header=False, box=None, pad_edge=False)
    between = {
        row["name"]: f"; 95 % between {_percent(row['low'])} and {_percent(row['high'])}"
        for row in figures.get("intervals", ())
        if row["low"] is not None
    }
    wrong, wrong_green = between.get("wrong_colour_share", ""), between.get("wrong_green_share", "")
    rows = (
        ("wrong colour", _percent(figures["wrong_colour_share"]), f"of the time the rider meets red or green{wrong}"),
        ("wrong green", _percent(figures["wrong_green_share"]), f"of all time: green shown, red met{wrong_green}"),
        ("answered", _percent(figures["answered_share"]), between.get("answered_share", "").removeprefix("; ")),
        ("uncertain", _percent(figures["uncertain_share"]), ""),
        ("dark", _percent(figures["dark_share"]), ""),
        (
            "time left",
            _seconds(figures["remaining_mae_ms"]),
            f"mean error; p95 {_seconds(figures['remaining_p95_ms'])}",
        ),
        ("upward jumps", str(figures["upward_jumps"]), "of more than 1.5 s"),
        ("flicker", str(figures["flicker_ratio"]), f"{figures['shown_changes']} shown, {figures['true_changes']} true"),
        (
            "switch error",
            _seconds(figures["switch_error_mae_ms"]),
            f"{_percent(figures['missed_switches_share'])} missed",
        ),
    )
    for name, value, note in rows:
        main.add_row(name, value, f"[dim]{note}[/dim]")
    console.print(main)
    if figures["reason_shares"]:
        reasons = ", ".join(f"{reason} {share:.2%}" for reason, share in figures["reason_shares"].items())
        console.print(f"not answered: {reasons}")
    _print_reliability(console, figures["reliability"])
    _print_horizons(console, figures["forecast_errors"])


def print_overview(console: Console, results: list[dict[str, Any]]) -> None:
    """Print one line for each of many results: what tells them apart, and what they were compared with."""
    settings, traces = ({result[name] for result in results} for name in ("setting", "trace"))
    against = {result["comparison"]["against"] for result in results if result["comparison"]}
    table = Table(box=None)
    table.add_column("signal")
    for heading, shown in (("setting", len(settings) > 1), ("recording", len(traces) > 1)):
        if shown:
            table.add_column(heading, overflow="fold")
    for heading in ("cycles", "wrong colour", "wrong green", "answered", "time left", "flicker", "forecast within 2 s"):
        table.add_column(heading, justify="right")
    for name in sorted(against):
        table.add_column(f"{name}: wrong", justify="right")
        table.add_column("answered", justify="right")
    for result in results:
        told = [result["setting"]] * (len(settings) > 1) + [result["trace"]] * (len(traces) > 1)
        table.add_row(
            f"{result['intersection']} group {result['signal_group']}",
            *told,
            str(result["data"]["cycles"]),
            _percent(result["wrong_colour_share"]),
            _percent(result["wrong_green_share"]),
            _percent(result["answered_share"]),
            _seconds(result["remaining_mae_ms"]),
            "-" if result["flicker_ratio"] is None else str(result["flicker_ratio"]),
            _percent(result["forecast"]["within_2_s_share"]),
            *(cell for name in sorted(against) for cell in _others_shares(result["comparison"], name)),
        )
    console.print(table)


def _others_shares(comparison: dict[str, Any] | None, name: str) -> tuple[str, str]:
    rows = comparison["rows"] if comparison and comparison["against"] == name else ()
    shares = {row["name"]: row["against"] for row in rows}
    return _percent(shares.get("wrong_colour_share")), _percent(shares.get("answered_share"))


def print_comparison(console: Console, comparison: dict[str, Any]) -> None:
    """Print how a display differs from another one, with the interval of the difference."""
    table = Table(title=f"Compared with {comparison['against']}, cycle by cycle", title_justify="left", box=None)
    table.add_column("")
    for heading in ("this", "other", "difference", "95 % interval"):
        table.add_column(heading, justify="right")
    for row in comparison["rows"]:
        write = _seconds if row["name"].endswith("_ms") else _percent
        interval = "-" if row["low"] is None else f"{write(row['low'])} to {write(row['high'])}"
        name = row["name"].removesuffix("_share").removesuffix("_mae_ms").replace("_", " ")
        table.add_row(name, write(row["value"]), write(row["against"]), write(row["difference"]), interval)
    console.print(table)


def _print_reliability(console: Console, reliability: list[dict[str, Any]]) -> None:
    table = Table(title="How honest the certainty is", title_justify="left", box=None)
    for heading in ("claimed", "right", "frames"):
        table.add_column(heading, justify="right")
    for low in range(0, 101, 10):
        rows = [row for row in reliability if low <= row["certainty"] < low + 10]
        frames = sum(row["frames"] for row in rows)
        if frames:
            claimed = sum(row["certainty"] * row["frames"] for row in rows) / frames
            right = sum(row["right_share"] * row["frames"] for row in rows) / frames
            table.add_row(f"{claimed:.1f} %", f"{right:.1%}", str(frames))
    console.print(table)


def _print_horizons(console: Console, errors: list[dict[str, Any]]) -> None:
    table = Table(title="The controller's own forecast of the present colour's end", title_justify="left", box=None)
    for heading in ("colour", "ahead", "mean error", "bias", "p95", "within 2 s", "messages"):
        table.add_column(heading, justify="left" if heading == "colour" else "right")
    for row in errors:
        ahead = f"from {row['from_horizon_ms'] / 1000:g} s"
        figures = (_seconds(row["mae_ms"]), _seconds(row["bias_ms"]), _seconds(row["p95_ms"]))
        table.add_row(row["colour"], ahead, *figures, _percent(row["within_2_s_share"]), str(row["messages"]))
    console.print(table)
