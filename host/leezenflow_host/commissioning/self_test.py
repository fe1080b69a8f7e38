# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The self-test of a unit, asked for over its serial port: of the running app, or of the board at its prompt."""

import json
from typing import Any, Protocol

from leezenflow_host.board_config import BoardConfig
from leezenflow_host.errors import BoardError, LeezenflowError
from leezenflow_host.site_config import SiteConfig

# A unit that has just started imports for some seconds before it listens.
_START_S = 15.0
# The test takes two seconds; hashing more files on a slow flash may take some more.
_TEST_S = 30.0
_ANSWER_S = 5.0

# Runs at the prompt of a board whose app does not: the release that the loader would run, without the loader.
_AT_PROMPT = """
import json, os, sys
def _lz_slot():
    slots = ["/a", "/b"]
    try:
        with open("/boot.json") as f:
            named = json.load(f).get("active")
        slots.sort(key=lambda slot: slot != "/" + str(named))
    except (OSError, ValueError):
        pass
    for slot in slots:
        try:
            os.stat(slot + "/manifest.json")
            return slot
        except OSError:
            pass
    raise OSError("there is no release on the board")
sys.path[:] = [_lz_slot(), ".frozen"]
from leezenflow_device.self_test import run_alone
print("self-test " + json.dumps(run_alone()))
"""


class Connection(Protocol):
    """What is needed of a `SerialBoard`."""

    def ask(self, command: dict[str, Any], patience_s: float = ...) -> dict[str, Any]: ...
    def run_code(self, code: str) -> str: ...
    def reset(self) -> None: ...


def run_self_test(connection: Connection, board: BoardConfig, site: SiteConfig | None) -> dict[str, Any]:
    """Return what the unit proves about itself; its app should have been started, and is not restarted.

    The result has `ok`, `how` ("running", or "prompt" where the app does not run), `checks` as the unit gave them
    (name: {"ok": True, False or None for not tested, ...}), `identity` and `health` (of a running unit), and
    `problems`: a list of sentences about what is not as `board` and `site` say. A unit that is silent is not ok; only
    a port that is gone raises BoardError.
    """
    result: dict[str, Any] = {"ok": False, "how": "running", "checks": {}, "identity": {}, "health": {}, "problems": []}
    problems: list[str] = result["problems"]
    try:
        result["identity"] = _asked(connection, "identity", _START_S)
    except LeezenflowError as silence:
        result["how"] = "prompt"
        problems.append(f"The unit's program does not answer, so it was tested from the prompt. ({silence})")
        tested = _test_at_prompt(connection, problems)
    else:
        _compare(result["identity"], board, site, problems)
        tested = _test_running(connection, problems)
        try:
            result["health"] = _asked(connection, "health", _ANSWER_S).get("health") or {}
        except LeezenflowError as error:
            problems.append(f"The unit gives no health report: {error}")
    result["checks"] = tested.get("checks") or {}
    result["ok"] = bool(tested.get("ok")) and bool(result["checks"]) and not problems
    return result


def _asked(connection: Connection, verb: str, patience_s: float) -> dict[str, Any]:
    """Ask one command; LeezenflowError where the unit is silent or refuses."""
    answer = connection.ask({"do": verb}, patience_s)
    if not answer.get("ok"):
        raise BoardError(str(answer.get("error") or f"the unit refuses {verb!r}"))
    return {key: value for key, value in answer.items() if key not in ("id", "ok")}


def _test_running(connection: Connection, problems: list[str]) -> dict[str, Any]:
    try:
        tested = _asked(connection, "self_test", _TEST_S).get("self_test")
    except LeezenflowError as error:
        problems.append(f"The self-test did not end: {error}")
        return {}
    return tested if isinstance(tested, dict) else {}


def _test_at_prompt(connection: Connection, problems: list[str]) -> dict[str, Any]:
    """Interrupt the board, test it, and start it again."""
    try:
        said = connection.run_code(_AT_PROMPT)
    except LeezenflowError as error:
        problems.append(f"The self-test cannot run: {error}")
        return {}
    connection.reset()
    for line in said.splitlines():
        if line.startswith("self-test {"):
            try:
                return json.loads(line.partition(" ")[2])
            except ValueError:
                break
    problems.append(f"The self-test said nothing that can be read: {said.strip()[-200:]!r}")
    return {}


def _compare(identity: dict[str, Any], board: BoardConfig, site: SiteConfig | None, problems: list[str]) -> None:
    """Never trust "success": what answers now must be what was meant."""
    found = identity.get("board")
    if found is not None and found != board.name:
        problems.append(f"The unit calls its board {found!r}, not {board.name!r}. Install with the right --board.")
    unit = site.values["unit"]["name"] if site is not None else None
    if unit and identity.get("unit") not in (None, unit):
        problems.append(f"The unit calls itself {identity['unit']!r}, not {unit!r}. Install its site again.")
