# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Update files (.lzf): a zip archive with manifest.json, manifest.sig, keys.json, keys.sig and files/."""

import hashlib
import io
import json
import os
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from leezenflow_host.errors import InputError
from leezenflow_host.image import MANIFEST, MANIFEST_FORMAT, PRODUCT
from leezenflow_host.release.release import Release
from leezenflow_host.signing import is_signed, read_key_list

_SIGNATURE, _KEYS, _KEYS_SIGNATURE, _FILES = "manifest.sig", "keys.json", "keys.sig", "files/"
# The earliest that zip knows: an archive has nothing of the day on which it was made.
_DATE = (1980, 1, 1, 0, 0, 0)
# What units refuse, too (leezenflow_device.updating.manifest).
_MANIFEST_BYTES = 16_384
_MOST_BYTES = 4_000_000
_PATH = re.compile(
    r"(?!.*(?:\.part|\.new)$)(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*(?<!\.)/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*(?<!\.)"
)


def pack_release(release: Release) -> bytes:
    """Return the content of an update file; the same release gives the same bytes."""
    parts = {MANIFEST: release.manifest_text.encode()}
    if release.is_signed:
        parts[_SIGNATURE] = release.signature
        parts[_KEYS] = release.keys_text.encode()
        parts[_KEYS_SIGNATURE] = release.keys_signature
    parts |= {f"{_FILES}{path}": release.files[path] for path in sorted(release.files)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            # Stored: how well zlib packs differs between machines.
            archive.writestr(entry, content, zipfile.ZIP_STORED)
    return packed.getvalue()


def open_release(path: Path, *, unsigned: bool = False) -> Release:
    """Read an update file and check that it is whole; InputError says what is wrong with it.

    Signed ones must be signed by a release key in their own list. Whether a root of some unit signed that list is for
    the unit to say. With `unsigned` a file without signature is taken, too.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = _read_parts(archive, path)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; `leezenflow update build` makes it.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise InputError(f"{path}: damaged, or not an update file; build it again.") from None
    text = parts.pop(MANIFEST, b"")
    files = {name.removeprefix(_FILES): content for name, content in parts.items() if name.startswith(_FILES)}
    _check_manifest(path, text, files)
    others = {name: content for name, content in parts.items() if not name.startswith(_FILES)}
    if not others:
        if not unsigned:
            raise InputError(f"{path}: not signed, no unit takes it; sign it with `leezenflow update sign`.")
        return Release(text.decode(), b"", "", b"", files)
    if set(others) != {_SIGNATURE, _KEYS, _KEYS_SIGNATURE}:
        raise InputError(f"{path}: holds {', '.join(sorted(others))} beside its files; sign it again.")
    keys = read_key_list(others[_KEYS], f"{path}: {_KEYS}")
    if not is_signed(text, others[_SIGNATURE], [key.modulus for key in keys.keys]):
        raise InputError(f"{path}: the manifest is not signed by a key of its {_KEYS}; it was changed. Sign it again.")
    return Release(text.decode(), others[_SIGNATURE], others[_KEYS].decode(), others[_KEYS_SIGNATURE], files)


def _read_parts(archive: zipfile.ZipFile, path: Path) -> dict[str, bytes]:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names) or sum(entry.file_size for entry in entries) > _MOST_BYTES:
        raise InputError(f"{path}: not an update file: names twice, or more than {_MOST_BYTES // 1_000_000} MB.")
    return {entry.filename: archive.read(entry) for entry in entries}


def _check_manifest(path: Path, text: bytes, files: dict[str, bytes]) -> None:
    try:
        manifest: Any = json.loads(text)
        listed = {name: (size, digest) for name, size, digest in manifest["files"]}
        numbers = isinstance(manifest["release"], int) and isinstance(manifest["board"], str)
        ours = manifest["leezenflow_release"] == MANIFEST_FORMAT and manifest["product"] == PRODUCT and numbers
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InputError(f"{path}: damaged, or not an update file; build it again.") from None
    if not ours or not isinstance(manifest.get("version"), str):
        raise InputError(f"{path}: its manifest is none of {PRODUCT}, format {MANIFEST_FORMAT}.")
    if len(text) > _MANIFEST_BYTES:
        raise InputError(f"{path}: the manifest has {len(text)} bytes, units take {_MANIFEST_BYTES}; name the sites.")
    for name in listed:
        if not isinstance(name, str) or not _PATH.fullmatch(name) or name == MANIFEST:
            raise InputError(f"{path}: the manifest names {name!r}, which no unit takes as a path.")
    for name in sorted(set(listed) ^ set(files)):
        raise InputError(f"{path}: {name} is {'missing' if name in listed else 'not in the manifest'}; build it again.")
    for name, content in files.items():
        if (len(content), hashlib.sha256(content).hexdigest()) != listed[name]:
            raise InputError(f"{path}: {name} is damaged; build it again.")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all; OSError names `path`."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        part.unlink(missing_ok=True)
