# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of groups while a person watches the lamp: what it shows, and what the keys do."""

import io
from typing import Any

import pytest
from rich.console import Console
from test_site_watching import GROUP, arrivals, greens

from leezenflow_host.capture.arrivals import Arrival
from leezenflow_host.errors import InputError
from leezenflow_host.site_guide.screen import Watching, choose_group, watch_lamp


class Feed:
    """Messages one by one; the time is that of the last one."""

    hint = lost = ""

    def __init__(self, messages: list[Arrival], **state: Any) -> None:
        self._left = list(messages)
        self._now_ms = messages[0].at_ms
        self.lost = state.get("lost", "")

    @property
    def ended(self) -> bool:
        return not self._left

    def now_ms(self) -> int:
        return self._now_ms

    def receive(self, timeout_s: float) -> list[Arrival]:
        self._now_ms = self._left[0].at_ms
        return [self._left.pop(0)]

    def close(self) -> None:
        self._left.clear()


class Keys:
    """A keyboard on which keys (by the feed's time) are pressed."""

    is_terminal = True

    def __init__(self, feed: Feed, keys: dict[int, str]) -> None:
        self._feed = feed
        self._keys = dict(keys)

    def __enter__(self) -> "Keys":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, timeout_s: float) -> str:
        return self._keys.pop(self._feed.now_ms(), "")


def watch(keys: dict[int, str], messages: list[Arrival], **state: Any) -> tuple[Watching, str]:
    feed, watching, screen = Feed(messages, **state), Watching(), io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, height=state.get("height", 30))
    watch_lamp(feed, watching, Keys(feed, keys), console)  # pyright: ignore[reportArgumentType]
    return watching, screen.getvalue()


def test_presses_at_the_greens_choose_the_group_and_the_screen_says_so():
    keys = {at_ms + 1000: " " for at_ms in greens(600)}
    watching, screen = watch(keys, arrivals(600))
    assert watching.presses == sorted(keys)
    best, _ = choose_group(watching)
    assert best is not None and best.group == GROUP
    assert "SPACE: it turns green" in screen and "49:1090" in screen
    assert f"{len(keys)} greens marked" in screen
    assert "Group 12 it is, most likely" in screen


def test_a_press_can_be_taken_back_and_q_ends():
    messages = arrivals(60)
    at = [one.at_ms for one in messages]
    watching, screen = watch(
        {at[5]: " ", at[6]: " ", at[7]: "u", at[8]: "x", at[9]: "uu", at[20]: " q ", at[30]: " "}, messages
    )
    assert watching.presses == [at[20]]
    assert (watching.from_ms, watching.to_ms) == (at[0], at[20])
    assert "2 greens marked" in screen and "0 greens marked" in screen


def test_a_lost_connection_and_more_groups_than_lines_are_said():
    many = [one for second in range(20) for one in (arrivals(20)[second], *others(second))]
    _, screen = watch({many[-1].at_ms: " "}, many, lost="the broker left", height=10)
    assert "No connection: the broker left" in screen
    assert "and 3 more" in screen


def others(second: int) -> list[Arrival]:
    """Five more groups at the same junction."""
    return [arrivals(20, group=group)[second] for group in (1, 2, 3, 4, 5)]


def test_without_a_terminal_nobody_is_asked_to_press():
    feed, watching = Feed(arrivals(5)), Watching()
    with pytest.raises(InputError, match="needs a terminal, for the key presses"):
        watch_lamp(feed, watching, Keys(feed, {}), Console(file=io.StringIO()))  # pyright: ignore[reportArgumentType]
