# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow replay`: what riders saw, from a recording; or the recording once more, to a unit."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console

from leezenflow.engine import Engine
from leezenflow_host.atomic_file import open_atomic
from leezenflow_host.capture.sources import read_secrets
from leezenflow_host.errors import InputError
from leezenflow_host.feeding import open_feed, pace
from leezenflow_host.memory_file import read_memory, write_memory
from leezenflow_host.replay import advice_record, build_decoder, recording_header, replay_frames
from leezenflow_host.site_options import SiteOptions, site_from_options, site_options
from leezenflow_host.trace import TraceReader

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("trace", type=_FILE)
@click.option("--advice", "advice_file", type=_FILE, metavar="FILE", help="Write what riders are told, a line a frame.")
@click.option(
    "--to",
    "url",
    metavar="URL",
    help="Send the messages: mqtt[s]://host[:port][/topic], udp://host:port, serial:///dev/...",
)
@click.option(
    "--secrets",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE.json",
    help="With --to mqtt[s]://: user, password and certificates.",
)
@click.option(
    "--speed",
    "speed_or_pace",
    type=float,
    metavar="N",
    help="With --to: N times as fast as recorded. Otherwise the riders' speed in km/h.",
)
@click.option(
    "--fps", type=click.IntRange(1, 100), default=10, show_default=True, help="Frames a second in the advice."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be written and sent.")
@site_options(speed_flags=("--cruise",))
def command(
    trace: Path,
    advice_file: Path | None,
    url: str | None,
    secrets: Path | None,
    speed_or_pace: float | None,
    fps: int,
    dry_run: bool,
    site_options: SiteOptions,
) -> None:
    """Run a recording through the firmware's core, or send it to a unit.

    With --advice FILE, writes one line of JSON a frame, as fast as this machine can; "-" is the standard output, and a
    name that ends in .gz is packed. With --to URL, sends the recorded messages as they came;
    mqtts:// always checks the broker's certificate (the authority of --secrets, or ?ca=FILE).
    """
    if advice_file is None and url is None:
        raise InputError("Nothing to do: give --advice FILE (what riders are told) or --to URL (send the messages).")
    if secrets is not None and url is None:
        raise InputError("--secrets is for --to: give the broker to send to, or leave it out.")
    known = read_secrets(secrets)
    if advice_file is not None:
        if url is None and speed_or_pace is not None:
            if site_options.speed is not None:
                raise InputError("--speed and --cruise both give the riders' speed; give one of them.")
            site_options = dataclasses.replace(site_options, speed=speed_or_pace)
        if dry_run:
            site_from_options(site_options, recording_header(trace))
            kept = f", and what was learned to {site_options.memory}" if site_options.memory else ""
            click.echo(f"Would write the advice of {trace} to {advice_file}{kept}.")
        else:
            _write_advice(trace, advice_file, fps, site_options)
    if url is not None and dry_run:
        click.echo(f"Would send the messages of {trace} to {url}.")
    elif url is not None:
        _send(trace, url, known, 1.0 if speed_or_pace is None else speed_or_pace)


def _write_advice(trace: Path, advice_file: Path, fps: int, options: SiteOptions) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with TraceReader(trace, on_problem=lambda problem: _warn(console, trace, problem)) as reader:
        site = site_from_options(options, recording_header(trace))
        engine = Engine(site, build_decoder(site))
        memory = read_memory(options.memory)
        if memory is not None:
            engine.load_memory(memory)
        seen: dict[str, int] = {}
        with open_atomic(advice_file) as out:
            for at_ms, advice in replay_frames(reader, engine, fps):
                seen[advice.kind] = seen.get(advice.kind, 0) + 1
                out.write(json.dumps(advice_record(at_ms, advice), separators=(",", ":")) + "\n")
            frames = sum(seen.values())
            if not frames:
                raise InputError(f"{trace}: holds no message that could be read")
            if not engine.counters.get("accepted"):
                raise InputError(_nothing_accepted(trace, engine, site.intersection_id, site.signal_group))
        shares = ", ".join(f"{kind} {count / frames:.1%}" for kind, count in sorted(seen.items()))
        console.print(f"{reader.message_count} messages, {frames} frames: {shares}")
        write_memory(options.memory, engine.memory())
        for word, count in sorted(engine.counters.items()):
            if word != "accepted":
                console.print(f"  not news: {count} × {word}" + (f" ({engine.fault})" if word in engine.fault else ""))


def _nothing_accepted(trace: Path, engine: Engine, intersection: int, signal_group: int) -> str:
    words = ", ".join(f"{count} × {word}" for word, count in engine.counters.items())
    return (
        f"{trace}: no message about signal group {signal_group} of intersection {intersection} could be used "
        f"({words}). See what the recording holds with `leezenflow decode`."
    )


def _warn(console: Console, trace: Path, problem: Any) -> None:
    console.print(f"{trace}, line {problem.line}: {problem.text}", style="yellow")


def _send(trace: Path, url: str, secrets: dict[str, Any], speed: float) -> None:
    if not 0 < speed <= 1000:
        raise InputError(f"--speed is {speed:g}: give a pace above 0 and up to 1000")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with (
        TraceReader(trace, on_problem=lambda problem: _warn(console, trace, problem)) as reader,
        open_feed(url, secrets) as feed,
    ):
        for message in pace(reader, speed):
            feed.send(message.payload, message.topic)
        if not reader.message_count:
            raise InputError(f"{trace}: holds no message that could be read")
        console.print(f"{reader.message_count} messages sent to {url}")
