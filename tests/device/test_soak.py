# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A short soak: a good half hour of a unit's life with faults; `tools/bench/soak.py` runs for hours."""

from pathlib import Path

from soaking import Soak


def test_half_an_hour_with_faults_leaves_no_trace(micropython: str, tmp_path: Path) -> None:
    speed = 60
    outcome = Soak(micropython, tmp_path, hours=0.6, speed=speed).run()
    assert outcome.lives == 1, outcome.log[-2000:]
    assert "Traceback" not in outcome.log
    assert outcome.frozen == []
    # A reset or a hang would have shown as a pause of seconds; the limit is the unit's own.
    assert outcome.virtual_s > 1000
    assert outcome.wrapped
    assert outcome.faults["broker restarts"] >= 1
    assert outcome.report["transport"]["connects"] >= 2
    assert outcome.report["engine"]
    assert len(outcome.memory) >= 8
    # What one message or one connection holds comes and goes; what stays would add up.
    assert outcome.growth < 16_384
