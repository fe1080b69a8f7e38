# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow demo`: one intersection from the wire to the lit pixel, on this computer."""

import time
from pathlib import Path

import rich_click as click
from rich.console import Console

from leezenflow_host.demo import GIF_FPS, Demo, Shown
from leezenflow_host.preview import Snapshot, write_gif
from leezenflow_host.terminal_screen import TerminalScreen, describe_advice

GIF_FILE = Path("leezenflow-demo.gif")
FAST_SPEED = 8
# The terminal is redrawn this often; the board draws more.
_SCREEN_FPS = 20


@click.command()
@click.option("--fast", is_flag=True, help=f"Let time run {FAST_SPEED} times as fast, on the board too.")
def command(fast: bool) -> None:
    """Watch a board that runs our firmware show an intersection's phases.

    Starts an MQTT broker, plugs a virtual board in, installs the firmware on it with mpremote, plays a generated
    recording of one minute to it, and shows what the panel shows beside what the lamp does. Leaves leezenflow-demo.gif
    in the current folder.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with Demo(FAST_SPEED if fast else 1) as demo:
        console.print(f"The signal is made up. {demo.note}")
        console.print(f"MQTT broker        {demo.start_broker()}")
        console.print(f"virtual board      {demo.start_board()}")
        began = time.monotonic()
        files = demo.install()
        console.print(f"firmware           {files} files installed with mpremote in {time.monotonic() - began:.1f} s")
        _watch(demo)
        _summarise(console, demo)
        console.print(f"picture            {GIF_FILE} ", end="")
        console.print(f"({_write_gif(demo)} pictures)")


def _watch(demo: Demo) -> None:
    due = 0.0
    began_ms: int | None = None
    with TerminalScreen() as screen:
        for shown in demo.frames():
            began_ms = shown.at_ms if began_ms is None else began_ms
            if screen.is_terminal and time.monotonic() < due:
                continue
            due = time.monotonic() + 1 / _SCREEN_FPS
            frame = shown.frame
            picture = Snapshot(frame.width, frame.height, frame.pixels, frame.palette)
            screen.show(picture, _captions(demo, shown, shown.at_ms - began_ms, screen.is_terminal))


def _captions(demo: Demo, shown: Shown, after_ms: int, is_terminal: bool) -> list[str]:
    advice = describe_advice(shown.advice)
    # A sprint is for those who arrive sooner.
    travel_ms = demo.sprint_ms if shown.frame.kind == "sprint" else demo.cruise_ms
    arrival = demo.truth.colour_at(shown.at_ms + travel_ms)
    if not is_terminal:
        return [f"{advice}, at {after_ms / 1000:.1f} s; the rider will meet {arrival}"]
    return [
        f"panel    {advice}",
        f"arrival  {arrival} (in {travel_ms / 1000:.0f} s, the truth)",
        f"lamp     {demo.truth.colour_at(shown.at_ms)} (now, the truth)",
        "",
        "A generated signal, a real broker,",
        "a virtual board with the real firmware.",
        "",
        f"{after_ms / 1000:5.1f} s   {demo.summary.messages_decoded} messages",
        "",
        "Ctrl-C ends",
    ]


def _summarise(console: Console, demo: Demo) -> None:
    summary = demo.summary
    score = summary.score.as_dict()
    draw = sorted(summary.draw_us)
    middle, slowest = draw[len(draw) // 2] / 1000, draw[-1] / 1000
    console.print(f"messages           {summary.messages_sent} sent, {summary.messages_decoded} decoded by the board")
    console.print(f"frames             {summary.frames}, drawn in {middle:.2f} ms (median), {slowest:.2f} ms at worst")
    shares = {name: score[f"{name}_share"] for name in ("answered", "uncertain", "dark", "wrong_colour", "wrong_green")}
    words = ", ".join(f"{name.replace('_', ' ')} {share:.1%}" for name, share in shares.items() if share is not None)
    console.print(f"against the truth  {words}")
    console.print(f"worst wrong colour {summary.longest_wrong_ms / 1000:.1f} s at a stretch")


def _write_gif(demo: Demo) -> int:
    pictures = demo.pictures
    ends = [at_ms for at_ms, _ in pictures[1:]] + [pictures[-1][0] + 1000 // GIF_FPS * demo.speed]
    frames = (
        (picture, round((end - at_ms) / demo.speed)) for (at_ms, picture), end in zip(pictures, ends, strict=True)
    )
    return write_gif(GIF_FILE, frames, "panel", 5)
