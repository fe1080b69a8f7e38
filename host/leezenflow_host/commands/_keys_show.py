# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow keys show`: what a folder of keys holds, without any password."""

from pathlib import Path

import rich_click as click

from leezenflow_host.signing import KeyFolder


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
def command(folder: Path) -> None:
    """Say which roots units trust, which release keys count, and which secret keys lie in this folder.

    Ends with an error when the list is not signed by one of the roots.
    """
    keys = KeyFolder(folder)
    for number, root in enumerate(keys.roots, 1):
        click.echo(f"root {number}       {root.key_id}")
    for key in keys.keys.keys:
        click.echo(f"release key  {key.key_id}")
    click.echo(f"keys.json    version {keys.keys.version}, signed by a root")
    for file in sorted(folder.glob("*.pem")):
        secret = b"ENCRYPTED" in file.read_bytes()
        click.echo(f"secret key   {file.name}, {'protected by a password' if secret else 'without a password'}")
