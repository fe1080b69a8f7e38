# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow update sign`: the city's word for an update file."""

from pathlib import Path

import rich_click as click

from leezenflow_host.release import open_release, pack_release, sign_release, write_whole
from leezenflow_host.signing import KeyFolder, load_key


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.lzf")
@click.option(
    "--key", "key_file", required=True, type=click.Path(path_type=Path), metavar="FILE.pem", help="Release key."
)
@click.option(
    "--keys",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where root_keys.json, keys.json and its signature are [default: beside the key].",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.lzf", help="[default: the same file]")
@click.option("--dry-run", is_flag=True, help="Only check keys and file.")
def command(file: Path, key_file: Path, folder: Path | None, out: Path | None, dry_run: bool) -> None:
    """Sign an update file with a release key, and put the list of keys into it that vouches for this key."""
    release = open_release(file, unsigned=True)
    keys = KeyFolder(folder or key_file.parent)
    key = load_key(key_file)
    keys.require_listed(key, key_file)
    signed = sign_release(release, key, keys)
    out = out or file
    if not dry_run:
        write_whole(out, pack_release(signed))
    click.echo(
        f"{'Would sign' if dry_run else 'Signed'} {out}: release {signed.number} for {signed.board}, by the key "
        f"{key.key_id} (keys.json version {keys.keys.version})."
    )
