# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Update files: built for one board, signed, and opened again. docs/reference/update-format.md has the format."""

from leezenflow_host.release.building import build_release, sign_release
from leezenflow_host.release.packed_file import open_release, pack_release, write_whole
from leezenflow_host.release.release import Release

__all__ = ["Release", "build_release", "open_release", "pack_release", "sign_release", "write_whole"]
