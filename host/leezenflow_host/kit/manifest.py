# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""kit.json: what a kit holds, with the hash of every file and of itself."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from leezenflow_host.errors import InputError

KIT_FORMAT = 1
MANIFEST = "kit.json"
MAX_MANIFEST_BYTES = 1 << 20
_AGAIN = "Copy the kit once more, or build it again."
# No names that mean something to a file system: a kit is opened on any laptop.
_SAFE_NAME = re.compile(r"(?!\.)[\w .+()-]{1,120}(?<![ .])")


def sha256(content: bytes) -> str:
    """Return the SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def encode_manifest(facts: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Return kit.json for `files` (kit path: content); `facts` says what they are."""
    listed = [[name, len(files[name]), sha256(files[name])] for name in sorted(files)]
    return _sealed({"leezenflow_kit": KIT_FORMAT, **facts, "files": listed})


def decode_manifest(content: bytes, name: str) -> dict[str, Any]:
    """Return what kit.json says; InputError for one that was changed or is of another version. `name` is the kit's."""
    try:
        values = json.loads(content)
    except ValueError:
        values = None
    if not isinstance(values, dict) or "leezenflow_kit" not in values:
        raise InputError(f"{name}: {MANIFEST} is damaged, or this is no kit. {_AGAIN}")
    if values["leezenflow_kit"] != KIT_FORMAT:
        raise InputError(
            f"{name} is a kit of format {values['leezenflow_kit']!r}; this Leezenflow reads {KIT_FORMAT}. "
            "Use the Leezenflow that built it, or build it again."
        )
    values.pop("seal", None)
    if _sealed(values) != content:
        raise InputError(f"{name}: {MANIFEST} is damaged. {_AGAIN}")
    for path, _, _ in values["files"]:
        if not is_safe(path):
            raise InputError(f"{name}: {MANIFEST} names {path!r}, which does not belong into a kit. {_AGAIN}")
    return values


def is_safe(path: str) -> bool:
    """Tell whether a path stays inside a kit and is possible on every laptop."""
    return all(_SAFE_NAME.fullmatch(part) for part in path.split("/"))


def damage(name: str, path: str, what: str) -> InputError:
    """Return the error for one file of the kit called `name`."""
    return InputError(f"{name}: {path} {what}. {_AGAIN}")


def _sealed(values: Mapping[str, Any]) -> bytes:
    """Return the exact text: one entry a line, the seal last, so that a change of any byte shows."""
    body = {key: value for key, value in values.items() if key != "seal"}
    lines = json.dumps(body, ensure_ascii=False, indent=1)
    seal = sha256(lines.encode())
    return (lines[:-2] + f',\n "seal": "{seal}"\n}}\n').encode()
