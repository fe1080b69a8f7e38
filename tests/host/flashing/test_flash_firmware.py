# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way with the firmware itself, as a new user goes it: from an empty folder to a commissioned unit."""

import json

from waiting import wait_until

import leezenflow
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.boards.virtual import VirtualBoard, state_file
from leezenflow_host.errors import BoardError
from leezenflow_host.flashing import detect
from leezenflow_host.flashing.detect import probe_port


def is_at_work(connection: SerialBoard) -> bool:
    try:
        return connection.ask({"do": "identity"}, 1.0)["ok"]
    except BoardError:
        return False


def test_an_empty_folder_holds_a_commissioned_unit_afterwards(places, flash, micropython, monkeypatch):
    monkeypatch.setattr(detect, "_ASK_S", 20.0)
    code, out, err = flash("--board", "virtual", "--port", "virtual", "--yes", "--out", places / "reports")
    assert code == 0, err
    assert out.startswith(f"example on virtual runs Leezenflow {leezenflow.__version__} (")
    assert out.endswith(f"has said who it is, and is reported in {places}/reports/commissioning-example.html.\n")
    report = json.loads((places / "reports/commissioning-example.json").read_text())
    assert report["passed"] is True, report["self_test"]
    assert (report["unit"], report["board"], report["firmware_version"]) == (
        "example",
        "virtual",
        leezenflow.__version__,
    )
    assert report["self_test"]["how"] == "running"
    assert {"memory", "decoder", "panel", "files"} <= set(report["self_test"]["checks"])
    assert "commissioning-example" in (places / "reports/commissioning-example.html").name
    with VirtualBoard(state_file()) as board:
        # A unit that starts needs a moment until it answers.
        with SerialBoard(board.port, interrupt=False) as connection:
            wait_until(lambda: is_at_work(connection), "the unit")
        lives = board.lives
        found = probe_port(board.port)
        assert (found.kind, found.unit, found.board) == ("leezenflow", "example", "virtual")
        assert found.unique_id == report["chip_id"]
        assert found.detail.endswith("running") and board.lives == lives, "and goes on running"
    code, out, err = flash("--board", "virtual", "--port", "virtual", "--yes", "--out", places / "reports")
    assert (code, "(0 files written)" in out) == (0, True), err
