# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow keys rotate`: another release key."""

from pathlib import Path

import rich_click as click

from leezenflow_host.commands._key_password import ask_new_password
from leezenflow_host.signing import KeyFolder


@click.command()
@click.option(
    "--keys", "folder", required=True, type=click.Path(path_type=Path), metavar="DIR", help="The keys so far."
)
@click.option(
    "--root", type=click.Path(path_type=Path), metavar="FILE.pem", help="A root key [default: DIR/root-*.pem]."
)
@click.option("--keep", is_flag=True, help="The release keys so far count, too.")
@click.option("--password", "protect", is_flag=True, help="Protect the new key by a password, which is asked for.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
def command(folder: Path, root: Path | None, keep: bool, protect: bool, dry_run: bool) -> None:
    """Make a new release key and a list that names it, signed by a root; the keys before it no longer count.

    A unit learns of it from the next release that you send, and from then on takes nothing that older keys signed.
    """
    keys = KeyFolder(folder)
    new = keys.rotate(root, keep=keep, password=ask_new_password() if protect and not dry_run else None)
    names = ", ".join(sorted(new.files))
    if dry_run:
        click.echo(f"Would write {names} to {folder}: version {keys.keys.version + 1} of the list.")
        return
    new.write()
    click.echo(f"Wrote {names} to {folder}: version {keys.keys.version + 1} of the list.")
    if not keep:
        dropped = ", ".join(key.key_id for key in keys.keys.keys)
        click.echo(f"No longer counts: {dropped}. Send a release signed by the new key, so that units learn of it.")
