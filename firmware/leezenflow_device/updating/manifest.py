# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release consists of, and whether it is for this unit. Its text was signed as it stands, byte for byte."""

import binascii
import hashlib
import json

from leezenflow.errors import LeezenflowError
from leezenflow_device.updating import boot_state

FORMAT = 1
PRODUCT = "leezenflow"
FILE = "manifest.json"
MAX_BYTES = 16_384
# Behind file names while something is not yet what it will be.
PART, NEW = ".part", ".new"

_MOST_FILES = 160
_MOST_PATH_CHARACTERS = 80
_MOST_FILE_BYTES = 262_144
_DIGEST_BYTES = 32
_MAIN = "leezenflow_device/main"
_SMALL_INT = 1 << 30


class Manifest:
    """A manifest whose `text` (bytes) is signed; LeezenflowError names what is wrong in it.

    `files` is a list of [path, size, SHA-256 in hex], `digest` the SHA-256 of the text in hex.
    """

    def __init__(self, text):
        self.text = text
        self.digest = hex_digest(hashlib.sha256(text))
        try:
            values = json.loads(text)
        except (ValueError, RuntimeError):  # RuntimeError: nested too deep
            values = None
        if not isinstance(values, dict) or values.get("leezenflow_release") != FORMAT:
            raise LeezenflowError("the manifest is none of format %d; build the update with this version" % FORMAT)
        if values.get("product") != PRODUCT:
            raise LeezenflowError("the manifest is of the product %r, this is %s" % (values.get("product"), PRODUCT))
        self.board = values.get("board")
        self.version = values.get("version")
        self.mpy = values.get("mpy")
        self.min_micropython = values.get("min_micropython")
        self.release = values.get("release")
        if not _is_count(self.release) or boot_state.read_release(text[: boot_state.HEAD_BYTES]) != self.release:
            raise LeezenflowError("the manifest has no release number where it belongs; build the update again")
        self.files = values.get("files")
        self._check_files()

    def check(self, board, floor, bad, micropython, mpy):
        """Refuse what is not for this unit: its board by name, least release, bad digests, interpreter and ABI."""
        if self.board != board:
            raise LeezenflowError("the update is for the board %s, this is %s" % (self.board, board))
        if self.release < floor:
            raise LeezenflowError(
                "the update is release %d, this unit takes %d or later: there is no way back but by USB"
                % (self.release, floor)
            )
        if self.digest in bad:
            raise LeezenflowError(
                "release %d has failed its trial on this unit; its reports are in /state/crash.txt" % self.release
            )
        wanted = self.min_micropython
        if not isinstance(wanted, list) or len(wanted) != 2 or not (_is_count(wanted[0]) and _is_count(wanted[1])):
            raise LeezenflowError("the manifest does not say which MicroPython it needs; build the update again")
        if tuple(micropython[:2]) < tuple(wanted):
            raise LeezenflowError(
                "the update needs MicroPython %d.%d, this unit has %d.%d: install a newer one over USB"
                % (wanted[0], wanted[1], micropython[0], micropython[1])
            )
        if self.mpy is not None and not _loads(mpy, self.mpy):
            raise LeezenflowError(
                "the update is compiled for another MicroPython (mpy %s, this unit has %s)" % (self.mpy, mpy)
            )

    def find(self, path):
        """Return [path, size, digest] of a file, None if it is none of this release."""
        for entry in self.files:
            if entry[0] == path:
                return entry
        return None

    def holds_module(self, path):
        """Say whether a module ("leezenflow_device/main") is in this release, as source or compiled."""
        return self.find(path + ".mpy") is not None or self.find(path + ".py") is not None

    def _check_files(self):
        files = self.files
        if not isinstance(files, list) or not 0 < len(files) <= _MOST_FILES:
            raise LeezenflowError("the manifest lists no files, or more than %d" % _MOST_FILES)
        paths = set()
        folders = set()
        for entry in files:
            if not isinstance(entry, list) or len(entry) != 3 or not is_path(entry[0]) or entry[0] in paths:
                raise LeezenflowError("the manifest has a path that no release may have: %r" % (entry,))
            path, size, digest = entry
            if not _is_count(size) or size > _MOST_FILE_BYTES or not _is_digest(digest):
                raise LeezenflowError("the manifest has no sound size and hash for %s" % path)
            paths.add(path)
            while "/" in path:
                path = path.rpartition("/")[0]
                folders.add(path)
        if paths & folders:
            raise LeezenflowError("the manifest has a path that no release may have: a file that is a folder, too")
        if not self.holds_module(_MAIN):
            raise LeezenflowError("the manifest lacks %s: this is no release" % _MAIN)


def is_path(path):
    """Say whether `path` is one that a release may have: plain names below the slot, none of them hidden or ours."""
    if not isinstance(path, str) or not 0 < len(path) <= _MOST_PATH_CHARACTERS:
        return False
    if path == FILE or path.endswith(PART) or path.endswith(NEW):
        return False
    for name in path.split("/"):
        # An empty name is an absolute path or a doubled slash; one that begins with a dot may be "..".
        if not name or name[0] == "." or name[-1] == ".":
            return False
        for character in name:
            if not (
                "a" <= character <= "z" or "A" <= character <= "Z" or "0" <= character <= "9" or character in "_-."
            ):
                return False
    return True


def hash_file(path, buffer):
    """Return the SHA-256 of a file in hex, read through `buffer` (a memoryview); None if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while True:
                count = file.readinto(buffer)
                if not count:
                    return hex_digest(digest)
                digest.update(buffer[:count])
    except OSError:
        return None


def hex_digest(digest):
    """Return a finished hash in hex, on both interpreters."""
    return binascii.hexlify(digest.digest()).decode()


def _loads(own, wanted):
    """Say whether an interpreter with the ABI `own` (sys.implementation._mpy) loads what was made for `wanted`."""
    if not _is_count(wanted) or wanted & 0xFF != own & 0xFF:
        return False
    # Machine code asks for the same minor version and the same architecture; without any, all of it is bytecode.
    return not wanted >> 10 or wanted >> 8 == own >> 8


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _SMALL_INT


def _is_digest(value):
    if not isinstance(value, str) or len(value) != 2 * _DIGEST_BYTES:
        return False
    for character in value:
        if character not in "0123456789abcdef":
            return False
    return True
