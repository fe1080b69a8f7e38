# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow monitor`: look over a unit's shoulder, over USB or MQTT; and note what the lamp really does."""

import contextlib
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import rich_click as click
from rich.console import Console

from leezenflow.board import Site
from leezenflow_host.board_config import read_board
from leezenflow_host.boards.ports import plugged_in, require_port
from leezenflow_host.completing import complete_port
from leezenflow_host.errors import InputError
from leezenflow_host.keyboard import Keyboard
from leezenflow_host.linux_unit.clocks import unix_ms
from leezenflow_host.monitoring.kerb_truth import (
    AdviceLog,
    KerbTruth,
    Reaction,
    advice_log_of,
    exercise,
    measure_reaction,
    score_log,
)
from leezenflow_host.monitoring.monitor import Monitor
from leezenflow_host.monitoring.sources import MqttUnit, UsbUnit, WatchedUnit
from leezenflow_host.number_range import NumberRange
from leezenflow_host.secrets_file import read_secrets
from leezenflow_host.site_config import read_site

_FILE = click.Path(path_type=Path, dir_okay=False)
# For people five times a second is enough; a log has a frame each 100 ms.
_EVERY_MS, _LOG_EVERY_MS = 200, 100
_SCORES = ("wrong_colour_share", "wrong_green_share", "answered_share", "uncertain_share", "dark_share")


@click.command()
@click.option("--port", metavar="PORT", shell_complete=complete_port, help="Serial port of the unit, or 'virtual'.")
@click.option("--mqtt", "url", metavar="URL", help="The broker and the topic that the unit publishes under.")
@click.option("--unit", metavar="NAME", help="With --mqtt: the unit's name, the last part of its topic.")
@click.option("--secrets", type=_FILE, metavar="FILE.json", help="With --mqtt: password and certificates.")
@click.option("--json", "as_json", is_flag=True, help="A line of json for each update.")
@click.option("--for", "seconds", type=NumberRange(min=0, min_open=True), metavar="SECONDS", help="End after this.")
@click.option("--truth", type=_FILE, metavar="FILE.json", help="Press g, r, a when the lamp changes; kept there.")
@click.option("--site", type=_FILE, metavar="FILE.toml", help="With --truth: signal group, distance and speeds.")
@click.option(
    "--reaction",
    metavar="MS|measure",
    help="With --truth: how late you press, in ms [default: 300], or an exercise that measures it.",
)
def command(
    port: str | None,
    url: str | None,
    unit: str | None,
    secrets: Path | None,
    as_json: bool,
    seconds: float | None,
    truth: Path | None,
    site: Path | None,
    reaction: str | None,
) -> None:
    """Watch a unit at work: advice, panel, messages, health. It goes on undisturbed.

    Over USB (--port) it shows everything several times a second; over MQTT what the unit publishes each minute.

    With --truth FILE.json --site FILE.toml a person at the kerb presses g (green), r (red), a (amber) at each change of
    the lamp, u to take the last press back, q to end. FILE.json is then a truth file for `leezenflow evaluate`, and
    FILE.advice.jsonl beside it holds what the unit showed meanwhile; how right it was is printed at the end.
    """
    if (url is not None) and (port is not None):
        raise InputError("Give --port (USB) or --mqtt, not both.")
    if url is None and unit is not None:
        raise InputError("--unit belongs to --mqtt URL.")
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    keyboard = Keyboard()
    place = _check_truth(truth, site, url, as_json, keyboard)
    with keyboard, contextlib.ExitStack() as parts:
        kerb, log = None, None
        if truth is not None and place is not None:
            kerb = KerbTruth(place, _find_reaction(reaction, keyboard, errors))
        every_ms = _EVERY_MS if truth is None else _LOG_EVERY_MS
        watched = parts.enter_context(_open_unit(port, url, unit, secrets, every_ms, as_json, errors))
        if truth is not None and place is not None:
            # Only now: a unit that does not answer must not cost the log of an earlier visit.
            log = parts.enter_context(contextlib.closing(AdviceLog(advice_log_of(truth))))
        is_over = _timer(seconds)
        monitor = Monitor(watched, as_json=as_json, truth=kerb, truth_file=truth, log=log, is_over=is_over)
        try:
            monitor.run(keyboard)
        except KeyboardInterrupt:
            if kerb is None:
                raise
        finally:
            if kerb is not None and truth is not None:
                kerb.write(truth, unix_ms())
    if truth is not None and place is not None:
        _report(errors, truth, place)


def _check_truth(
    truth: Path | None, site: Path | None, url: str | None, as_json: bool, keyboard: Keyboard
) -> Site | None:
    """The site of a truth file; InputError for what does not go together."""
    if truth is None:
        return None
    if site is None:
        raise InputError("--truth needs the signal group, distance and speeds: give --site FILE.toml.")
    if url is not None:
        raise InputError("--truth needs the unit on USB: over MQTT its advice comes once a minute.")
    if as_json or not keyboard.is_terminal:
        raise InputError("--truth needs a terminal, for the keys.")
    if not truth.absolute().parent.is_dir():
        raise InputError(f"--truth: there is no folder {truth.parent}. Make it, or give another name.")
    return read_site(site).site()


def _find_reaction(text: str | None, keyboard: Keyboard, errors: Console) -> Reaction:
    if text is None:
        return Reaction()
    if text == "measure":
        errors.print("Reaction exercise: press any key as soon as the line says NOW.")
        delays = exercise(
            lambda line: errors.print(line),
            keyboard.read,
            lambda: random.uniform(1, 3),
            lambda: time.monotonic_ns() // 1_000_000,
        )
        found = measure_reaction(delays)
        errors.print(f"Your reaction time: {found.ms} ms, spread {found.spread_ms} ms ({found.method}).")
        return found
    if not text.isdigit() or int(text) > 2000:
        raise InputError(f"--reaction {text}: give milliseconds from 0 to 2000, or 'measure'.")
    return Reaction(int(text), Reaction().spread_ms, "stated")


@contextlib.contextmanager
def _open_unit(
    port: str | None,
    url: str | None,
    unit: str | None,
    secrets: Path | None,
    every_ms: int,
    as_json: bool,
    errors: Console,
) -> Iterator[WatchedUnit]:
    if url is not None:
        known = {} if secrets is None else read_secrets(secrets)
        watched: WatchedUnit = MqttUnit(url, unit, known, errors.print)
        try:
            yield watched
        finally:
            watched.close()
        return
    named = require_port(port)
    with contextlib.ExitStack() as parts:
        path = named
        if named.partition(":")[0] == "virtual":
            path = parts.enter_context(plugged_in(named, read_board("virtual")))
        watched = UsbUnit(path, every_ms, pictures=not as_json and sys.stdout.isatty(), called=named)
        try:
            yield watched
        finally:
            watched.close()


def _timer(seconds: float | None) -> Callable[[], bool]:
    if seconds is None:
        return lambda: False
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _report(errors: Console, truth: Path, site: Site) -> None:
    log = advice_log_of(truth)
    errors.print(f"Truth in {truth}, the unit's advice in {log}.")
    figures = score_log(truth, log, site).as_dict()
    if not figures["judged_frames"]:
        errors.print("Too short to judge: watch some minutes, over several changes of the lamp.")
        return
    words = [f"{name[:-6].replace('_', ' ')} {figures[name]:.1%}" for name in _SCORES if figures[name] is not None]
    errors.print(f"{figures['judged_frames']} frames judged: {', '.join(words)}.")
