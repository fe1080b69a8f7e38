# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop of `leezenflow monitor`: what the unit tells, to a screen, as lines or as json; and a person's keys."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from leezenflow.advice import Advice
from leezenflow_host.keyboard import Keyboard
from leezenflow_host.linux_unit.clocks import unix_ms
from leezenflow_host.monitoring.kerb_truth import WORDS, AdviceLog, KerbTruth
from leezenflow_host.monitoring.sources import ADVICE, HEALTH, STATUS, WatchedUnit
from leezenflow_host.monitoring.unit_state import UnitState
from leezenflow_host.preview import Snapshot
from leezenflow_host.terminal_screen import TerminalScreen, describe_advice

_TURN_S = 0.05
_REDRAW_MS = 100
_BLANK = Snapshot(32, 96, bytes(32 * 96), bytes(768))


class Monitor:
    """Shows `unit` until `q`, Ctrl-C, or `is_over`; with `truth` it also takes presses and keeps the advice."""

    def __init__(
        self,
        unit: WatchedUnit,
        *,
        as_json: bool = False,
        out: TextIO | None = None,
        truth: KerbTruth | None = None,
        truth_file: Path | None = None,
        log: AdviceLog | None = None,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._unit = unit
        self._as_json = as_json
        self._out = out or sys.stdout
        self._truth = truth
        self._truth_file = truth_file
        self._log = log
        self._is_over = is_over
        self._drawn_at_ms = 0

    def run(self, keyboard: Keyboard) -> None:
        """Watch; what was pressed is in the file at every moment."""
        if self._as_json:
            self._watch(keyboard, self._print_json)
            return
        with TerminalScreen(self._out) as screen:
            self._watch(keyboard, lambda new: self._draw(screen, new))

    def _watch(self, keyboard: Keyboard, show: Callable[[set[str]], None]) -> None:
        while not self._is_over():
            new = self._unit.poll(_TURN_S)
            state = self._unit.state
            if ADVICE in new and self._log is not None and state.advice is not None and state.advice["kind"]:
                self._log.note(state.advice_at_ms or unix_ms(), state.advice)
            for key in keyboard.read(0):
                if key in "qQ\x1b":
                    return
                self._take_key(key)
            show(new)

    def _take_key(self, key: str) -> None:
        if self._truth is None or self._truth_file is None:
            return
        if key in "uU\x7f\b":
            self._truth.undo()
        elif not self._truth.press(key, unix_ms()):
            return
        self._truth.write(self._truth_file, unix_ms())

    def _print_json(self, new: set[str]) -> None:
        if new & {ADVICE, HEALTH, STATUS}:
            self._out.write(json.dumps(self._unit.state.as_dict(unix_ms()), separators=(",", ":")) + "\n")
            self._out.flush()

    def _draw(self, screen: TerminalScreen, new: set[str]) -> None:
        now_ms = unix_ms()
        if screen.is_terminal and now_ms - self._drawn_at_ms < _REDRAW_MS:
            return
        state = self._unit.state
        if state.advice is None and not state.status and (state.health is None or not screen.is_terminal):
            return
        self._drawn_at_ms = now_ms
        lines = captions(state, now_ms)
        if not screen.is_terminal:
            screen.show(_BLANK, lines[:1])
            return
        screen.show(state.picture or _BLANK, lines + self._kerb_lines())

    def _kerb_lines(self) -> list[str]:
        if self._truth is None:
            return ["", "q ends"]
        lamp = self._truth.state
        return [
            "",
            f"lamp      {'press at its next change' if lamp is None else WORDS[lamp]}",
            f"presses   {len(self._truth.switches)}",
            "",
            "g green  r red  a amber  u undo  q end",
        ]


def captions(state: UnitState, now_ms: int) -> list[str]:
    """The state in words, the advice first."""
    lines = [_advice_words(state)]
    if state.status:
        lines.append(f"broker    {state.status}")
    health = state.health or {}
    rate = state.messages_per_s
    age = state.message_age_ms
    if age is not None and state.advice_at_ms is not None:
        age += max(0, now_ms - state.advice_at_ms)
    lines += [
        f"messages  {'-' if rate is None else f'{rate:.1f}'} a second, the last {_seconds(age)} ago",
        f"latency   {_ms(state.latency_ms)} from arrival until it counts, {_us(health.get('worst_draw_us'))} to draw",
    ]
    if not health:
        return lines
    lines += ["", f"unit      {health.get('unit') or '-'}, Leezenflow {health.get('version')}"]
    lines.append(f"up        {_duration(health.get('uptime_s'))}, {health.get('late_frames')} frames late")
    free, used = health.get("memory_free"), health.get("memory_used")
    if isinstance(free, int) and isinstance(used, int):
        lines.append(f"memory    {free // 1024} kB free of {(free + used) // 1024}")
    lines += _sensor_lines(health)
    if health.get("safe_mode"):
        lines.append(f"SAFE MODE after {health.get('failures')} failures")
    for name in ("transport_fault", "network_fault", "fault", "memory_fault", "light_fault"):
        if health.get(name):
            lines.append(f"{name.replace('_', ' ')}: {health[name]}")
    return lines


def _sensor_lines(health: dict[str, Any]) -> list[str]:
    """What the unit measures of itself, where it has sensors for it."""
    measured = (("temperature_cdeg", 100, "°C"), ("humidity_permille", 10, "% damp"), ("supply_mv", 1000, "V"))
    words = [
        f"{health[name] / scale:.1f} {unit}" for name, scale, unit in measured if isinstance(health.get(name), int)
    ]
    lines = [f"housing   {', '.join(words)}"] if words else []
    faults = health.get("sensor_faults")
    if isinstance(faults, dict):
        lines += [f"sensor {name}: {fault}" for name, fault in faults.items()]
    return lines


def _advice_words(state: UnitState) -> str:
    values = state.advice
    if values is None or not values["kind"]:
        return "no advice yet" if not state.status else f"unit {state.status}"
    advice = Advice()
    advice.kind, advice.remaining_ms = values["kind"], values["remaining_ms"]
    advice.span_ms, advice.reason = None, values["reason"]
    words = describe_advice(advice)
    return words if not values.get("certainty") else f"{words}, {values['certainty']} % certain"


def _seconds(value: Any) -> str:
    return "-" if value is None else f"{value / 1000:.1f} s"


def _ms(value: Any) -> str:
    return "-" if value is None else f"{value} ms"


def _us(value: Any) -> str:
    return "-" if value is None else f"{value / 1000:.1f} ms"


def _duration(seconds: Any) -> str:
    if not isinstance(seconds, int):
        return "-"
    days, rest = divmod(seconds, 86_400)
    return f"{days} d {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
