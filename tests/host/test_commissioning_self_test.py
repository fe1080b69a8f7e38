# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit's self-test asked for over its port: of a unit that runs, of one that does not, and of one that lies."""

from collections.abc import Iterator
from typing import Any

import pytest

from leezenflow_host.board_config import read_board
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.commissioning import run_self_test
from leezenflow_host.errors import BoardError
from leezenflow_host.image import build_image
from leezenflow_host.site_config import example_site

IDENTITY = {"version": "0.1.0", "unit": "example", "board": "virtual", "slot": "a"}
CHECKS = {"memory": {"ok": True, "free": 30_000, "least": 12_000}}


class Unit:
    """A connection to a unit that gives these answers; an Exception among them is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"identity": IDENTITY, "self_test": {"self_test": {"ok": True, "checks": CHECKS}}, **answers}
        self.answers.setdefault("health", {"health": {"fault": ""}})
        self.asked: list[str] = []
        self.code = self.resets = 0
        self.said: Any = ""

    def ask(self, command: dict[str, Any], patience_s: float = 5.0) -> dict[str, Any]:
        self.asked.append(command["do"])
        answer = self.answers[command["do"]]
        if isinstance(answer, Exception):
            raise answer
        return {"id": 1, "ok": True, **answer}

    def run_code(self, code: str) -> str:
        self.code += 1
        if isinstance(self.said, Exception):
            raise self.said
        return self.said

    def reset(self) -> None:
        self.resets += 1


def result_of(unit: Unit) -> dict[str, Any]:
    return run_self_test(unit, read_board("virtual"), example_site())


def test_a_unit_that_runs_is_asked_and_left_alone():
    unit = Unit()
    assert result_of(unit) == {
        "ok": True,
        "how": "running",
        "checks": CHECKS,
        "identity": IDENTITY,
        "health": {"fault": ""},
        "problems": [],
    }
    assert (unit.asked, unit.code, unit.resets) == (["identity", "self_test", "health"], 0, 0)


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"identity": {**IDENTITY, "board": "interstate75"}}, "calls its board 'interstate75', not 'virtual'"),
        ({"identity": {**IDENTITY, "unit": "south"}}, "calls itself 'south', not 'example'"),
        ({"self_test": {"ok": False, "error": "no room"}}, "The self-test did not end: no room"),
        ({"self_test": {"ok": False}}, "The self-test did not end: the unit refuses 'self_test'"),
        ({"self_test": BoardError("It fell silent.")}, "The self-test did not end: It fell silent."),
        ({"health": BoardError("It fell silent.")}, "The unit gives no health report: It fell silent."),
    ],
)
def test_what_is_not_as_it_should_be_is_a_sentence(answers: dict[str, Any], problem: str):
    result = result_of(Unit(**answers))
    assert not result["ok"]
    assert len(result["problems"]) == 1 and problem in result["problems"][0]


@pytest.mark.parametrize("said", [{"ok": False, "checks": CHECKS}, {"ok": True, "checks": {}}, None, "fine"])
def test_a_test_that_failed_or_tested_nothing_is_not_ok(said: Any):
    assert not result_of(Unit(self_test={"self_test": said}))["ok"]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("nonsense", "said nothing that can be read: 'nonsense'"),
        ("self-test {broken", "said nothing that can be read"),
        (BoardError("There is no release on the board."), "The self-test cannot run: There is no release"),
    ],
)
def test_a_board_that_says_nothing_at_its_prompt_either_is_not_ok(said: Any, problem: str):
    unit = Unit(identity=BoardError("The board is silent."))
    unit.said = said
    result = result_of(unit)
    assert (result["ok"], result["how"], result["checks"]) == (False, "prompt", {})
    assert "The board is silent." in result["problems"][0] and problem in result["problems"][1]


def test_at_the_prompt_the_checks_are_made_and_the_board_starts_again():
    unit = Unit(identity=BoardError("The board is silent."))
    unit.said = 'boot\nself-test {"ok": true, "checks": {"memory": {"ok": true}}}\n'
    result = result_of(unit)
    assert (result["how"], result["checks"], unit.resets) == ("prompt", {"memory": {"ok": True}}, 1)
    assert not result["ok"]  # a unit whose program does not run is not handed over


@pytest.fixture
def board(micropython: str) -> Iterator[VirtualBoard]:
    """A virtual board with the example installed."""
    with VirtualBoard() as board:
        with SerialBoard(board.port) as connection:
            connection.deploy(build_image(read_board("virtual"), example_site()))
        yield board


def test_a_real_board_whose_program_does_not_run_is_tested_from_its_prompt(board: VirtualBoard, monkeypatch):
    import leezenflow_host.commissioning.self_test as module

    monkeypatch.setattr(module, "_START_S", 0.5)
    with SerialBoard(board.port) as connection:
        result = run_self_test(connection, read_board("virtual"), example_site())
    assert result["how"] == "prompt"
    assert {name: check["ok"] for name, check in result["checks"].items()} == {
        "memory": True,
        "decoder": True,
        "light": None,
        "sensors": None,
        "frames": True,
        "files": True,
        "panel": True,
    }


def test_a_real_unit_tests_itself_beside_its_work(board: VirtualBoard):
    with SerialBoard(board.port) as connection:
        connection.reset()
        result = run_self_test(connection, read_board("virtual"), example_site())
        again = run_self_test(connection, read_board("virtual"), example_site())
    assert (result["how"], result["problems"], result["ok"]) == ("running", [], True), result
    assert result["checks"]["files"]["count"] > 50 and result["checks"]["panel"]["ok"]
    assert again["ok"], again
    assert result["identity"]["board"] == "virtual" and "frames" in result["health"]
