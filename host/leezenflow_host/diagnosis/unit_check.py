# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit that runs, by its own reports: what it heard between two of them."""

import time
from typing import Any

from leezenflow_host.diagnosis.evidence import Evidence, fault_kind, judge
from leezenflow_host.diagnosis.finding import Finding
from leezenflow_host.errors import BoardError
from leezenflow_host.monitoring.unit_line import UnitLine

_ANSWER_S = 3.0
_PAUSE_S = 0.5
_ENOUGH = 3
_ERROR_BYTES = 300


def check_unit(line: UnitLine, first: dict[str, Any], seconds: float, facts: dict[str, Any]) -> Finding:
    """Which case a unit is whose `first` answer to `health` this is; `facts` gets its reports, for the bundle."""
    if not first.get("ok"):
        if "picture" in str(first.get("error")):
            return Finding("still_picture", {"unit": _identity(line).get("unit")})
        raise BoardError(f"The unit cannot report: {first.get('error')}. Press its reset button, then try again.")
    report = first["health"]
    facts["health"] = [report]
    unit = report.get("unit") or ""
    if report.get("safe_mode"):
        values = {"unit": unit, "count": report.get("failures"), "error": last_error(_crashes(line, facts))}
        return Finding("safe_mode", values)
    if report.get("network_fault"):
        return Finding("no_network", {"unit": unit, "fault": report["network_fault"]})
    if "transport" not in report:
        return Finding("still_picture", {"unit": unit})
    return judge(_watch(line, report, seconds, facts["health"]))


def last_error(crashes: str) -> str:
    """The newest error in the loader's crash file: its last line, without the way there."""
    newest = crashes.split("\nfailure ")[0].strip().splitlines()
    return newest[-1].strip()[:_ERROR_BYTES] if len(newest) > 1 else ""


def _watch(line: UnitLine, first: dict[str, Any], seconds: float, reports: list[dict[str, Any]]) -> Evidence:
    """What came between the first report and later ones; ends early when the signal is sound."""
    began = time.monotonic()
    evidence = _compare(first, first, 0)
    while time.monotonic() - began < seconds:
        time.sleep(min(_PAUSE_S, seconds))
        answer = line.ask("health", _ANSWER_S)
        if answer is None or not answer.get("ok"):
            continue
        report = answer["health"]
        evidence = _compare(first, report, time.monotonic() - began)
        reports[1:] = [report]
        if evidence.accepted >= _ENOUGH and evidence.advice != "dark":
            break
    return evidence


def _compare(first: dict[str, Any], report: dict[str, Any], seconds: float) -> Evidence:
    before, now = first.get("transport") or {}, report.get("transport") or {}
    engine_before, engine = first.get("engine") or {}, report.get("engine") or {}
    fault = report.get("transport_fault") or ""
    return Evidence(
        seconds,
        listening=bool(report.get("listening")),
        fault_kind=fault_kind(fault),
        fault=fault,
        messages=_messages(now) - _messages(before),
        messages_before=_messages(before),
        retained=now.get("retained", 0),
        engine={word: count - engine_before.get(word, 0) for word, count in engine.items()},
        engine_fault=report.get("fault") or "",
        advice=report.get("advice") or "dark",
        reason=report.get("reason"),
    )


def _messages(counters: dict[str, Any]) -> int:
    """A serial line counts frames."""
    return counters.get("messages", counters.get("frames", 0))


def _identity(line: UnitLine) -> dict[str, Any]:
    return line.ask("identity", _ANSWER_S) or {}


def _crashes(line: UnitLine, facts: dict[str, Any]) -> str:
    answer = line.ask("crashes", _ANSWER_S) or {}
    facts["crashes"] = answer.get("crashes") or ""
    return facts["crashes"]
