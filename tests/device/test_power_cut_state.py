# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power cut at every write of the small files in /state: the counter of commands, and the count of failures."""

import hmac
import json
from collections.abc import Iterator

import pytest
from cut_power import Rig, unit_files

KEY = bytes(range(32))

_NAMES = """
import asyncio
from leezenflow_device import remote, supervisor
class Commands:
    async def execute(self, command):
        return {"ok": True}
def admit(message):
    gate = remote.Gate(Commands(), {"command_key": key}, "north")
    assert json.loads(asyncio.run(gate.handle(message.encode())))["ok"]
def kept():
    n = remote._kept_n()
    if n not in (64, 134):
        raise ValueError("commands up to %s might be repeated" % n)
    return n
def fail_once():
    supervisor.replace_file(supervisor.RESTART_FILE, b"failure 2")
    supervisor.begin()
def start_again():
    note = read(supervisor.RESTART_FILE)
    start = supervisor.begin()
    # One failure before; the second is counted or, at worst, lost, but none is ever invented.
    if start.failures not in (1, 2) or (note is None and start.cause == "failure"):
        raise ValueError("%d failures, %s" % (start.failures, start.cause))
    return start.failures
"""


@pytest.fixture
def rig(micropython: str) -> Iterator[Rig]:
    """A unit that took commands up to 64 and has failed once."""
    with Rig(micropython) as rig:
        rig.make_flash(unit_files(1))
        rig.define("key", KEY.hex())
        rig.run(_NAMES)
        rig.run("supervisor.replace_file(remote.FILE, b'{\"n\": 64}')")
        rig.run("supervisor.count_failures(1)")
        yield rig


def test_power_cut_never_lets_a_command_in_twice(rig: Rig) -> None:
    body = json.dumps({"do": "restart", "n": 70})
    mac = hmac.new(KEY, body.encode(), "sha256").hexdigest()
    rig.define("message", json.dumps({"body": body, "mac": mac}))
    figures = rig.sweep("admit(message)", "kept()")
    assert figures["broken"] == 0, figures["faults"]
    assert set(figures["seen"]) == {"64", "134"}
    # Written before it was carried out: at the end the counter is ahead.
    assert rig.evaluate("kept()") == 134


def test_power_cut_in_counting_failures(rig: Rig) -> None:
    figures = rig.sweep("fail_once()", "start_again()")
    assert figures["broken"] == 0, figures["faults"]
    assert set(figures["seen"]) == {"1", "2"}
