# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow announce`: units in Home Assistant, by MQTT discovery."""

import json
from pathlib import Path

import rich_click as click

from leezenflow.errors import LeezenflowError
from leezenflow.source_url import parse_source, typed_options
from leezenflow_host.board_config import read_board
from leezenflow_host.errors import InputError
from leezenflow_host.home_assistant.announcement import DEFAULT_PREFIX, announce
from leezenflow_host.home_assistant.publishing import publish_retained
from leezenflow_host.mqtt_client import PORTS, TLS_OPTIONS, Broker, find_broker
from leezenflow_host.secrets_file import read_secrets
from leezenflow_host.site_config import read_site

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("sites", nargs=-1, required=True, type=_FILE, metavar="SITE.toml...")
@click.option("--mqtt", "url", metavar="URL", help="The broker of the units, such as mqtts://broker.example.")
@click.option("--secrets", type=_FILE, metavar="FILE.json", help="An operator's user, password and certificates.")
@click.option("--board", metavar="NAME|FILE.toml", help="Announce just the sensors that this board has.")
@click.option(
    "--prefix", default=DEFAULT_PREFIX, show_default=True, metavar="TOPIC", help="What Home Assistant looks below."
)
@click.option("--remove", is_flag=True, help="Take the units out of Home Assistant again.")
@click.option("--dry-run", is_flag=True, help="Only print what would be published, as json.")
def command(
    sites: tuple[Path, ...],
    url: str | None,
    secrets: Path | None,
    board: str | None,
    prefix: str,
    remove: bool,
    dry_run: bool,
) -> None:
    """Show units in Home Assistant: their advice, health and sensors, under the name of each site.

    One retained message a unit is published for Home Assistant to find; the units themselves change nothing. Call it
    again after a change of names, topics or sensors.
    """
    if not prefix.strip("/") or any(character in prefix for character in "+#\0"):
        raise InputError(f"--prefix {prefix!r} is no topic; give the one of Home Assistant's MQTT settings.")
    announced = announce([read_site(file) for file in sites], None if board is None else read_board(board))
    messages = {one.topic(prefix): None if remove else one.message for one in announced}
    if dry_run:
        click.echo(json.dumps(messages, indent=2, ensure_ascii=False))
        return
    if url is None:
        raise InputError("Which broker? Give --mqtt URL, such as mqtts://broker.example?ca=./ca.pem (or --dry-run).")
    broker = _find_broker(url, secrets)
    encoded = {
        topic: b"" if message is None else json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        for topic, message in messages.items()
    }
    publish_retained(broker, encoded)
    for one in announced:
        click.echo(f"{one.name}: {'taken out of' if remove else 'in'} Home Assistant as {one.id}")


def _find_broker(url: str, secrets: Path | None) -> Broker:
    try:
        source = parse_source(url)
        if source.scheme not in PORTS or source.path:
            raise InputError(f"{url}: give the broker alone, such as mqtt://broker or mqtts://broker:8883")
        options = typed_options(TLS_OPTIONS if source.scheme == "mqtts" else {}, source.options, source.scheme)
        return find_broker(source, options, {} if secrets is None else read_secrets(secrets))
    except LeezenflowError as error:
        raise InputError(f"--mqtt: {error}") from error
