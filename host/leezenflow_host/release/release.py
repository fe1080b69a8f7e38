# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release for one board, in memory."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Release:
    """What an update file holds: `files` by their path in the slot; without a signature, all about it is empty."""

    manifest_text: str
    signature: bytes
    keys_text: str
    keys_signature: bytes
    files: dict[str, bytes]

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest as an object."""
        return json.loads(self.manifest_text)

    @property
    def board(self) -> str:
        """Name of the board that it is for."""
        return self.manifest["board"]

    @property
    def number(self) -> int:
        """The release number, which only grows."""
        return self.manifest["release"]

    @property
    def version(self) -> str:
        """The version of the firmware."""
        return self.manifest["version"]

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest in hex: the release's one name."""
        return hashlib.sha256(self.manifest_text.encode()).hexdigest()

    @property
    def is_signed(self) -> bool:
        """Whether it carries a signature at all; units and `open_release` check which."""
        return bool(self.signature)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(map(len, self.files.values()))
