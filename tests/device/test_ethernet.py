# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ethernet by a W5500, on the unix MicroPython with a chip that plays a script."""

import json
from typing import Any

import pytest
from unix_device import run_script

from leezenflow_host.drivers import driver_options

_SCRIPT = """
import asyncio, json
done = []
plan = sys.argv[1] if sys.argv[1] == "dead" else [letter == "1" for letter in sys.argv[1]]

class Pin:
    def __init__(self, number):
        self.number = number
class SPI:
    def __init__(self, number, baudrate, sck, mosi, miso):
        done.append(["spi", number, baudrate, sck.number, mosi.number, miso.number])
machine = type("machine", (), {"Pin": Pin, "SPI": SPI})
sys.modules["machine"] = machine

class WIZNET5K:
    def __init__(self, bus, cs, reset):
        if plan == "dead":
            plan_ends()
            raise OSError(19)
        done.append(["chip", cs.number, reset.number])
    def active(self, on):
        done.append(["active", on])
    def ifconfig(self, values=None):
        if values:
            done.append(["ifconfig", list(values)])
        return ("10.0.0.7", "", "", "")
    def ipconfig(self, dhcp4):
        done.append(["dhcp", dhcp4])
    def isconnected(self):
        if not plan:
            raise SystemExit
        return plan.pop(0)

tries = [3]
def plan_ends():
    tries[0] -= 1
    if not tries[0]:
        raise SystemExit

network = type("network", (), {} if sys.argv[4] == "without" else {"WIZNET5K": WIZNET5K})
sys.modules["network"] = network
from leezenflow_device.networks.ethernet_w5500 import Network

class Clock:
    async def sleep_ms(self, span_ms):
        await asyncio.sleep_ms(0)
clock = Clock()
clock.network = clock
unit = Network(json.loads(sys.argv[2]), json.loads(sys.argv[3]), clock)
try:
    asyncio.run(unit.run())
except SystemExit:
    pass
print(json.dumps([done, unit.counters, unit.fault]))
"""

SETTINGS = {name: rule["default"] for name, rule in driver_options("network", "ethernet_w5500").items()}


def connect(
    micropython: str, plan: str, secrets: dict[str, Any] | None = None, chip: str = "with"
) -> tuple[list[str], list[Any]]:
    """Run the script to the end of the plan (1: connected at that poll): what was printed, [calls, counters, fault]."""
    arguments = (plan, json.dumps(SETTINGS), json.dumps(secrets or {}), chip)
    *said, last = run_script(micropython, _SCRIPT, *arguments).splitlines()
    return said, json.loads(last)


def test_it_connects_by_dhcp_without_waiting_for_it(micropython: str) -> None:
    said, (done, counters, fault) = connect(micropython, "0011")
    assert done == [["spi", 0, 10_000_000, 18, 19, 16], ["chip", 17, 20], ["active", True], ["dhcp", True]]
    assert (counters, fault, said) == ({"joins": 1, "failures": 0}, "", ["ethernet: connected as 10.0.0.7"])


def test_a_fixed_address_needs_no_dhcp(micropython: str) -> None:
    secrets = {"network": {"address": "10.0.0.7/24", "gateway": "10.0.0.1", "dns": "10.0.0.2"}}
    _, (done, *_) = connect(micropython, "1", secrets)
    assert done[-1] == ["ifconfig", ["10.0.0.7", "255.255.255.0", "10.0.0.1", "10.0.0.2"]]


def test_a_cable_that_is_pulled_is_said_and_comes_back(micropython: str) -> None:
    said, (_, counters, fault) = connect(micropython, "1001")
    assert counters == {"joins": 2, "failures": 1} and fault == ""
    assert said[1] == "ethernet: the connection was lost; is the cable in?"


def test_without_a_connection_the_chip_begins_anew(micropython: str) -> None:
    _, (done, counters, _) = connect(micropython, "0" * 245)
    assert done.count(["active", False]) == 2 and done.count(["active", True]) == 3
    assert sum(entry[0] == "chip" for entry in done) == 1
    assert counters["failures"] == 2


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ("1111111", "connected, but nobody is reached"),
        ("0000000", "no connection; is the cable in, and is there DHCP?"),
    ],
)
def test_where_nobody_is_reached_the_chip_begins_anew(micropython: str, plan: str, words: str) -> None:
    script = _SCRIPT.replace(
        "        return plan.pop(0)\n", "        networks.doubted = len(plan) == 4\n        return plan.pop(0)\n"
    ).replace("done = []\n", "done = []\nfrom leezenflow_device import networks\n")
    *said, last = run_script(micropython, script, plan, json.dumps(SETTINGS), "{}", "with").splitlines()
    done, counters, _ = json.loads(last)
    assert f"ethernet: {words}" in said
    assert [call for call in done if call[0] == "active"] == [["active", on] for on in (True, False, True)]
    assert counters["failures"] == 1


def test_a_chip_that_does_not_answer_is_said_once(micropython: str) -> None:
    said, (_, counters, fault) = connect(micropython, "dead")
    assert "check its wiring" in fault and len(said) == 1 and counters["failures"] == 2


def test_firmware_without_the_driver_is_said_with_the_next_step(micropython: str) -> None:
    with pytest.raises(AssertionError, match="no driver for the W5500; install an image that has it"):
        connect(micropython, "", chip="without")
