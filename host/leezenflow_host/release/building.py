# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes releases: the same source, sites, compiler and number give the same bytes, signed or not."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from leezenflow_host.board_config import BoardConfig
from leezenflow_host.image import MANIFEST, fleet_roots, stage_release
from leezenflow_host.mpy import Compiler, compiler_for_chip
from leezenflow_host.release.release import Release
from leezenflow_host.self_test_message import stored_message
from leezenflow_host.signing import KeyFolder, SigningKey
from leezenflow_host.site_config import SiteConfig


def build_release(
    board: BoardConfig,
    sites: Iterable[SiteConfig] = (),
    *,
    compiler: Compiler | Literal["chip"] | None = "chip",
    number: int | None = None,
) -> Release:
    """Build the firmware of `board` for all of `sites` (none: for whatever site the board can have), unsigned.

    `number` counts releases (default: from the version). InputError where a site names what does not run on boards.
    """
    board.require_device()
    sites = list(sites)
    for site in sites:
        site.require_device()
    if compiler == "chip":
        compiler = compiler_for_chip(board.chip)
    adapters = {site.values["signal"]["adapter"] for site in sites}
    # Each unit tests the decoder that it uses anyway; where they differ, none.
    message = stored_message(adapters.pop()) if len(adapters) == 1 else None
    files = stage_release(board, fleet_roots(board, sites), compiler, message, number)
    manifest = files.pop(MANIFEST)
    return Release(manifest.decode(), b"", "", b"", files)


def sign_release(release: Release, key: SigningKey, keys: KeyFolder) -> Release:
    """Return the release with the signature of `key` and the list of keys that vouches for it."""
    return replace(
        release,
        signature=key.sign(release.manifest_text.encode()),
        keys_text=keys.keys_text.decode(),
        keys_signature=keys.keys_signature,
    )
