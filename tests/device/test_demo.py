# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow demo`: broker, virtual board, firmware, recording and panel in one go, and everything gone afterwards."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from PIL import Image

COMMAND = [sys.executable, "-m", "leezenflow_host", "demo", "--fast"]


def children_of(process: int) -> list[psutil.Process]:
    """All processes that a process has started, however deep."""
    return psutil.Process(process).children(recursive=True)


def test_the_demo_shows_the_recording_and_leaves_a_gif(tmp_path: Path, micropython: str) -> None:
    result = subprocess.run(COMMAND, cwd=tmp_path, capture_output=True, text=True, timeout=170)
    assert result.returncode == 0, result.stderr
    # Without a terminal it tells each change of the advice.
    assert re.search(r"^green, \d+ s of \d+ s left", result.stdout, re.MULTILINE)
    assert re.search(r"^red, ", result.stdout, re.MULTILINE)
    sent, decoded = map(int, re.findall(r"(\d+) sent, (\d+) decoded", result.stderr)[0])
    assert sent == decoded >= 55
    assert "generated" in result.stderr or "simulated" in result.stderr
    assert os.listdir(tmp_path) == ["leezenflow-demo.gif"]
    with Image.open(tmp_path / "leezenflow-demo.gif") as gif:
        assert getattr(gif, "n_frames", 1) > 20


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, micropython: str) -> None:
    process = subprocess.Popen(COMMAND, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline()  # the first frame: broker and board are running
    started = children_of(process.pid)
    assert started
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    until = time.monotonic() + 20
    while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in started):
        assert time.monotonic() < until, "a process of the demo survived"
        time.sleep(0.1)
    assert os.listdir(tmp_path) == []


def test_without_a_micropython_the_demo_says_so_in_one_sentence(tmp_path: Path) -> None:
    environment = {**os.environ, "MICROPYTHON": str(tmp_path / "nowhere")}
    result = subprocess.run(COMMAND, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=100)
    assert result.returncode == 1
    assert "nowhere" in result.stderr and "MICROPYTHON" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize("arguments", [["--slow"], ["extra"]])
def test_wrong_usage_is_refused_before_anything_starts(tmp_path: Path, arguments: list[str]) -> None:
    result = subprocess.run([*COMMAND, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert os.listdir(tmp_path) == []
