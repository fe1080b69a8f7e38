# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message that a unit carries, so that it can prove its decoder without a signal."""

from importlib.resources import files

import leezenflow_host

# As `leezenflow_device.self_test.STORED_MESSAGE` names it, beside the packages of a release.
STORED_MESSAGE = "self_test.bin"


def stored_message(adapter: str | None) -> bytes | None:
    """Return the stored message for an adapter: a line of json, then the payload; None where there is none."""
    if adapter is None:
        return None
    file = files(leezenflow_host) / "data" / "self_test" / f"{adapter}.bin"
    return file.read_bytes() if file.is_file() else None
