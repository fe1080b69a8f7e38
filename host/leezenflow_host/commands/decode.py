# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow decode`: what a message, a recording or a packet capture says, for people or for programs."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import rich_click as click
from rich.console import Console

from leezenflow.errors import SignalError
from leezenflow_host.decoding import tree
from leezenflow_host.decoding.detect import PayloadDecoder, decoder_names, find_decoder
from leezenflow_host.decoding.normal_form import Message
from leezenflow_host.decoding.payloads import Payload, read_file, read_stream
from leezenflow_host.errors import InputError


@click.command(epilog=f"Wire formats: {', '.join(decoder_names())}.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path), default="-")
@click.option("--adapter", metavar="NAME", help="The wire format, where it should not be found out.")
@click.option("--json", "as_json", is_flag=True, help="One line a message, every field, numbers as on the wire.")
@click.pass_context
def command(context: click.Context, file: Path, adapter: str | None, as_json: bool) -> int:
    """Decode FILE, or what comes in on "-": hexadecimal (a message a line), base64, binary, XML, JSON, recordings,
    pcap and pcapng.

    A message that cannot be read is shown with the reason, and the rest is decoded all the same; the exit code is then
    1.
    """
    if adapter is not None:
        find_decoder(adapter)
    if str(file) == "-" and sys.stdin.isatty():
        click.echo("Paste a message, then press Ctrl-D (Ctrl-Z and Enter on Windows).", err=True)
    payloads = read_stream(sys.stdin.buffer) if str(file) == "-" else read_file(file)
    # A file or pipe gets each line whole.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    count = failed = 0
    for where, result in decode_all(payloads, adapter):
        count += 1
        error = isinstance(result, SignalError)
        failed += error
        if as_json:
            line = {"error": f"{where}: {result}"} if error else result
            click.echo(json.dumps(line, sort_keys=True, separators=(",", ":")))
        else:
            console.print(tree.error_tree(str(result), where) if error else tree.message_tree(result, where))
    if not count:
        name = "the standard input" if str(file) == "-" else str(file)
        raise InputError(f"{name}: there is no message in it. Give a file with at least one.")
    if failed:
        click.echo(f"{failed} of {count} messages could not be read.", err=True)
    return 1 if failed else 0


def decode_all(payloads: Iterator[Payload], adapter: str | None) -> Iterator[tuple[str, Message | SignalError]]:
    """Each message of the payloads with where it stood; SignalError in place of one that cannot be read."""
    decoder = PayloadDecoder(adapter)
    where = "the end"
    for payload in payloads:
        where = payload.where
        if payload.error is not None:
            yield where, SignalError("malformed", payload.error)
            continue
        results = list(decoder.decode(payload.data, known(payload.adapter)))
        for number, result in enumerate(results, 1):
            yield where if len(results) == 1 else f"{where}, message {number}", result
    for error in decoder.close():
        yield where, error


def known(adapter: str | None) -> str | None:
    """The adapter a recording names, if messages of it can be decoded in full."""
    return adapter if adapter in decoder_names() else None
