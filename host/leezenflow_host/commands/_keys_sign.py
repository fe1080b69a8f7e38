# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow keys sign`: a signature beside a file."""

from pathlib import Path

import rich_click as click

from leezenflow_host.errors import InputError
from leezenflow_host.release.packed_file import write_whole
from leezenflow_host.signing import load_key


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--key", "key_file", required=True, type=click.Path(path_type=Path), metavar="FILE.pem", help="The key.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.sig", help="[default: FILE.sig]")
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
def command(file: Path, key_file: Path, out: Path | None, dry_run: bool) -> None:
    """Sign the exact bytes of a file, such as keys.json by a root key that is kept elsewhere.

    The signature is 384 plain bytes (RSA-3072, PKCS#1 v1.5, SHA-256); openssl dgst -sha256 -verify checks it, too.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}).") from None
    key = load_key(key_file)
    out = out or file.with_name(f"{file.name}.sig")
    if not dry_run:
        write_whole(out, key.sign(content))
    click.echo(f"{'Would write' if dry_run else 'Wrote'} {out}: signed by the key {key.key_id}.")
