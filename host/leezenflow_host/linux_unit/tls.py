# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS towards a broker, with the certificates of a unit's secrets file (`"certs"`), as on a board."""

import json
import os
import ssl
import tempfile
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from leezenflow_host.errors import InputError
from leezenflow_host.secrets_file import CERTIFICATES, secret_files

_PEM = b"-----BEGIN "


def make_context(options: dict[str, Any], secrets: dict[str, Any]) -> ssl.SSLContext:
    """The TLS settings for a source's options (`ca`, `certificate`, `key`) and a unit's secrets.

    Each option names a certificate of the secrets, or a file if there is a "/" in it. Where the authority is in neither
    it is those that the system believes. The broker's name is always checked. `InputError` names the file, never what
    is in it.
    """
    files = secret_files(json.dumps({"certs": secrets.get("certs", {})}).encode())
    name = options["ca"]
    authority = _find(name, files)
    if authority is None and secrets.get("certs"):
        raise InputError(f'secrets: "certs" has no {name}, the authority of the broker; add it')
    try:
        # OpenSSL takes PEM as text and DER as bytes.
        is_text = authority is not None and authority.startswith(_PEM)
        context = ssl.create_default_context(cadata=authority.decode() if authority and is_text else authority)
    except (ssl.SSLError, UnicodeDecodeError):
        raise InputError(f"{_place(name)} is no certificate that can be used; install it again") from None
    if options["certificate"]:
        _load_own(context, options["certificate"], options["key"], files)
    return context


def _place(name: str) -> str:
    return name if "/" in name else f'secrets: "certs": {name}'


def _find(name: str, files: dict[str, bytes]) -> bytes | None:
    """A certificate or key: DER out of the secrets, or a file (DER or PEM) where a path was given."""
    if "/" in name:
        try:
            return Path(name).read_bytes()
        except OSError as error:
            raise InputError(f"{name}: {error.strerror}; name the certificate's file in the source") from None
    return files.get(f"{CERTIFICATES}/{name}")


def _load_own(context: ssl.SSLContext, certificate: str, key: str, files: dict[str, bytes]) -> None:
    """Have the context show our certificate. Python reads keys from files only: one for us alone, gone at once."""
    der = [_find(name, files) for name in (certificate, key)]
    for name, found in zip((certificate, key), der, strict=True):
        if found is None:
            raise InputError(f'secrets: "certs" has no {name}, which the source names; add it')
    descriptor, path = tempfile.mkstemp(suffix=".pem")  # readable for its owner only
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_pem(der[0] or b"", der[1] or b""))
        context.load_cert_chain(path)
    except (ssl.SSLError, ValueError, TypeError):
        raise InputError(f"{_place(certificate)} and {key} cannot be used together; install them again") from None
    finally:
        os.unlink(path)


def _pem(certificate: bytes, key: bytes) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    load_certificate = (
        x509.load_pem_x509_certificate if certificate.startswith(_PEM) else x509.load_der_x509_certificate
    )
    load_key = serialization.load_pem_private_key if key.startswith(_PEM) else serialization.load_der_private_key
    own = load_certificate(certificate).public_bytes(encoding)
    return own + load_key(key, None).private_bytes(encoding, form, serialization.NoEncryption())
