# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as evaluate gives them (docs/reference/evaluation.md), made up: every table filled, or everything unknown."""

from typing import Any

SHARES = ("wrong_colour_share", "wrong_green_share", "answered_share", "uncertain_share", "dark_share")


def full_results(**changes: Any) -> dict[str, Any]:
    """A day at a busy signal."""
    shares = dict(zip(SHARES, (0.0061, 0.0047, 0.844, 0.13, 0.026), strict=True))
    names = (*SHARES, "remaining_mae_ms")
    values = {**shares, "remaining_mae_ms": 1234.0}
    return {
        "leezenflow_results": 1,
        "intersection": "49:1090",
        "signal_group": 12,
        "setting": "110 m at 18 km/h",
        "trace": "traces/<monday>.jsonl.gz",
        "site": {"cruise_ms": 22000, "sprint_ms": None, "clearance": "red", "max_wrong_permille": None},
        "timezone": "Europe/Berlin",
        "from_ms": 1_700_000_000_000,
        "to_ms": 1_700_086_400_000,
        "data": {"messages": 86400, "days": 1, "cycles": 960, "message_rate_hz": 1.0, "silences": 2}
        | {"longest_silence_ms": 61000, "silent_share": 0.002},
        "frames": 864000,
        "judged_frames": 800000,
        **values,
        "reason_shares": {"near_switch": 0.12, "stale": 0.026},
        "flicker_ratio": 1.19,
        "reliability": [{"certainty": c, "frames": 1000, "right_share": c / 100} for c in (55, 72, 88, 97, 100)],
        "forecast_errors": [],
        "intervals": [
            {"name": name, "value": values[name], "low": values[name] * 0.8, "high": values[name] * 1.3, "cycles": 960}
            for name in names
        ],
        "display_by": [
            {"by": by, "value": value, "frames": 30000, **shares, "remaining_mae_ms": 900.0 + number}
            for by, group in (("hour", range(24)), ("weekday", range(7)), ("switch", ("green", "red")))
            for number, value in enumerate(group)
        ],
        "forecast": {
            "available_share": 0.99,
            "usable_share": 0.97,
            "jumps": 120,
            "jumps_per_cycle": 0.125,
            "jump_max_ms": 14000,
            "jump_up_share": 0.4,
            "bounds_judged": 80000,
            "before_min_share": 0.0,
            "after_max_share": 0.001,
            "lead_to_green_ms": 5200,
            "lead_to_red_ms": None,
            "expected_calibration_error": 0.08,
            "cycle_discrepancy_s": 6.0,
            "wait_time_diversity": 0.3,
        },
        "forecast_by_horizon": [
            {"to": to, "from_horizon_ms": low, "to_horizon_ms": high, "messages": 900, "mae_ms": low * 0.2 + 150}
            | {"bias_ms": -50, "p95_ms": low * 0.5 + 400, "within_1_s_share": 0.8, "within_2_s_share": 0.9}
            | {"within_5_s_share": 0.95}
            for to in ("green", "red")
            for low, high in ((0, 2000), (2000, 5000), (5000, 10000), (10000, 20000), (20000, 40000), (40000, None))
        ],
        "forecast_by": [],
        "confidence": [
            {"confidence": code, "coded_share": share, "messages": 500, "right_share": share * 0.9}
            for code, share in ((3, 0.51), (7, 0.8), (15, 1.0))
        ],
        "cycle_discrepancy": [
            {"weekday": day, "hour": hour, "cycles": 40, "median_s": (day + hour) % 9 + 0.5}
            for day in range(7)
            for hour in range(24)
        ],
        "comparison": {
            "against": "plain",
            "rows": [
                {"name": name, "value": values[name], "against": values[name] * 2, "difference": -values[name]}
                | {"low": -values[name] * 1.4, "high": -values[name] * 0.7, "cycles": 960}
                for name in names
            ],
        },
        "problems": [{"kind": "file_cut_off", "count": 1, "text": "traces/<monday>.jsonl.gz, line 7: cut & damaged"}],
        **changes,
    }


def empty_results() -> dict[str, Any]:
    """A recording in which nothing could be measured."""
    unknown = dict.fromkeys((*SHARES, "remaining_mae_ms", "flicker_ratio"))
    tables = ("reliability", "intervals", "display_by", "forecast_by_horizon", "confidence", "cycle_discrepancy")
    return full_results(
        **unknown, **{name: [] for name in tables}, reason_shares={}, forecast=None, comparison=None, problems=[]
    ) | {"data": {"cycles": 0}}
