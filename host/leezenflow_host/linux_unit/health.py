# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Linux unit is: the report of the boards (docs/reference/health.md), with what only a computer can tell."""

import sys
from typing import Any

from leezenflow import __version__
from leezenflow_host.linux_unit.unit import LinuxUnit


def make_report(unit: LinuxUnit, unit_name: str, board_name: str) -> dict[str, Any]:
    """The report as a dict; nothing in it is about a person."""
    shown = sum(unit.shown.values())
    report: dict[str, Any] = {
        "version": __version__,
        "unit": unit_name,
        "board": board_name,
        "uptime_s": unit.uptime_s,
        "advice": unit.advice.kind,
        "reason": unit.advice.reason,
        "shares": {kind: count * 1000 // shown for kind, count in unit.shown.items()} if shown else {},
        "message_age_ms": unit.message_age_ms,
        "latency_ms": unit.latency_ms,
        "frames": unit.frames,
        "late_frames": unit.late_frames,
        "worst_draw_us": unit.worst_draw_us,
        "worst_step_us": unit.worst_message_us,
        "memory_used": _memory_used(),
        "clock_synchronised": unit.synchronised,
        "engine": unit.engine.counters,
        "fault": unit.engine.fault,
    }
    receiver = unit.receiver
    if receiver is not None:
        report["listening"] = receiver.listening
        report["transport"] = receiver.feed.counters
        report["transport_fault"] = receiver.fault
    if unit.memory is not None:
        report["learned_cycles"] = unit.engine.calibration.cycles
        report["memory_fault"] = unit.memory.fault
    if unit.dimming is not None:
        report["brightness"] = unit.dimming.brightness
    return report


def _memory_used() -> int | None:
    """The most memory that the process had so far, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
