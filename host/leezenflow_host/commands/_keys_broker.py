# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow keys broker`: a ready mosquitto for a fleet, and the secrets of its units."""

import datetime
from pathlib import Path
from typing import Literal

import rich_click as click

from leezenflow_host.mosquitto_setup import BrokerPlan, is_secret, set_up_broker
from leezenflow_host.secrets_file import read_secrets


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder of this broker.")
@click.option(
    "--host", "hosts", multiple=True, metavar="NAME", help="Name or IP address of the broker; the first counts."
)
@click.option("--unit", "units", multiple=True, metavar="NAME", help="A new unit.")
@click.option("--topic", "topics", multiple=True, metavar="TOPIC", help="What new units read and new feeders write.")
@click.option("--operator", "operators", multiple=True, metavar="NAME", help="Somebody who commands units.")
@click.option("--feeder", "feeders", multiple=True, metavar="NAME", help="Who brings the signal messages.")
@click.option(
    "--observer", "observers", multiple=True, metavar="NAME", help="Who only watches, as Home Assistant does."
)
@click.option("--revoke", multiple=True, metavar="NAME", help="Let a unit or person in no more.")
@click.option("--auth", type=click.Choice(["password", "certificate"]), help="How all identify [default: password].")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the broker [default: 8883].")
@click.option("--bind", metavar="ADDRESS", help="The only address it listens on [default: all].")
@click.option("--prefix", metavar="TOPIC", help="Above the units' own topics [default: leezenflow].")
@click.option(
    "--discovery", metavar="TOPIC", help="Let operators announce units below it, to Home Assistant [default: nobody]."
)
@click.option("--broker-dir", metavar="DIR", help="Where DIR/broker will lie on the broker [default: where it is].")
@click.option("--renew-server", is_flag=True, help="Make a new certificate for the broker.")
@click.option("--secrets", type=click.Path(path_type=Path), metavar="FILE.json", help="What every new unit gets too.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
def command(
    out: Path,
    hosts: tuple[str, ...],
    units: tuple[str, ...],
    topics: tuple[str, ...],
    operators: tuple[str, ...],
    feeders: tuple[str, ...],
    observers: tuple[str, ...],
    revoke: tuple[str, ...],
    auth: Literal["password", "certificate"] | None,
    port: int | None,
    bind: str | None,
    prefix: str | None,
    discovery: str | None,
    broker_dir: str | None,
    renew_server: bool,
    secrets: Path | None,
    dry_run: bool,
) -> None:
    """Make the configuration of a mosquitto with TLS, and add or revoke those who may connect.

    DIR/broker goes to the broker, DIR/units/NAME.json is what `install --secrets` takes, DIR/authority stays at home.
    """
    shared = read_secrets(secrets) if secrets is not None else {}
    plan = BrokerPlan(
        *(hosts, units, topics, operators, feeders, revoke, auth, port, bind, prefix, broker_dir, renew_server, shared),
        observers=observers,
        discovery=discovery,
    )
    made = set_up_broker(plan, out, datetime.datetime.now(datetime.UTC))
    if dry_run:
        for path in sorted(made.files):
            click.echo(f"{out / path}{' (secret)' if is_secret(path) else ''}")
        click.echo(f"Would write up to {len(made.files)} files.")
        return
    made.write_to(out)
    for name, source in made.sources.items():
        click.echo(f'{name}: source = "{source}", secrets: {out / "units" / name}.json')
    for name in revoke:
        click.echo(f"{name} is revoked.")
    click.echo(f"Wrote {out}. Copy {out / 'broker'} to the broker and restart it there; keep a copy of all of it.")
