# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on a unit's label for its first-time setup: the same as `leezenflow_device.setup_portal` works out."""

import hashlib

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def setup_label(chip: bytes) -> tuple[str, str]:
    """Return (name, password) of the Wi-Fi that a unit opens while its setup button is held; `chip`: its number."""
    digest = hashlib.sha256(b"leezenflow setup\0" + chip).digest()
    letters = [_LETTERS[byte % len(_LETTERS)] for byte in digest]
    return f"leezenflow-{''.join(letters[28:])}", "".join(letters[:12])
