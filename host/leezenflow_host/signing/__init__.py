# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The city's keys: roots that say who may sign releases, and release keys that do."""

from leezenflow_host.signing.key_folder import KeyFolder, NewKeys, make_keys
from leezenflow_host.signing.key_lists import KeyList, PublicKey, read_key_list, read_root_keys
from leezenflow_host.signing.signing_key import SigningKey, is_signed, load_key

__all__ = [
    "KeyFolder",
    "KeyList",
    "NewKeys",
    "PublicKey",
    "SigningKey",
    "is_signed",
    "load_key",
    "make_keys",
    "read_key_list",
    "read_root_keys",
]
