# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow capture`: records the messages of a signal feed, for an hour or for years."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import rich_click as click
from rich.console import Console

from leezenflow_host.capture.arrivals import SourceLostError
from leezenflow_host.capture.handing_on import Relay
from leezenflow_host.capture.output import Output
from leezenflow_host.capture.recorder import Recorder, Summary
from leezenflow_host.capture.sources import make_source, public_name, read_secrets
from leezenflow_host.capture.status import Status, format_bytes, left_out
from leezenflow_host.capture.systemd_unit import make_unit
from leezenflow_host.drivers import driver_names
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.feeding import parse_target
from leezenflow_host.problems import did_you_mean
from leezenflow_host.trace import TraceHeader


@click.command()
@click.argument("url", metavar="URL")
@click.option(
    "--out", required=True, metavar="FILE", help="The recording: .jsonl, .jsonl.gz or .jsonl.zst; goes on if it exists."
)
@click.option(
    "--rotate",
    type=click.Choice(["hour", "day"]),
    help="A new file each hour or day (UTC); FILE may be a pattern such as spat-%Y%m%dT%H.jsonl.zst.",
)
@click.option(
    "--for", "seconds", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="End after this."
)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after so many recorded messages.")
@click.option(
    "--max-mb",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MB",
    help="Disk budget: with --rotate the oldest files are deleted, otherwise the recording ends.",
)
@click.option("--adapter", metavar="NAME", help="The wire format, where the first message does not show it.")
@click.option(
    "--to",
    metavar="URL",
    help="Hand each recorded message on, too: mqtt[s]://broker[/topic], udp://host:port or serial:///dev/ttyUSB0.",
)
@click.option("--note", default="", metavar="TEXT", help="Remarks for the header: where, what for.")
@click.option(
    "--secrets",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help='Passwords: {"mqtt": {"password": "..."}}, {"udap": {"token": "..."}}.',
)
@click.option("--dry-run", is_flag=True, help="Only check what is given; records nothing.")
@click.option("--systemd-unit", is_flag=True, help="Print a systemd service that does this for years, and end.")
def command(
    url: str,
    out: str,
    rotate: str | None,
    seconds: float | None,
    count: int | None,
    max_mb: float | None,
    adapter: str | None,
    to: str | None,
    note: str,
    secrets: Path | None,
    dry_run: bool,
    systemd_unit: bool,
) -> None:
    """Record the messages that come from URL, each with the time of its arrival, until Ctrl-C.

    URL is mqtt://[user@]broker[:port]/topic (wildcards + and #), udp://0.0.0.0:port or a multicast group,
    tcp://host:port[?framing=udap|rsmp|lines|hex|cobs], rsmp://0.0.0.0[:12111][?groups=3,12] (controllers connect to
    us), sensorthings://server?streams=81694,81700 or serial:///dev/ttyUSB0[?baud=N&framing=cobs|lines|hex].

    The file can be read at every moment, also after a power cut. Retained MQTT messages are left out, they are old;
    so are CAMs and whatever else vehicles and people send about themselves. A source that goes away is looked for
    again for ever.
    """
    if adapter is not None and adapter not in driver_names("adapter"):
        raise InputError(
            f"--adapter {adapter}: there is no such adapter{did_you_mean(adapter, driver_names('adapter'))}"
        )
    console = Console(stderr=True, highlight=False)
    known = read_secrets(secrets)
    source = make_source(url, known)
    if to is not None:
        parse_target(to)
    if systemd_unit:
        if seconds is not None or count is not None:
            raise InputError("--systemd-unit is for a recording without end; leave --for and --count out.")
        Output(out, TraceHeader(), rotate)  # a name that would not do is told now
        click.echo(make_unit(url, out, rotate, max_mb, adapter, note, secrets, to=to), nl=False)
        return
    if dry_run:
        handed_on = f", and hand it on to {public_name(to)}" if to is not None else ""
        click.echo(f"Would record {public_name(url)} into {out}{handed_on}.")
        return
    stop = threading.Event()
    with Status(console) as status, _stopping(stop):
        header = TraceHeader(adapter, public_name(url), note)
        output = Output(out, header, rotate, round(max_mb * 1e6) if max_mb is not None else None, status.say)
        relay = Relay(to, known, status.say) if to is not None else None
        try:
            if relay is not None:
                relay.start()
            summary = Recorder(
                source, output, status, stop, count, seconds, hand_on=relay.offer if relay is not None else None
            ).run()
        except SourceLostError as error:
            raise LeezenflowError(f"{error}. Check the URL, the cable or network, and that the sender runs.") from error
        finally:
            if relay is not None:
                relay.close()
    _report(console, summary, output, relay)
    if not summary.messages and not stop.is_set():
        raise LeezenflowError(f"no message was recorded. {source.hint}")


def _report(console: Console, summary: Summary, output: Output, relay: Relay | None) -> None:
    lines = [f"Ended: {summary.ended}."]
    if summary.messages:
        files = f"{output.path}" if output.file_count == 1 else f"{output.file_count} files, the last one {output.path}"
        lines.append(f"{summary.messages} messages ({format_bytes(summary.payload_bytes)}) recorded into {files}.")
    else:
        lines.append("No message was recorded.")
    if summary.left_out:
        lines.append(f"Left out: {left_out(summary)}.")
    if relay is not None:
        missed = f"; {relay.missed} were too old by the time they could be" if relay.missed else ""
        lines.append(f"{relay.sent} messages handed on{missed}.")
    if summary.losses:
        lines.append(f"The source went away {summary.losses} ×.")
    console.print("\n".join(lines), markup=False, soft_wrap=True)


@contextlib.contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the recording in order; a second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask_to_end(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, ask_to_end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
