# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two public files: root_keys.json, which lies on every unit, and keys.json, which a root has signed.

docs/reference/update-format.md describes both.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leezenflow_host.errors import InputError
from leezenflow_host.signing.signing_key import KEY_BYTES, key_id

ROOT_FORMAT = 1
KEYS_FORMAT = 1
# What units take (leezenflow_device.updating.authority.MOST_KEYS).
MOST_KEYS = 4


@dataclass(frozen=True)
class PublicKey:
    """The public half of a key; the exponent is 65537 for all."""

    modulus: bytes

    @property
    def key_id(self) -> str:
        """Eight hex digits."""
        return key_id(self.modulus)

    def entry(self) -> dict[str, str]:
        """The key as the files have it."""
        return {"id": self.key_id, "n": base64.b64encode(self.modulus).decode()}


@dataclass(frozen=True)
class KeyList:
    """keys.json: which release keys count. `version` only grows; units take no older list."""

    version: int
    keys: tuple[PublicKey, ...]

    def text(self) -> str:
        """The text that a root signs."""
        return _encode(
            {
                "leezenflow_keys": KEYS_FORMAT,
                "version": self.version,
                "release_keys": [key.entry() for key in self.keys],
            }
        )


def write_root_keys(roots: Sequence[PublicKey]) -> str:
    """Return the text of root_keys.json."""
    return _encode({"leezenflow_root_keys": ROOT_FORMAT, "roots": [root.entry() for root in roots]})


def read_root_keys(file: Path) -> tuple[bytes, tuple[PublicKey, ...]]:
    """Return content and keys of a root_keys.json; InputError for anything else."""
    content, values = _read(file)
    if values.get("leezenflow_root_keys") != ROOT_FORMAT:
        raise InputError(f"{file}: not a file of root keys; `leezenflow keys new` makes root_keys.json.")
    return content, _read_keys(values.get("roots"), str(file))


def read_key_list(text: bytes, name: str) -> KeyList:
    """Return what a keys.json says; InputError, beginning with `name`, for anything else."""
    values = _parse(text, name)
    version = values.get("version")
    if values.get("leezenflow_keys") != KEYS_FORMAT or not isinstance(version, int) or version < 1:
        raise InputError(f"{name}: not a list of release keys; `leezenflow keys new` makes keys.json.")
    return KeyList(version, _read_keys(values.get("release_keys"), name))


def _read(file: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file; `leezenflow keys new --out DIR` makes it.") from None
    except IsADirectoryError:
        raise InputError(f"{file} is a folder; name the file in it, such as root_keys.json.") from None
    return content, _parse(content, str(file))


def _parse(content: bytes, name: str) -> dict[str, Any]:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError(f"{name}: damaged, it is not a json object.")
    return values


def _read_keys(entries: object, name: str) -> tuple[PublicKey, ...]:
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_KEYS:
        raise InputError(f"{name}: must list 1 to {MOST_KEYS} keys.")
    keys = []
    for number, entry in enumerate(entries, 1):
        try:
            modulus = base64.b64decode(entry["n"], validate=True)
        except (KeyError, TypeError, binascii.Error):
            modulus = b""
        if len(modulus) != KEY_BYTES:
            raise InputError(f"{name}: key {number} is not the modulus of an RSA key of 3072 bits, in base64.")
        keys.append(PublicKey(modulus))
    return tuple(keys)


def _encode(values: dict[str, Any]) -> str:
    return json.dumps(values, separators=(",", ":"))
