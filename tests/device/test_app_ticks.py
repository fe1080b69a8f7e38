# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The injected clock on a real MicroPython: 30 bits wide on every port, and fast where asked."""

import pytest
from unix_device import run_script

_CLOCK = """
import asyncio
from leezenflow_device.ticks import PERIOD, VirtualClock, make_clock
"""


def test_arithmetic_wraps_at_30_bits(micropython: str) -> None:
    said = run_script(
        micropython,
        _CLOCK
        + """
clock = VirtualClock()
for earlier in (0, 1, 1000, PERIOD // 2, PERIOD - 1000, PERIOD - 1):
    for span in (0, 1, 40, 1000, PERIOD // 2 - 1, -1, -40, -PERIOD // 2):
        later = clock.add(earlier, span)
        assert 0 <= later < PERIOD, (earlier, span)
        assert clock.diff(later, earlier) == span, (earlier, span)
print("done")
""",
    )
    assert said == "done\n"


def test_a_fast_clock_starts_where_told_and_runs_across_the_wrap(micropython: str) -> None:
    said = run_script(
        micropython,
        _CLOCK
        + """
clock = make_clock({"ticks_start": PERIOD - 200_000, "ticks_speed": 100})
first = clock.ticks()
assert PERIOD - 200_000 <= first < PERIOD, first
asyncio.run(clock.sleep_ms(220_001))
now = clock.ticks()
assert clock.diff(now, first) >= 220_001, now
assert now < PERIOD - 200_000
network = clock.network
assert network.network is network
began = network.ticks()
asyncio.run(network.sleep_ms(30))
print(30 <= network.diff(network.ticks(), began) < 3000)
""",
    )
    assert said == "True\n"


def test_an_ordinary_clock_is_its_own_network_clock(micropython: str) -> None:
    said = run_script(
        micropython,
        _CLOCK + "clock = make_clock({'ticks_start': 7, 'ticks_speed': 1})\nprint(clock.network is clock)",
    )
    assert said == "True\n"


@pytest.mark.parametrize("speed", [1, 50])
def test_a_board_uses_its_own_ticks_whatever_its_options_say(micropython: str, speed: int) -> None:
    said = run_script(
        micropython,
        """
import time
from leezenflow_device import ticks
class board_time:
    ticks_ms = time.ticks_ms
    ticks_diff = time.ticks_diff
    def ticks_add(ticks, span):
        return (ticks + span) & 0x3FFFFFFF
ticks.time = board_time
"""
        + f"clock = ticks.make_clock({{'ticks_start': 99, 'ticks_speed': {speed}}})\n"
        + "print(clock.ticks is time.ticks_ms, clock.add(0x3fffffff, 3), clock.network is clock)",
    )
    assert said == "True 2 True\n"
