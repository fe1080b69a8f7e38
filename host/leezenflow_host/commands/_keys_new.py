# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow keys new`: a city's first keys."""

from pathlib import Path

import rich_click as click

from leezenflow_host.commands._key_password import ask_new_password
from leezenflow_host.signing import make_keys

_CUSTODY = """\
What now:
  root-1.pem, root-2.pem   Give them to two people who do not share a safe, on media of their own, and delete them
                           here. Either can name new release keys. Without both, units take updates over USB only.
  release-1.pem            Stays where releases are signed, and nowhere else. Lost or stolen: leezenflow keys rotate.
  root_keys.json           Public. Bring it to every unit: leezenflow install --root-keys {folder}/root_keys.json ...
  keys.json, keys.json.sig Public. They travel with every release: keep them beside release-1.pem.
No vendor has any of these, and nobody can restore them: make copies before the first unit is mounted."""


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new folder for the keys.")
@click.option("--password", "protect", is_flag=True, help="Protect the secret keys by a password, which is asked for.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
def command(out: Path, protect: bool, dry_run: bool) -> None:
    """Make two root keys, the first release key, and the public files about them.

    With --password the variable LEEZENFLOW_KEY_PASSWORD, or what you type, protects the three secret keys.
    """
    password = ask_new_password() if protect and not dry_run else None
    new = make_keys(out, password)
    if dry_run:
        for name in sorted(new.files):
            click.echo(f"{out / name}{' (secret)' if name in new.secret else ''}")
        click.echo(f"Would write {len(new.files)} files.")
        return
    new.write()
    click.echo(f"Wrote {len(new.files)} files to {out}.")
    if not protect:
        click.echo("The secret keys have no password: whoever can read a file has the key.")
    click.echo(_CUSTODY.format(folder=out))
