# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joining a Wi-Fi, on the unix MicroPython with a radio that plays a script."""

import json
from typing import Any

import pytest
from unix_device import run_script

# The radio answers status() from a script, one entry a join; "x" in it is an OSError of connect(). 3 is connected.
_SCRIPT = """
import asyncio, json
done = []
plan = json.loads(sys.argv[1])

class WLAN:
    IF_STA = 0
    PM_NONE = 16
    joined = False
    state = 0
    def __init__(self, interface):
        done.append(["made", interface])
    def active(self, on):
        done.append(["active", on])
    def config(self, pm):
        done.append(["config", pm])
    def connect(self, ssid, password):
        done.append(["connect", ssid, password])
        if not plan:
            raise SystemExit
        step = plan.pop(0)
        if step == "x":
            raise OSError(5)
        self.state, self.holds = step
    def status(self):
        return self.state
    def isconnected(self):
        if self.state != 3:
            return False
        self.holds -= 1
        return self.holds >= 0
    def ifconfig(self, values=None):
        if values:
            done.append(["ifconfig", list(values)])
        return ("10.0.0.7", "255.255.255.0", "10.0.0.1", "10.0.0.1")

class network:
    pass
network.WLAN = WLAN
network.country = lambda code: done.append(["country", code])
sys.modules["network"] = network
from leezenflow_device.networks.wifi import Network

class Clock:
    slept_ms = 0
    async def sleep_ms(self, span_ms):
        self.slept_ms += span_ms
        await asyncio.sleep_ms(0)
clock = Clock()
clock.network = clock
unit = Network({"country": "NL"}, json.loads(sys.argv[2]), clock)
try:
    asyncio.run(unit.run())
except SystemExit:
    pass
print(json.dumps([done, unit.counters, unit.fault, clock.slept_ms]))
"""

SECRETS = {"wifi": {"ssid": "leeze", "password": "s3cret"}}


def join(micropython: str, plan: list[Any], secrets: dict[str, Any] = SECRETS) -> tuple[list[str], list[Any]]:
    """Run the script to the end of the plan: what was printed, and [calls, counters, fault, ms slept]."""
    *said, last = run_script(micropython, _SCRIPT, json.dumps(plan), json.dumps(secrets)).splitlines()
    return said, json.loads(last)


def test_it_joins_without_power_saving_and_joins_again_after_a_loss(micropython: str) -> None:
    said, (done, counters, fault, _) = join(micropython, [[3, 20], [3, 20]])
    attempt = [["active", True], ["config", 16], ["connect", "leeze", "s3cret"]]
    assert done == [["country", "NL"], ["made", 0], *attempt, *attempt, *attempt]
    assert counters == {"joins": 2, "failures": 2}
    assert fault == "the connection was lost"
    assert said[0] == "wifi: joined leeze as 10.0.0.7"
    assert not any("s3cret" in line for line in said)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (-3, "wrong password"),
        (-2, "no such network in reach"),
        (-1, "joining failed"),
        (1, "no answer from the network"),
        ("x", "EIO"),
    ],
)
def test_what_is_wrong_is_said_once_in_words(micropython: str, state: int | str, words: str) -> None:
    said, (_, counters, fault, _) = join(micropython, ["x" if state == "x" else [state, 0]] * 2)
    assert words in fault
    assert len(said) == 1 and words in said[0]
    assert counters == {"joins": 0, "failures": 2}


def test_it_says_who_tells_the_addresses_of_names_while_it_is_joined(micropython: str) -> None:
    script = _SCRIPT.replace(
        "        self.holds -= 1\n", "        self.holds -= 1\n        seen.append(networks.name_server)\n"
    )
    script = script.replace("done = []\n", "done = []\nseen = []\nfrom leezenflow_device import networks\n")
    script += "seen.append(networks.name_server)\nprint(json.dumps(seen))\n"
    said = run_script(micropython, script, json.dumps([[3, 3]]), json.dumps(SECRETS)).splitlines()
    # Before the first look, at both that follow, at the one that shows the loss, and afterwards.
    assert json.loads(said[-1]) == ["", "10.0.0.1", "10.0.0.1", "10.0.0.1", ""]


def test_a_network_in_which_nobody_is_reached_is_joined_anew(micropython: str) -> None:
    # It says that it is joined, for ever; the transport knows better.
    script = _SCRIPT.replace(
        "        self.holds -= 1\n", "        self.holds -= 1\n        networks.doubted = self.holds == 17\n"
    )
    script = script.replace("done = []\n", "done = []\nfrom leezenflow_device import networks\n")
    *said, last = run_script(micropython, script, json.dumps([[3, 20], [3, 1]]), json.dumps(SECRETS)).splitlines()
    done, counters, _, _ = json.loads(last)
    assert said[:2] == ["wifi: joined leeze as 10.0.0.7", "wifi: leeze: joined, but nobody is reached; trying again"]
    calls = [call[:2] for call in done if call[0] in ("active", "connect")]
    assert calls[:5] == [
        *(["active", True], ["connect", "leeze"], ["active", False]),
        *(["active", True], ["connect", "leeze"]),
    ]
    assert calls.count(["active", False]) == 1, "it was doubted once"
    assert counters == {"joins": 2, "failures": 2}


def test_pauses_grow_and_the_radio_is_restarted(micropython: str) -> None:
    _, (done, counters, _, slept_ms) = join(micropython, ["x"] * 9)
    # 1 + 2 + 4 + 8 + 16 and four times 30 s.
    assert slept_ms == 151_000
    assert counters["failures"] == 9
    assert done.count(["active", False]) == 3


def test_a_success_begins_with_short_pauses_again(micropython: str) -> None:
    _, (_, _, _, slept_ms) = join(micropython, ["x", "x", [3, 1], "x"])
    # 1 + 2 s, a join that holds for one look, then 1 + 2 s again.
    assert slept_ms == 3_000 + 250 + 3_000


@pytest.mark.parametrize("secrets", [{}, {"wifi": None}, {"wifi": {"ssid": ""}}])
def test_without_a_name_it_says_what_to_install(micropython: str, secrets: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match='no "wifi" with "ssid"'):
        join(micropython, [], secrets)


def test_a_fixed_address_is_set_before_joining(micropython: str) -> None:
    secrets = {**SECRETS, "network": {"address": "10.1.2.7/23", "gateway": "10.1.2.1"}}
    _, (done, *_) = join(micropython, [[3, 1]], secrets)
    assert done[3:6] == [
        ["config", 16],
        ["ifconfig", ["10.1.2.7", "255.255.254.0", "10.1.2.1", "10.1.2.1"]],
        ["connect", "leeze", "s3cret"],
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"address": "10.1.2.7"}, 'must be like "10.0.0.7/24"'),
        ({"address": "10.1.2.7/31", "gateway": "10.1.2.1"}, 'must be like "10.0.0.7/24"'),
        ({"address": "10.1.2/24", "gateway": "10.1.2.1"}, "address '10.1.2' is not an IPv4 address"),
        ({"address": "10.1.2.7/24"}, "gateway '' is not an IPv4 address"),
        ({"address": "10.1.2.7/24", "gateway": "10.1.2.1", "dns": "one"}, "dns 'one' is not an IPv4 address"),
    ],
)
def test_a_wrong_fixed_address_is_refused_in_words(micropython: str, values: dict[str, str], said: str) -> None:
    with pytest.raises(AssertionError) as failure:
        join(micropython, [], {**SECRETS, "network": values})
    assert said in str(failure.value) and "s3cret" not in str(failure.value).split("Traceback")[1]
