# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for the password of keys that are about to be made."""

import os
import sys

import rich_click as click

from leezenflow_host.errors import InputError
from leezenflow_host.signing.signing_key import PASSWORD_VARIABLE

_LEAST_CHARACTERS = 12


def ask_new_password() -> str:
    """Return the password from the environment, or from a person who types it twice; InputError for a short one."""
    password = os.environ.get(PASSWORD_VARIABLE)
    if password is None:
        if not sys.stdin.isatty():
            raise InputError(f"--password asks for one: set {PASSWORD_VARIABLE}, or call this from a terminal.")
        password = click.prompt("Password of the new keys", hide_input=True, confirmation_prompt=True, err=True)
    if len(password) < _LEAST_CHARACTERS:
        raise InputError(f"The password has less than {_LEAST_CHARACTERS} characters: take a longer one.")
    return password
