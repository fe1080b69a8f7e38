# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""leezenflow preview: what riders would see, in the terminal, as GIF or as PNG."""

import dataclasses
import importlib
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import rich_click as click

from leezenflow.advice import Advice
from leezenflow.canvas import Canvas
from leezenflow.engine import Engine
from leezenflow_host.atomic_file import write_atomic
from leezenflow_host.drivers import driver_names, driver_options
from leezenflow_host.errors import InputError
from leezenflow_host.number_range import NumberRange
from leezenflow_host.preview import Picture, Snapshot, Style, terminal_frame, write_gif, write_png
from leezenflow_host.problems import did_you_mean
from leezenflow_host.replay import build_decoder, replay_frames
from leezenflow_host.showcase import showcase_frames
from leezenflow_host.site_options import SiteOptions, site_from_options, site_options
from leezenflow_host.terminal_screen import TerminalScreen, describe_advice, terminal_depth
from leezenflow_host.trace import TraceReader

LIVE_FPS = 25
GIF_FPS = 10
# Browsers and viewers show a GIF's pictures at least this long.
SHORTEST_GIF_MS = 20
# A GIF of a whole recording would be as big as a film.
GIF_LENGTH_S = 60.0
_NO_FRAME = "there is no frame to show: the recording holds no message in that time"
# These need no signal: one picture is all there is to see.
STILL_LOOKS = ("dark", "status", "test_pattern")

