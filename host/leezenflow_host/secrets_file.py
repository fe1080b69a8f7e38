# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only one unit may know: a json file on the laptop, /secrets.json and the files in /certs on the board.

`"certs"` in the file maps names to certificates and keys, as PEM text or base64 of DER; on the board each is a DER file
of its own, because a board has no room to hold them twice. No message of ours ever repeats a value from this file.
"""

import base64
import json
import re
from pathlib import Path
from typing import Any

from leezenflow_host.certificates import der_of
from leezenflow_host.errors import InputError

SECRETS = "/secrets.json"
CERTIFICATES = "/certs"
_MAX_CERTIFICATE_BYTES = 8192  # what the board reads
_EXAMPLE = '{"wifi": {"ssid": "...", "password": "..."}}'


def read_secrets(file: Path) -> dict[str, Any]:
    """Return the content of a secrets file; InputError says what is wrong with it, never what is in it."""
    return _parse(_read(file), str(file))


def read_secrets_bytes(file: Path) -> bytes:
    """Return a secrets file as it is, after a look into it; InputError where it is none."""
    content = _read(file)
    secret_files(content, str(file))
    return content


def secret_files(content: bytes, name: str = "the secrets") -> dict[str, bytes]:
    """Return the files (by device path) that a secrets file becomes on a board; InputError as in `read_secrets`."""
    values = _parse(content, name)
    if "certs" not in values:
        return {SECRETS: content}
    certificates = values.pop("certs")
    if not isinstance(certificates, dict):
        raise InputError(f'{name}: "certs" must be an object of file names and certificates.')
    files = {SECRETS: json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()}
    for file, text in certificates.items():
        if not re.fullmatch(r"[a-z0-9_]{1,30}\.der", file):
            raise InputError(f'{name}: "certs" names a file {file!r}; small letters, digits and _, then .der.')
        files[f"{CERTIFICATES}/{file}"] = _certificate(text, f'{name}: "certs": {file}')
    return files


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file; a json object such as {_EXAMPLE} was expected.") from None
    except IsADirectoryError:
        raise InputError(f"{file} is a folder; a file with a json object such as {_EXAMPLE} was expected.") from None


def _parse(content: bytes, name: str) -> dict[str, Any]:
    try:
        values = json.loads(content)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise InputError(f"{name}: not a json object such as {_EXAMPLE}.")
    return values


def _certificate(text: object, where: str) -> bytes:
    if not isinstance(text, str):
        raise InputError(f"{where} must be text: PEM, or base64 of DER.")
    if "-----BEGIN" in text:
        der = der_of(text)
    else:
        try:
            der = base64.b64decode(text, validate=True)
        except ValueError:
            der = None
    # Certificates and keys are SEQUENCEs in DER.
    if not der or der[0] != 0x30:
        raise InputError(f"{where} is neither PEM (a certificate, or a key without password) nor base64 of DER.")
    if len(der) > _MAX_CERTIFICATE_BYTES:
        raise InputError(f"{where} has {len(der)} bytes; a board takes {_MAX_CERTIFICATE_BYTES}.")
    return der
