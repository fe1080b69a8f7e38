# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys for tests, made once a process: nobody waits for prime numbers twice."""

import functools
from pathlib import Path

from leezenflow_host.signing import SigningKey, make_keys
from leezenflow_host.signing.key_folder import NewKeys


@functools.lru_cache(maxsize=8)
def signing_key(name: str) -> SigningKey:
    """The key of that name, always the same in one process."""
    return SigningKey.generate()


@functools.lru_cache(maxsize=1)
def _new_keys() -> NewKeys:
    return make_keys(Path("nowhere"))


def city(folder: Path) -> Path:
    """A folder with a city's first keys."""
    NewKeys(folder, dict(_new_keys().files), set(_new_keys().secret)).write()
    return folder