Moment = tuple[int, Advice, Canvas]
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("trace", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--look", metavar="NAME", help="Look to draw [default: the site's, or green_wave].")
@click.option("--palette", metavar="NAME", help="Colours, where the look has a choice.")
@click.option("--gif", type=_FILE, metavar="FILE", help=f"Write a GIF ({GIF_LENGTH_S:g} s unless --for says more).")
@click.option("--png", type=_FILE, metavar="FILE", help="Write the last frame as PNG.")
@click.option("--picture", type=_FILE, metavar="FILE", help="Write the last frame as /picture.bin for a board.")
@click.option("--speed", "pace", type=NumberRange(0.1, 1000), default=1.0, metavar="N", help="N times as fast.")
@click.option("--from", "from_s", type=NumberRange(0), default=0.0, metavar="SECONDS", help="Begin there.")
@click.option("--for", "for_s", type=NumberRange(0), metavar="SECONDS", help="End after so long.")
@click.option(
    "--style",
    type=click.Choice(["panel", "pixels"]),
    help="Dots as on the panel, with its gamma and dimming, or squares [default: GIF panel, PNG pixels].",
)
@click.option("--scale", type=click.IntRange(1, 40), metavar="N", help="Screen pixels a LED [default: GIF 5, PNG 8].")
@click.option("--brightness", type=click.IntRange(0, 255), default=255, help="Dimming of the panel.", show_default=True)
@click.option("--dry-run", is_flag=True, help="Only say which files would be written.")
@site_options(speed_flags=("--cruise",))
def command(
    trace: Path | None,
    look: str | None,
    palette: str | None,
    gif: Path | None,
    png: Path | None,
    picture: Path | None,
    pace: float,
    from_s: float,
    for_s: float | None,
    style: str | None,
    scale: int | None,
    brightness: int,
    dry_run: bool,
    site_options: SiteOptions,
) -> None:
    """Show what riders would have seen during a recording.

    TRACE is a recording. Without it the look goes through every kind of advice once; test_pattern and other looks
    that need no signal show their one picture.
    """
    frozen = trace is None and look in STILL_LOOKS
    to_file = gif or png or picture
    fps = max(1, round((GIF_FPS if to_file else LIVE_FPS) / pace))
    moments = play(trace, look, palette, site_options, 1 if frozen else fps)
    if frozen:
        moments = itertools.islice(moments, 1)
    if gif and for_s is None:
        for_s = GIF_LENGTH_S * pace
    moments = cut(moments, from_s, for_s)
    if to_file and dry_run:
        if next(moments, None) is None:
            raise InputError(_NO_FRAME)
        click.echo(f"Would write {' and '.join(str(file) for file in (gif, png, picture) if file)}.")
        return
    if frozen and not to_file:
        canvas = next(moments)[2]
        click.echo("\n".join(terminal_frame(canvas, terminal_depth())))
        return
    if not to_file:
        show_live(moments, pace, trace.name if trace else "no signal: made-up advice")
        return
    last = None
    if gif:
        frames = Remembering(thin_out(moments, pace))
        count = write_gif(gif, frames, cast(Style, style or "panel"), scale or 5, brightness)
        click.echo(f"{gif}: {count} pictures", err=True)
        last = frames.last
    else:
        for _, _, canvas in moments:
            last = canvas
    if last is None:
        raise InputError(_NO_FRAME)
    if png:
        write_png(png, last, cast(Style, style or "pixels"), scale or 8, brightness)
    if picture:
        write_atomic(picture, bytes(last.pixels) + bytes(last.palette))


def make_look(name: str, options: dict[str, Any], canvas: Canvas) -> Any:
    """The look called `name` on a canvas; InputError with the nearest names if there is none."""
    names = driver_names("look")
    if name not in names:
        raise InputError(f"there is no look {name!r}{did_you_mean(name, names)}")
    declared = driver_options("look", name)
    given = {key: value for key, value in options.items() if key in declared}
    choices = declared.get("palette", {}).get("choices")
    if choices and given.get("palette", choices[0]) not in choices:
        raise InputError(f"there is no palette {given['palette']!r}{did_you_mean(given['palette'], choices)}")
    return importlib.import_module(f"leezenflow.renderings.{name}").Look(canvas, given)


def play(trace: Path | None, look: str | None, palette: str | None, options: SiteOptions, fps: int) -> Iterator[Moment]:
    """(instant in ms, advice, drawn canvas) of every frame; advice and canvas are the same objects every time."""
    canvas = Canvas()
    chosen = {} if palette is None else {"palette": palette}
    if trace is None:
        drawn = make_look(look or "green_wave", chosen, canvas)
        for at_ms, advice in showcase_frames(fps):
            drawn.draw(advice, canvas, at_ms)
            yield at_ms, advice, canvas
        return
    with TraceReader(
        trace, on_problem=lambda problem: click.echo(f"{trace}, line {problem.line}: {problem.text}", err=True)
    ) as reader:
        site = site_from_options(options, dataclasses.asdict(reader.header) | reader.header.extra)
        drawn = make_look(look or site.look, {**site.look_options, **chosen}, canvas)
        engine = Engine(site, build_decoder(site), canvas, drawn)
        for at_ms, advice in replay_frames(reader, engine, fps):
            yield at_ms, advice, canvas
        if not engine.counters.get("accepted"):
            click.echo(f"{trace}: holds nothing about this signal group; every frame is dark", err=True)


def cut(moments: Iterator[Moment], from_s: float, for_s: float | None) -> Iterator[Moment]:
    """The moments of a stretch of time; everything before it is played, but not shown."""
    first_ms = None
    for moment in moments:
        if first_ms is None:
            first_ms = moment[0]
        if for_s is not None and moment[0] - first_ms > (from_s + for_s) * 1000:
            return
        if moment[0] - first_ms >= from_s * 1000:
            yield moment


def thin_out(moments: Iterator[Moment], pace: float) -> Iterator[tuple[Picture, int]]:
    """Pictures with the milliseconds each stays in a GIF that runs `pace` times as fast."""
    due_ms: float | None = None
    kept: tuple[int, Snapshot] | None = None
    for at_ms, _, canvas in moments:
        if due_ms is not None and at_ms < due_ms:
            continue
        if kept is not None:
            yield kept[1], round((at_ms - kept[0]) / pace)
        kept = (at_ms, Snapshot.of(canvas))
        due_ms = at_ms + SHORTEST_GIF_MS * pace
    if kept is not None:
        yield kept[1], 1000


class Remembering:
    """Frames on their way into a GIF; `last` is the last picture that went by."""

    def __init__(self, frames: Iterator[tuple[Picture, int]]) -> None:
        self._frames = frames
        self.last: Picture | None = None

    def __iter__(self) -> Iterator[tuple[Picture, int]]:
        for picture, length_ms in self._frames:
            self.last = picture
            yield picture, length_ms


def show_live(moments: Iterator[Moment], pace: float, title: str) -> None:
    """Play in the terminal at `pace`; without a terminal, print each change of the advice."""
    shown = None
    with TerminalScreen() as screen:
        first_ms = 0
        began_s = time.monotonic()
        for at_ms, advice, canvas in moments:
            if shown is None:
                first_ms = at_ms
            after_s = (at_ms - first_ms) / 1000
            if screen.is_terminal:
                ahead_s = after_s / pace - (time.monotonic() - began_s)
                if ahead_s > 0:
                    time.sleep(ahead_s)
            shown = Snapshot.of(canvas)
            screen.show(canvas, captions(advice, after_s, title, screen.is_terminal))
    if shown is None:
        raise InputError(_NO_FRAME)


def captions(advice: Advice, after_s: float, title: str, is_terminal: bool) -> list[str]:
    """The words beside the picture."""
    if not is_terminal:
        return [f"{describe_advice(advice)} at {after_s:.1f} s"]
    return [
        describe_advice(advice),
        f"certainty {advice.certainty} %",
        "",
        title,
        f"{after_s:.1f} s",
        "",
        "Ctrl-C ends",
    ]
