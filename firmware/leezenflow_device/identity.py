# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which unit this is and what it runs: chip, slot, release, configuration."""

import binascii
import hashlib
import sys

from leezenflow import __version__

_CONFIGURATION = ("/board.json", "/site.json")
_PIECE_BYTES = 512


def describe(unit_name):
    """Return the identity as a dict; what cannot be told is None."""
    return {
        "version": __version__,
        "unit": unit_name,
        "board": _text_value("/board.json", b'"name":'),
        "slot": slot_name(),
        "release": release_number(),
        "chip_id": chip_id(),
        "config_hash": config_hash(),
    }


def chip_id():
    """Return the chip's unique number as hexadecimal digits."""
    import machine

    return binascii.hexlify(machine.unique_id()).decode() if hasattr(machine, "unique_id") else None


def slot_name():
    """Return "a" or "b": whose modules run; the loader leaves nothing else on the path."""
    return sys.path[0][1:] if sys.path and sys.path[0] in ("/a", "/b") else None


def release_number():
    """Return the number of the release that runs, None where its manifest has none (installed, never released)."""
    slot = slot_name()
    digits = _value("/%s/manifest.json" % slot, b'"release":') if slot else b""
    return int(digits) if digits.isdigit() else None


def config_hash():
    """Return the first 16 hexadecimal digits of SHA-256 over /board.json and /site.json, one after the other."""
    return _hash_files(_CONFIGURATION)


def manifest_hash():
    """Return the first 16 hexadecimal digits of SHA-256 over the manifest of the release that runs."""
    return _hash_files(("/%s/manifest.json" % slot_name(),))


def _hash_files(paths):
    whole = hashlib.sha256()
    for path in paths:
        try:
            with open(path, "rb") as file:
                while True:
                    piece = file.read(_PIECE_BYTES)
                    if not piece:
                        break
                    whole.update(piece)
        except OSError:
            pass
    return binascii.hexlify(whole.digest())[:16].decode()


def _text_value(path, key):
    """Return the text that follows `key`, None without."""
    value = _value(path, key)
    return value[1:-1].decode() if len(value) > 2 and value[:1] == b'"' else None


def _value(path, key):
    """Return what follows the first `key` near the beginning of a json file, up to the next comma.

    The whole of a manifest would take some 15 kB to parse; what is asked for here stands at its head.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(_PIECE_BYTES)
    except OSError:
        return b""
    at = head.find(key)
    if at < 0:
        return b""
    end = at + len(key)
    while end < len(head) and head[end] not in b",}\n":
        end += 1
    return head[at + len(key) : end].strip()
