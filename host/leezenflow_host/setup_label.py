# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on a unit's label for its first-time setup: the same as `leezenflow_device.setup_portal` works out."""

import hashlib
from collections.abc import Mapping
from typing import Any

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def setup_label(chip: bytes) -> tuple[str, str]:
    """Return (name, password) of the Wi-Fi that a unit opens while its setup button is held; `chip`: its number."""
    digest = hashlib.sha256(b"leezenflow setup\0" + chip).digest()
    letters = [_LETTERS[byte % len(_LETTERS)] for byte in digest]
    return f"leezenflow-{''.join(letters[28:])}", "".join(letters[:12])


def setup_of(board: Mapping[str, Any], chip: bytes) -> dict[str, str] | None:
    """Return `network` and `password` for the label of a unit with compiled `board`; None where no setup is meant."""
    if not board.get("setup"):
        return None
    network, password = setup_label(chip)
    return {"network": network, "password": password}
