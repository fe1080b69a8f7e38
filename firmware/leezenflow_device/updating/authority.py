# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose word counts: root keys (brought over USB only) sign the list of release keys, and those sign manifests."""

import binascii
import hashlib
import json

from leezenflow.errors import LeezenflowError
from leezenflow_device.configuration import read_json
from leezenflow_device.updating import rsa

ROOT_FILE = "/root_keys.json"
ROOT_FORMAT = 1
KEYS_FORMAT = 1
# Each costs half a second on an RP2040 when a signature is none of theirs.
MOST_KEYS = 4


def read_roots():
    """Return the moduli of the root keys on this unit; LeezenflowError if there are none."""
    roots = read_json(ROOT_FILE, {})
    moduli = _read_moduli(roots.get("roots")) if roots.get("leezenflow_root_keys") == ROOT_FORMAT else None
    if not moduli:
        raise LeezenflowError(
            "%s: no root keys are on this unit, so it takes no updates; bring them by "
            "`leezenflow install --root-keys` over USB" % ROOT_FILE
        )
    return moduli


def read_keys(text, least_version):
    """Return version and moduli of the release keys in `text` (bytes, signed by a root).

    LeezenflowError for nonsense, and for a list older than `least_version`: a release key that was withdrawn stays so.
    """
    moduli = version = None
    try:
        values = json.loads(text)
        version = values["version"]
        if values["leezenflow_keys"] == KEYS_FORMAT:
            moduli = _read_moduli(values["release_keys"])
    except (ValueError, KeyError, TypeError):
        pass
    if not moduli or not isinstance(version, int) or version < 1:
        raise LeezenflowError("keys.json is signed, but it is not a list of release keys")
    if version < least_version:
        raise LeezenflowError(
            "keys.json has version %d, this unit knows %d: sign the release with the keys of today"
            % (version, least_version)
        )
    return version, moduli


def check_signature(text, signature, moduli):
    """Yield None after each piece of work, at the end whether one of the keys signed exactly the bytes `text`."""
    digest = hashlib.sha256(text).digest()
    for modulus in moduli:
        for verdict in rsa.steps(modulus, signature, digest):
            if verdict:
                yield True
                return
            yield None
    yield False


def _read_moduli(entries):
    """Return the moduli of a list of keys; None if it is not one."""
    if not isinstance(entries, list) or len(entries) > MOST_KEYS:
        return None
    moduli = []
    for entry in entries:
        try:
            moduli.append(binascii.a2b_base64(entry["n"]))
        except (ValueError, KeyError, TypeError):
            return None
        if len(moduli[-1]) != rsa.KEY_BYTES:
            return None
    return moduli
