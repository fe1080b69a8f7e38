# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lamp and the list: groups change on the screen, and a person presses a key when the lamp turns green."""

import time
from collections.abc import Callable, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from leezenflow_host.decoding.tree import state_word
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.keyboard import Keyboard
from leezenflow_host.site_guide.agreement import SURE, Agreement, rank_groups, twins
from leezenflow_host.site_guide.watching import Feed, GroupWatch

_TURN_S = 0.05
_REDRAW_S = 0.2
# Title, rules, remarks.
_OTHER_LINES = 8
_PRESS, _UNDO, _DONE = " ", "u\x7f\b", "q\r\n"
_SAFE_PRESSES = 3


class Watching:
    """What was watched: all groups, the presses, and from when to when (ms of the feed's clock)."""

    def __init__(self, adapter: str | None = None) -> None:
        self.watch = GroupWatch(adapter)
        self.presses: list[int] = []
        self.from_ms = 0
        self.to_ms = 0

    def ranked(self) -> list[Agreement]:
        """Return all groups, the most likely first."""
        return rank_groups(self.watch.switches, self.presses, self.from_ms, self.to_ms)


def watch_lamp(
    feed: Feed, watching: Watching, keyboard: Keyboard, console: Console, intersection: str | None = None
) -> None:
    """Show the groups of `feed` until the person is done, or it ends; fills `watching`.

    LeezenflowError where nobody could press: no terminal.
    """
    if not keyboard.is_terminal or not console.is_terminal:
        raise InputError("--watch needs a terminal, for the key presses; or give them with --presses FILE.")
    watching.from_ms = feed.now_ms()
    due_s = 0.0
    with keyboard, Live(console=console, auto_refresh=False, transient=True) as live:
        while not feed.ended:
            for arrival in feed.receive(_TURN_S):
                watching.watch.take(arrival)
            keys = keyboard.read(0)
            watching.to_ms = feed.now_ms()
            for key in keys:
                if key in _DONE:
                    return
                if key == _PRESS:
                    watching.presses.append(watching.to_ms)
                elif key in _UNDO and watching.presses:
                    watching.presses.pop()
            if time.monotonic() >= due_s or keys:
                due_s = time.monotonic() + _REDRAW_S
                rows = max(3, console.size.height - _OTHER_LINES)
                live.update(_draw(feed, watching, intersection, rows), refresh=True)


def replay_presses(feed_arrivals: Callable[[], Sequence], watching: Watching, presses: Sequence[int]) -> None:
    """Fill `watching` from a whole recording and presses that were noted beside it."""
    arrivals = feed_arrivals()
    if not arrivals:
        raise LeezenflowError("the recording holds no message.")
    for arrival in arrivals:
        watching.watch.take(arrival)
    watching.from_ms, watching.to_ms = arrivals[0].at_ms, arrivals[-1].at_ms
    watching.presses = [press for press in presses if watching.from_ms <= press <= watching.to_ms]


def choose_group(watching: Watching) -> tuple[Agreement | None, list[str]]:
    """Return the group that the presses point to (None: none surely enough), and what to say about it."""
    ranked = watching.ranked()
    if not watching.watch.states:
        return None, ["No message with a signal group came."]
    if not watching.presses:
        return None, ["Nobody pressed a key, so any group is as likely as another."]
    best = ranked[0]
    remarks = [describe(best)]
    others = twins(ranked, watching.watch.switches) if best.hits else []
    if others:
        names = ", ".join(str(group) for _, group in others)
        remarks.append(
            f"Group {names} switched at exactly the same moments: only the signal plan tells them apart. Then give "
            "--signal-group."
        )
    if len(watching.presses) < _SAFE_PRESSES:
        remarks.append(f"{_SAFE_PRESSES} greens are the least that says anything; {len(watching.presses)} were marked.")
        return None, remarks
    if best.confidence < SURE:
        remarks.append("That is not sure enough to choose it. Watch some more greens, or ask for the signal plan.")
        return None, remarks
    return best, remarks


def describe(agreement: Agreement) -> str:
    """Return an agreement in a sentence."""
    name, group = agreement.group
    delay = "" if agreement.delay_s is None else f", {agreement.delay_s:+.1f} s after it"
    missed = f", {agreement.unpressed} greens without a press" if agreement.unpressed else ""
    return (
        f"Signal group {group} of {name}: {agreement.hits} of {agreement.presses} presses at a switch to green"
        f"{delay}{missed}; likely the right one: {_percent(agreement.confidence)}."
    )


def _percent(share: float) -> str:
    return "over 99 %" if share > 0.99 else "under 1 %" if share < 0.01 else f"{share * 100:.0f} %"


def _draw(feed: Feed, watching: Watching, intersection: str | None, rows: int) -> Group:
    watch = watching.watch
    table = Table(box=None, pad_edge=False)
    for column in ("group", "shows", "since", "presses", "likely"):
        table.add_column(column, justify="left" if column == "shows" else "right")
    table.add_column("intersection")
    ranked = [one for one in watching.ranked() if intersection in (None, one.group[0])]
    for agreement in ranked[:rows]:
        name, group = agreement.group
        table.add_row(
            Text(str(group), "bold"),
            state_word(watch.states[agreement.group]),
            f"{max(0, feed.now_ms() - watch.since_ms[agreement.group]) / 1000:.0f} s",
            f"{agreement.hits} of {agreement.presses}" if agreement.presses else "",
            _percent(agreement.confidence) if agreement.presses else "",
            Text(name),
        )
    lines: list[Text | Table] = [
        Text("Watch the lamp of your riders. SPACE: it turns green · u: undo · q: done", "bold"),
        Text(f"{len(watching.presses)} greens marked · {watch.messages} messages · {len(watch.states)} groups"),
        table,
    ]
    if len(ranked) > rows:
        lines.append(Text(f"and {len(ranked) - rows} more"))
    lost = getattr(feed, "lost", "")
    if lost:
        lines.append(Text(f"No connection: {lost}", "bold"))
    if ranked and ranked[0].confidence >= SURE and len(watching.presses) >= _SAFE_PRESSES:
        lines.append(Text(f"Group {ranked[0].group[1]} it is, most likely. q ends, more greens make it surer.", "bold"))
    return Group(*lines)
